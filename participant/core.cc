#include "participant/core.h"

#include <algorithm>

#include "base/log.h"
#include "lf/ledger/value_codec.h"
#include "participant/core_state.h"
#include "participant/ledger/columns.h"

namespace synod::participant {

void Effects::append(Effects other) {
  writes.append(std::move(other.writes));
  sync = sync || other.sync;
  std::move(other.sends.begin(), other.sends.end(), std::back_inserter(sends));
  std::move(other.completions.begin(), other.completions.end(), std::back_inserter(completions));
  if (other.ledger_end) ledger_end = other.ledger_end;
  if (other.record_time) record_time = other.record_time;
  topology_changed = topology_changed || other.topology_changed;
  await_times.insert(await_times.end(), other.await_times.begin(), other.await_times.end());
}

ParticipantCore::Impl::Impl(CoreConfig config_in, const storage::Store& store_in, const crypto::KeyStore& keys_in,
                            std::shared_ptr<const lf::Engine> engine_in,
                            std::shared_ptr<const lf::PackageStore> packages_in, Random& random_in)
    : config(std::move(config_in)),
      store(store_in),
      keys(keys_in),
      engine(std::move(engine_in)),
      packages(std::move(packages_in)),
      random(random_in),
      topology(config.synchronizer, config.static_parameters),
      publisher(store),
      conflicts([this](const lf::ContractId& id) { return publisher.stored_status(id); }),
      deduplication(store, config.max_deduplication),
      sent_view_keys(config.view_keys) {}

Status ParticipantCore::Impl::load() {
  SYNOD_RETURN_IF_ERROR(topology.load(store));
  SYNOD_RETURN_IF_ERROR(publisher.load());
  SYNOD_TRY(const auto event, store.get(kMetaColumn, kLastEventKey));
  if (event) {
    if (event->size() < 8) return fail(storage::storage_corrupt("the last event's record has the wrong size"));
    last = LastEvent{Timestamp{read_i64(*event)}, {}};
    if (event->size() > 8) {
      SYNOD_TRY(last->content_hash, crypto::Hash::parse(ByteView(*event).substr(8)));
    }
  }
  initialized = topology.known_sequenced().has_value();
  Status status;
  SYNOD_RETURN_IF_ERROR(store.scan(
      kSubmissionsColumn, storage::KeyRange::all(), storage::Direction::forward, [&](ByteView, ByteView value) {
        auto submission = decode_submission(value);
        if (!submission) {
          status = fail(std::move(submission).error());
          return false;
        }
        const auto& completion = submission->completion;
        deduplication.started(change_id(completion.act_as, completion.user_id, completion.command_id),
                              completion.submission_id);
        submissions.emplace(submission->message_id, std::move(*submission));
        return true;
      }));
  SYNOD_RETURN_IF_ERROR(status);
  SYNOD_RETURN_IF_ERROR(store.scan(kRequestsColumn, storage::KeyRange::all(), storage::Direction::forward,
                                   [&](ByteView stored_key, ByteView value) {
                                     auto request = decode_request(stored_key, value);
                                     if (!request) {
                                       status = fail(std::move(request).error());
                                       return false;
                                     }
                                     const auto key = request->key();
                                     requests.emplace(key, std::move(*request));
                                     return true;
                                   }));
  SYNOD_RETURN_IF_ERROR(status);
  // Locks first, then the changes of what is decided and waits for its turn to be published.
  for (const auto& [id, request] : requests) conflicts.relock(request.locks);
  for (const auto& [id, request] : requests) {
    if (request.state == InFlightRequest::State::pending) continue;
    auto archived = request.archived;
    archived.insert(request.transient.begin(), request.transient.end());
    const bool approved = request.state == InFlightRequest::State::approved;
    conflicts.finish(request.locks, approved ? request.created : ContractIds{}, approved ? archived : ContractIds{});
  }
  return {};
}

topology::Snapshot ParticipantCore::Impl::current_snapshot() const {
  const auto known = topology.known_sequenced();
  const auto at =
      last ? std::max(last->timestamp, known.value_or(last->timestamp)) : known.value_or(topology::kGenesisTime);
  return topology.snapshot_at(at.next());
}

std::optional<lf::ContractInstance> ParticipantCore::Impl::active_contract(const lf::ContractId& id) const {
  if (conflicts.status(id) != ContractStatus::active) return std::nullopt;
  if (const auto bytes = store.get(kContractsColumn, id.bytes()); bytes && *bytes) {
    auto contract = lf::decode_contract(**bytes);
    return contract ? std::optional(std::move(*contract)) : std::nullopt;
  }
  // Decided, but an earlier request is not, so that it waits to be published.
  for (const auto& [request_id, request] : requests) {
    if (!request.update || !request.created.contains(id)) continue;
    const auto* transaction = request.update->transaction();
    if (!transaction) continue;
    for (const auto& event : transaction->events) {
      const auto* created = std::get_if<CreatedEvent>(&event);
      if (created && created->contract.contract_id == id) return created->contract;
    }
  }
  return std::nullopt;
}

void ParticipantCore::Impl::visit_active_by_key(const Bytes& key_hash,
                                                const std::function<bool(const lf::ContractInstance&)>& visit) const {
  // What is decided and waits to be published comes after everything that is published, in the order of requests.
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    const auto& update = request->second.update;
    const auto* transaction = update ? update->transaction() : nullptr;
    if (!transaction) continue;
    for (auto event = transaction->events.rbegin(); event != transaction->events.rend(); ++event) {
      const auto* created = std::get_if<CreatedEvent>(&*event);
      if (!created || !created->contract.key || created->contract.key->key.hash != key_hash) continue;
      if (!request->second.created.contains(created->contract.contract_id)) continue;
      if (conflicts.status(created->contract.contract_id) == ContractStatus::active && !visit(created->contract))
        return;
    }
  }
  const auto status = store.scan(
      kKeysColumn, storage::KeyRange::prefix(key_hash), storage::Direction::reverse, [&](ByteView, ByteView value) {
        const auto id = lf::ContractId::from_bytes(value);
        if (!id) return true;
        const auto contract = active_contract(*id);  // none: its end is decided, but not published
        return !contract || visit(*contract);
      });
  if (!status) log::error("participant", "contracts cannot be looked up by key: {}", status.error().to_string());
}

