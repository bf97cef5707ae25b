// Recorded states and broadcasts of a real network must come out the same here: same order, times, decisions and bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "storage/memory/memory_store.h"
#include "topology/broadcast.h"
#include "topology/genesis.h"
#include "topology/onboarding.h"
#include "topology/state.h"
#include "topology/testing/recording.h"

namespace synod::topology {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
using testing::read_recording;
using testing::RecordedMessage;

struct Download {
  std::vector<Bytes> messages;  // as received
  std::vector<StoredTransaction> snapshot;
  Bytes hash;
};

struct Connection {
  std::map<int, Download> downloads;  // by call
  std::vector<protocol::SequencedEvent> events;
  std::vector<std::vector<Bytes>> registrations;
};

Connection read_connection(const std::string& path) {
  Connection result;
  Bytes last_hash;
  for (const auto& message : read_recording(path)) {
    if (message.method == "DownloadTopologyStateForInitHash" && message.from_server) {
      api::DownloadTopologyStateForInitHashResponse proto;
      EXPECT_TRUE(proto.ParseFromString(message.data));
      last_hash = proto.topology_state_hash();
    } else if (message.method == "DownloadTopologyStateForInit" && message.from_server) {
      auto& download = result.downloads[message.call];
      download.hash = last_hash;
      download.messages.push_back(message.data);
      EXPECT_TRUE(decode_snapshot_message(message.data, download.snapshot));
    } else if (message.method == "Subscribe" && message.from_server) {
      api::SubscriptionResponse proto;
      EXPECT_TRUE(proto.ParseFromString(message.data));
      const auto content = protocol::SignedContent::parse(proto.signed_sequenced_event());
      EXPECT_TRUE(content);
      auto event = protocol::SequencedEvent::parse(content->content, {});
      EXPECT_TRUE(event) << event.error().to_string();
      if (result.events.empty() || event->timestamp > result.events.back().timestamp)
        result.events.push_back(std::move(*event));
    } else if (message.method == "RegisterOnboardingTopologyTransactions" && !message.from_server) {
      api::SequencerConnect::RegisterOnboardingTopologyTransactionsRequest proto;
      EXPECT_TRUE(proto.ParseFromString(message.data));
      std::vector<Bytes> transactions;
      for (const auto& t : proto.topology_transactions()) transactions.push_back(t.SerializeAsString());
      result.registrations.push_back(std::move(transactions));
    }
  }
  return result;
}

void expect_equal(const std::vector<StoredTransaction>& actual, const std::vector<StoredTransaction>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    SCOPED_TRACE(std::to_string(i) + " " + describe(expected[i].transaction.mapping()));
    EXPECT_EQ(actual[i].transaction.hash(), expected[i].transaction.hash());
    EXPECT_EQ(actual[i].sequenced, expected[i].sequenced);
    EXPECT_EQ(actual[i].valid_from, expected[i].valid_from);
    EXPECT_EQ(actual[i].valid_until, expected[i].valid_until);
    EXPECT_EQ(actual[i].rejected(), expected[i].rejected());
    EXPECT_EQ(actual[i].transaction, expected[i].transaction);
  }
}

class Replay : public ::testing::TestWithParam<const char*> {
 protected:
  std::optional<std::string> path(const std::string& file) const {
    return synod::testing::shared_path("recordings/" + std::string(GetParam()) + "recordings/" + file + ".ndjson");
  }
};

// The mediator has seen the whole life of the synchronizer: its state is the reference for all others.
TopologyState replay_mediator(const Connection& mediator) {
  const auto& download = mediator.downloads.begin()->second;
  TopologyState state(mediator.events.front().synchronizer, StaticParameters{});
  const auto imported = state.import(download.snapshot);
  EXPECT_TRUE(imported) << imported.error().to_string();
  for (const auto& event : mediator.events) {
    for (const auto& rejection :
         state.process(event.timestamp, broadcasts_in(event.batch, event.synchronizer)).rejections) {
      EXPECT_FALSE(rejection) << rejection->text;
    }
  }
  return state;
}

TEST_P(Replay, EveryDownloadComesOutByteForByte) {
  const auto mediator_path = path("mediator1-sequencer1");
  if (!mediator_path) GTEST_SKIP() << "SKIPPED: needs recordings in ../shared or $SYNOD_SHARED";
  const auto mediator = read_connection(*mediator_path);
  ASSERT_EQ(mediator.downloads.size(), 1u);
  const auto state = replay_mediator(mediator);

  int downloads = 0;
  for (const std::string name : {"mediator1", "participant1", "participant2", "participant3"}) {
    const auto file = path(name + "-sequencer1");
    if (!file) continue;
    const auto connection = name == "mediator1" ? mediator : read_connection(*file);
    for (const auto& [call, download] : connection.downloads) {
      SCOPED_TRACE(name + " call " + std::to_string(call));
      ++downloads;
      EXPECT_EQ(snapshot_hash(download.snapshot).bytes(), download.hash);
      EXPECT_EQ(encode_snapshot_messages(download.snapshot), download.messages);

      // Who downloaded is the last member that the snapshot onboards.
      std::optional<protocol::Member> member;
      for (const auto& stored : download.snapshot) {
        if (const auto* certificate = stored.transaction.transaction().as<TrustCertificate>()) {
          member = protocol::Member::participant(certificate->participant);
        } else if (const auto* group = stored.transaction.transaction().as<MediatorState>(); group && !member) {
          member = protocol::Member::mediator(group->active.front());
        }
      }
      ASSERT_TRUE(member);
      const auto at = state.onboarding_time(*member);
      ASSERT_TRUE(at) << at.error().to_string();
      expect_equal(state.export_at(*at), download.snapshot);
      EXPECT_EQ(encode_snapshot_messages(state.export_at(*at)), download.messages);

      // The newcomer replays what it got, goes on with its own events, and ends where the others are.
      TopologyState own(state.synchronizer(), StaticParameters{});
      const auto imported = own.import(download.snapshot);
      ASSERT_TRUE(imported) << imported.error().to_string();
      for (const auto& event : connection.events) {
        if (own.known_sequenced() && event.timestamp <= *own.known_sequenced()) continue;
        own.process(event.timestamp, broadcasts_in(event.batch, event.synchronizer));
      }
      expect_equal(own.export_at(connection.events.back().timestamp),
                   state.export_at(connection.events.back().timestamp));
    }
  }
  EXPECT_GE(downloads, 2);
}

