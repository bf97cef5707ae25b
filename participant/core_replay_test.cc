// The core against the recorded network: it gets what the real participant got, and must answer and publish the same.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "ledger/update_service.pb.h"
#include "lf/archive/dar.h"
#include "lf/ledger/value_codec.h"
#include "participant/core.h"
#include "participant/ledger_store.h"
#include "protocol/confirmation.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "protocol/testing/recordings.h"
#include "storage/memory/memory_store.h"
#include "topology/genesis.h"

namespace synod::participant {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace ledger = ::com::daml::ledger::api::v2;

std::shared_ptr<lf::PackageStore> packages() {
  static const auto store = [] {
    auto packages = std::make_shared<lf::PackageStore>();
    for (const char* name : {"dars/canton-builtin-admin-workflow-ping.dar", "dars/CantonExamples-3.2.0.dar"}) {
      const auto path = testing::shared_path(name);
      if (!path) return std::shared_ptr<lf::PackageStore>();
      auto dar = lf::decode_dar(testing::read_file(*path), {}, packages.get());
      if (!dar) throw std::runtime_error(dar.error().to_string());
      for (auto& entry : dar->entries) packages->add(entry.package);
    }
    return packages;
  }();
  return store;
}

struct Replay {
  std::map<std::int64_t, std::vector<protocol::ConfirmationResponse>> answered;  // by request id, of the core
  std::map<std::int64_t, std::vector<protocol::ConfirmationResponse>> recorded;
  std::vector<Update> updates;
  std::vector<Completion> completions;
  std::size_t active = 0;
  int events = 0;
};

std::optional<protocol::ConfirmationResponses> responses_in(const std::vector<protocol::Envelope>& envelopes) {
  for (const auto& envelope : envelopes) {
    if (envelope.signatures.empty()) continue;
    auto message = protocol::parse_signed_message(envelope.content);
    if (!message) continue;
    if (auto* responses = std::get_if<protocol::ConfirmationResponses>(&*message)) return *responses;
  }
  return std::nullopt;
}

class Replayer {
 public:
  Replayer(const std::string& folder, const std::string& node) : keys_(testing::read_recorded_keys(folder)) {
    for (const auto& item : keys_.nodes) {
      if (item.name == node) config_.participant = item.id;
    }
    config_.synchronizer = keys_.synchronizer;
    messages_ = testing::read_recording(folder, node + "-sequencer1");
    for (const auto column : ParticipantCore::columns()) options_.columns.push_back(column);
    store_ = std::make_shared<storage::MemoryStore>(options_);
    engine_ = std::make_shared<lf::Engine>(packages());
    open();
  }

  // `restart_every`: a new core over the same store after so many events.
  Replay run(int restart_every = 0) {
    initialize();
    for (const auto& message : messages_) {
      if (message.method == "Subscribe" && !message.to_server) event(message.data);
      if (message.method == "SendAsync" && message.to_server) sent(message.data);
      if (restart_every != 0 && replay_.events % restart_every == 0) open();
    }
    auto ledger = LedgerStore::open(store_).value();
    EXPECT_TRUE(ledger->updates(Offset(0), ledger->ledger_end(), false, [&](const Update& update) {
      replay_.updates.push_back(update);
      return true;
    }));
    EXPECT_TRUE(ledger->completions(Offset(0), ledger->ledger_end(), [&](const Completion& completion) {
      replay_.completions.push_back(completion);
      return true;
    }));
    EXPECT_TRUE(
        ledger->active_contracts(ledger->ledger_end(), [&](const ActiveContract&) { return ++replay_.active, true; }));
    return std::move(replay_);
  }

 private:
  void open() {
    core_ = std::make_unique<ParticipantCore>(config_, *store_, *keys_.store, engine_, packages(), *random_);
    const auto loaded = core_->load();
    ASSERT_TRUE(loaded) << loaded.error().to_string();
  }

  void apply(const Effects& effects) {
    ASSERT_TRUE(store_->write(effects.writes, storage::Sync::no));
    for (const auto& send : effects.sends) {
      const auto responses = responses_in(send.submission.envelopes);
      if (responses) replay_.answered[responses->request_id.micros] = responses->responses;
    }
  }

  void initialize() {
    std::vector<topology::StoredTransaction> snapshot;
    for (const auto& message : messages_) {
      if (message.method != "DownloadTopologyStateForInit" || message.to_server) continue;
      api::DownloadTopologyStateForInitResponse proto;
      ASSERT_TRUE(proto.ParseFromString(message.data));
      auto items = topology::decode_snapshot(proto.topology_transactions().SerializeAsString());
      ASSERT_TRUE(items) << items.error().to_string();
      std::move(items->begin(), items->end(), std::back_inserter(snapshot));
    }
    auto effects = core_->initialize(snapshot);
    ASSERT_TRUE(effects) << effects.error().to_string();
    apply(*effects);
  }

