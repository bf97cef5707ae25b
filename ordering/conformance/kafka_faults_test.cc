// Single brokers of Kafka fail while clients go on.
#include <atomic>

#include "ordering/conformance/kafka_world.h"
#include "ordering/conformance/single_fault.h"

namespace synod::ordering::conformance {
namespace {

class KafkaFaults : public SingleFault {
 protected:
  KafkaWorld& kafka() { return static_cast<KafkaWorld&>(*world_); }
  void broker_dies(const std::string& name, bool leader) {
    std::optional<std::size_t> broker;
    dies_under_load(
        name,
        [&] {
          eventually([&] { return (broker = kafka().leader()).has_value(); });  // none while one is being elected
          if (!broker) return false;
          if (!leader) *broker = (*broker + 1) % kafka().engine().brokers();
          kafka().engine().kill_broker(*broker);
          return true;
        },
        [&]() -> Status {
          SYNOD_RETURN_IF_ERROR(kafka().engine().start_broker(*broker));
          return kafka().engine().wait_until_listening(*broker, world_->traits().patience);
        });
  }
};

TEST_F(KafkaFaults, ABrokerAndTheBrokerThatLeadsAreKilledUnderLoad) {
  ASSERT_NO_FATAL_FAILURE(begin(std::make_unique<KafkaWorld>()));
  if (!log_) return;
  broker_dies("a follower", false);
  broker_dies("the leader", true);
  expect_one_history();
}

// Pruning may have to write a message first. While the brokers do not take that, the topic is watched all the same.
TEST_F(KafkaFaults, PruningThatWaitsHoldsUpNothingElse) {
  std::atomic<int> pruned = 0;  // 1: done, -1: failed
  ASSERT_NO_FATAL_FAILURE(begin(std::make_unique<KafkaWorld>()));
  if (!log_) return;
  ClientOptions patient;
  patient.submit_timeout = Duration::seconds(600);
  const auto log = world_->connect(patient);  // does not read, and so writes nothing that tells of earlier blocks
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(submit_until_accepted(*log, "r" + std::to_string(i)));
  const Status all_needed = kafka().require_in_sync(3);
  ASSERT_TRUE(all_needed) << all_needed.error().to_string();
  std::optional<std::size_t> leader;
  ASSERT_TRUE(eventually([&] { return (leader = kafka().leader()).has_value(); }));
  const std::size_t follower = (*leader + 1) % kafka().engine().brokers();
  kafka().engine().kill_broker(follower);

  const auto prune = [&] {
    pruned = 0;
    log->prune(Height(4), [&](const Status& status) { pruned = status ? 1 : -1; });
  };
  const auto is_pruned = [&] {
    if (pruned == -1) prune();  // brokers may take longer to answer than it waits for them
    return pruned == 1;
  };
  prune();
  ASSERT_TRUE(eventually([&] { return is_pruned() || log->health().pending_submissions == 1; }));
  ASSERT_EQ(pruned, 0);
  Status second;
  log->prune(Height(4), [&](const Status& status) { second = status; });
  EXPECT_FALSE(second) << "one at a time";
  world_->cut();
  EXPECT_TRUE(eventually([&] { return log->health().state == Health::State::connecting; }));
  world_->heal();
  EXPECT_TRUE(eventually([&] { return log->health().state == Health::State::ready; })) << log->health().last_error;
  EXPECT_EQ(pruned, 0);
  EXPECT_EQ(log->health().pending_submissions, 1u);

  const Status started = kafka().engine().start_broker(follower);
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_TRUE(eventually(is_pruned));
}

}  // namespace
}  // namespace synod::ordering::conformance
