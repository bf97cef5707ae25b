#include "mediator/mediator_node.h"

#include <algorithm>
#include <future>
#include <mutex>

#include "base/crash_point.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "mediator/stored.h"
#include "sequencer/client/client.h"
#include "topology/broadcast.h"
#include "topology/state.h"

namespace synod::mediator {
namespace {

namespace client = sequencer::client;
constexpr const char* kComponent = "mediator";
constexpr Duration kRetryDelay = Duration::seconds(1);

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
    open();
  }

  // With what is stored: at the start, and after a full disk.
  void open() {
    if (auto loaded = load(); !loaded) return fatal(loaded.error());
    client::ClientConfig client_config = config_.client;
    if (topology_) client_config.synchronizer = topology_->synchronizer().to_string();
    const auto weak = weak_from_this();
    client::Handlers handlers;
    handlers.on_connected = [weak](const auto& id, const auto& parameters) {
      if (auto self = weak.lock()) self->connected(id, parameters);
    };
    handlers.snapshot_at = [this](Timestamp at) { return topology_->snapshot_at(at); };
    handlers.on_event = [weak](client::Delivered delivered) {
      if (auto self = weak.lock()) self->on_event(delivered);
    };
    handlers.on_health = [weak](client::PoolHealth health, const std::string& reason) {
      if (auto self = weak.lock()) self->set_problem(health == client::PoolHealth::failed ? reason : "");
    };
    handlers.on_fatal = [weak](const Error& error) {
      if (auto self = weak.lock()) self->fatal(error);
    };
    client_ = std::make_unique<client::SequencerClient>(
        std::move(client_config), client::ClientParts{parts_.self, parts_.keys, loop_, parts_.clock, parts_.random},
        std::move(handlers));
    client_->start();
  }

  void set_sequencers(std::vector<client::Endpoint> endpoints) {
    if (client_) client_->set_endpoints(std::move(endpoints));
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    std::promise<void> ended;
    loop_->post([&] {
      if (client_) client_->stop();
      ended.set_value();
    });
    ended.get_future().wait();
    loop_->stop();
    client_.reset();
  }

