#include "testnet/network_process.h"

#include <signal.h>

#include "testnet/launcher.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"
#include "testnet/process.h"

namespace synod::testnet {
namespace {

constexpr Duration kKillPatience = Duration::seconds(30);  // it may be in the middle of writing to a slow disk
constexpr Duration kStopPatience = Duration::seconds(10);

}  // namespace

bool ended(const ServerProcess& process, int signal) {
  return !process.running() || process.stop(signal, kStopPatience) || process.stop(SIGKILL, kKillPatience);
}

NetworkProcess process_of(const NodePlan& node) {
  return {.name = node.name,
          .role = to_string(node.role),
          .log_file = node.log_file(),
          .port = node.public_port,
          .running = [node] { return running(node); },
          .start = [node](Duration patience) -> Status {
            SYNOD_RETURN_IF_ERROR(start(node));
            return wait_ready(node, patience);
          },
          .kill = [node] { return !running(node) || stop(node, SIGKILL, kKillPatience); },
          .stop =
              [node] {
                return !running(node) || stop(node, SIGTERM, kStopPatience) || stop(node, SIGKILL, kKillPatience);
              }};
}

std::vector<NetworkProcess> beside_the_nodes(const NetworkPlan& plan) {
  std::vector<NetworkProcess> all;
  if (const auto engine = engine_of(plan); engine && *engine) all = (*engine)->processes();
  for (const NodePlan& node : plan.nodes)
    if (auto database = database_of(plan, node)) all.push_back(std::move(*database));
  return all;
}

Result<NetworkProcess> find_process(const NetworkPlan& plan, const std::string& name) {
  auto node = plan.find(name);
  if (node) return process_of(**node);
  std::string names;
  for (NetworkProcess& process : beside_the_nodes(plan)) {
    if (process.name == name) return std::move(process);
    names += ", " + process.name;
  }
  Error error = node.error();
  error.cause += names;
  return fail(std::move(error));
}

}  // namespace synod::testnet
