#include "sequencer/client/membership.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace synod::sequencer::client {

bool may_pass(const Error& error) {
  switch (error.category) {
    case ErrorCategory::transient_server_failure:
    case ErrorCategory::contention_on_shared_resources:
    case ErrorCategory::deadline_exceeded_state_unknown:
    case ErrorCategory::authentication:          // a sequencer that is behind does not know a new member yet
    case ErrorCategory::background_degradation:  // a full disk
      return true;
    default:
      return false;
  }
}

Duration RetryDelay::next(std::int64_t monotonic_micros) {
  const bool was_well = well_since_ && monotonic_micros - *well_since_ > longest_.micros;
  well_since_.reset();
  last_ = was_well ? shortest_ : std::clamp(last_ * 2, shortest_, longest_);
  return last_;
}

class Membership::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(MembershipConfig config, ClientParts parts, MembershipHandlers handlers)
      : config_(std::move(config)),
        parts_(std::move(parts)),
        handlers_(std::move(handlers)),
        endpoints_(config_.client.endpoints),
        retry_delay_(config_.min_retry_delay, config_.max_retry_delay) {
    SYNOD_CHECK(handlers_.load && handlers_.connected && handlers_.import && handlers_.resume && handlers_.following &&
                handlers_.snapshot_at && handlers_.on_event && handlers_.on_problem && handlers_.on_failed &&
                handlers_.forget && handlers_.probe_store);
  }

  void begin() {
    if (stopped_) return;
    failed_ = false;
    const auto joined = handlers_.load();
    if (!joined) return fail_with(joined.error());
    ClientConfig config = config_.client;
    config.endpoints = endpoints_;
    if (*joined) config.synchronizer = (*joined)->to_string();
    client_ = std::make_unique<SequencerClient>(std::move(config), parts_, client_handlers());
    client_->start();
  }

  void stop() {
    stopped_ = true;
    if (client_) client_->stop();
  }

  void fail_with(const Error& error) { end_attempt(error, may_pass(error)); }
  bool failed() const { return failed_; }
  SequencerClient* client() const { return client_.get(); }

  void set_endpoints(std::vector<Endpoint> endpoints) {
    endpoints_ = std::move(endpoints);
    if (client_ && !failed_) client_->set_endpoints(endpoints_);
  }

 private:
  // Runs `task` unless this attempt has ended by then; what the client still has to say then does not matter.
  template <typename Task>
  auto during_attempt(Task task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) {
      if (const auto self = weak.lock(); self && !self->stopped_ && !self->failed_)
        task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  Handlers client_handlers() {
    Handlers handlers;
    handlers.on_connected =
        during_attempt([](Impl& self, const auto& id, const auto& parameters) { self.connected({id, parameters}); });
    handlers.snapshot_at = [this](Timestamp at) { return handlers_.snapshot_at(at); };
    handlers.on_event = during_attempt([](Impl& self, Delivered delivered) { self.on_event(std::move(delivered)); });
    handlers.on_health = during_attempt(
        [](Impl& self, PoolHealth health, const std::string& reason) { self.on_health(health, reason); });
    handlers.on_fatal = during_attempt([](Impl& self, const Error& error) { self.fail_with(error); });
    return handlers;
  }

  struct Synchronizer {
    protocol::PhysicalSynchronizerId id;
    topology::StaticParameters parameters;
  };

  void connected(const Synchronizer& synchronizer) {
    const auto stored = handlers_.connected(synchronizer.id, synchronizer.parameters);
    if (!stored) return fail_with(stored.error());
    if (*stored) return follow();
    if (!handlers_.introduce) return download(synchronizer);
    client_->verify_active(during_attempt([synchronizer](Impl& self, const Result<bool>& active) {
      if (!active) return self.refused(active.error());
      if (*active) return self.download(synchronizer);
      self.onboard(synchronizer);
    }));
  }

  void onboard(const Synchronizer& synchronizer) {
    auto introduction = handlers_.introduce(synchronizer.id);
    if (!introduction) return fail_with(introduction.error());
    log::info(config_.log_component, "{} joins synchronizer {}", parts_.member.to_string(),
              synchronizer.id.to_string());
    client_->onboard(std::move(*introduction), config_.onboarding_timeout,
                     during_attempt([synchronizer](Impl& self, const Status& active) {
                       if (!active) return self.refused(active.error());
                       self.download(synchronizer);
                     }));
  }

  void download(const Synchronizer& synchronizer) {
    using Topology = std::vector<topology::StoredTransaction>;
    client_->download_topology(during_attempt([synchronizer](Impl& self, const Result<Topology>& topology) {
      if (!topology) return self.refused(topology.error());
      if (auto imported = self.handlers_.import(synchronizer.id, synchronizer.parameters, *topology); !imported)
        return self.fail_with(imported.error());
      self.follow();
    }));
  }

  void follow() {
    client_->subscribe(handlers_.resume());
    following_ = true;
    retry_delay_.well(parts_.clock->monotonic_micros());
    handlers_.on_problem(std::nullopt);
    if (auto followed = handlers_.following(); !followed) fail_with(followed.error());
  }

  void on_event(Delivered delivered) {
    const Timestamp timestamp = delivered.event.timestamp;
    if (auto processed = handlers_.on_event(std::move(delivered)); !processed) return fail_with(processed.error());
    if (!failed_) client_->processed(timestamp);
  }

  // Sequencers that are well again mend nothing while it cannot join, or after a failure.
  void on_health(PoolHealth health, const std::string& reason) {
    if (health == PoolHealth::failed)
      handlers_.on_problem(unavailable("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", reason));
    else if (following_)
      handlers_.on_problem(std::nullopt);
  }

  void refused(const Error& error) {
    const bool expected = !config_.refusals_are_final;
    end_attempt(error, expected || may_pass(error), expected);
  }

  void end_attempt(const Error& error, bool again, bool expected = false) {
    if (stopped_ || failed_) return;  // one end is enough
    failed_ = true;
    following_ = false;
    const std::string self = parts_.member.to_string();
    if (!again && handlers_.others_deal_with && handlers_.others_deal_with(error))
      log::debug(config_.log_component, "{} stops where it is: {}", self, error.to_string());
    else if (!again)
      log::error(config_.log_component, "{} cannot go on: {}", self, error.to_string());
    else if (expected)
      log::info(config_.log_component, "{} cannot follow its synchronizer yet: {}", self, error.to_string());
    else
      log::warn(config_.log_component, "{} is not connected, and will try again: {}", self, error.to_string());
    // Not from inside a callback of the client.
    parts_.executor->post([weak = weak_from_this(), again] {
      const auto impl = weak.lock();
      if (!impl || impl->stopped_) return;
      if (impl->client_) impl->client_->stop();
      if (!again) return;
      impl->client_.reset();
      impl->handlers_.forget();
      impl->try_again_later();
    });
    handlers_.on_problem(error);
    handlers_.on_failed(error, again);
  }

  void try_again_later() {
    parts_.executor->after(retry_delay_.next(parts_.clock->monotonic_micros()), [weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && !self->stopped_) self->try_again();
    });
  }

  void try_again() {
    if (const auto written = handlers_.probe_store(); !written) {
      if (may_pass(written.error())) return try_again_later();
      failed_ = false;
      return fail_with(written.error());
    }
    begin();
  }

  const MembershipConfig config_;
  const ClientParts parts_;
  const MembershipHandlers handlers_;
  std::vector<Endpoint> endpoints_;
  RetryDelay retry_delay_;
  std::unique_ptr<SequencerClient> client_;
  bool following_ = false;
  bool failed_ = false;
  bool stopped_ = false;
};

Membership::Membership(MembershipConfig config, ClientParts parts, MembershipHandlers handlers)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(parts), std::move(handlers))) {}
Membership::~Membership() { impl_->stop(); }
void Membership::start() { impl_->begin(); }
void Membership::stop() { impl_->stop(); }
void Membership::fail_with(const Error& error) { impl_->fail_with(error); }
bool Membership::failed() const { return impl_->failed(); }
SequencerClient* Membership::client() const { return impl_->client(); }
void Membership::set_endpoints(std::vector<Endpoint> endpoints) { impl_->set_endpoints(std::move(endpoints)); }

}  // namespace synod::sequencer::client