  MediatorNodeStatus status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  Status load() {
    SYNOD_TRY(const auto synchronizer, stored::read_synchronizer(*parts_.store));
    if (!synchronizer) return {};
    topology::TopologyState topology(synchronizer->id, synchronizer->parameters);
    SYNOD_RETURN_IF_ERROR(topology.load(*parts_.store));
    SYNOD_TRY(const auto position, stored::read_position(*parts_.store));
    if (position) {
      resume_ = client::ResumePoint{position->timestamp, position->content_hash};
      topology.observe(position->timestamp);
    }
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

  void connected(const protocol::PhysicalSynchronizerId& id, const topology::StaticParameters& parameters) {
    log::info(kComponent, "{} connected to {}", parts_.self.to_string(), id.to_string());
    if (core_) return subscribe();
    client_->download_topology(
        [this, weak = weak_from_this(), id, parameters](Result<std::vector<topology::StoredTransaction>> snapshot) {
          const auto self = weak.lock();
          if (!self) return;
          if (!snapshot) return retry(snapshot.error(), id, parameters);
          topology::TopologyState topology(id, parameters);
          auto writes = topology.import(*snapshot);
          if (!writes) return fatal(writes.error());
          stored::put_synchronizer({id, parameters}, *writes);
          if (auto written = parts_.store->write(*writes, storage::Sync::yes); !written)
            return cannot_store(written.error());
          topology_ = std::move(topology);
          if (auto made = make_core(); !made) return fatal(made.error());
          subscribe();
        });
  }

  // Not in the topology yet, or the sequencers have just started.
  void retry(const Error& error, const protocol::PhysicalSynchronizerId& id,
             const topology::StaticParameters& parameters) {
    log::info(kComponent, "cannot follow {} yet: {}", id.to_string(), error.to_string());
    set_problem(error.to_string());
    loop_->after(kRetryDelay, [weak = weak_from_this(), id, parameters] {
      if (auto self = weak.lock()) self->connected(id, parameters);
    });
  }

  void subscribe() {
    client_->subscribe(resume_);
    for (VerdictSubmission& verdict : core_->unconfirmed()) send(std::move(verdict));
    watch_deadline();
    set_problem("");
    ready({});
  }

  void on_event(const client::Delivered& delivered) {
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
    if (auto written = parts_.store->write(effects.writes, storage::Sync::no); !written)
      return cannot_store(written.error());
    passing(crash_points::kMediatorWritten);
    resume_ = client::ResumePoint{event.timestamp, delivered.content_hash};
    client_->processed(event.timestamp);
    for (VerdictSubmission& verdict : effects.sends) {
      if (verdict.delay.micros == 0) {
        send(std::move(verdict));
        continue;
      }
      const Duration delay = verdict.delay;
      loop_->after(delay, [weak = weak_from_this(), verdict = std::move(verdict)] {
        if (auto self = weak.lock()) self->send(verdict);
      });
    }
    watch_deadline();
    publish();
  }

  void send(VerdictSubmission verdict) {
    if (!client_) return;  // the disk is full: verdicts without receipt are sent again after that
    const Timestamp request = verdict.request_id;
    client_->send(std::move(verdict.submission), {}, [request](Result<Timestamp> sequenced) {
      if (sequenced) return;
      // Another mediator of the group was faster, or it came too late to matter.
      const bool harmless =
          sequenced.error().to_string().find("AGGREGATE_SUBMISSION_ALREADY_SENT") != std::string::npos;
      if (harmless)
        log::info(kComponent, "the verdict on {} was delivered already", request.to_string());
      else
        log::warn(kComponent, "the verdict on {} may not have been sequenced: {}", request.to_string(),
                  sequenced.error().to_string());
    });
  }

  // Deadlines pass by sequencing time; when nothing else is sequenced, we ask for an event once ours is due.
  void watch_deadline() {
    const std::optional<Timestamp> deadline = core_->next_deadline();
    if (!deadline || watched_ == deadline) return;
    if (timer_ != 0) loop_->cancel(timer_);
    watched_ = deadline;
    const Duration wait = std::max(Duration{}, *deadline - client_->now());
    timer_ = loop_->after(wait, [weak = weak_from_this(), deadline = *deadline] {
      const auto self = weak.lock();
      if (!self) return;
      self->timer_ = 0;
      self->watched_.reset();
      if (self->core_->next_deadline() == deadline)
        self->client_->await_time(deadline.next());
      else
        self->watch_deadline();
    });
  }

  void publish() {
    std::lock_guard lock(mutex_);
    status_.synchronizer = topology_->synchronizer();
    status_.last_event = resume_ ? std::optional<Timestamp>(resume_->timestamp) : std::nullopt;
    status_.core = core_->status();
  }

  void set_problem(std::string problem) {
    std::lock_guard lock(mutex_);
    status_.problem = std::move(problem);
    status_.connected = core_ != nullptr && status_.problem.empty();
  }

  // What is in memory is ahead of what is stored: when the disk is full, everything begins again with what is stored as
  // soon as there is space.
  void cannot_store(const Error& error) {
    if (error.category != ErrorCategory::background_degradation) return fatal(error);
    log::warn(kComponent, "has stopped until there is space: {}", error.to_string());
    set_problem(error.to_string());
    client_->stop();
    if (timer_ != 0) loop_->cancel(timer_);
    timer_ = 0;
    watched_.reset();
    // Not from inside a callback of the client.
    loop_->post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->client_.reset();
      self->core_.reset();
      self->topology_.reset();
      self->resume_.reset();
      self->open_when_there_is_space();
    });
  }

  void open_when_there_is_space() {
    loop_->after(kRetryDelay, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      const auto synchronizer = stored::read_synchronizer(*self->parts_.store);
      if (!synchronizer) return self->fatal(synchronizer.error());
      storage::WriteBatch probe;
      if (*synchronizer) stored::put_synchronizer(**synchronizer, probe);
      const auto written = self->parts_.store->write(probe, storage::Sync::yes);
      if (!written && written.error().category != ErrorCategory::background_degradation)
        return self->fatal(written.error());
      if (!written) return self->open_when_there_is_space();
      self->open();
    });
  }

  void fatal(const Error& error) {
    log::error(kComponent, "cannot go on: {}", error.to_string());
    set_problem(error.to_string());
    if (client_) client_->stop();
    ready(fail(error));
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
  std::unique_ptr<client::SequencerClient> client_;
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
