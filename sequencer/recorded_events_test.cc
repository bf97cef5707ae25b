// The recorded requests of the real system, at the times it gave them, must come out as the recorded events: byte for
// byte, for every member, with the same signatures.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "canton/sequencing_v31.pb.h"
#include "protocol/signed_content.h"
#include "protocol/testing/recordings.h"
#include "protocol/versioned.h"
#include "sequencer/core.h"
#include "sequencer/event_signer.h"
#include "storage/memory/memory_store.h"
#include "topology/genesis.h"

namespace synod::sequencer {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace v31 = ::com::digitalasset::canton::protocol::v31;

struct RecordedEvent {
  Bytes response;  // SignedContent as delivered
  v31::SequencedEvent event;
};

struct Recording {
  std::map<Timestamp, std::map<protocol::Member, RecordedEvent>> events;
  std::map<std::string, Bytes> requests;  // message id → signed request
  std::vector<topology::StoredTransaction> genesis;
};

v31::SequencedEvent event_in(const Bytes& signed_content) {
  const auto content = protocol::SignedContent::parse(signed_content).value();
  v31::SequencedEvent event;
  EXPECT_TRUE(event.ParseFromString(std::string(protocol::unwrap(content.content, 31, "event").value())));
  return event;
}

// What one member's connection says. The mediator, who was there from the beginning, downloaded the genesis.
void read_connection(const std::string& folder, const synod::testing::RecordedNode& node, Recording& recording) {
  for (const auto& message : synod::testing::read_recording(folder, node.name + "-sequencer1")) {
    if (message.method == "Subscribe" && !message.to_server) {
      api::SubscriptionResponse response;
      ASSERT_TRUE(response.ParseFromString(message.data));
      RecordedEvent event{response.signed_sequenced_event(), event_in(response.signed_sequenced_event())};
      const Timestamp at{event.event.timestamp()};
      recording.events[at].emplace(node.id, std::move(event));
    } else if (message.method == "SendAsync" && message.to_server) {
      api::SendAsyncRequest request;
      ASSERT_TRUE(request.ParseFromString(message.data));
      const auto content = protocol::SignedContent::parse(request.signed_submission_request()).value();
      const auto submission = protocol::SubmissionRequest::parse(content.content, batch_limits()).value();
      recording.requests[submission.message_id] = request.signed_submission_request();
    } else if (message.method == "DownloadTopologyStateForInit" && !message.to_server &&
               node.id.kind() == protocol::MemberKind::mediator) {
      ASSERT_TRUE(topology::decode_snapshot_message(message.data, recording.genesis));
    }
  }
}

class Replay {
 public:
  Replay(const synod::testing::RecordedKeys& keys, const protocol::Member& sequencer, const Recording& recording)
      : keys_(keys),
        sequencer_(sequencer),
        recording_(recording),
        store_(storage::MemoryStoreOptions{store_columns()}) {
    open();
    key_ = SigningHistory(core_->topology(), sequencer_, *keys_.store).key_at(core_->last_time().next());
    EXPECT_TRUE(key_);
  }

  void open() {
    auto opened =
        SequencerCore::open(CoreConfig{keys_.synchronizer, sequencer_}, InitialState{{}, recording_.genesis}, store_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    core_ = std::move(opened->core);
    ASSERT_TRUE(store_.write(opened->writes, storage::Sync::no));
  }

  void run(bool restart_often) {
    for (const auto& [at, members] : recording_.events) {
      if (core_->last_time() == at) continue;  // a tick that the block before brought about
      SealedBatch batch;
      batch.synchronizer = keys_.synchronizer;
      batch.sequencer = sequencer_;
      batch.number = SequenceNumber(++number_);
      batch.proposed_time = at;
      batch.entries.push_back(entry(at, members));
      append(batch);
      if (restart_often) open();
    }
  }

  // The event's cause: a recorded request, nothing (a tick), or what the sequencer sent itself.
  SealedEntry entry(Timestamp at, const std::map<protocol::Member, RecordedEvent>& members) const {
    const v31::CompressedBatch* batch = nullptr;
    for (const auto& [member, event] : members) {
      const auto sent = recording_.requests.find(event.event.message_id());
      if (sent != recording_.requests.end()) return {SubmissionEntry{sent->second}, ""};
      if (event.event.batch().compressed_envelopes_size() > 0) batch = &event.event.batch();
    }
    if (!batch) return {TickEntry{}, ""};
    protocol::SubmissionRequest request;
    request.sender = sequencer_;
    request.message_id = "from-the-sequencer";
    request.batch = protocol::CompressedBatch::from_proto(*batch, batch_limits()).value();
    request.max_sequencing_time = at + Duration::seconds(60);
    return {
        SubmissionEntry{protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(), *key_, at)
                            .serialize()},
        ""};
  }

