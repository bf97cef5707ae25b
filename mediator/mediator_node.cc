#include "mediator/mediator_node.h"

#include <algorithm>
#include <future>
#include <mutex>

#include "base/crash_point.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "mediator/stored.h"
#include "sequencer/client/membership.h"
#include "topology/broadcast.h"
#include "topology/state.h"

namespace synod::mediator {
namespace {

namespace client = sequencer::client;
constexpr const char* kComponent = "mediator";
constexpr Duration kSendDelay = Duration::seconds(1);  // while too many submissions are under way

}  // namespace

std::vector<storage::Column> mediator_columns() { return {topology::kTopologyColumn, kMediatorColumn}; }

void describe(config::Fields& fields, MediatorNodeConfig& config) {
  fields.object(
      "client", [&](config::Fields& f) { client::describe(f, config.client); }, "The connection to the synchronizer.");
  fields.object("mediator", [&](config::Fields& f) { describe(f, config.mediator); }, "Verdicts.");
}

// Everything but construction, end() and status() runs on the loop.
class MediatorNode::Impl final : public std::enable_shared_from_this<Impl> {
 public:
  Impl(MediatorNodeConfig config, MediatorParts parts)
      : config_(std::move(config)), parts_(std::move(parts)), loop_(std::make_shared<EventLoop>("mediator")) {}

  const std::shared_ptr<EventLoop>& loop() const { return loop_; }

  void begin(std::function<void(Status)> on_ready) {
    on_ready_ = std::move(on_ready);
    client::MembershipConfig config;
    config.log_component = kComponent;
    config.client = config_.client;
    config.refusals_are_final = false;  // until others have put this mediator into a group
    membership_.emplace(std::move(config),
                        client::ClientParts{parts_.self, parts_.keys, loop_, parts_.clock, parts_.random}, handlers());
    membership_->start();
  }

  void set_sequencers(std::vector<client::Endpoint> endpoints) {
    if (membership_) membership_->set_endpoints(std::move(endpoints));
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    std::promise<void> ended;
    loop_->post([&] {
      if (membership_) membership_->stop();
      ended.set_value();
    });
    ended.get_future().wait();
    loop_->stop();
    membership_.reset();
  }

  MediatorNodeStatus status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  using Joined = std::optional<protocol::PhysicalSynchronizerId>;

  // They run while membership_ exists, which this object outlives.
  client::MembershipHandlers handlers() {
    client::MembershipHandlers handlers;
    handlers.load = [this] { return load(); };
    handlers.connected = [this](const auto& id, const auto&) -> Result<bool> {
      log::info(kComponent, "{} connected to {}", parts_.self.to_string(), id.to_string());
      return core_ != nullptr;
    };
    handlers.import = [this](const auto& id, const auto& parameters, const auto& snapshot) {
      return import(id, parameters, snapshot);
    };
    handlers.resume = [this] { return resume_; };
    handlers.following = [this] { return following(); };
    handlers.snapshot_at = [this](Timestamp at) { return topology_->snapshot_at(at); };
    handlers.on_event = [this](const client::Delivered& delivered) { return on_event(delivered); };
    handlers.on_problem = [this](const std::optional<Error>& problem) {
      set_problem(problem ? problem->to_string() : "");
    };
    handlers.on_failed = [this](const Error& error, bool again) {
      if (again) return;
      if (!gives_back_the_store(error)) return ready(fail(error));
      set_problem("cannot go on with its store: " + error.to_string());
      parts_.on_store_lost(error);
    };
    handlers.others_deal_with = [this](const Error& error) { return gives_back_the_store(error); };
    handlers.forget = [this] { forget(); };
    handlers.probe_store = [this] { return probe_store(); };
    return handlers;
  }

  bool gives_back_the_store(const Error& error) const {
    return parts_.on_store_lost && error.id.starts_with("STORAGE_");
  }

