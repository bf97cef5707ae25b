#include "testnet/postgres_ordering.h"

#include <fmt/format.h>

#include "node/node_file.h"
#include "ordering/engines/postgres_engine.h"
#include "testnet/postgres_process.h"

namespace synod::testnet {
namespace {

namespace engines = ordering::engines;

constexpr char kName[] = "postgres";
// A sequencer has some five for the log, and for its cache some five, more while many members read at a time.
constexpr int kMaxConnections = 400;

class PostgresOrdering final : public OrderingEngine {
 public:
  explicit PostgresOrdering(const NetworkPlan& plan) : folder_(postgres_ordering_folder(plan)) {}

  Status prepare(const Progress& progress) override {
    progress("  making the data folder of a PostgreSQL server");
    engines::PostgresEngineConfig config;
    config.folder = folder_;
    config.port = free_port();
    config.max_connections = kMaxConnections;
    SYNOD_TRY(std::ignore, engines::PostgresEngine::prepare(config));
    return {};
  }

  Status start(Duration patience, const Progress& progress) override {
    SYNOD_TRY(auto engine, engines::PostgresEngine::open(folder_));
    SYNOD_RETURN_IF_ERROR(engine.start(patience));
    progress(fmt::format("  {:<28} ready: {}", "PostgreSQL", engine.connection_string()));
    return {};
  }

  bool stop(Duration) override { return !prepared() || postgres_process(kName, folder_).stop(); }

  std::vector<NetworkProcess> processes() const override {
    if (!prepared()) return {};
    return {postgres_process(kName, folder_)};
  }

  Status admit(const NodePlan&, Duration, const Progress&) override { return {}; }

  Status configure(const NodePlan&, node::NodeFile& file) const override {
    SYNOD_TRY(const auto engine, engines::PostgresEngine::open(folder_));
    file.sequencer.engines.engine = "postgres";
    file.sequencer.engines.postgres.connection = engine.connection_string();
    return {};
  }

 private:
  bool prepared() const { return engines::PostgresEngine::open(folder_).has_value(); }

  const std::string folder_;
};

}  // namespace

std::string postgres_ordering_folder(const NetworkPlan& plan) { return plan.folder + "/ordering"; }

std::unique_ptr<OrderingEngine> postgres_ordering(const NetworkPlan& plan) {
  return std::make_unique<PostgresOrdering>(plan);
}

}  // namespace synod::testnet
