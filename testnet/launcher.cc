#include "testnet/launcher.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <thread>

#include "base/env.h"
#include "testnet/network_process.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"
#include "testnet/process.h"
#include "testnet/status.h"

namespace synod::testnet {
namespace {

bool port_is_free(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // who is to listen there will say what is wrong
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return free;
}

// What was killed a moment ago may still hold its port.
bool becomes_free(std::uint16_t port) {
  for (int looks = 0; looks < 50; ++looks) {
    if (port_is_free(port)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// Of all that is to be started, before anything is.
Status check_ports(const NetworkPlan& plan) {
  const auto taken = [](std::uint16_t port, const std::string& name, const char* way_out) {
    return fail(
        unavailable("PORT_IN_USE", fmt::format("port {} of {} is taken by another program; {}", port, name, way_out)));
  };
  for (const NodePlan& node : plan.nodes) {
    if (running(node)) continue;
    for (const std::uint16_t port : {node.public_port, node.admin_port})
      if (!becomes_free(port)) return taken(port, node.name, "choose another first-port in the network file");
  }
  for (const NetworkProcess& process : beside_the_nodes(plan))
    if (process.port != 0 && !process.running() && !becomes_free(process.port))
      return taken(process.port, process.name, "end it, or remove the network's folder and begin anew");
  return {};
}

std::string end_of_log(const NodePlan& node) {
  std::ifstream in(node.log_file());
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (lines.size() > 5) lines.pop_front();
  }
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

}  // namespace

namespace {

Error interrupted() { return unavailable("INTERRUPTED", "a signal came before all nodes were ready"); }

Status wait_ready(const NodePlan& node, Duration patience, const std::function<bool()>& cancelled) {
  const auto clock = system_clock();
  const std::int64_t begin = clock->monotonic_micros();
  for (;;) {
    if (cancelled()) return fail(interrupted());
    const auto status = ask(node, Duration::seconds(1));
    if (status && status->healthy()) return {};
    if (!status && !running(node))
      return fail(unavailable("NODE_FAILED_TO_START",
                              node.name + " ended; the end of " + node.log_file() + ":" + end_of_log(node)));
    if (clock->monotonic_micros() - begin > patience.micros)
      return fail(
          unavailable("NETWORK_NOT_READY",
                      node.name + ": " + (status ? status->reason() : "does not answer; see " + node.log_file())));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status start_what_is_absent(const NetworkPlan& plan, Duration patience, const Progress& progress,
                            const std::function<bool()>& cancelled) {
  SYNOD_TRY(const auto engine, engine_of(plan));
  if (engine) SYNOD_RETURN_IF_ERROR(engine->start(patience, progress));
  for (const NodePlan& node : plan.nodes) {
    if (cancelled()) return fail(interrupted());
    if (const auto database = database_of(plan, node)) {
      SYNOD_RETURN_IF_ERROR(database->start(patience));
      progress(fmt::format("  {:<28} ready at 127.0.0.1:{}", database->name, database->port));
    }
  }
  for (const NodePlan& node : plan.nodes) SYNOD_RETURN_IF_ERROR(start(node));
  for (const NodePlan& node : plan.nodes) {
    SYNOD_RETURN_IF_ERROR(wait_ready(node, patience, cancelled));
    progress(fmt::format("  {:<28} ready", node.name));
  }
  return {};
}

}  // namespace

Status wait_ready(const NodePlan& node, Duration patience) {
  return wait_ready(node, patience, [] { return false; });
}

Status start_all(const NetworkPlan& plan, Duration patience, const Progress& progress,
                 const std::function<bool()>& cancelled) {
  SYNOD_RETURN_IF_ERROR(check_ports(plan));
  std::vector<NetworkProcess> absent = beside_the_nodes(plan);
  for (const NodePlan& node : plan.nodes) absent.push_back(process_of(node));
  std::erase_if(absent, [](const NetworkProcess& process) { return process.running().has_value(); });

  const Status outcome = start_what_is_absent(plan, patience, progress, cancelled ? cancelled : [] { return false; });
  if (outcome) return {};
  // A network that did not come up leaves nothing running but what ran before.
  for (auto process = absent.rbegin(); process != absent.rend(); ++process) {
    if (!process->running()) continue;
    const bool stopped = process->stop();
    progress(fmt::format("  {:<28} {}", process->name, stopped ? "stopped again" : "still running"));
  }
  return outcome;
}

bool stop_all(const NetworkPlan& plan, Duration patience, const Progress& progress) {
  bool all_stopped = true;
  for (auto node = plan.nodes.rbegin(); node != plan.nodes.rend(); ++node) {
    if (!running(*node)) continue;
    const bool gracefully = stop(*node, SIGTERM, patience);
    const bool stopped = gracefully || stop(*node, SIGKILL, Duration::seconds(30));
    progress(fmt::format("  {:<28} {}", node->name,
                         gracefully ? "stopped"
                         : stopped  ? "killed after it did not stop"
                                    : "still running"));
    all_stopped = all_stopped && stopped;
  }
  for (const NodePlan& node : plan.nodes) {
    const auto database = database_of(plan, node);
    if (!database) continue;
    const bool stopped = database->stop();
    progress(fmt::format("  {:<28} {}", database->name, stopped ? "stopped" : "still running"));
    all_stopped = all_stopped && stopped;
  }
  const auto engine = engine_of(plan);
  if (engine && *engine) {
    const bool stopped = (*engine)->stop(patience);
    progress(fmt::format("  {:<28} {}", "ordering service " + plan.ordering, stopped ? "stopped" : "still running"));
    all_stopped = all_stopped && stopped;
  }
  return all_stopped;
}

}  // namespace synod::testnet