  Result<Joined> load() {
    SYNOD_TRY(const auto synchronizer, stored::read_synchronizer(*parts_.store));
    if (!synchronizer) return Joined();
    topology::TopologyState topology(synchronizer->id, synchronizer->parameters);
    SYNOD_RETURN_IF_ERROR(topology.load(*parts_.store));
    SYNOD_TRY(const auto position, stored::read_position(*parts_.store));
    if (position) {
      resume_ = client::ResumePoint{position->timestamp, position->content_hash};
      topology.observe(position->timestamp);
    }
    topology_ = std::move(topology);
    SYNOD_RETURN_IF_ERROR(make_core());
    return Joined(synchronizer->id);
  }

  Status import(const protocol::PhysicalSynchronizerId& id, const topology::StaticParameters& parameters,
                const std::vector<topology::StoredTransaction>& snapshot) {
    topology::TopologyState topology(id, parameters);
    SYNOD_TRY(auto writes, topology.import(snapshot));
    stored::put_synchronizer({id, parameters}, writes);
    SYNOD_RETURN_IF_ERROR(parts_.store->write(writes, storage::Sync::yes));
    topology_ = std::move(topology);
    return make_core();
  }

  Status make_core() {
    SYNOD_TRY(core_, MediatorCore::load(config_.mediator, topology_->synchronizer(), parts_.self, parts_.keys,
                                        parts_.random, *parts_.store, snapshots()));
    publish();
    return {};
  }

  MediatorCore::SnapshotAt snapshots() {
    return [this](Timestamp at) { return topology_->snapshot_at(at); };
  }

  client::SequencerClient& connection() { return *membership_->client(); }

  Status following() {
    for (VerdictSubmission& verdict : core_->unconfirmed()) send(std::move(verdict));
    watch_deadline();
    ready({});
    return {};
  }

  Status on_event(const client::Delivered& delivered) {
    const protocol::SequencedEvent& event = delivered.event;
    // Decided with the topology before this event's own topology transactions, which become effective later.
    Effects effects = core_->on_event(event, snapshots());
    const bool known = topology_->known_sequenced() && event.timestamp <= *topology_->known_sequenced();
    if (!known) {
      const auto transactions = event.error ? std::vector<topology::SignedTransaction>{}
                                            : topology::broadcasts_in(event.batch, topology_->synchronizer());
      effects.writes.append(topology_->process(event.timestamp, transactions).writes);
    }
    stored::put_position({event.timestamp, delivered.content_hash}, effects.writes);
    passing(crash_points::kMediatorUnwritten);
    SYNOD_RETURN_IF_ERROR(parts_.store->write(effects.writes, storage::Sync::no));
    passing(crash_points::kMediatorWritten);
    resume_ = client::ResumePoint{event.timestamp, delivered.content_hash};
    for (VerdictSubmission& verdict : effects.sends) {
      if (verdict.delay.micros == 0) {
        send(std::move(verdict));
        continue;
      }
      const Duration delay = verdict.delay;
      send_after(delay, std::move(verdict));
    }
    watch_deadline();
    publish();
    return {};
  }

  void send(VerdictSubmission verdict) {
    if (membership_->failed()) return;  // verdicts without receipt are sent again when it follows again
    const Timestamp request = verdict.request_id;
    // One that catches up decides what was decided long ago.
    if (verdict.submission.max_sequencing_time < connection().now())
      return log::debug(kComponent, "the verdict on {} comes too late to be sent", request.to_string());
    protocol::Submission submission = verdict.submission;
    connection().send(std::move(submission), {},
                      [weak = weak_from_this(), request, verdict = std::move(verdict)](Result<Timestamp> sequenced) {
                        if (sequenced) return;
                        const Error& error = sequenced.error();
                        const auto self = weak.lock();
                        if (error.id == "SUBMISSION_QUEUE_FULL" && self) return self->send_after(kSendDelay, verdict);
                        if (counts_already(error.to_string()))
                          log::info(kComponent, "the verdict on {} counts already", request.to_string());
                        else
                          log::warn(kComponent, "the verdict on {} may not have been sequenced: {}",
                                    request.to_string(), error.to_string());
                      });
  }

