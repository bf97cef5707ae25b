#include "node/running_node.h"

#include "base/log.h"
#include "rpc/unary.h"
#include "synod/admin.grpc.pb.h"

namespace synod::node {

namespace v1 = synod::admin::v1;

class RunningNode::AdminService final : public v1::NodeService::CallbackService {
 public:
  AdminService(const NodeFile& file, Node& node, std::string path) : file_(file), node_(node), path_(std::move(path)) {}

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
  const NodeFile file_;
  Node& node_;
  const std::string path_;
};

Result<std::unique_ptr<RunningNode>> RunningNode::start(const NodeFile& file, const std::string& path) {
  std::unique_ptr<RunningNode> running(new RunningNode());
  SYNOD_TRY(running->node_, start_node(file));
  running->administration_ = std::make_shared<AdminService>(file, *running->node_, path);
  auto services = running->node_->admin_services();
  services.push_back(running->administration_);
  SYNOD_TRY(running->admin_, rpc::Server::start(file.admin.server(), std::move(services)));
  auto healths = running->node_->healths();
  healths.push_back(&running->admin_->health());
  running->reporter_ = std::make_unique<HealthReporter>(*running->node_, std::move(healths));
  log::info("node", "{} {} started; admin port {}", file.role, file.name, running->admin_->port());
  return running;
}

RunningNode::~RunningNode() { stop(Duration::seconds(1)); }

Status RunningNode::reload() { return administration_->reload(); }

void RunningNode::stop(Duration deadline) {
  reporter_.reset();  // before what it looks at
  if (admin_) admin_->stop(Duration::seconds(1));
  if (node_) node_->stop(deadline);
  administration_.reset();
  admin_.reset();
  node_.reset();
}

}  // namespace synod::node
