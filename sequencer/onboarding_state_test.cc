#include "sequencer/onboarding_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/expect_log.h"
#include "sequencer/pruning.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using testing::World;

TEST(Onboarding, ASequencerGoesOnFromAPeersState) {
  World world;
  const auto& alpha = world.participants[0];
  const auto& beta = world.participants[1];
  std::vector<std::vector<Bytes>> blocks;
  for (int i = 0; i < 30; ++i) {
    testing::RequestOptions options{.message_id = std::to_string(i)};
    if (i % 5 == 0) {  // aggregations that are in flight when the state is exported
      options.rule = protocol::AggregationRule{};
      options.rule->kind = protocol::AggregationRule::Kind::sender_dedup;
      options.max_sequencing_time = World::kStart + Duration::seconds(60);
    }
    blocks.push_back(
        {world.record(world.sequencers[static_cast<std::size_t>(i % 2)], World::kStart + Duration::milliseconds(i),
                      {world.submission(alpha, {World::envelope("event", {{beta}})}, options)})});
  }
  for (int i = 0; i < 20; ++i) world.block(blocks[static_cast<std::size_t>(i)]);
  const auto exported = export_onboarding_state(*world.store, world.core->topology().static_parameters());
  ASSERT_TRUE(exported) << exported.error().to_string();
  const Timestamp taken_at = world.core->last_time();
  const std::size_t had = world.events(beta).size();
  for (int i = 20; i < 30; ++i) world.block(blocks[static_cast<std::size_t>(i)]);
  const auto peer = world.core->status();
  const auto peer_events = world.events(beta);

  const auto parsed = parse_onboarding_state(*exported);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->synchronizer, world.genesis.synchronizer);
  EXPECT_EQ(parsed->height, ordering::Height(19));
  auto fresh = std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns(), true});
  EXPECT_FALSE(has_state(*fresh).value());
  ASSERT_TRUE(fresh->write(install(*parsed).value(), storage::Sync::yes));
  EXPECT_TRUE(has_state(*fresh).value());
  world.store = fresh;
  world.open(world.sequencers[1]);
  EXPECT_EQ(world.core->next_height(), ordering::Height(20));
  for (int i = 20; i < 30; ++i) world.block(blocks[static_cast<std::size_t>(i)]);
  EXPECT_EQ(world.core->status().state_hash, peer.state_hash);
  EXPECT_EQ(world.core->digest(), crypto::sha256(peer.block_hash + world.core->state_hash()));

  // It has what it sequenced itself, with the right predecessors, and says what it does not have.
  const auto events = world.events(beta);
  ASSERT_EQ(events.size(), peer_events.size() - had);  // repetitions are recognised by the aggregations that came along
  EXPECT_EQ(events.size(), 8u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].timestamp, peer_events[had + i].timestamp);
    EXPECT_EQ(events[i].previous, peer_events[had + i].previous);
  }
  EXPECT_EQ(read_lower_bound(*fresh).value(), taken_at);
}

TEST(Onboarding, DamagedStatesAreRefused) {
  World world;
  EXPECT_FALSE(parse_onboarding_state("no such thing"));
  const auto empty = std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns(), true});
  EXPECT_EQ(export_onboarding_state(*empty, world.core->topology().static_parameters()).error().id,
            "SEQUENCER_STORE_EMPTY");
}

// The ordering service gives the third sequencer another block than the others.
TEST(Fork, TheMinorityStopsAndSaysWhy) {
  topology::DynamicParameters parameters;
  World world(parameters, 3);
  const auto& alpha = world.participants[0];
  struct One {
    std::shared_ptr<storage::MemoryStore> store;
    std::unique_ptr<SequencerCore> core;
  };
  std::vector<One> group(3);
  for (std::size_t i = 0; i < 3; ++i) {
    group[i].store = std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns(), true});
    auto opened =
        SequencerCore::open({world.genesis.synchronizer, world.sequencers[i]}, world.initial(), *group[i].store);
    ASSERT_TRUE(opened);
    ASSERT_TRUE(group[i].store->write(opened->writes, storage::Sync::no));
    group[i].core = std::move(opened->core);
  }
  std::optional<Error> fork;
  int number = 0;
  // A block of what one sequencer sealed. The diverging engine leaves out the content for the third.
  const auto block = [&](std::size_t by, bool diverge) {
    SealedBatch batch;
    batch.synchronizer = world.genesis.synchronizer;
    batch.sequencer = world.sequencers[by];
    batch.number = SequenceNumber(static_cast<std::uint64_t>(++number));
    batch.proposed_time = World::kStart + Duration::milliseconds(number);
    batch.seen_height = group[by].core->height();
    batch.seen_state = group[by].core->digest();
    batch.entries.push_back(
        world.submission(alpha, {World::envelope("event", {{alpha}})}, {.message_id = std::to_string(number)}));
    const auto key = world.key_of(world.sequencers[by]);
    const Bytes record = seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
                           return crypto::sign(hash, key);
                         }).value();
    for (std::size_t i = 0; i < 3; ++i) {
      if (fork && i == 2) continue;
      ordering::Block cut;
      cut.height = group[i].core->next_height();
      cut.previous_hash = group[i].core->status().block_hash;
      if (!(diverge && i == 2)) cut.records.push_back(record);
      cut.hash = crypto::sha256(cut.previous_hash + (cut.records.empty() ? "" : record));
      const auto effects = group[i].core->on_block(cut);
      ASSERT_TRUE(effects);
      if (effects->fork) {
        EXPECT_EQ(i, 2u) << effects->fork->to_string();
        fork = effects->fork;
        continue;
      }
      ASSERT_TRUE(group[i].store->write(effects->writes, storage::Sync::no));
    }
  };
  for (std::size_t i = 0; i < 6; ++i) block(i % 3, false);
  for (const One& one : group) EXPECT_TRUE(one.core->status().diverged.empty());
  block(0, true);
  EXPECT_FALSE(fork);
  // Each next batch tells what its sequencer has come to. Everybody alarms; only who is alone stops.
  synod::testing::expect_log("came to another state");
  for (std::size_t i = 0; i < 3; ++i) block(i % 3, false);
  ASSERT_TRUE(fork);
  EXPECT_EQ(fork->id, "SEQUENCER_FORKED");
  EXPECT_THAT(fork->cause, ::testing::HasSubstr("2 of 3 sequencers came to another state"));
  EXPECT_THAT(group[0].core->status().diverged, ::testing::ElementsAre(world.sequencers[2]));
  EXPECT_THAT(group[1].core->status().diverged, ::testing::ElementsAre(world.sequencers[2]));
  EXPECT_EQ(group[0].core->status().state_hash, group[1].core->status().state_hash);
}

}  // namespace
}  // namespace synod::sequencer
