// Connecting, and moving what the core decides to where it belongs.
#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "participant/ledger/columns.h"
#include "participant/node/node_impl.h"
#include "topology/broadcast.h"
#include "topology/manager.h"

namespace synod::participant {
namespace {

constexpr const char* kLog = "participant";

// The same may work a little later, without anybody doing anything to this node.
bool is_transient(const Error& error) {
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

}  // namespace

std::vector<sequencer::client::Endpoint> NodeImpl::endpoints(const std::vector<SequencerEndpoint>& sequencers) const {
  std::vector<sequencer::client::Endpoint> result;
  for (const auto& endpoint : sequencers) {
    sequencer::client::Endpoint out{endpoint.address, endpoint.address, std::nullopt, endpoint.fallback};
    if (!config_.tls_ca_file.empty()) out.tls = rpc::ClientTls{config_.tls_ca_file, std::nullopt, std::nullopt};
    result.push_back(std::move(out));
  }
  return result;
}

void NodeImpl::set_sequencers(std::vector<SequencerEndpoint> sequencers) {
  loop_->post([this, sequencers = std::move(sequencers)]() mutable {
    sequencers_ = std::move(sequencers);
    if (client_) client_->set_endpoints(endpoints(sequencers_));
  });
}

sequencer::client::ClientConfig NodeImpl::client_config() const {
  sequencer::client::ClientConfig config;
  config.endpoints = endpoints(sequencers_);
  config.trust_threshold = static_cast<std::uint32_t>(config_.sequencer_trust_threshold);
  config.acknowledge_interval = config_.acknowledge_interval;
  config.quiet_interval = config_.quiet_interval;
  config.tick_delay = config_.tick_delay;
  if (const auto stored = store_->get(kMetaColumn, kSynchronizerKey); stored && *stored) config.synchronizer = **stored;
  return config;
}

void NodeImpl::connect() {
  sequencer::client::Handlers handlers;
  handlers.on_connected = [this](const auto& synchronizer, const auto& parameters) {
    on_connected(synchronizer, parameters);
  };
  handlers.snapshot_at = [this](Timestamp at) { return core_->topology().snapshot_at(at); };
  handlers.on_event = [this](sequencer::client::Delivered delivered) { on_event(std::move(delivered)); };
  handlers.on_health = [this](sequencer::client::PoolHealth health, const std::string& reason) {
    if (broken_) return;  // sequencers that are well again mend nothing of that
    const std::lock_guard lock(shared_);
    const bool failed = health == sequencer::client::PoolHealth::failed;
    status_.connected = !failed && ready_;
    status_.problem = failed ? std::optional(unavailable("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", reason)) : std::nullopt;
  };
  handlers.on_fatal = [this](const Error& error) { fail_with(error); };
  sequencer::client::ClientParts parts{identity_.member, identity_.keys, loop_, clock_, random_};
  client_ =
      std::make_unique<sequencer::client::SequencerClient>(client_config(), std::move(parts), std::move(handlers));
  client_->start();
}

void NodeImpl::on_connected(const protocol::PhysicalSynchronizerId& synchronizer,
                            const topology::StaticParameters& parameters) {
  CoreConfig config;
  config.participant = identity_.member;
  config.synchronizer = synchronizer;
  config.static_parameters = parameters;
  config.max_deduplication = config_.max_deduplication;
  config.max_in_flight_submissions = config_.max_in_flight_submissions;
  config.interpretation = config_.interpretation;
  config.batch.max_envelope_bytes = config_.max_envelope_bytes;
  config.batch.max_total_bytes = config_.max_event_bytes;
  config.max_request_views_bytes = config_.max_request_views_bytes;
  core_ = std::make_unique<ParticipantCore>(std::move(config), *store_, *identity_.keys, engine_, registry_.packages(),
                                            *random_);
  if (const auto loaded = core_->load(); !loaded) return fail_with(loaded.error());
  {
    const std::lock_guard lock(shared_);
    status_.synchronizer_id = synchronizer.to_string();
  }
  if (core_->initialized()) return subscribe();
  client_->verify_active([this](Result<bool> active) {
    if (!active) return fail_with(active.error());
    if (*active) return download();
    onboard();
  });
}

void NodeImpl::onboard() {
  auto transactions = onboarding_transactions(identity_, core_->config().synchronizer.logical());
  if (!transactions) return fail_with(transactions.error());
  log::info(kLog, "{} joins synchronizer {}", identity_.member.to_string(), core_->config().synchronizer.to_string());
  client_->onboard(std::move(*transactions), config_.connect_timeout, [this](Status done) {
    if (!done) return fail_with(done.error());
    download();
  });
}

void NodeImpl::download() {
  client_->download_topology([this](Result<std::vector<topology::StoredTransaction>> snapshot) {
    if (!snapshot) return fail_with(snapshot.error());
    auto effects = core_->initialize(*snapshot);
    if (!effects) return fail_with(effects.error());
    effects->writes.put(kMetaColumn, Bytes(kSynchronizerKey), core_->config().synchronizer.to_string());
    if (auto applied = apply(std::move(*effects)); !applied) return fail_with(applied.error());
    subscribe();
  });
}

void NodeImpl::subscribe() {
  std::optional<sequencer::client::ResumePoint> resume;
  if (const auto last = core_->last_event())
    resume = sequencer::client::ResumePoint{last->timestamp, last->content_hash};
  client_->subscribe(resume);
  if (auto applied = apply(core_->resume()); !applied) return fail_with(applied.error());
  if (const auto effective = core_->topology().last_effective_change()) client_->await_time(effective->next());
  // What was in flight when the node stopped is decided at these times at the latest, if somebody notices that they
  // pass.
  for (const auto time : core_->deadlines()) client_->await_time(time);
  await_active();
}

void NodeImpl::await_active() {
  wait_for([member = identity_.member](
               const topology::Snapshot& snapshot) { return snapshot.is_participant_active(member); },
           std::max(config_.connect_timeout, config_.min_retry_delay),
           [this](Status active) {
             if (broken_) return;
             if (active) return become_ready();
             // Only a change of the topology can help, and the subscription brings it.
             log::warn(kLog, "{} is not active on its synchronizer yet, and goes on waiting: {}",
                       identity_.member.to_string(), active.error().to_string());
             {
               const std::lock_guard lock(shared_);
               status_.problem = active.error();
             }
             await_active();
           });
}

void NodeImpl::become_ready() {
  ready_ = true;
  ready_since_ = clock_->monotonic_micros();
  {
    const std::lock_guard lock(shared_);
    status_.connected = true;
    status_.problem.reset();
  }
  topology_moved();
  log::info(kLog, "{} is connected to {}", identity_.member.to_string(), core_->config().synchronizer.to_string());
  vet_pending();
  if (on_ready_) std::exchange(on_ready_, nullptr)(Status{});
}

void NodeImpl::on_event(sequencer::client::Delivered delivered) {
  if (broken_) return;
  const auto timestamp = delivered.event.timestamp;
  auto effects = core_->on_event(delivered.event, delivered.content_hash, delivered.traceparent);
  if (!effects) return fail_with(effects.error());
  if (auto applied = apply(std::move(*effects)); !applied) return fail_with(applied.error());
  client_->processed(timestamp);
}

// Nothing may happen that is not written, and nothing may be built upon it: after an error the caller answers whom it
// has to, and then stops the node with fail_with(), readable.
Status NodeImpl::apply(Effects effects) {
  passing(crash_points::kEffectsUnwritten);
  if (!effects.writes.empty()) {
    SYNOD_RETURN_IF_ERROR(store_->write(effects.writes, effects.sync ? storage::Sync::yes : storage::Sync::no));
  }
  passing(crash_points::kEffectsWritten);
  for (auto& item : effects.sends) send(std::move(item));
  passing(crash_points::kEffectsSent);
  for (const auto time : effects.await_times) client_->await_time(time);
  {
    const std::lock_guard lock(shared_);
    status_.ledger_end = core_->ledger_end();
    if (effects.record_time) status_.record_time = effects.record_time;
    status_.in_flight_requests = core_->in_flight_requests();
    status_.in_flight_submissions = core_->in_flight_submissions();
  }
  if (effects.ledger_end || effects.record_time)
    ledger_->advance(core_->ledger_end(), effects.record_time.value_or(ledger_->record_time()));
  for (auto& completion : effects.completions) {
    const auto found =
        command_waits_.find(wait_key(completion.user_id, completion.command_id, completion.submission_id));
    if (found == command_waits_.end()) continue;
    auto wait = std::move(found->second);
    command_waits_.erase(found);
    loop_->cancel(wait.timer);
    if (completion.rejection)
      wait.done(fail(*completion.rejection));
    else
      wait.done(completion);
  }
  if (effects.topology_changed) topology_moved();
  return {};
}

void NodeImpl::send(Effects::Send send) {
  sequencer::client::SendOptions options;
  options.traceparent = send.traceparent;
  auto done = [this, id = send.submission.message_id, report = send.report_failure](Result<Timestamp> sequenced) {
    if (sequenced || !report) {
      if (!sequenced) log::info(kLog, "a message was not sequenced: {}", sequenced.error().to_string());
      return;
    }
    if (broken_) return;
    if (auto applied = apply(core_->on_send_failed(id, sequenced.error())); !applied) fail_with(applied.error());
  };
  client_->send(std::move(send.submission), std::move(options), std::move(done));
}

// Ends what goes on here; after a transient error the node begins again with what is stored, as after a restart.
void NodeImpl::fail_with(const Error& error) {
  if (broken_) return;  // one end is enough
  broken_ = true;
  const bool again = is_transient(error);
  if (again)
    log::warn(kLog, "{} is not connected, and will try again: {}", identity_.member.to_string(), error.to_string());
  else
    log::error(kLog, "{} cannot go on: {}", identity_.member.to_string(), error.to_string());
  {
    const std::lock_guard lock(shared_);
    status_.connected = false;
    status_.problem = error;
  }
  // Not from inside a callback of the client.
  loop_->post([this, again] {
    if (client_) client_->stop();
    if (!again) return;
    ready_ = false;
    client_.reset();
    core_.reset();
    loop_->after(next_retry_delay(), [this] { connect_again(); });
  });
  fail_waiting(error);
  if (!again && on_ready_) std::exchange(on_ready_, nullptr)(fail(error));
}

// Doubles while failures follow upon each other.
Duration NodeImpl::next_retry_delay() {
  const Duration shortest = config_.min_retry_delay, longest = std::max(shortest, config_.max_retry_delay);
  const bool was_well = ready_since_ && clock_->monotonic_micros() - *ready_since_ > longest.micros;
  ready_since_.reset();
  retry_delay_ = was_well ? shortest : std::clamp(retry_delay_ * 2, shortest, longest);
  return retry_delay_;
}

void NodeImpl::connect_again() {
  // As long as the disk is full there is no use in asking anybody for more.
  storage::WriteBatch probe;
  probe.put(kMetaColumn, Bytes(kParticipantKey), identity_.member.to_string());
  if (const auto written = store_->write(probe, storage::Sync::yes); !written) {
    if (is_transient(written.error())) {
      loop_->after(next_retry_delay(), [this] { connect_again(); });
      return;
    }
    broken_ = false;
    return fail_with(written.error());
  }
  broken_ = false;
  connect();
}

void NodeImpl::fail_waiting(const Error& error) {
  // Taken out first: whoever is called back may ask for something again.
  const auto commands = std::exchange(command_waits_, {});
  const auto topology = std::exchange(topology_waits_, {});
  const auto vet_requests = std::exchange(vet_queue_, {});
  const auto updates = std::exchange(vetting_updates_, {});
  vetting_ = false;  // what was under way waits for the topology, or for the client, which is stopped
  const Error unknown(error.id, ErrorCategory::deadline_exceeded_state_unknown,
                      "The participant has stopped before the outcome was known: " + error.cause);
  for (const auto& [id, wait] : commands) {
    loop_->cancel(wait.timer);
    wait.done(fail(unknown));
  }
  for (const auto& wait : topology) {
    loop_->cancel(wait.timer);
    wait.done(fail(unknown));
  }
  for (const auto& request : vet_requests) request.done(fail(error));
  for (const auto& request : updates) request.done(fail(error));
}

void NodeImpl::topology_moved() {
  const auto now = core_->current_snapshot();
  {
    const std::lock_guard lock(shared_);
    snapshot_ = now;
  }
  for (auto wait = topology_waits_.begin(); wait != topology_waits_.end();) {
    if (!wait->holds(now)) {
      ++wait;
      continue;
    }
    auto finished = std::move(*wait);
    wait = topology_waits_.erase(wait);
    loop_->cancel(finished.timer);
    loop_->post([done = std::move(finished.done)] { done({}); });
  }
}

void NodeImpl::wait_for(std::function<bool(const topology::Snapshot&)> holds, Duration timeout,
                        std::function<void(Status)> done) {
  if (holds(core_->current_snapshot())) return done({});
  topology_waits_.push_back({std::move(holds), std::move(done), 0});
  const auto wait = std::prev(topology_waits_.end());
  wait->timer = loop_->after(timeout, [this, wait] {
    auto callback = std::move(wait->done);
    topology_waits_.erase(wait);
    callback(fail(Error("TOPOLOGY_CHANGE_TIMED_OUT", ErrorCategory::deadline_exceeded_state_unknown,
                        "The change of the topology has not become effective in time")));
  });
}

void NodeImpl::publish_topology(const topology::Mapping& mapping, std::function<void(Status)> sent) {
  topology::TopologyManager manager(core_->topology(), *identity_.keys);
  topology::ProposeOptions options;
  options.must_fully_authorize = true;
  auto transaction = manager.propose(mapping, options);
  if (!transaction) return sent(fail(std::move(transaction).error()));
  protocol::Submission submission;
  submission.message_id = random_->uuid();
  submission.envelopes.push_back(topology::broadcast_envelope(core_->config().synchronizer, {std::move(*transaction)}));
  submission.max_sequencing_time = client_->now() + kTopologyTimeout;
  client_->send(std::move(submission), {}, [sent = std::move(sent)](Result<Timestamp> sequenced) {
    if (sequenced)
      sent({});
    else
      sent(fail(sequenced.error()));
  });
}

}  // namespace synod::participant
