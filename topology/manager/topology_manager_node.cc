#include "topology/manager/topology_manager_node.h"

#include <future>
#include <mutex>

#include "base/crash_point.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"
#include "topology/broadcast.h"
#include "topology/genesis.h"
#include "topology/manager/admin_backend.h"
#include "topology/manager/pending_changes.h"
#include "topology/manager/read_service.h"
#include "topology/manager/write_service.h"

namespace synod::topology {
namespace {

namespace client = sequencer::client;
constexpr auto kComponent = "topology-manager";
constexpr storage::Column kManagerColumn{"topology-manager"};
const Bytes kSynchronizerKey = "synchronizer";  // length-prefixed physical id, then the static parameters
const Bytes kResumeKey = "resume";              // i64 timestamp, then the 34-byte hash of that event
constexpr Duration kRetryDelay = Duration::seconds(1);

Error stopped() { return unavailable("NODE_IS_STOPPING", "the topology manager is shutting down"); }

Bytes encode_resume(const client::ResumePoint& point) {
  Bytes bytes;
  append_i64(bytes, point.timestamp.micros);
  bytes += point.content_hash.view();
  return bytes;
}

Result<client::ResumePoint> decode_resume(ByteView bytes) {
  if (bytes.size() != 8 + crypto::Hash::kSize)
    return fail(storage::storage_corrupt("the topology manager's resume point"));
  client::ResumePoint point{Timestamp{read_i64(bytes)}, {}};
  if (bytes[8] != 0) {
    SYNOD_TRY(point.content_hash, crypto::Hash::parse(bytes.substr(8)));
  }
  return point;
}

Bytes encode_synchronizer(const protocol::PhysicalSynchronizerId& id, const StaticParameters& parameters) {
  Bytes bytes;
  append_length_prefixed(bytes, id.to_string());
  com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters proto;
  parameters.to_proto(proto);
  return bytes + protocol::serialize_proto(proto);
}

Result<TopologyState> decode_synchronizer(ByteView bytes) {
  const auto corrupt = fail(storage::storage_corrupt("the topology manager's synchronizer"));
  if (bytes.size() < 4) return corrupt;
  const auto length = static_cast<std::size_t>(read_i32(bytes));
  if (bytes.size() - 4 < length) return corrupt;
  SYNOD_TRY(auto id, protocol::PhysicalSynchronizerId::parse(bytes.substr(4, length)));
  com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes.substr(4 + length), proto, "StaticSynchronizerParameters"));
  SYNOD_TRY(auto parameters, StaticParameters::parse(proto));
  return TopologyState(std::move(id), std::move(parameters));
}

}  // namespace

std::vector<storage::Column> topology_manager_columns() { return {kTopologyColumn, kManagerColumn}; }

void describe(config::Fields& f, TopologyManagerConfig& c) {
  f.object("client", [&](config::Fields& g) { client::describe(g, c.client); }, "The connection to the synchronizer.");
  f.duration("broadcast_timeout", c.broadcast_timeout,
             "A broadcast that is not sequenced within this time has failed.");
  f.duration("onboarding_timeout", c.onboarding_timeout,
             "How long joining may take, for a manager that is not a founder.");
  f.integer("max_transactions_per_broadcast", c.max_transactions_per_broadcast, "More go into several broadcasts.");
  f.integer("max_waiting_requests", c.max_waiting_requests,
            "Requests that wait for their transactions at the same time.");
}

// Everything but start, stop and the thread-safe reads runs on the loop.
class TopologyManagerNode::Impl final : public AdminBackend, public std::enable_shared_from_this<Impl> {
 public:
  Impl(TopologyManagerConfig config, TopologyManagerParts parts)
      : config_(std::move(config)), parts_(std::move(parts)), loop_(std::make_shared<EventLoop>("topology-mgr")) {}

  void begin(std::function<void(Status)> on_ready) {
    on_ready_ = std::move(on_ready);
    open();
  }

