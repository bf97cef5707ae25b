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
#include "testnet/cache_database.h"
#include "testnet/ordering_engine.h"
#include "testnet/process.h"
#include "testnet/status.h"

namespace synod::testnet {
namespace {

bool port_is_free(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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

Status check_ports(const NodePlan& node) {
  for (const std::uint16_t port : {node.public_port, node.admin_port})
    if (!port_is_free(port))
      return fail(unavailable(
          "PORT_IN_USE",
          fmt::format("port {} of {} is taken by another program; choose another first-port in the network file", port,
                      node.name)));
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

Status wait_ready(const NodePlan& node, Duration patience) {
  const auto clock = system_clock();
  const std::int64_t begin = clock->monotonic_micros();
  for (;;) {
    const auto status = ask(node, Duration::seconds(1));
    if (status && status->healthy()) return {};
    const std::int64_t waited = clock->monotonic_micros() - begin;
    if (!status && waited > 300'000 && !running(node))  // by then the new process has surely become the node
      return fail(unavailable("NODE_FAILED_TO_START",
                              node.name + " ended; the end of " + node.log_file() + ":" + end_of_log(node)));
    if (waited > patience.micros)
      return fail(
          unavailable("NETWORK_NOT_READY",
                      node.name + ": " + (status ? status->reason() : "does not answer; see " + node.log_file())));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status start_all(const NetworkPlan& plan, Duration patience, const Progress& progress) {
  SYNOD_TRY(const auto engine, engine_of(plan));
  if (engine) SYNOD_RETURN_IF_ERROR(engine->start(patience, progress));
  for (const NodePlan& node : plan.nodes) {
    if (const auto database = cache_database_of(plan, node)) {
      SYNOD_RETURN_IF_ERROR(database->start(patience));
      progress(fmt::format("  {:<28} ready at 127.0.0.1:{}", database->name, database->port));
    }
  }
  for (const NodePlan& node : plan.nodes) {
    if (running(node)) continue;
    SYNOD_RETURN_IF_ERROR(check_ports(node));
    SYNOD_RETURN_IF_ERROR(start(node));
  }
  for (const NodePlan& node : plan.nodes) {
    SYNOD_RETURN_IF_ERROR(wait_ready(node, patience));
    progress(fmt::format("  {:<28} ready", node.name));
  }
  return {};
}

bool stop_all(const NetworkPlan& plan, Duration patience, const Progress& progress) {
  bool all_stopped = true;
  for (auto node = plan.nodes.rbegin(); node != plan.nodes.rend(); ++node) {
    if (!running(*node)) continue;
    const bool gracefully = stop(*node, SIGTERM, patience);
    const bool stopped = gracefully || stop(*node, SIGKILL, Duration::seconds(5));
    progress(fmt::format("  {:<28} {}", node->name,
                         gracefully ? "stopped"
                         : stopped  ? "killed after it did not stop"
                                    : "still running"));
    all_stopped = all_stopped && stopped;
  }
  for (const NodePlan& node : plan.nodes) {
    const auto database = cache_database_of(plan, node);
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