SubmissionContext ParticipantCore::Impl::submission_context(const topology::Snapshot& snapshot, Timestamp now) {
  // Our clock's time, which applications know, unless it lags so far behind the synchronizer that others would refuse
  // it.
  const Duration tolerated{snapshot.dynamic_parameters().ledger_time_record_time_tolerance.micros / 2};
  const Timestamp here = now + tolerated < snapshot.timestamp() ? snapshot.timestamp() : now;
  return {config.participant,
          snapshot,
          *engine,
          *packages,
          keys,
          random,
          sent_view_keys,
          config.interpretation,
          [this](const lf::ContractId& id) { return active_contract(id); },
          [this](const Bytes& hash, const auto& visit) { visit_active_by_key(hash, visit); },
          here};
}

void ParticipantCore::Impl::begin_input() { conflicts.forget(publisher.begin_input()); }

ParticipantCore::ParticipantCore(CoreConfig config, const storage::Store& store, const crypto::KeyStore& keys,
                                 std::shared_ptr<const lf::Engine> engine,
                                 std::shared_ptr<const lf::PackageStore> packages, Random& random)
    : impl_(std::make_unique<Impl>(std::move(config), store, keys, std::move(engine), std::move(packages), random)) {}
ParticipantCore::~ParticipantCore() = default;

std::vector<storage::Column> ParticipantCore::columns() {
  return {topology::kTopologyColumn, kMetaColumn,      kUpdatesColumn,  kUpdateIdsColumn, kCompletionsColumn,
          kContractsColumn,          kLifecycleColumn, kActiveColumn,   kKeysColumn,      kChangesColumn,
          kSubmissionsColumn,        kRequestsColumn,  kPackagesColumn, kPartiesColumn,   kUsersColumn};
}

Status ParticipantCore::load() { return impl_->load(); }

Result<Effects> ParticipantCore::initialize(const std::vector<topology::StoredTransaction>& snapshot) {
  Effects effects;
  SYNOD_TRY(effects.writes, impl_->topology.import(snapshot));
  impl_->initialized = true;
  effects.topology_changed = true;
  return effects;
}

bool ParticipantCore::initialized() const { return impl_->initialized; }
std::optional<ParticipantCore::LastEvent> ParticipantCore::last_event() const { return impl_->last; }

Effects ParticipantCore::resume() { return impl_->resume(); }

CommandOutcome ParticipantCore::on_command(const CommandSubmission& command, Timestamp now) {
  impl_->begin_input();
  return impl_->on_command(command, now);
}

Result<lf::InterpretationResult> ParticipantCore::interpret(const CommandSubmission& command, Timestamp now) const {
  const auto snapshot = impl_->current_snapshot();
  SYNOD_TRY(auto interpreted, interpret_command(command, impl_->submission_context(snapshot, now)));
  return std::move(interpreted.result);
}

Result<Effects> ParticipantCore::on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash,
                                          const std::string& traceparent) {
  impl_->begin_input();
  return impl_->on_event(event, content_hash, traceparent);
}

Effects ParticipantCore::on_send_failed(const std::string& message_id, const Error& error) {
  impl_->begin_input();
  Effects effects;
  const auto found = impl_->submissions.find(message_id);
  if (found == impl_->submissions.end() || found->second.sequenced) return effects;
  impl_->reject_submission(message_id, error, Timestamp::min(), effects);
  return effects;
}

const CoreConfig& ParticipantCore::config() const { return impl_->config; }
const topology::TopologyState& ParticipantCore::topology() const { return impl_->topology; }
topology::Snapshot ParticipantCore::current_snapshot() const { return impl_->current_snapshot(); }
lf::PackagePreference ParticipantCore::package_preference(const std::vector<std::string>& preferred_ids) const {
  const auto snapshot = impl_->current_snapshot();
  return preferred_packages(snapshot, impl_->config.participant, *impl_->packages, preferred_ids, snapshot.timestamp());
}
Offset ParticipantCore::ledger_end() const { return impl_->publisher.ledger_end(); }
std::size_t ParticipantCore::in_flight_submissions() const { return impl_->submissions.size(); }
std::size_t ParticipantCore::in_flight_requests() const { return impl_->requests.size(); }
std::vector<Timestamp> ParticipantCore::deadlines() const {
  std::vector<Timestamp> times;
  for (const auto& [message_id, submission] : impl_->submissions)
    if (!submission.sequenced) times.push_back(submission.max_sequencing_time.next());
  for (const auto& [id, request] : impl_->requests) times.push_back(request.decision_time.next());
  return times;
}

}  // namespace synod::participant
