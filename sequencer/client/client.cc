#include "sequencer/client/client.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "sequencer/client/client_impl.h"
#include "topology/genesis.h"

namespace synod::sequencer::client {
namespace {

constexpr Duration poll_delay = Duration::milliseconds(20);
// Whether RegisterOnboardingTopologyTransactions was refused because the member is known already. There is no more than
// a text, and newer sequencers say less to strangers.
bool may_be_onboarded_already(const Error& error) {
  for (const char* text : {"is either active on the synchronizer or has previously been offboarded",
                           "Unable to register onboarding topology transactions"})
    if (error.cause.find(text) != std::string::npos) return true;
  return false;
}

std::optional<protocol::PhysicalSynchronizerId> pinned(const ClientConfig& config) {
  const auto parsed = protocol::PhysicalSynchronizerId::parse(config.synchronizer);
  if (!parsed) return std::nullopt;
  return *parsed;
}

}  // namespace

SequencerClient::Impl::Impl(ClientConfig config, ClientParts parts, Handlers handlers)
    : config_(std::make_shared<const ClientConfig>(std::move(config))),
      parts_(std::make_shared<const ClientParts>(std::move(parts))),
      handlers_(std::move(handlers)),
      pool_(config_->endpoints.size(), config_->trust_threshold, config_->liveness_margin, pinned(*config_),
            *parts_->random),
      tracker_({config_->amplification, config_->min_restart_delay, config_->max_restart_delay,
                config_->max_pending_sends}) {
  SYNOD_CHECK(handlers_.snapshot_at && handlers_.on_event);
  for (ConnectionIndex i = 0; i < config_->endpoints.size(); ++i)
    if (config_->endpoints[i].fallback) pool_.set_fallback(i);
}

void SequencerClient::Impl::start() {
  if (!config_->synchronizer.empty() && !pinned(*config_)) {
    return fatal(
        invalid_argument("CONFIG_INVALID", "'" + config_->synchronizer + "' is not a physical synchronizer id"));
  }
  if (config_->endpoints.size() < config_->trust_threshold) {
    return fatal(invalid_argument("CONFIG_INVALID", "A trust threshold of " + std::to_string(config_->trust_threshold) +
                                                        " needs at least as many endpoints"));
  }
  for (ConnectionIndex i = 0; i < config_->endpoints.size(); ++i) open_connection(i, config_->endpoints[i]);
  for (auto& connection : connections_) connection->start();
}

void SequencerClient::Impl::open_connection(ConnectionIndex index, const Endpoint& endpoint) {
  const auto weak = weak_from_this();
  ConnectionHandlers handlers;
  handlers.on_validated = [weak](ConnectionIndex index, const Attributes& attributes) -> Status {
    if (auto self = weak.lock(); self && !self->stopped_) return self->validated(index, attributes);
    return {};
  };
  handlers.on_serving = [weak](ConnectionIndex index, bool serving) {
    if (auto self = weak.lock(); self && !self->stopped_) {
      self->pool_.set_serving(index, serving);
      self->pool_changed();
    }
  };
  handlers.on_lost = [weak](ConnectionIndex index, const Error& error) {
    if (auto self = weak.lock(); self && !self->stopped_) self->lost(index, error);
  };
  SYNOD_CHECK(index == connections_.size());
  connections_.push_back(std::make_unique<Connection>(index, endpoint, config_, parts_, std::move(handlers)));
}

void SequencerClient::Impl::set_endpoints(std::vector<Endpoint> endpoints) {
  if (stopped_) return;
  const auto same = [](const ConnectionStatus& status, const Endpoint& endpoint) {
    return status.address == endpoint.address;
  };
  for (ConnectionIndex i = 0; i < connections_.size(); ++i) {
    if (pool_.retired(i)) continue;
    const auto status = connections_[i]->status();
    const auto kept = std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& e) { return same(status, e); });
    if (kept != endpoints.end()) {
      pool_.set_fallback(i, kept->fallback);
      endpoints.erase(kept);
      continue;
    }
    log::info("sequencer-client", "{} no longer uses {}", parts_->member.to_string(), status.address);
    pool_.retire(i);
    lost(i, unavailable("SEQUENCER_NOT_CONNECTED", "It is no longer among the configured sequencers"));
    if (stopped_) return;
    connections_[i]->stop();
  }
  for (const Endpoint& endpoint : endpoints) {
    log::info("sequencer-client", "{} uses {} as well", parts_->member.to_string(), endpoint.address);
    const ConnectionIndex index = pool_.add();
    pool_.set_fallback(index, endpoint.fallback);
    open_connection(index, endpoint);
    connections_[index]->start();
  }
  pool_changed();
}

void SequencerClient::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (auto& connection : connections_) connection->stop();
  sends_.clear();
}

