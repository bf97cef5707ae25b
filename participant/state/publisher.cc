#include "participant/state/publisher.h"

#include <algorithm>

#include "lf/ledger/value_codec.h"
#include "participant/ledger/columns.h"
#include "participant/ledger/stored_forms.h"
#include "participant/submission/deduplication.h"

namespace synod::participant {

Status Publisher::load() {
  SYNOD_TRY(const auto end, store_.get(kMetaColumn, kLedgerEndKey));
  if (end) end_ = Offset(read_i64(*end));
  SYNOD_TRY(const auto last, store_.first(kUpdatesColumn, storage::KeyRange::all(), storage::Direction::reverse));
  if (last) {
    SYNOD_TRY(const auto update, decode_update(last->value));
    last_record_time_ = update.record_time;
  }
  SYNOD_TRY(const auto completed,
            store_.first(kCompletionsColumn, storage::KeyRange::all(), storage::Direction::reverse));
  if (completed) {
    SYNOD_TRY(const auto completion, decode_completion(completed->value));
    last_record_time_ = std::max(last_record_time_, completion.record_time);
  }
  return {};
}

ContractIds Publisher::begin_input() {
  ContractIds ids;
  for (const auto& [id, lifecycle] : unstored_) ids.insert(id);
  unstored_.clear();
  return ids;
}

Result<std::optional<Publisher::Lifecycle>> Publisher::lifecycle(const lf::ContractId& id) const {
  if (const auto found = unstored_.find(id); found != unstored_.end()) return std::optional(found->second);
  SYNOD_TRY(const auto bytes, store_.get(kLifecycleColumn, id.bytes()));
  if (!bytes) return std::nullopt;
  stored::StoredLifecycle in;
  if (!in.ParseFromString(*bytes)) return fail(storage::storage_corrupt("a contract's lifecycle does not decode"));
  return std::optional(
      Lifecycle{Offset(in.created_offset()), in.created_node(), Offset(in.archived_offset()), in.key_hash()});
}

ContractStatus Publisher::stored_status(const lf::ContractId& id) const {
  const auto found = lifecycle(id);
  if (!found && !read_failure_) read_failure_ = found.error();
  if (!found || !*found) return ContractStatus::unknown;
  return (*found)->archived.value == 0 ? ContractStatus::active : ContractStatus::archived;
}

void Publisher::set_lifecycle(const lf::ContractId& id, const Lifecycle& lifecycle, Effects& effects) {
  stored::StoredLifecycle out;
  out.set_created_offset(lifecycle.created.value);
  out.set_created_node(lifecycle.node);
  out.set_archived_offset(lifecycle.archived.value);
  out.set_key_hash(lifecycle.key_hash);
  effects.writes.put(kLifecycleColumn, id.bytes(), out.SerializeAsString());
  unstored_[id] = lifecycle;
}

Offset Publisher::next_offset(Effects& effects) {
  end_ = end_.next();
  effects.writes.put(kMetaColumn, Bytes(kLedgerEndKey), number_key(end_.value));
  effects.ledger_end = end_;
  return end_;
}

Status Publisher::publish_update(const InFlightRequest& request, Offset offset, Effects& effects) {
  auto update = *request.update;
  update.offset = offset;
  effects.writes.put(kUpdatesColumn, number_key(offset.value), encode(update));
  if (const auto* party = std::get_if<PartyUpdate>(&update.content))
    effects.writes.put(kUpdateIdsColumn, party->update_id, number_key(offset.value));
  const auto* transaction = update.transaction();
  if (!transaction) return {};
  effects.writes.put(kUpdateIdsColumn, transaction->update_id, number_key(offset.value));
  for (const auto& event : transaction->events) {
    const auto* created = std::get_if<CreatedEvent>(&event);
    if (!created) continue;
    const auto& id = created->contract.contract_id;
    effects.writes.put(kContractsColumn, id.bytes(), lf::encode_contract(created->contract));
    if (!request.created.contains(id)) continue;
    const bool transient = request.transient.contains(id);
    const auto& key = created->contract.key;
    const auto key_hash = key ? key->key.hash : Bytes();
    set_lifecycle(id, {offset, created->node_id, transient ? offset : Offset(0), key_hash}, effects);
    if (transient) continue;
    effects.writes.put(kActiveColumn, active_key(offset, created->node_id), id.bytes());
    if (key) effects.writes.put(kKeysColumn, contract_key(key_hash, offset, created->node_id), id.bytes());
  }
  for (const auto& id : request.archived) {
    SYNOD_TRY(auto known, lifecycle(id));
    if (!known) continue;  // seen being archived, but never its creation
    known->archived = offset;
    effects.writes.erase(kActiveColumn, active_key(known->created, known->node));
    if (!known->key_hash.empty())
      effects.writes.erase(kKeysColumn, contract_key(known->key_hash, known->created, known->node));
    set_lifecycle(id, *known, effects);
  }
  return {};
}

void Publisher::publish_completion(Completion completion, Effects& effects) {
  effects.writes.put(kCompletionsColumn, number_key(completion.offset.value), encode(completion));
  if (!completion.rejection) {
    Deduplication::record(effects.writes, change_id(completion.act_as, completion.user_id, completion.command_id),
                          completion);
  }
  effects.completions.push_back(std::move(completion));
}

Status Publisher::publish(const InFlightRequest& request, Effects& effects) {
  const bool approved = request.state == InFlightRequest::State::approved;
  if ((!approved || !request.update) && !request.completion) return {};
  const auto offset = next_offset(effects);
  last_record_time_ = std::max(last_record_time_, request.id);
  if (approved && request.update) {
    SYNOD_RETURN_IF_ERROR(publish_update(request, offset, effects));
  }
  if (request.completion) {
    auto completion = *request.completion;
    completion.offset = offset;
    completion.record_time = request.id;
    if (approved) completion.update_id = request.root_hash.hex();
    publish_completion(std::move(completion), effects);
  }
  return {};
}

void Publisher::publish_rejection(Completion completion, Effects& effects) {
  completion.offset = next_offset(effects);
  completion.record_time = std::max(completion.record_time, last_record_time_);
  last_record_time_ = completion.record_time;
  publish_completion(std::move(completion), effects);
}

}  // namespace synod::participant
