#include <mutex>

#include "base/log.h"
#include "node/identity.h"
#include "node/node.h"
#include "node/replica.h"
#include "node/stores.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

void describe_group(const topology::MediatorGroup& group, const protocol::Member& self,
                    synod::admin::v1::NodeStatus& out) {
  auto& said = *out.mutable_mediator_group();
  said.set_index(group.index);
  said.set_threshold(group.threshold);
  said.set_active(static_cast<std::uint32_t>(group.active.size()));
  said.set_observing(!group.is_active(self));
}

// With a store of its own it is active as long as it lives; with a shared one, whenever it has that.
class MediatorRole final : public Node {
 public:
  MediatorRole(const NodeFile& file, mediator::MediatorNodeConfig config, Identity identity,
               std::shared_ptr<Clock> clock, std::shared_ptr<Random> random)
      : config_(std::move(config)),
        identity_(std::move(identity)),
        clock_(std::move(clock)),
        random_(std::move(random)),
        store_(file.mediator.store),
        data_folder_(file.data_folder) {}
  ~MediatorRole() override { stop({}); }

  Status start() {
    if (!store_.is_shared()) {
      SYNOD_TRY(auto store, open_store());
      run(std::move(store));
      return {};
    }
    Replica::Parts parts;
    parts.open = [this] { return open_store(); };
    parts.probe.erase(mediator::kMediatorColumn, "no such key");
    parts.activate = [this](std::shared_ptr<storage::Store> store) { run(std::move(store)); };
    parts.deactivate = [this] { end(); };
    parts.interval = store_.takeover_interval;
    std::lock_guard lock(mutex_);
    replica_ = std::make_unique<Replica>(std::move(parts));
    return {};
  }

  void status(synod::admin::v1::NodeStatus& out) const override {
    out.set_member(identity_.member.to_string());
    if (replica_) {
      const Replica::State replica = replica_->state();
      out.set_active(replica.active);
      if (!replica.active) {
        out.set_healthy(replica.problem.empty());
        out.set_reason(replica.problem);
        return;
      }
    }
    const auto node = running();
    if (!node) return out.set_reason("is starting");
    const mediator::MediatorNodeStatus status = node->status();
    if (status.synchronizer) out.set_synchronizer(status.synchronizer->to_string());
    out.set_healthy(status.connected && status.problem.empty());
    if (!out.healthy()) out.set_reason(status.problem.empty() ? "not connected to a sequencer" : status.problem);
    if (status.last_event) out.set_sequencing_time_micros(status.last_event->micros);
    if (status.group) describe_group(*status.group, identity_.member, out);
    out.set_approved(static_cast<std::int64_t>(status.core.approved));
    out.set_rejected(static_cast<std::int64_t>(status.core.rejected));
    if (const auto& verdict = status.core.last_verdict) {
      out.mutable_last_verdict()->set_request_micros(verdict->request.micros);
      out.mutable_last_verdict()->set_root_hash(verdict->root_hash.hex());
      out.mutable_last_verdict()->set_approved(verdict->approved);
    }
  }

  void reload(const NodeFile& file) override {
    std::lock_guard lock(mutex_);
    config_.client.endpoints = file.mediator.sequencers.sequencers();
    if (node_) node_->set_sequencers(config_.client.endpoints);
  }

  void stop(Duration) override {
    if (replica_) replica_->stop();
    end();
  }

 private:
  Result<std::unique_ptr<storage::Store>> open_store() const {
    return open_member_store(store_, data_folder_, mediator::mediator_columns());
  }

  std::shared_ptr<mediator::MediatorNode> running() const {
    std::lock_guard lock(mutex_);
    return node_;
  }

  void run(std::shared_ptr<storage::Store> store) {
    std::lock_guard lock(mutex_);
    node_ = std::make_shared<mediator::MediatorNode>(
        config_, mediator::MediatorParts{identity_.member, identity_.keys, std::move(store), clock_, random_,
                                         replica_ ? [this](const Error& error) { replica_->lost(error); }
                                                  : std::function<void(const Error&)>()});
    node_->start([](Status ready) {
      if (!ready) log::error("mediator", "cannot start: {}", ready.error().to_string());
    });
  }

  void end() {
    std::shared_ptr<mediator::MediatorNode> node;
    {
      std::lock_guard lock(mutex_);
      node.swap(node_);
    }
    if (node) node->stop();
  }

  mediator::MediatorNodeConfig config_;  // endpoints under mutex_
  const Identity identity_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Random> random_;
  const MemberStoreSection store_;
  const std::string data_folder_;
  mutable std::mutex mutex_;
  std::shared_ptr<mediator::MediatorNode> node_;
  std::unique_ptr<Replica> replica_;
};

}  // namespace

Result<std::unique_ptr<Node>> start_mediator(const NodeFile& file) {
  const auto random = system_random();
  SYNOD_TRY(Identity identity, open_identity(protocol::MemberKind::mediator, file.name, file.data_folder, *random));
  mediator::MediatorNodeConfig config = file.mediator.node;
  config.client.endpoints = file.mediator.sequencers.sequencers();
  SYNOD_TRY(const auto clock, clock_of(file));
  auto role = std::make_unique<MediatorRole>(file, std::move(config), std::move(identity), clock, random);
  SYNOD_RETURN_IF_ERROR(role->start());
  return role;
}

}  // namespace synod::node
