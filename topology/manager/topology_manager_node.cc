#include "topology/manager/topology_manager_node.h"

#include <future>
#include <mutex>

#include "base/crash_point.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"
#include "sequencer/client/membership.h"
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
  f.duration("broadcast-timeout", c.broadcast_timeout,
             "A broadcast that is not sequenced within this time has failed.");
  f.duration("onboarding-timeout", c.onboarding_timeout,
             "How long joining may take, for a manager that is not a founder.");
  f.integer("max-transactions-per-broadcast", c.max_transactions_per_broadcast, "More go into several broadcasts.");
  f.integer("max-waiting-requests", c.max_waiting_requests,
            "Requests that wait for their transactions at the same time.");
}

// Everything but start, stop and the thread-safe reads runs on the loop.
class TopologyManagerNode::Impl final : public AdminBackend, public std::enable_shared_from_this<Impl> {
 public:
  Impl(TopologyManagerConfig config, TopologyManagerParts parts)
      : config_(std::move(config)), parts_(std::move(parts)), loop_(std::make_shared<EventLoop>("topology-mgr")) {}

  void begin(std::function<void(Status)> on_ready) {
    on_ready_ = std::move(on_ready);
    client::MembershipConfig config;
    config.log_component = kComponent;
    config.client = config_.client;
    config.onboarding_timeout = config_.onboarding_timeout;
    config.refusals_are_final = false;  // as long as the synchronizer may be in the making
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
      pending_.fail_all(stopped());
      ended.set_value();
    });
    ended.get_future().wait();
    loop_->stop();
    membership_.reset();
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

  using Joined = std::optional<protocol::PhysicalSynchronizerId>;

  // They run while membership_ exists, which this object outlives.
  client::MembershipHandlers handlers() {
    client::MembershipHandlers handlers;
    handlers.load = [this] { return load(); };
    handlers.connected = [this](const auto& id, const auto&) -> Result<bool> {
      log::info(kComponent, "connected to {}", id.to_string());
      return state_.has_value();
    };
    handlers.introduce = [this](const auto& id) { return introduction(id); };
    handlers.import = [this](const auto& id, const auto& parameters, const auto& snapshot) {
      return import(id, parameters, snapshot);
    };
    handlers.resume = [this] { return resume_; };
    handlers.following = [this]() -> Status {
      ready({});
      return {};
    };
    handlers.snapshot_at = [this](Timestamp at) { return state_->snapshot_at(at); };
    handlers.on_event = [this](const client::Delivered& delivered) { return on_event(delivered); };
    handlers.on_problem = [this](const std::optional<Error>& problem) {
      set_problem(problem ? problem->to_string() : "");
    };
    handlers.on_failed = [this](const Error& error, bool again) {
      pending_.fail_all(error);
      if (!again) ready(fail(error));
    };
    // What is in memory is ahead of what is stored.
    handlers.forget = [this] {
      state_.reset();
      resume_.reset();
    };
    handlers.probe_store = [this] { return probe_store(); };
    return handlers;
  }

  Result<Joined> load() {
    SYNOD_TRY(const auto synchronizer, parts_.store->get(kManagerColumn, kSynchronizerKey));
    if (!synchronizer) return Joined();
    SYNOD_TRY(auto state, decode_synchronizer(*synchronizer));
    SYNOD_RETURN_IF_ERROR(state.load(*parts_.store));
    SYNOD_TRY(const auto resume, parts_.store->get(kManagerColumn, kResumeKey));
    if (resume) {
      SYNOD_TRY(resume_, decode_resume(*resume));
      state.observe(resume_->timestamp);
    }
    state_ = std::move(state);
    publish();
    return Joined(state_->synchronizer());
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

  Status import(const protocol::PhysicalSynchronizerId& id, const StaticParameters& parameters,
                const std::vector<StoredTransaction>& snapshot) {
    TopologyState state(id, parameters);
    SYNOD_TRY(auto writes, state.import(snapshot));
    writes.put(kManagerColumn, kSynchronizerKey, encode_synchronizer(id, parameters));
    SYNOD_RETURN_IF_ERROR(parts_.store->write(writes, storage::Sync::yes));
    state_ = std::move(state);
    publish();
    return {};
  }

  client::SequencerClient& connection() { return *membership_->client(); }

  Status on_event(const client::Delivered& delivered) {
    const auto& event = delivered.event;
    const auto transactions =
        event.error ? std::vector<SignedTransaction>{} : broadcasts_in(event.batch, state_->synchronizer());
    // The snapshot of a newcomer may already cover the first events of its stream.
    const bool known = state_->known_sequenced() && event.timestamp <= *state_->known_sequenced();
    auto result = known ? ProcessResult{} : state_->process(event.timestamp, transactions);
    resume_ = client::ResumePoint{event.timestamp, delivered.content_hash};
    result.writes.put(kManagerColumn, kResumeKey, encode_resume(*resume_));
    passing(crash_points::kTopologyUnwritten);
    SYNOD_RETURN_IF_ERROR(parts_.store->write(result.writes, storage::Sync::no));
    passing(crash_points::kTopologyWritten);
    publish();
    if (const auto until = pending_.decided(result)) connection().await_time(until->next());
    pending_.advanced(event.timestamp);
    return {};
  }

  void broadcast(const std::vector<SignedTransaction>& transactions, std::optional<Duration> wait,
                 const std::function<void(Status)>& done) {
    if (!state_ || membership_->failed())
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
    submission.max_sequencing_time = connection().now() + config_.broadcast_timeout;
    std::set<crypto::Hash> hashes;
    for (const auto& transaction : transactions) hashes.insert(transaction.hash());
    connection().send(std::move(submission), {}, [weak = weak_from_this(), hashes](Result<Timestamp> sequenced) {
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

  Status probe_store() {
    SYNOD_TRY(const auto synchronizer, parts_.store->get(kManagerColumn, kSynchronizerKey));
    storage::WriteBatch probe;
    if (synchronizer) probe.put(kManagerColumn, kSynchronizerKey, *synchronizer);
    return parts_.store->write(probe, storage::Sync::yes);
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
  std::optional<client::Membership> membership_;  // since begin()
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
