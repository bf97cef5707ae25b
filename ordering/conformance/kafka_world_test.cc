#include "ordering/conformance/kafka_world.h"

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

std::unique_ptr<EngineWorld> make_kafka() { return std::make_unique<KafkaWorld>(); }

INSTANTIATE_TEST_SUITE_P(kafka, OrderingConformance, ::testing::Values(&make_kafka));

}  // namespace
}  // namespace synod::ordering::conformance
