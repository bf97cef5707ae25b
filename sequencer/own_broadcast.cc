#include "sequencer/own_broadcast.h"

#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "topology/broadcast.h"

namespace synod::sequencer {
namespace {

// How long a broadcast may wait for its turn in the log.
constexpr Duration kBroadcastLifetime = Duration::seconds(300);

}  // namespace

void broadcast_as_sequencer(NodeState& node, const SequencerCore& core,
                            const std::vector<topology::SignedTransaction>& transactions,
                            const std::string& traceparent, std::function<void(Status)> done) {
  const SequencerParts& parts = node.parts();
  const auto key = SigningHistory(core.topology(), parts.self, *parts.keys).key_at(core.last_time().next());
  if (!key) return done(fail(internal_error("this sequencer has no registered protocol key")));
  protocol::SubmissionRequest request;
  request.sender = parts.self;
  request.message_id = parts.random->uuid();
  request.batch = protocol::CompressedBatch::compress({topology::broadcast_envelope(parts.synchronizer, transactions)});
  request.max_sequencing_time = std::max(parts.clock->now(), core.last_time()) + kBroadcastLifetime;
  const auto signed_request = protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(), *key,
                                                     core.last_time().next());
  node.submit(SealedEntry{SubmissionEntry{signed_request.serialize()}, traceparent}, std::move(done));
}

}  // namespace synod::sequencer
