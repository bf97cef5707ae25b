// The recorded mediator's life again: for the same events our core must send verdicts with the same bytes and
// signatures.
#include "protocol/testing/recordings.h"

#include <gtest/gtest.h>

#include <map>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "mediator/core.h"
#include "protocol/signed_content.h"
#include "storage/memory/memory_store.h"
#include "topology/broadcast.h"
#include "topology/genesis.h"
#include "topology/state.h"

namespace synod::mediator {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;

struct RecordedVerdict {
  protocol::Envelope envelope;
  Timestamp max_sequencing_time;
  std::optional<protocol::AggregationRule> rule;
};

Bytes result_of(const RecordedVerdict& verdict) { return verdict.envelope.content; }

class RecordedMediator : public ::testing::TestWithParam<const char*> {
 protected:
  // By request: what was sent then.
  std::map<Timestamp, RecordedVerdict> recorded;
  std::vector<protocol::SequencedEvent> events;
  std::vector<topology::StoredTransaction> snapshot;

  void read(const std::string& folder) {
    for (const auto& message : synod::testing::read_recording(folder, "mediator1-sequencer1")) {
      if (message.method == "DownloadTopologyStateForInit" && !message.to_server) {
        ASSERT_TRUE(topology::decode_snapshot_message(message.data, snapshot));
      } else if (message.method == "Subscribe" && !message.to_server) {
        api::SubscriptionResponse response;
        ASSERT_TRUE(response.ParseFromString(message.data));
        const auto content = protocol::SignedContent::parse(response.signed_sequenced_event());
        auto event = protocol::SequencedEvent::parse(content->content, {});
        ASSERT_TRUE(event);
        if (events.empty() || event->timestamp > events.back().timestamp) events.push_back(std::move(*event));
      } else if (message.method == "SendAsync" && message.to_server) {
        api::SendAsyncRequest request;
        ASSERT_TRUE(request.ParseFromString(message.data));
        const auto content = protocol::SignedContent::parse(request.signed_submission_request());
        const auto submission = protocol::SubmissionRequest::parse(content->content, {});
        ASSERT_TRUE(submission);
        if (submission->kind() != protocol::SubmissionKind::verdict) continue;
        const auto envelopes = submission->batch.decompress({});
        ASSERT_EQ(envelopes->size(), 1u);
        const auto result =
            std::get<protocol::ConfirmationResult>(*protocol::parse_signed_message((*envelopes)[0].content));
        recorded[result.request_id] = {(*envelopes)[0], submission->max_sequencing_time, submission->aggregation_rule};
      }
    }
  }
};

void expect_same(const VerdictSubmission& mine, const RecordedVerdict& theirs) {
  ASSERT_EQ(mine.submission.envelopes.size(), 1u);
  const protocol::Envelope& envelope = mine.submission.envelopes[0];
  EXPECT_EQ(to_hex(envelope.content), to_hex(result_of(theirs)));
  EXPECT_EQ(envelope.signatures, theirs.envelope.signatures);
  EXPECT_EQ(envelope.recipients.all(), theirs.envelope.recipients.all());
  EXPECT_EQ(envelope.recipients.trees.size(), theirs.envelope.recipients.trees.size());
  EXPECT_EQ(mine.submission.max_sequencing_time, theirs.max_sequencing_time);
  EXPECT_EQ(mine.submission.aggregation_rule, theirs.rule);
  EXPECT_EQ(mine.delay.micros, 0);
}

TEST_P(RecordedMediator, SendsTheSameVerdicts) {
  const std::string name = *GetParam() ? "recordings/" + std::string(GetParam()) : "recordings";
  SYNOD_NEEDS_SHARED(folder, name);
  auto keys = synod::testing::read_recorded_keys(folder);
  read(folder);
  ASSERT_FALSE(recorded.empty());
  protocol::Member self;
  for (const auto& node : keys.nodes)
    if (node.name == "mediator1") self = node.id;

  topology::TopologyState state(keys.synchronizer, topology::StaticParameters{});
  ASSERT_TRUE(state.import(snapshot));
  auto store = storage::MemoryStore({{kMediatorColumn}});
  const auto snapshots = [&](Timestamp at) { return state.snapshot_at(at); };
  const std::shared_ptr<crypto::KeyStore> key_store = std::move(keys.store);
  const auto random = seeded_random(1);
  auto load = [&] { return MediatorCore::load({}, keys.synchronizer, self, key_store, random, store, snapshots); };
  auto core = load();
  ASSERT_TRUE(core) << core.error().to_string();

  std::map<Timestamp, VerdictSubmission> sent;
  int restarts = 0;
  for (const protocol::SequencedEvent& event : events) {
    Effects effects = (*core)->on_event(event, snapshots);
    state.process(event.timestamp, topology::broadcasts_in(event.batch, event.synchronizer));
    ASSERT_TRUE(store.write(effects.writes, storage::Sync::no));
    for (VerdictSubmission& verdict : effects.sends) sent.emplace(verdict.request_id, std::move(verdict));
    // A new process after every third event must go on just the same.
    if (++restarts % 3 == 0) {
      const std::size_t pending = (*core)->status().pending_requests,
                        unconfirmed = (*core)->status().unconfirmed_verdicts;
      core = load();
      ASSERT_TRUE(core) << core.error().to_string();
      EXPECT_EQ((*core)->status().pending_requests, pending);
      EXPECT_EQ((*core)->status().unconfirmed_verdicts, unconfirmed);
    }
  }
  for (const auto& [request, verdict] : recorded) {
    SCOPED_TRACE(request.to_string());
    ASSERT_TRUE(sent.count(request));
    expect_same(sent.at(request), verdict);
  }
  // Ours may be ahead where the recording ends before Canton had sent; otherwise nothing more was said.
  for (const auto& [request, verdict] : sent) EXPECT_TRUE(recorded.count(request)) << request.to_string();
}

INSTANTIATE_TEST_SUITE_P(, RecordedMediator, ::testing::Values("", "permissioned", "subviews"),
                         [](const auto& info) { return std::string(*info.param ? info.param : "main"); });

}  // namespace
}  // namespace synod::mediator
