// Connecting, and moving what the core decides to where it belongs.
#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "participant/ledger/columns.h"
#include "participant/log_component.h"
#include "participant/node/node_impl.h"
#include "topology/broadcast.h"
#include "topology/manager.h"

namespace synod::participant {
namespace {}  // namespace

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
    if (membership_)
      membership_->set_endpoints(endpoints(sequencers));
    else
      sequencers_ = std::move(sequencers);
  });
}

void NodeImpl::connect() {
  sequencer::client::MembershipConfig config;
  config.log_component = kLog;
  config.client.endpoints = endpoints(sequencers_);
  config.client.trust_threshold = static_cast<std::uint32_t>(config_.sequencer_trust_threshold);
  config.client.liveness_margin = config_.sequencer_liveness_margin;
  config.client.amplification = config_.amplification;
  config.client.max_pending_sends = config_.max_pending_sends;
  config.client.max_unprocessed_bytes = config_.max_unprocessed_bytes;
  config.client.acknowledge_interval = config_.acknowledge_interval;
  config.client.quiet_interval = config_.quiet_interval;
  config.client.tick_delay = config_.tick_delay;
  config.onboarding_timeout = config_.connect_timeout;
  config.min_retry_delay = config_.min_retry_delay;
  config.max_retry_delay = config_.max_retry_delay;
  sequencer::client::ClientParts parts{identity_.member, identity_.keys, loop_, clock_, random_};
  membership_.emplace(std::move(config), std::move(parts), membership_handlers());
  membership_->start();
}

sequencer::client::MembershipHandlers NodeImpl::membership_handlers() {
  sequencer::client::MembershipHandlers handlers;
  handlers.load = [this] { return joined(); };
  handlers.connected = [this](const auto& id, const auto& parameters) { return make_core(id, parameters); };
  handlers.introduce = [this](const auto& id) { return onboarding_transactions(identity_, id.logical()); };
  handlers.import = [this](const auto& id, const auto&, const auto& snapshot) -> Status {
    SYNOD_TRY(auto effects, core_->initialize(snapshot));
    effects.writes.put(kMetaColumn, Bytes(kSynchronizerKey), id.to_string());
    return apply(std::move(effects));
  };
  handlers.resume = [this]() -> std::optional<sequencer::client::ResumePoint> {
    const auto last = core_->last_event();
    if (!last) return std::nullopt;
    return sequencer::client::ResumePoint{last->timestamp, last->content_hash};
  };
  handlers.following = [this] { return take_up_what_was_in_flight(); };
  handlers.snapshot_at = [this](Timestamp at) { return core_->topology().snapshot_at(at); };
  handlers.on_event = [this](const sequencer::client::Delivered& delivered) -> Status {
    SYNOD_TRY(auto effects, core_->on_event(delivered.event, delivered.content_hash, delivered.traceparent));
    return apply(std::move(effects));
  };
  handlers.on_problem = [this](const std::optional<Error>& problem) {
    const std::lock_guard lock(shared_);
    status_.connected = !problem && ready_;
    status_.problem = problem;
  };
  handlers.on_failed = [this](const Error& error, bool again) {
    fail_waiting(error);
    if (!again && on_ready_) std::exchange(on_ready_, nullptr)(fail(error));
  };
  handlers.forget = [this] {
    ready_ = false;
    core_.reset();
  };
  handlers.probe_store = [this] {
    storage::WriteBatch probe;
    probe.put(kMetaColumn, Bytes(kParticipantKey), identity_.member.to_string());
    return store_->write(probe, storage::Sync::yes);
  };
  return handlers;
}

Result<std::optional<protocol::PhysicalSynchronizerId>> NodeImpl::joined() const {
  SYNOD_TRY(const auto stored, store_->get(kMetaColumn, kSynchronizerKey));
  if (!stored) return std::nullopt;
  SYNOD_TRY(auto id, protocol::PhysicalSynchronizerId::parse(*stored));
  return id;
}

// True: it has been here before.
Result<bool> NodeImpl::make_core(const protocol::PhysicalSynchronizerId& synchronizer,
                                 const topology::StaticParameters& parameters) {
  CoreConfig config;
  config.participant = identity_.member;
  config.synchronizer = synchronizer;
  config.static_parameters = parameters;
  config.max_deduplication = config_.max_deduplication;
  config.max_in_flight_submissions = config_.max_in_flight_submissions;
  config.max_command_weight = config_.max_command_weight;
  config.sync_submissions = config_.sync_submissions;
  config.interpretation = config_.interpretation;
  config.batch.max_envelope_bytes = config_.max_envelope_bytes;
  config.batch.max_total_bytes = config_.max_event_bytes;
  config.max_request_views_bytes = config_.max_request_views_bytes;
  config.view_keys = config_.view_keys;
  core_ = std::make_unique<ParticipantCore>(std::move(config), *store_, *identity_.keys, engine_, registry_.packages(),
                                            *random_);
  SYNOD_RETURN_IF_ERROR(core_->load());
  const std::lock_guard lock(shared_);
  status_.synchronizer_id = synchronizer.to_string();
  return core_->initialized();
}

Status NodeImpl::take_up_what_was_in_flight() {
  SYNOD_RETURN_IF_ERROR(apply(core_->resume()));
  if (const auto effective = core_->topology().last_effective_change()) connection().await_time(effective->next());
  // What was in flight when the node stopped is decided at these times at the latest, if somebody notices that they
  // pass.
  for (const auto time : core_->deadlines()) connection().await_time(time);
  await_active();
  return {};
}

void NodeImpl::await_active() {
  wait_for([member = identity_.member](
               const topology::Snapshot& snapshot) { return snapshot.is_participant_active(member); },
           std::max(config_.connect_timeout, config_.min_retry_delay),
           [this](Status active) {
             if (membership_->failed()) return;
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

bool NodeImpl::connected() const { return ready_ && !membership_->failed(); }

void NodeImpl::become_ready() {
  ready_ = true;
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

// Nothing may happen that is not written, and nothing may be built upon it: after an error the caller answers whom it
// has to, and then ends the membership with fail_with(): the node stays readable.
Status NodeImpl::apply(Effects effects) {
  passing(crash_points::kEffectsUnwritten);
  if (!effects.writes.empty()) {
    SYNOD_RETURN_IF_ERROR(store_->write(effects.writes, effects.sync ? storage::Sync::yes : storage::Sync::no));
  }
  passing(crash_points::kEffectsWritten);
  for (auto& item : effects.sends) send(std::move(item));
  passing(crash_points::kEffectsSent);
  for (const auto time : effects.await_times) connection().await_time(time);
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
    if (membership_->failed()) return;
    if (auto applied = apply(core_->on_send_failed(id, sequenced.error())); !applied)
      membership_->fail_with(applied.error());
  };
  connection().send(std::move(send.submission), std::move(options), std::move(done));
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
  submission.max_sequencing_time = connection().now() + kTopologyTimeout;
  connection().send(std::move(submission), {}, [sent = std::move(sent)](Result<Timestamp> sequenced) {
    if (sequenced)
      sent({});
    else
      sent(fail(sequenced.error()));
  });
}

}  // namespace synod::participant
