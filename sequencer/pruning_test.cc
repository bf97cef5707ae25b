#include "sequencer/pruning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "sequencer/testing/world.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::sequencer {
namespace {

using ::testing::HasSubstr;
using testing::World;

class Pruning : public ::testing::Test {
 protected:
  static Timestamp after(int milliseconds) { return World::kStart + Duration::milliseconds(milliseconds); }
  const protocol::Member& alpha() const { return world.participants[0]; }
  const protocol::Member& beta() const { return world.participants[1]; }

  // Event number i at after(i), for alpha and beta.
  void events(int count) {
    for (int i = 0; i < count; ++i) {
      world.sequence(after(i), {world.submission(alpha(), {World::envelope("event", {{alpha(), beta()}})},
                                                 {.message_id = std::to_string(i)})});
    }
  }
  void acknowledge(const protocol::Member& member, Timestamp at) {
    world.sequence(world.core->last_time().next(),
                   {SealedEntry{AcknowledgementEntry{world.acknowledgement(member, at)}, ""}});
  }
  std::vector<PruningMember> members(const std::set<protocol::Member>& disabled = {}) const {
    std::vector<PruningMember> result;
    for (const auto& status : world.core->members()) result.push_back({status, !disabled.contains(status.member)});
    return result;
  }
  std::vector<MemberNumber> numbers() const {
    std::vector<MemberNumber> result;
    for (const auto& status : world.core->members()) result.push_back(status.number);
    return result;
  }
  Result<Prunable> prune(
      Timestamp before, std::size_t batch = 7, const std::function<bool()>& go_on = [] { return true; }) {
    return prune_before(*world.store, numbers(), before, batch, go_on);
  }
  Result<std::vector<MemberEvent>> read(const protocol::Member& member, Timestamp from) const {
    return EventReader(*world.store, world.genesis.synchronizer)
        .read(world.core->member(member)->number, member, from, 1000, 1u << 30);
  }

  World world;
};

TEST_F(Pruning, TheSlowestEnabledMemberDecides) {
  events(20);
  acknowledge(alpha(), after(12));
  acknowledge(beta(), after(5));
  const std::set<protocol::Member> never{world.mediator, world.participants[2]};
  const Timestamp now = world.core->last_time();
  EXPECT_LT(safe_to_prune(members(), now), after(0));  // gamma and the mediator never acknowledged
  EXPECT_EQ(safe_to_prune(members(never), now), after(5));
  auto shut_out = never;
  shut_out.insert(beta());
  EXPECT_EQ(safe_to_prune(members(shut_out), now), after(12));
  shut_out.insert(alpha());
  EXPECT_EQ(safe_to_prune(members(shut_out), now), now);  // sequencers hold nothing back
  const auto holders = holding_back(members(never), after(10));
  ASSERT_EQ(holders.size(), 1u);
  EXPECT_EQ(holders[0].status.member, beta());
}

TEST_F(Pruning, RemovesWhatLiesBeforeAndNothingElse) {
  events(40);
  const auto before = world.core->member(beta());
  const auto expected = count_before(*world.store, numbers(), after(25));
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->events, 25u);
  EXPECT_EQ(expected->entries, 50u);
  EXPECT_EQ(read(beta(), Timestamp::min())->size(), 40u);  // counting removes nothing

  const std::size_t bytes = world.store->bytes();
  const auto removed = prune(after(25));
  ASSERT_TRUE(removed) << removed.error().to_string();
  EXPECT_EQ(removed->events, expected->events);
  EXPECT_EQ(removed->bytes, expected->bytes);
  EXPECT_EQ(removed->entries, expected->entries);
  EXPECT_LT(world.store->bytes(), bytes - expected->bytes + 500);
  const auto rest = read(beta(), Timestamp::min());
  ASSERT_EQ(rest->size(), 15u);
  EXPECT_EQ(rest->front().timestamp, after(25));
  EXPECT_EQ(rest->front().previous, after(24));  // the chain names what is gone
  EXPECT_EQ(prune(after(25))->events, 0u);

  // The state is none of pruning's business.
  const std::string hash = world.core->status().state_hash;
  world.open(world.sequencers[0]);
  EXPECT_EQ(world.core->status().state_hash, hash);
  EXPECT_EQ(world.core->member(beta())->last_event, before->last_event);
  world.sequence(after(100), {world.submission(alpha(), {World::envelope("more", {{beta()}})})});
  EXPECT_EQ(read(beta(), after(25))->size(), 16u);
}