  void event(const Bytes& data) {
    api::SubscriptionResponse response;
    ASSERT_TRUE(response.ParseFromString(data));
    const auto content = protocol::SignedContent::parse(response.signed_sequenced_event());
    ASSERT_TRUE(content);
    const auto event = protocol::SequencedEvent::parse(content->content, {});
    ASSERT_TRUE(event) << event.error().to_string();
    const auto last = core_->last_event();
    if (last && event->timestamp <= last->timestamp) return;  // delivered again after reconnecting
    const auto effects = core_->on_event(*event, content->content_hash(crypto::HashPurpose::sequenced_event),
                                         response.trace_context().traceparent());
    ASSERT_TRUE(effects) << effects.error().to_string();
    apply(*effects);
    ++replay_.events;
  }

  void sent(const Bytes& data) {
    api::SendAsyncRequest request;
    ASSERT_TRUE(request.ParseFromString(data));
    const auto content = protocol::SignedContent::parse(request.signed_submission_request());
    ASSERT_TRUE(content);
    const auto submission = protocol::SubmissionRequest::parse(content->content, {});
    ASSERT_TRUE(submission);
    const auto envelopes = submission->batch.decompress({});
    ASSERT_TRUE(envelopes);
    if (const auto responses = responses_in(*envelopes))
      replay_.recorded[responses->request_id.micros] = responses->responses;
  }