TEST_P(Replay, TheStoreGivesTheSameStateBack) {
  const auto mediator_path = path("mediator1-sequencer1");
  if (!mediator_path) GTEST_SKIP() << "SKIPPED: needs recordings in ../shared or $SYNOD_SHARED";
  const auto mediator = read_connection(*mediator_path);
  storage::MemoryStore store({.columns = {kTopologyColumn}});
  TopologyState state(mediator.events.front().synchronizer, StaticParameters{});
  ASSERT_TRUE(store.write(state.import(mediator.downloads.begin()->second.snapshot).value(), storage::Sync::no));
  for (const auto& event : mediator.events) {
    const auto result = state.process(event.timestamp, broadcasts_in(event.batch, event.synchronizer));
    ASSERT_TRUE(store.write(result.writes, storage::Sync::no));
  }
  TopologyState loaded(state.synchronizer(), StaticParameters{});
  ASSERT_TRUE(loaded.load(store));
  expect_equal(loaded.export_at(Timestamp::max()), state.export_at(Timestamp::max()));
  TopologyState forgetful(state.synchronizer(), StaticParameters{}, StateLimits{.max_kept_views = 2});
  ASSERT_TRUE(forgetful.load(store));
  for (const auto& event : mediator.events) {
    const auto expected = state.snapshot_at(event.timestamp);
    for (const auto* other : {&loaded, &forgetful}) {
      const auto actual = other->snapshot_at(event.timestamp);
      EXPECT_EQ(actual.members(), expected.members());
      EXPECT_EQ(actual.parties(), expected.parties());
      EXPECT_EQ(actual.dynamic_parameters(), expected.dynamic_parameters());
    }
  }
}

// What participants really sent when they joined passes the sequencer's checks at the time, and not later.
TEST_P(Replay, RecordedRegistrationsAreAcceptedOnce) {
  const auto mediator_path = path("mediator1-sequencer1");
  if (!mediator_path) GTEST_SKIP() << "SKIPPED: needs recordings in ../shared or $SYNOD_SHARED";
  const auto mediator = read_connection(*mediator_path);
  int checked = 0;
  for (const std::string name : {"participant1", "participant2", "participant3"}) {
    const auto file = path(name + "-sequencer1");
    if (!file) continue;
    const auto registrations = read_connection(*file).registrations;
    if (registrations.empty()) continue;
    const auto& sent = registrations.back();
    std::optional<protocol::Member> member;
    for (const auto& bytes : sent) {
      const auto transaction = SignedTransaction::parse_bare(bytes);
      ASSERT_TRUE(transaction) << transaction.error().to_string();
      if (const auto* c = transaction->transaction().as<TrustCertificate>())
        member = protocol::Member::participant(c->participant);
    }
    ASSERT_TRUE(member);
    TopologyState state(mediator.events.front().synchronizer, StaticParameters{});
    ASSERT_TRUE(state.import(mediator.downloads.begin()->second.snapshot));
    bool joined = false;
    for (const auto& event : mediator.events) {
      const auto transactions = broadcasts_in(event.batch, event.synchronizer);
      for (const auto& t : transactions) {
        const auto* c = t.transaction().as<TrustCertificate>();
        if (!c || c->participant != member->uid()) continue;
        const auto accepted = check_onboarding(state, *member, sent);
        EXPECT_TRUE(accepted) << name << ": " << accepted.error().to_string();
        if (accepted) {
          ++checked;
          EXPECT_EQ(accepted->size(), sent.size());
        }
        joined = true;
      }
      state.process(event.timestamp, transactions);
    }
    if (!joined) continue;
    const auto again = check_onboarding(state, *member, sent);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().category, ErrorCategory::invalid_state_other);
  }
  EXPECT_GE(checked, 2);
}

INSTANTIATE_TEST_SUITE_P(Recordings, Replay, ::testing::Values("", "permissioned/", "subviews/"), [](const auto& info) {
  const std::string name = info.param;
  return name.empty() ? std::string("main") : name.substr(0, name.size() - 1);
});

}  // namespace
}  // namespace synod::topology
