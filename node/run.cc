#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "node/node.h"
#include "node/running_node.h"

namespace synod::node {

Result<std::unique_ptr<Node>> start_node(const NodeFile& file) {
  if (file.role == "orderer") return start_orderer(file);
  if (file.role == "sequencer") return start_sequencer(file);
  if (file.role == "mediator") return start_mediator(file);
  if (file.role == "topology-manager") return start_topology_manager(file);
  return start_participant(file);
}

Status run_until_signal(const NodeFile& file, const std::string& path) {
  if (!log::set_level(file.log_level))
    return fail(invalid_argument("CONFIG_INVALID",
                                 "log.level '" + file.log_level + "' is none of trace, debug, info, warn, error"));
  log::set_format(file.log_format == "json" ? log::Format::json : log::Format::text);

  // Blocked before any thread exists, so that only sigwait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  SYNOD_TRY(const std::unique_ptr<RunningNode> running, RunningNode::start(file, path));

  int signal_number = 0;
  while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
    if (const Status reloaded = running->reload(); !reloaded) {
      log::warn("node", "the configuration stays as it was: {}", reloaded.error().to_string());
    }
  }
  log::info("node", "{} stops on signal {}", file.name, signal_number);
  running->stop(Duration::seconds(5));
  return {};
}

}  // namespace synod::node
