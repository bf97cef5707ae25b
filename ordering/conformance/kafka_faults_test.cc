// Single brokers of Kafka fail while clients go on.
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

}  // namespace
}  // namespace synod::ordering::conformance