  void append(const SealedBatch& batch) {
    const auto sign = [&](const crypto::Hash& hash) -> Result<crypto::Signature> { return crypto::sign(hash, *key_); };
    ordering::Block block;
    block.height = core_->next_height();
    block.previous_hash = core_->status().block_hash;
    block.hash = "hash of " + std::to_string(block.height.value);
    block.records.push_back(seal(batch, sign).value());
    auto effects = core_->on_block(block);
    ASSERT_TRUE(effects) << effects.error().to_string();
    ASSERT_TRUE(store_.write(effects->writes, storage::Sync::no));
  }

  // Compares every recorded event; returns how many there were.
  int compare() {
    const EventReader reader(store_, keys_.synchronizer);
    EventSigner signer(1 << 20);
    signer.use(SigningHistory(core_->topology(), sequencer_, *keys_.store));
    std::map<protocol::Member, std::vector<std::pair<Timestamp, RecordedEvent>>> expected;
    for (const auto& [at, members] : recording_.events) {
      for (const auto& [member, event] : members) expected[member].emplace_back(at, event);
    }
    int compared = 0;
    for (const auto& [member, events] : expected) {
      const auto status = core_->member(member);
      EXPECT_TRUE(status) << member.to_string();
      if (!status) continue;
      // A member that never connected in between may have missed nothing; one that left early has seen fewer.
      const auto ours = reader.read(status->number, member, Timestamp::min(), 100'000, 1u << 30);
      EXPECT_TRUE(ours);
      std::map<Timestamp, const MemberEvent*> by_time;
      for (const auto& event : *ours) by_time[event.timestamp] = &event;
      for (const auto& [at, event] : events) {
        const auto found = by_time.find(at);
        EXPECT_TRUE(found != by_time.end()) << member.to_string() << " has no event at " << at.micros;
        if (found == by_time.end()) continue;
        const auto recorded = protocol::SignedContent::parse(event.response).value();
        EXPECT_EQ(to_hex(found->second->content), to_hex(recorded.content)) << member.to_string() << at.micros;
        const auto signed_event = signer.sign(status->number, *found->second);
        EXPECT_TRUE(signed_event);
        EXPECT_EQ(to_hex(**signed_event), to_hex(event.response)) << member.to_string() << at.micros;
        ++compared;
      }
    }
    return compared;
  }

  const SequencerCore& core() const { return *core_; }

 private:
  const synod::testing::RecordedKeys& keys_;
  const protocol::Member sequencer_;
  const Recording& recording_;
  storage::MemoryStore store_;
  std::unique_ptr<SequencerCore> core_;
  std::optional<crypto::SigningKeyPair> key_;
  std::uint64_t number_ = 0;
};

void replay_run(const std::string& folder, int at_least, bool restart_often, bool all_decided) {
  const auto keys = synod::testing::read_recorded_keys(folder);
  Recording recording;
  std::optional<protocol::Member> sequencer;
  for (const auto& node : keys.nodes) {
    if (node.name == "sequencer1") sequencer = node.id;
    if (node.id.kind() == protocol::MemberKind::sequencer) continue;
    if (!std::filesystem::exists(folder + "/recordings/" + node.name + "-sequencer1.ndjson")) continue;
    read_connection(folder, node, recording);
  }
  ASSERT_TRUE(sequencer);
  ASSERT_FALSE(recording.genesis.empty());
  Replay replay(keys, *sequencer, recording);
  replay.run(restart_often);
  EXPECT_GE(replay.compare(), at_least);
  EXPECT_EQ(replay.core().status().requests_dropped, 0u);
  if (all_decided) {
    EXPECT_FALSE(replay.core().wake_at());
  }
}

TEST(RecordedEvents, MainRun) {
  SYNOD_NEEDS_SHARED(folder, "recordings");
  replay_run(folder, 200, false, true);
}

TEST(RecordedEvents, MainRunWithARestartAfterEachBlock) {
  SYNOD_NEEDS_SHARED(folder, "recordings");
  replay_run(folder, 200, true, true);
}

TEST(RecordedEvents, PermissionedRun) {
  SYNOD_NEEDS_SHARED(folder, "recordings/permissioned");
  replay_run(folder, 20, false, true);
}

TEST(RecordedEvents, SubviewsRun) {
  SYNOD_NEEDS_SHARED(folder, "recordings/subviews");
  replay_run(folder, 20, false, true);
}

}  // namespace
}  // namespace synod::sequencer
