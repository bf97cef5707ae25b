#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/log.h"
#include "crypto/sign.h"
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

namespace {

// Each member's connection is an open file, and what a shell allows by default is used up by some hundreds.
void allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

Status run_until_signal(const NodeFile& file, const std::string& path) {
  if (!log::set_level(file.log_level))
    return fail(invalid_argument("CONFIG_INVALID",
                                 "log.level '" + file.log_level + "' is none of trace, debug, info, warn, error"));
  crypto::make_signatures_ready(file.ready_signatures);
  log::set_format(file.log_format == "json" ? log::Format::json : log::Format::text);

  // Blocked before any thread exists, so that only sigwait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  allow_many_files();

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
