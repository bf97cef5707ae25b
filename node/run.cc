#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "node/node.h"
#include "rpc/server.h"
#include "rpc/unary.h"
#include "synod/admin.grpc.pb.h"

namespace synod::node {
namespace {

namespace v1 = synod::admin::v1;

class AdminService final : public v1::NodeService::CallbackService {
 public:
  AdminService(const NodeFile& file, Node& node, std::string path) : file_(file), node_(node), path_(std::move(path)) {}

  // From a gRPC thread, or from the main one on SIGHUP.
  Status reload() {
    if (path_.empty()) return fail(failed_precondition("NO_CONFIGURATION_FILE", "this node runs without a file"));
    SYNOD_TRY(const NodeFile changed, read_node_file(path_));
    log::info("node", "{} takes over its changed configuration", file_.name);
    node_.reload(changed);
    return {};
  }

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* call, const v1::GetStatusRequest*,
                                      v1::NodeStatus* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<v1::NodeStatus> {
      v1::NodeStatus status;
      status.set_name(file_.name);
      status.set_role(file_.role);
      node_.status(status);
      return status;
    });
  }
  grpc::ServerUnaryReactor* ReloadConfiguration(grpc::CallbackServerContext* call,
                                                const v1::ReloadConfigurationRequest*,
                                                v1::ReloadConfigurationResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<v1::ReloadConfigurationResponse> {
      SYNOD_RETURN_IF_ERROR(reload());
      return v1::ReloadConfigurationResponse();
    });
  }
  grpc::ServerUnaryReactor* SetLogLevel(grpc::CallbackServerContext* call, const v1::SetLogLevelRequest* request,
                                        v1::SetLogLevelResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<v1::SetLogLevelResponse> {
      if (!log::set_level(request->level()))
        return fail(invalid_argument("INVALID_LOG_LEVEL",
                                     "'" + request->level() + "' is none of trace, debug, info, warn, error"));
      return v1::SetLogLevelResponse();
    });
  }

 private:
  const NodeFile& file_;
  Node& node_;
  const std::string path_;
};

}  // namespace

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

  SYNOD_TRY(const std::unique_ptr<Node> node, start_node(file));
  const auto administration = std::make_shared<AdminService>(file, *node, path);
  auto services = node->admin_services();
  services.push_back(administration);
  SYNOD_TRY(const std::unique_ptr<rpc::Server> admin, rpc::Server::start(file.admin.server(), std::move(services)));
  log::info("node", "{} {} started; admin port {}", file.role, file.name, admin->port());

  int signal_number = 0;
  while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
    if (const Status reloaded = administration->reload(); !reloaded) {
      log::warn("node", "the configuration stays as it was: {}", reloaded.error().to_string());
    }
  }
  log::info("node", "{} stops on signal {}", file.name, signal_number);
  admin->stop(Duration::seconds(1));
  node->stop(Duration::seconds(5));
  return {};
}

}  // namespace synod::node