  testing::RecordedKeys keys_;
  CoreConfig config_;
  std::vector<testing::RecordedMessage> messages_;
  storage::MemoryStoreOptions options_;
  std::shared_ptr<storage::MemoryStore> store_;
  std::shared_ptr<lf::Engine> engine_;
  std::shared_ptr<Random> random_ = seeded_random(1);
  std::unique_ptr<ParticipantCore> core_;
  Replay replay_;
};

// Responses per view in any order, with the parties in any order.
auto normal(const std::vector<protocol::ConfirmationResponse>& responses) {
  std::map<std::string, std::tuple<int, std::string, std::vector<Bytes>, std::vector<std::string>>> out;
  for (const auto& response : responses) {
    auto parties = response.confirming_parties;
    std::sort(parties.begin(), parties.end());
    out[response.view_position ? response.view_position->to_string() : "-"] = {
        static_cast<int>(response.verdict.code), response.verdict.reason.message, response.verdict.reason.details,
        parties};
  }
  return out;
}

void expect_same_answers(const Replay& replay) {
  EXPECT_FALSE(replay.recorded.empty());
  for (const auto& [id, responses] : replay.recorded) {
    const auto found = replay.answered.find(id);
    ASSERT_NE(found, replay.answered.end()) << "no answer to " << id;
    EXPECT_EQ(normal(found->second), normal(responses)) << "request " << id;
  }
  EXPECT_EQ(replay.answered.size(), replay.recorded.size());
}

struct Run {
  const char* folder;
  const char* node;
};

class RecordedParticipant : public ::testing::TestWithParam<Run> {};

TEST_P(RecordedParticipant, AnswersAndPublishesAsRecorded) {
  SYNOD_NEEDS_SHARED(folder, GetParam().folder);
  if (!packages()) GTEST_SKIP() << "SKIPPED: needs the DAR files in ../shared/dars";
  const auto replay = Replayer(folder, GetParam().node).run();
  expect_same_answers(replay);
  EXPECT_FALSE(replay.updates.empty());
}

TEST_P(RecordedParticipant, GoesOnAfterRestarts) {
  SYNOD_NEEDS_SHARED(folder, GetParam().folder);
  if (!packages()) GTEST_SKIP() << "SKIPPED: needs the DAR files in ../shared/dars";
  const auto whole = Replayer(folder, GetParam().node).run();
  const auto restarted = Replayer(folder, GetParam().node).run(1);
  expect_same_answers(restarted);
  ASSERT_EQ(restarted.updates.size(), whole.updates.size());
  for (std::size_t i = 0; i < whole.updates.size(); ++i)
    EXPECT_EQ(encode(restarted.updates[i]), encode(whole.updates[i]));
  EXPECT_EQ(restarted.completions.size(), whole.completions.size());
  EXPECT_EQ(restarted.active, whole.active);
}

// One event as GetUpdates tells it, by what both sides must agree on.
using EventLine = std::tuple<int, std::string, std::string, bool, bool, int, Bytes>;

EventLine line_of(const Event& event) {
  if (const auto* created = std::get_if<CreatedEvent>(&event)) {
    return {created->node_id,
            created->contract.contract_id.to_hex(),
            "create",
            false,
            created->acs_delta,
            0,
            lf::encode_contract(created->contract)};
  }
  const auto& exercised = std::get<ExercisedEvent>(event);
  return {exercised.node_id,
          exercised.contract_id.to_hex(),
          exercised.choice,
          exercised.consuming,
          exercised.acs_delta,
          exercised.last_descendant_node_id,
          {}};
}

const lf::PartySet& witnesses_of(const Event& event) {
  const auto* created = std::get_if<CreatedEvent>(&event);
  return created ? created->witnesses : std::get<ExercisedEvent>(event).witnesses;
}

EventLine line_of(const ledger::Event& event) {
  if (event.has_created()) {
    const auto& created = event.created();
    return {created.node_id(),           created.contract_id(), "create", false, created.acs_delta(), 0,
            created.created_event_blob()};
  }
  const auto& exercised = event.exercised();
  return {exercised.node_id(),
          exercised.contract_id(),
          exercised.choice(),
          exercised.consuming(),
          exercised.acs_delta(),
          exercised.last_descendant_node_id(),
          {}};
}

// All updates with effects that a client of `node` read for one party.
std::vector<ledger::Transaction> recorded_updates(const std::string& folder, const std::string& node,
                                                  std::string& party) {
  std::map<std::int64_t, ledger::Transaction> by_offset;
  std::set<int> calls;
  for (const auto& message : testing::read_recording(folder, "client-" + node + "-ledger")) {
    if (message.method != "GetUpdates") continue;
    if (message.to_server) {
      ledger::GetUpdatesRequest request;
      EXPECT_TRUE(request.ParseFromString(message.data));
      const auto& transactions = request.update_format().include_transactions();
      const auto& parties = transactions.event_format().filters_by_party();
      if (transactions.transaction_shape() != ledger::TRANSACTION_SHAPE_LEDGER_EFFECTS || parties.size() != 1) continue;
      if (!party.empty() && party != parties.begin()->first) continue;
      party = parties.begin()->first;
      calls.insert(message.call);
      continue;
    }
    ledger::GetUpdatesResponse response;
    EXPECT_TRUE(response.ParseFromString(message.data));
    if (calls.contains(message.call) && response.has_transaction())
      by_offset[response.transaction().offset()] = response.transaction();
  }
  std::vector<ledger::Transaction> out;
  for (auto& [offset, transaction] : by_offset) out.push_back(std::move(transaction));
  return out;
}

TEST_P(RecordedParticipant, ReadersGetTheRecordedUpdates) {
  SYNOD_NEEDS_SHARED(folder, GetParam().folder);
  if (!packages()) GTEST_SKIP() << "SKIPPED: needs the DAR files in ../shared/dars";
  std::string party;
  const auto recorded = recorded_updates(folder, GetParam().node, party);
  if (recorded.empty()) return;  // nobody read on this node
  const auto replay = Replayer(folder, GetParam().node).run();
  std::map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < replay.updates.size(); ++i) {
    if (const auto* transaction = replay.updates[i].transaction()) position[transaction->update_id] = i;
  }
  std::size_t last = 0;
  for (const auto& transaction : recorded) {
    const auto found = position.find(transaction.update_id());
    ASSERT_NE(found, position.end()) << transaction.update_id();
    EXPECT_GE(found->second, last) << "order of offsets";
    last = found->second;
    const auto& update = *replay.updates[found->second].transaction();
    EXPECT_EQ(update.workflow_id, transaction.workflow_id());
    std::vector<EventLine> expected, actual;
    for (const auto& event : transaction.events()) expected.push_back(line_of(event));
    for (const auto& event : update.events) {
      if (witnesses_of(event).contains(party)) actual.push_back(line_of(event));
    }
    EXPECT_EQ(actual, expected) << transaction.update_id();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, RecordedParticipant,
    ::testing::Values(Run{"recordings", "participant1"}, Run{"recordings", "participant2"},
                      Run{"recordings/subviews", "participant1"}, Run{"recordings/subviews", "participant2"},
                      Run{"recordings/subviews", "participant3"}),
    [](const auto& info) {
      return std::string(info.param.folder).substr(10).substr(info.param.folder[10] == '/' ? 1 : 0) + info.param.node;
    });

}  // namespace
}  // namespace synod::participant