  // With what is stored: at the start, and after a full disk.
  void open() {
    if (auto loaded = load(); !loaded) return ready(fail(loaded.error()));
    auto client_config = config_.client;
    if (state_) client_config.synchronizer = state_->synchronizer().to_string();
    const auto weak = weak_from_this();
    client::Handlers handlers;
    handlers.on_connected = [weak](const auto& id, const auto& parameters) {
      if (auto self = weak.lock()) self->connected(id, parameters);
    };
    handlers.snapshot_at = [this](Timestamp at) { return state_->snapshot_at(at); };
    handlers.on_event = [weak](client::Delivered delivered) {
      if (auto self = weak.lock()) self->on_event(std::move(delivered));
    };
    handlers.on_health = [weak](client::PoolHealth health, const std::string& reason) {
      if (auto self = weak.lock()) self->set_problem(health == client::PoolHealth::failed ? reason : "");
    };
    handlers.on_fatal = [weak](const Error& error) {
      if (auto self = weak.lock()) {
        self->set_problem(error.to_string());
        self->ready(fail(error));
      }
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
      pending_.fail_all(stopped());
      ended.set_value();
    });
    ended.get_future().wait();
    loop_->stop();
    client_.reset();
  }

  void with_state(std::function<void(Result<const TopologyState*>)> use) override {
    post([this, use = std::move(use)](bool alive) {
      if (!alive) return use(fail(stopped()));
      if (!state_)
        return use(fail(unavailable("TOPOLOGY_STORE_NOT_INITIALIZED",
                                    "the topology manager is not connected to its synchronizer yet")));
      use(&*state_);
    });
  }

  void submit(std::vector<SignedTransaction> transactions, std::optional<Duration> wait,
              std::function<void(Status)> done) override {
    post([this, transactions = std::move(transactions), wait, done = std::move(done)](bool alive) {
      if (!alive) return done(fail(stopped()));
      broadcast(transactions, wait, done);
    });
  }

  const crypto::KeyStore& keys() const override { return *parts_.keys; }

  std::optional<Snapshot> head() const {
    std::lock_guard lock(mutex_);
    return head_;
  }
  TopologyManagerStatus status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }
  const std::shared_ptr<EventLoop>& loop() const { return loop_; }

 private:
  void post(std::function<void(bool alive)> task) {
    {
      std::lock_guard lock(mutex_);
      if (!stopping_) {
        loop_->post([task = std::move(task)] { task(true); });
        return;
      }
    }
    task(false);
  }

  Status load() {
    SYNOD_TRY(const auto synchronizer, parts_.store->get(kManagerColumn, kSynchronizerKey));
    if (!synchronizer) return {};
    SYNOD_TRY(auto state, decode_synchronizer(*synchronizer));
    SYNOD_RETURN_IF_ERROR(state.load(*parts_.store));
    SYNOD_TRY(const auto resume, parts_.store->get(kManagerColumn, kResumeKey));
    if (resume) {
      SYNOD_TRY(resume_, decode_resume(*resume));
      state.observe(resume_->timestamp);
    }
    state_ = std::move(state);
    publish();
    return {};
  }

  void connected(const protocol::PhysicalSynchronizerId& id, const StaticParameters& parameters) {
    log::info(kComponent, "connected to {}", id.to_string());
    if (state_) return subscribe();
    client_->verify_active([this, weak = weak_from_this(), id, parameters](Result<bool> active) {
      const auto self = weak.lock();
      if (!self) return;
      if (!active) return retry(active.error(), id, parameters);
      if (*active) return download(id, parameters);
      auto transactions = introduction(id);
      if (!transactions) return ready(fail(transactions.error()));
      client_->onboard(std::move(*transactions), config_.onboarding_timeout,
                       [this, weak, id, parameters](Status joined) {
                         const auto still = weak.lock();
                         if (!still) return;
                         if (!joined) return retry(joined.error(), id, parameters);
                         download(id, parameters);
                       });
    });
  }

  void retry(const Error& error, const protocol::PhysicalSynchronizerId& id, const StaticParameters& parameters) {
    log::info(kComponent, "cannot join {} yet: {}", id.to_string(), error.to_string());
    set_problem(error.to_string());
    loop_->after(kRetryDelay, [weak = weak_from_this(), id, parameters] {
      if (auto self = weak.lock()) self->connected(id, parameters);
    });
  }

  // Root certificate, keys and trust certificate, for a manager that joins a synchronizer that others founded.
  Result<std::vector<SignedTransaction>> introduction(const protocol::PhysicalSynchronizerId& id) {
    std::vector<PublicKey> registered;
    for (const auto& key : parts_.keys->signing_keys()) {
      if (!key.usages().contains(crypto::KeyUsage::namespace_)) registered.emplace_back(key);
    }
    for (const auto& key : parts_.keys->encryption_keys()) registered.emplace_back(key);
    SYNOD_TRY(auto identity, introduce_member(*parts_.keys, parts_.self, registered));
    const TrustCertificate certificate{parts_.self.uid(), id.logical(), {}};
    SYNOD_TRY(auto transaction, Transaction::create(Operation::add_replace, 1, certificate));
    SYNOD_TRY(auto signature, sign_transaction(*parts_.keys, parts_.self.uid().ns(), transaction.hash()));
    SYNOD_TRY(auto trust, SignedTransaction::create(std::move(transaction), {std::move(signature)}, false));
    identity.transactions.push_back(std::move(trust));
    return std::move(identity.transactions);
  }

  void download(const protocol::PhysicalSynchronizerId& id, const StaticParameters& parameters) {
    client_->download_topology(
        [this, weak = weak_from_this(), id, parameters](Result<std::vector<StoredTransaction>> snapshot) {
          const auto self = weak.lock();
          if (!self) return;
          if (!snapshot) return retry(snapshot.error(), id, parameters);
          TopologyState state(id, parameters);
          auto writes = state.import(*snapshot);
          if (!writes) return fatal(writes.error());
          writes->put(kManagerColumn, kSynchronizerKey, encode_synchronizer(id, parameters));
          if (auto written = parts_.store->write(*writes, storage::Sync::yes); !written)
            return cannot_store(written.error());
          state_ = std::move(state);
          publish();
          subscribe();
        });
  }

  void subscribe() {
    client_->subscribe(resume_);
    {
      std::lock_guard lock(mutex_);
      status_.connected = true;
      status_.problem.clear();
    }
    ready({});
  }

  void on_event(client::Delivered delivered) {
    const auto& event = delivered.event;
    const auto transactions =
        event.error ? std::vector<SignedTransaction>{} : broadcasts_in(event.batch, state_->synchronizer());
    // The snapshot of a newcomer may already cover the first events of its stream.
    const bool known = state_->known_sequenced() && event.timestamp <= *state_->known_sequenced();
    auto result = known ? ProcessResult{} : state_->process(event.timestamp, transactions);
    resume_ = client::ResumePoint{event.timestamp, delivered.content_hash};
    result.writes.put(kManagerColumn, kResumeKey, encode_resume(*resume_));
    passing(crash_points::kTopologyUnwritten);
    if (auto written = parts_.store->write(result.writes, storage::Sync::no); !written)
      return cannot_store(written.error());
    passing(crash_points::kTopologyWritten);
    client_->processed(event.timestamp);
    publish();
    if (const auto until = pending_.decided(result)) client_->await_time(until->next());
    pending_.advanced(event.timestamp);
  }

  void broadcast(const std::vector<SignedTransaction>& transactions, std::optional<Duration> wait,
                 const std::function<void(Status)>& done) {
    if (!state_ || !client_)
      return done(fail(unavailable("TOPOLOGY_STORE_NOT_INITIALIZED", "the topology manager is not connected yet")));
    if (pending_.size() >= config_.max_waiting_requests) {
      return done(
          fail(Error("TOPOLOGY_TOO_MANY_PENDING_TOPOLOGY_TRANSACTIONS", ErrorCategory::contention_on_shared_resources,
                     "too many topology changes wait at the same time")));
    }
    std::set<crypto::Hash> hashes;
    for (const auto& transaction : transactions) hashes.insert(transaction.hash());
    const auto id = pending_.add(hashes, wait.has_value(), done);
    for (std::size_t from = 0; from < transactions.size(); from += config_.max_transactions_per_broadcast) {
      const auto to = std::min<std::size_t>(transactions.size(), from + config_.max_transactions_per_broadcast);
      send({transactions.begin() + static_cast<std::ptrdiff_t>(from),
            transactions.begin() + static_cast<std::ptrdiff_t>(to)});
    }
    loop_->after(wait.value_or(config_.broadcast_timeout * 2), [weak = weak_from_this(), id] {
      if (auto self = weak.lock()) {
        self->pending_.fail(id, Error("TOPOLOGY_NOT_EFFECTIVE_IN_TIME", ErrorCategory::deadline_exceeded_state_unknown,
                                      "the topology change is not effective yet; it may still become so"));
      }
    });
  }

  void send(const std::vector<SignedTransaction>& transactions) {
    protocol::Submission submission;
    submission.message_id = parts_.random->uuid();
    submission.envelopes = {broadcast_envelope(state_->synchronizer(), transactions)};
    submission.max_sequencing_time = client_->now() + config_.broadcast_timeout;
    std::set<crypto::Hash> hashes;
    for (const auto& transaction : transactions) hashes.insert(transaction.hash());
    client_->send(std::move(submission), {}, [weak = weak_from_this(), hashes](Result<Timestamp> sequenced) {
      const auto self = weak.lock();
      if (self && !sequenced) self->pending_.fail(hashes, sequenced.error());
    });
  }

  void publish() {
    std::lock_guard lock(mutex_);
    head_ = state_->head();
    status_.synchronizer = state_->synchronizer();
    status_.last_event = state_->known_sequenced();
  }

  void set_problem(std::string problem) {
    std::lock_guard lock(mutex_);
    status_.problem = std::move(problem);
    status_.connected = state_.has_value() && status_.problem.empty();
  }

  // What is in memory is ahead of what is stored: when the disk is full, everything begins again with what is stored as
  // soon as there is space.
  void cannot_store(const Error& error) {
    if (error.category != ErrorCategory::background_degradation) return fatal(error);
    log::warn(kComponent, "has stopped until there is space: {}", error.to_string());
    set_problem(error.to_string());
    pending_.fail_all(error);
    client_->stop();
    // Not from inside a callback of the client.
    loop_->post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->client_.reset();
      self->state_.reset();
      self->resume_.reset();
      self->open_when_there_is_space();
    });
  }

  void open_when_there_is_space() {
    loop_->after(kRetryDelay, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      const auto synchronizer = self->parts_.store->get(kManagerColumn, kSynchronizerKey);
      if (!synchronizer) return self->fatal(synchronizer.error());
      storage::WriteBatch probe;
      if (*synchronizer) probe.put(kManagerColumn, kSynchronizerKey, **synchronizer);
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
    pending_.fail_all(error);
    if (client_) client_->stop();
    ready(fail(error));
  }

  void ready(Status status) {
    auto on_ready = std::move(on_ready_);
    on_ready_ = nullptr;
    if (on_ready) on_ready(std::move(status));
  }

  TopologyManagerConfig config_;
  TopologyManagerParts parts_;
  std::shared_ptr<EventLoop> loop_;
  std::function<void(Status)> on_ready_;
  std::unique_ptr<client::SequencerClient> client_;
  std::optional<TopologyState> state_;
  std::optional<client::ResumePoint> resume_;
  PendingChanges pending_;

  mutable std::mutex mutex_;
  bool stopping_ = false;
  TopologyManagerStatus status_;
  std::optional<Snapshot> head_;
};