  void send_after(Duration delay, VerdictSubmission verdict) {
    loop_->after(delay, [weak = weak_from_this(), verdict = std::move(verdict)] {
      if (auto self = weak.lock()) self->send(verdict);
    });
  }

  // Deadlines pass by sequencing time; when nothing else is sequenced, we ask for an event once ours is due.
  void watch_deadline() {
    const std::optional<Timestamp> deadline = core_->next_deadline();
    if (!deadline || watched_ == deadline) return;
    if (timer_ != 0) loop_->cancel(timer_);
    watched_ = deadline;
    const Duration wait = std::max(Duration{}, *deadline - connection().now());
    timer_ = loop_->after(wait, [weak = weak_from_this(), deadline = *deadline] {
      const auto self = weak.lock();
      if (!self) return;
      self->timer_ = 0;
      self->watched_.reset();
      if (self->core_->next_deadline() == deadline)
        self->connection().await_time(deadline.next());
      else
        self->watch_deadline();
    });
  }

  void publish() {
    auto group = topology_->head().mediator_group_of(parts_.self);
    std::lock_guard lock(mutex_);
    status_.group = std::move(group);
    status_.synchronizer = topology_->synchronizer();
    status_.last_event = resume_ ? std::optional<Timestamp>(resume_->timestamp) : std::nullopt;
    status_.core = core_->status();
  }

  void set_problem(std::string problem) {
    std::lock_guard lock(mutex_);
    status_.problem = std::move(problem);
    status_.connected = core_ != nullptr && status_.problem.empty();
  }

  void forget() {
    if (timer_ != 0) loop_->cancel(timer_);
    timer_ = 0;
    watched_.reset();
    core_.reset();
    topology_.reset();
    resume_.reset();
  }

  Status probe_store() {
    SYNOD_TRY(const auto synchronizer, stored::read_synchronizer(*parts_.store));
    storage::WriteBatch probe;
    if (synchronizer) stored::put_synchronizer(*synchronizer, probe);
    return parts_.store->write(probe, storage::Sync::yes);
  }

  void ready(Status status) {
    auto on_ready = std::move(on_ready_);
    on_ready_ = nullptr;
    if (on_ready) on_ready(std::move(status));
  }

  const MediatorNodeConfig config_;
  const MediatorParts parts_;
  const std::shared_ptr<EventLoop> loop_;
  std::function<void(Status)> on_ready_;
  std::optional<client::Membership> membership_;  // since begin()
  std::optional<topology::TopologyState> topology_;
  std::unique_ptr<MediatorCore> core_;
  std::optional<client::ResumePoint> resume_;
  TimerId timer_ = 0;
  std::optional<Timestamp> watched_;  // the deadline behind timer_

  mutable std::mutex mutex_;
  bool stopping_ = false;
  MediatorNodeStatus status_;
};

MediatorNode::MediatorNode(MediatorNodeConfig config, MediatorParts parts)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(parts))) {}

MediatorNode::~MediatorNode() { stop(); }

void MediatorNode::start(std::function<void(Status)> on_ready) {
  impl_->loop()->post([impl = impl_.get(), on_ready = std::move(on_ready)] { impl->begin(on_ready); });
}

void MediatorNode::set_sequencers(std::vector<client::Endpoint> endpoints) {
  impl_->loop()->post(
      [impl = impl_.get(), endpoints = std::move(endpoints)]() mutable { impl->set_sequencers(std::move(endpoints)); });
}

void MediatorNode::stop() { impl_->end(); }

MediatorNodeStatus MediatorNode::status() const { return impl_->status(); }

}  // namespace synod::mediator
