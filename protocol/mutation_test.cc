// Damaged and hostile bytes: whatever is done to a recorded message, it is refused with an error or read as another
// message, without a crash.
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "protocol/acs_commitment.h"
#include "protocol/envelope_content.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "protocol/testing/recordings.h"

namespace synod::protocol {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;

BatchLimits small_limits() {
  BatchLimits limits;
  limits.max_envelope_bytes = limits.max_recipients_bytes = 1 << 20;
  limits.max_total_bytes = 4 << 20;
  return limits;
}

void read_everything(ByteView bytes) {
  (void)SignedContent::parse(bytes);
  (void)AcknowledgeRequest::parse(bytes);
  (void)parse_envelope_content(bytes);
  (void)parse_signed_message(bytes);
  (void)AcsCommitment::parse(bytes);
  (void)LightViewTree::parse(bytes);
  if (const auto request = SubmissionRequest::parse(bytes, small_limits()))
    (void)request->batch.decompress(small_limits());
  if (const auto event = SequencedEvent::parse(bytes, small_limits())) (void)event->batch.decompress(small_limits());
}

// The messages of one connection and everything inside them.
std::vector<Bytes> samples(const std::string& folder) {
  std::vector<Bytes> out;
  for (const auto& message : testing::read_recording(folder, "participant1-sequencer1")) {
    if (message.method != "SendAsync" || !message.to_server) continue;
    api::SendAsyncRequest request;
    if (!request.ParseFromString(message.data)) continue;
    out.push_back(request.signed_submission_request());
    const auto content = SignedContent::parse(request.signed_submission_request());
    out.push_back(content->content);
    const auto submission = SubmissionRequest::parse(content->content, small_limits());
    const auto envelopes = submission->batch.decompress(small_limits());
    for (const Envelope& envelope : *envelopes) out.push_back(envelope.content);
  }
  return out;
}

TEST(DamagedMessages, AreRefusedWithoutACrash) {
  SYNOD_NEEDS_SHARED(folder, "recordings/subviews");
  const auto random = seeded_random(17);
  for (const Bytes& sample : samples(folder)) {
    read_everything(sample);
    for (int round = 0; round < 30; ++round) {
      Bytes damaged = sample;
      switch (random->below(4)) {
        case 0:
          damaged.resize(random->below(damaged.size() + 1));
          break;
        case 1:
          damaged[random->below(damaged.size())] ^= static_cast<char>(1u << random->below(8));
          break;
        case 2:
          damaged.insert(random->below(damaged.size()), random->bytes(1 + random->below(9)));
          break;
        case 3: {
          const std::size_t at = random->below(damaged.size());
          damaged.replace(at, std::min<std::size_t>(damaged.size() - at, 10), Bytes(10, '\xff'));
          break;
        }
      }
      read_everything(damaged);
    }
  }
}

TEST(DamagedMessages, RandomBytesAreRefused) {
  const auto random = seeded_random(18);
  for (int round = 0; round < 2000; ++round) read_everything(random->bytes(random->below(200)));
}

}  // namespace
}  // namespace synod::protocol
