#include "ordering/conformance/solo_world.h"

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

std::unique_ptr<EngineWorld> make_solo() { return std::make_unique<SoloWorld>(); }

INSTANTIATE_TEST_SUITE_P(solo, OrderingConformance, ::testing::Values(&make_solo));

}  // namespace
}  // namespace synod::ordering::conformance