TEST_F(Pruning, SubscriptionsToWhatIsGoneFailInCantonsWords) {
  events(10);
  ASSERT_TRUE(prune(after(4)));
  const auto bound = read_lower_bound(*world.store).value();
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->next(), after(4));
  const Timestamp since = world.core->member(beta())->registered_at;
  EXPECT_TRUE(check_available(beta(), since, after(4), bound));
  const auto refused = check_available(beta(), since, after(3), bound);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().cause, HasSubstr("EventsUnavailableForTimestamp(Some(" + after(3).to_string() + "),"));
  EXPECT_THAT(refused.error().cause, HasSubstr("cannot serve timestamps at or before " + bound->to_string()));
  const auto from_beginning = check_available(beta(), since, std::nullopt, bound);
  ASSERT_FALSE(from_beginning);
  EXPECT_THAT(from_beginning.error().cause, HasSubstr("from the beginning"));
  EXPECT_TRUE(check_available(beta(), after(5), std::nullopt, bound));  // a member that joined later
}

TEST_F(Pruning, AnInterruptedRoundIsFinishedByTheNext) {
  events(40);
  int steps = 3;
  const auto interrupted = prune(after(30), 5, [&] { return steps-- > 0; });
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().id, "PRUNING_INTERRUPTED");
  // Nobody is given a part of it meanwhile.
  EXPECT_EQ(read_lower_bound(*world.store).value()->next(), after(30));
  EXPECT_TRUE(prune(after(30), 5));
  EXPECT_EQ(count_before(*world.store, numbers(), after(30))->events, 0u);
  EXPECT_EQ(read(beta(), Timestamp::min())->size(), 10u);
  EXPECT_EQ(read(alpha(), Timestamp::min())->size(), 10u);
}

TEST_F(Pruning, AReaderThatMeetsAGapIsToldWhy) {
  events(10);
  storage::WriteBatch gone;
  const auto range = event_range(after(2), after(3));
  gone.erase(kEventColumn, range.from);
  ASSERT_TRUE(world.store->write(gone, storage::Sync::no));
  EXPECT_EQ(read(beta(), after(2)).error().id, "STORAGE_CORRUPT");
  storage::WriteBatch bound;
  put_lower_bound(bound, after(5));
  ASSERT_TRUE(world.store->write(bound, storage::Sync::no));
  EXPECT_EQ(read(beta(), after(2)).error().id, "EVENTS_UNAVAILABLE_FOR_TIMESTAMP");
}

TEST_F(Pruning, TheLogIsKeptForTheSlowestSequencer) {
  const auto& self = world.sequencers[0];
  const auto& other = world.sequencers[1];
  CoreStatus status;
  status.height = ordering::Height(1000);
  EXPECT_EQ(log_prunable({self}, self, status, 100), ordering::Height(900));
  EXPECT_EQ(log_prunable({self, other}, self, status, 100), std::nullopt);  // nobody knows how far it is
  status.reported[other] = ordering::Height(300);
  EXPECT_EQ(log_prunable({self, other}, self, status, 100), ordering::Height(200));
  EXPECT_EQ(log_prunable({self, other}, self, status, 300), std::nullopt);
  EXPECT_EQ(log_prunable({self}, self, status, 100), ordering::Height(900));  // it has left the group
}

// A long run in small: 160 MiB of events, of which at most 12 MiB are younger than the retention.
TEST_F(Pruning, DiskStaysWithinItsBudget) {
  constexpr int kRounds = 40, kEvents = 64;
  constexpr std::size_t kEventBytes = 64u << 10;
  constexpr std::uint64_t kBudget = 64u << 20;
  const auto folder = std::filesystem::temp_directory_path() / ("synod-pruning-" + system_random()->uuid());
  {
    storage::RocksDbOptions options;
    options.path = folder.string();
    options.columns = store_columns();
    options.write_buffer_bytes = 4u << 20;
    auto store = storage::open_rocksdb(options);
    ASSERT_TRUE(store) << store.error().to_string();
    const Bytes random = seeded_random(3)->bytes(2 * kEventBytes);  // cannot be compressed
    const auto bytes_on_disk = [&] {
      std::uint64_t bytes = 0;
      std::error_code gone;  // files come and go
      for (auto it = std::filesystem::recursive_directory_iterator(folder, gone);
           it != std::filesystem::recursive_directory_iterator(); it.increment(gone)) {
        const auto size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
        if (!gone) bytes += size;
      }
      return bytes;
    };
    for (int round = 0; round < kRounds; ++round) {
      storage::WriteBatch writes;
      for (int i = 0; i < kEvents; ++i) {
        const Timestamp at = after(round * kEvents + i);
        put_event(writes, at, random.substr(static_cast<std::size_t>(round + i * 511), kEventBytes));
        put_inbox(writes, MemberNumber(1), at, std::nullopt, {0});
      }
      ASSERT_TRUE((*store)->write(writes, storage::Sync::no));
      ASSERT_TRUE(prune_before(**store, {MemberNumber(1)}, after((round - 2) * kEvents), 1000, [] { return true; }));
    }
    std::uint64_t bytes = bytes_on_disk();
    for (int i = 0; i < 3000 && bytes > kBudget; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      bytes = bytes_on_disk();
    }
    EXPECT_LE(bytes, kBudget);
    EXPECT_EQ(count_before(**store, {MemberNumber(1)}, Timestamp::max())->events, 3u * kEvents);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod::sequencer
