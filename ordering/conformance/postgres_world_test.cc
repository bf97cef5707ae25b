#include "ordering/conformance/postgres_world.h"

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

std::unique_ptr<EngineWorld> make_postgres() { return std::make_unique<PostgresWorld>(); }

INSTANTIATE_TEST_SUITE_P(postgres, OrderingConformance, ::testing::Values(&make_postgres));

}  // namespace
}  // namespace synod::ordering::conformance