Status SequencerClient::Impl::validated(ConnectionIndex index, const Attributes& attributes) {
  SYNOD_RETURN_IF_ERROR(pool_.validated(index, attributes));
  if (!pool_.agreed()) return {};
  const auto& agreed = *pool_.agreed();
  if (connected_) {
    connections_[index]->set_synchronizer(agreed.synchronizer, authentication_wanted_);
    return {};
  }
  connected_ = true;
  for (ConnectionIndex i = 0; i < connections_.size(); ++i) {
    if (pool_.usable(i)) connections_[i]->set_synchronizer(agreed.synchronizer, authentication_wanted_);
  }
  log::info("sequencer-client", "{} is connected to {}", parts_->member.to_string(), agreed.synchronizer.to_string());
  // The connection itself is still being set up: tell the node afterwards.
  after({}, [this] {
    if (handlers_.on_connected) handlers_.on_connected(pool_.agreed()->synchronizer, pool_.agreed()->parameters);
  });
  return {};
}

void SequencerClient::Impl::lost(ConnectionIndex index, const Error& error) {
  pool_.lost(index);
  complete(tracker_.connection_lost(index, mono()));
  if (stopped_) return;
  if (subscriptions_.contains(index)) subscription_ended(index, error, false);
  pool_changed();
}

void SequencerClient::Impl::pool_changed() {
  const PoolHealth health = pool_.health();
  if (reported_health_ != health) {
    reported_health_ = health;
    if (handlers_.on_health) handlers_.on_health(health, pool_.reason());
    if (stopped_) return;
  }
  ensure_subscriptions();
  pump_sends();
}

void SequencerClient::Impl::fatal(const Error& error) {
  log::error("sequencer-client", "{} cannot go on: {}", parts_->member.to_string(), error.to_string());
  if (handlers_.on_fatal) handlers_.on_fatal(error);
}

TimerId SequencerClient::Impl::after(Duration delay, std::function<void()> task) {
  return parts_->executor->after(delay, [weak = weak_from_this(), task = std::move(task)] {
    if (auto self = weak.lock(); self && !self->stopped_) task();
  });
}

void SequencerClient::Impl::with_connection(std::set<protocol::Member> excluded,
                                            std::function<void(Result<ConnectionIndex>)> use) {
  with_connection_until(mono() + config_->call_timeout.micros, std::move(excluded), std::move(use));
}

void SequencerClient::Impl::with_connection_until(std::int64_t deadline, std::set<protocol::Member> excluded,
                                                  std::function<void(Result<ConnectionIndex>)> use) {
  if (const auto connection = pool_.pick(excluded)) return use(*connection);
  if (mono() > deadline) {
    return use(fail(unavailable("SEQUENCER_NOT_CONNECTED", "No sequencer can be used: " + pool_.reason())));
  }
  after(poll_delay, [this, deadline, excluded = std::move(excluded), use = std::move(use)] {
    with_connection_until(deadline, excluded, use);
  });
}

void SequencerClient::Impl::verify_active(std::function<void(Result<bool>)> done) {
  with_connection({}, [this, done = std::move(done)](Result<ConnectionIndex> connection) {
    if (!connection) return done(fail(connection.error()));
    connections_[*connection]->verify_active(done);
  });
}

void SequencerClient::Impl::onboard(std::vector<topology::SignedTransaction> transactions, Duration timeout,
                                    std::function<void(Status)> done) {
  const std::int64_t deadline = mono() + timeout.micros;
  with_connection(
      {}, [this, deadline, transactions = std::move(transactions), done = std::move(done)](auto connection) {
        if (!connection) return done(fail(connection.error()));
        connections_[*connection]->register_onboarding(transactions, [this, deadline, done](Status registered) {
          if (registered) return poll_active(deadline, done);
          // Perhaps an earlier registration was taken, its answer lost, and it is about to take effect.
          if (!may_be_onboarded_already(registered.error())) return done(std::move(registered));
          poll_active(std::min(deadline, mono() + config_->call_timeout.micros),
                      [done, registered](const Status& active) { done(active ? active : registered); });
        });
      });
}

void SequencerClient::Impl::poll_active(std::int64_t deadline, std::function<void(Status)> done) {
  verify_active([this, deadline, done = std::move(done)](Result<bool> active) {
    if (active && *active) return done({});
    if (mono() > deadline) {
      return done(fail(active ? Error("ONBOARDING_TIMED_OUT", ErrorCategory::deadline_exceeded_state_unknown,
                                      parts_->member.to_string() + " has been registered but is not active yet")
                              : active.error()));
    }
    after(config_->verify_active_interval, [this, deadline, done] { poll_active(deadline, done); });
  });
}

// --- the topology to begin with ---

struct SequencerClient::Impl::Download {
  std::int64_t deadline = 0;
  std::set<protocol::Member> asked;
  std::optional<crypto::Hash> hash;
  std::function<void(Result<std::vector<topology::StoredTransaction>>)> done;
};

void SequencerClient::Impl::download_topology(
    std::function<void(Result<std::vector<topology::StoredTransaction>>)> done) {
  want_authentication();
  auto download = std::make_shared<Download>();
  download->deadline = mono() + config_->call_timeout.micros;
  download->done = std::move(done);
  download_step(std::move(download));
}