TopologyManagerNode::TopologyManagerNode(TopologyManagerConfig config, TopologyManagerParts parts)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(parts))) {}

TopologyManagerNode::~TopologyManagerNode() { stop(); }

void TopologyManagerNode::start(std::function<void(Status)> on_ready) {
  impl_->loop()->post([impl = impl_.get(), on_ready = std::move(on_ready)] { impl->begin(on_ready); });
}

void TopologyManagerNode::set_sequencers(std::vector<client::Endpoint> endpoints) {
  impl_->loop()->post(
      [impl = impl_.get(), endpoints = std::move(endpoints)]() mutable { impl->set_sequencers(std::move(endpoints)); });
}

void TopologyManagerNode::stop() { impl_->end(); }

std::vector<std::shared_ptr<grpc::Service>> TopologyManagerNode::services() {
  return {make_read_service(*impl_), make_write_service(*impl_)};
}

void TopologyManagerNode::authorize(Mapping mapping, ProposeOptions options, std::optional<Duration> wait,
                                    std::function<void(Result<SignedTransaction>)> done) {
  auto* impl = impl_.get();
  impl->with_state([impl, mapping = std::move(mapping), options = std::move(options), wait,
                    done = std::move(done)](Result<const TopologyState*> state) {
    if (!state) return done(fail(state.error()));
    auto made = TopologyManager(**state, impl->keys()).propose(mapping, options);
    if (!made) return done(fail(made.error()));
    impl->submit({*made}, wait, [done, transaction = *made](Status status) {
      if (!status) return done(fail(status.error()));
      done(transaction);
    });
  });
}

std::optional<Snapshot> TopologyManagerNode::head() const { return impl_->head(); }
TopologyManagerStatus TopologyManagerNode::status() const { return impl_->status(); }

}  // namespace synod::topology