// First the hash from trust_threshold sequencers, then the content from any one.
void SequencerClient::Impl::download_step(std::shared_ptr<Download> download) {
  const bool hashes_done = download->asked.size() >= config_->trust_threshold && download->hash;
  const std::set<protocol::Member> none;
  with_connection(
      hashes_done ? none : download->asked, [this, download, hashes_done](Result<ConnectionIndex> connection) {
        if (!connection) return download->done(fail(connection.error()));
        const auto sequencer = *pool_.sequencer_of(*connection);
        if (!hashes_done) {
          return connections_[*connection]->topology_hash([this, download, sequencer](Result<crypto::Hash> hash) {
            if (!hash) return download_failed(download, hash.error());
            if (download->hash && *download->hash != *hash) {
              return download->done(fail(Error("TOPOLOGY_SNAPSHOT_MISMATCH", ErrorCategory::malicious_or_faulty,
                                               "The sequencers have different initial topologies")));
            }
            download->hash = *hash;
            download->asked.insert(sequencer);
            download_step(download);
          });
        }
        connections_[*connection]->download_topology(
            [this, download](Result<std::vector<topology::StoredTransaction>> items) {
              if (!items) return download_failed(download, items.error());
              if (topology::snapshot_hash(*items) != *download->hash) {
                return download->done(fail(Error("TOPOLOGY_SNAPSHOT_MISMATCH", ErrorCategory::malicious_or_faulty,
                                                 "The downloaded topology has another hash than the sequencers told")));
              }
              download->done(std::move(items));
            });
      });
}

// A sequencer that lags may not know the member yet.
void SequencerClient::Impl::download_failed(const std::shared_ptr<Download>& download, const Error& error) {
  if (mono() > download->deadline) return download->done(fail(error));
  after(poll_delay, [this, download] { download_step(download); });
}

void SequencerClient::Impl::get_time(std::function<void(Result<std::optional<Timestamp>>)> done) {
  want_authentication();
  with_connection({}, [this, done = std::move(done)](Result<ConnectionIndex> connection) {
    if (!connection) return done(fail(connection.error()));
    connections_[*connection]->get_time(done);
  });
}

void SequencerClient::Impl::want_authentication() {
  if (authentication_wanted_) return;
  authentication_wanted_ = true;
  if (!connected_) return;
  for (const ConnectionIndex i : pool_.usable()) connections_[i]->set_synchronizer(pool_.agreed()->synchronizer, true);
}

std::optional<Timestamp> SequencerClient::Impl::last_timestamp() const {
  if (last_delivered_) return last_delivered_;
  if (resume_) return resume_->timestamp;
  return std::nullopt;
}

Timestamp SequencerClient::Impl::now() {
  return clock_.now(parts_->clock->now(), mono(), last_timestamp().value_or(Timestamp::min()));
}

std::vector<ConnectionStatus> SequencerClient::Impl::connections() const {
  std::vector<ConnectionStatus> out;
  for (ConnectionIndex i = 0; i < connections_.size(); ++i)
    if (!pool_.retired(i)) out.push_back(connections_[i]->status());
  return out;
}

// --- the public face ---

void SequencerClient::set_endpoints(std::vector<Endpoint> endpoints) { impl_->set_endpoints(std::move(endpoints)); }

SequencerClient::SequencerClient(ClientConfig config, ClientParts parts, Handlers handlers)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(parts), std::move(handlers))) {}
SequencerClient::~SequencerClient() {
  auto executor = impl_->executor();
  executor->post([impl = std::move(impl_)] { impl->stop(); });
}
void SequencerClient::start() { impl_->start(); }
void SequencerClient::stop() { impl_->stop(); }
void SequencerClient::verify_active(std::function<void(Result<bool>)> done) { impl_->verify_active(std::move(done)); }
void SequencerClient::onboard(std::vector<topology::SignedTransaction> transactions, Duration timeout,
                              std::function<void(Status)> done) {
  impl_->onboard(std::move(transactions), timeout, std::move(done));
}
void SequencerClient::download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done) {
  impl_->download_topology(std::move(done));
}
void SequencerClient::get_time(std::function<void(Result<std::optional<Timestamp>>)> done) {
  impl_->get_time(std::move(done));
}
void SequencerClient::subscribe(std::optional<ResumePoint> resume) { impl_->subscribe(std::move(resume)); }
void SequencerClient::processed(Timestamp timestamp) { impl_->processed(timestamp); }
void SequencerClient::send(protocol::Submission submission, SendOptions options, SendCallback done) {
  impl_->send(std::move(submission), std::move(options), std::move(done));
}
void SequencerClient::await_time(Timestamp timestamp) { impl_->await_time(timestamp); }
std::optional<Timestamp> SequencerClient::last_timestamp() const { return impl_->last_timestamp(); }
Timestamp SequencerClient::now() { return impl_->now(); }
std::vector<ConnectionStatus> SequencerClient::connections() const { return impl_->connections(); }
PoolHealth SequencerClient::health() const { return impl_->health(); }

}  // namespace synod::sequencer::client
