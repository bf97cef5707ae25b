#include "participant/ledger_store.h"

#include <algorithm>

#include "lf/ledger/value_codec.h"
#include "participant/ledger/columns.h"
#include "participant/ledger/stored_forms.h"

namespace synod::participant {
namespace {

Result<std::int64_t> read_number(const storage::Store& store, ByteView key, std::int64_t absent) {
  SYNOD_TRY(auto bytes, store.get(kMetaColumn, key));
  if (!bytes) return absent;
  if (bytes->size() < 8)
    return fail(storage::storage_corrupt("a number in the participant's store has the wrong size"));
  return read_i64(*bytes);
}

constexpr std::size_t kActiveAtOnce = 1'000;  // entries of the active set that are read ahead

storage::KeyRange between(Offset after, Offset until) {
  return {number_key(after.value + 1), number_key(until.value + 1)};
}

Error corrupt(const char* what) {
  return storage::storage_corrupt(std::string(what) + " in the participant's store does not decode");
}

Result<stored::StoredLifecycle> parse_lifecycle(ByteView bytes) {
  stored::StoredLifecycle lifecycle;
  if (!lifecycle.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(corrupt("a contract's lifecycle"));
  return lifecycle;
}

}  // namespace

Result<std::unique_ptr<LedgerStore>> LedgerStore::open(std::shared_ptr<const storage::Store> store) {
  std::unique_ptr<LedgerStore> ledger(new LedgerStore(store));
  SYNOD_TRY(const auto end, read_number(*store, kLedgerEndKey, 0));
  SYNOD_TRY(const auto pruned, read_number(*store, kPrunedKey, 0));
  SYNOD_TRY(const auto time, read_number(*store, kLastEventKey, Timestamp::min().micros));
  ledger->end_ = end;
  ledger->pruned_ = pruned;
  ledger->record_time_ = time;
  return ledger;
}

Status LedgerStore::updates(Offset after, Offset until, bool reverse, const UpdateVisitor& visitor) const {
  if (after < pruned_through()) {
    return fail(
        failed_precondition("PARTICIPANT_PRUNED_DATA_ACCESSED",
                            "Updates up to offset " + std::to_string(pruned_through().value) + " have been pruned"));
  }
  until = std::min(until, ledger_end());
  if (until <= after) return {};
  Status status;
  const auto direction = reverse ? storage::Direction::reverse : storage::Direction::forward;
  SYNOD_RETURN_IF_ERROR(store_->scan(kUpdatesColumn, between(after, until), direction, [&](ByteView, ByteView value) {
    auto update = decode_update(value);
    if (!update) {
      status = fail(std::move(update).error());
      return false;
    }
    return visitor(*update);
  }));
  return status;
}

Status LedgerStore::completions(Offset after, Offset until, const CompletionVisitor& visitor) const {
  until = std::min(until, ledger_end());
  if (until <= after) return {};
  Status status;
  SYNOD_RETURN_IF_ERROR(store_->scan(kCompletionsColumn, between(after, until), storage::Direction::forward,
                                     [&](ByteView, ByteView value) {
                                       auto completion = decode_completion(value);
                                       if (!completion) {
                                         status = fail(std::move(completion).error());
                                         return false;
                                       }
                                       return visitor(*completion);
                                     }));
  return status;
}

Result<std::optional<Update>> LedgerStore::update_at(Offset offset) const {
  if (offset > ledger_end()) return std::nullopt;
  SYNOD_TRY(auto bytes, store_->get(kUpdatesColumn, number_key(offset.value)));
  if (!bytes) return std::nullopt;
  SYNOD_TRY(auto update, decode_update(*bytes));
  return std::optional<Update>(std::move(update));
}

Result<std::optional<Update>> LedgerStore::update_by_id(const std::string& update_id) const {
  SYNOD_TRY(auto offset, store_->get(kUpdateIdsColumn, update_id));
  if (!offset) return std::nullopt;
  if (offset->size() != 8) return fail(corrupt("an update id"));
  return update_at(Offset(read_i64(*offset)));
}

// The active set is stored as it is now. What was active at an earlier offset: those of now created by then, and those
// created by then and archived since, which the updates after that offset tell. Both are read piece by piece, first the
// one and then the other: what another thread archives in between has left the first and stands in the second.
Status LedgerStore::active_contracts(ContractVisit& visit, const ContractVisitor& visitor) const {
  if (visit.at() < pruned_through()) {
    return fail(
        failed_precondition("PARTICIPANT_PRUNED_DATA_ACCESSED",
                            "The state before offset " + std::to_string(pruned_through().value) + " has been pruned"));
  }
  for (;;) {
    while (!visit.waiting_.empty() && (visit.complete_ || visit.waiting_.begin()->first <= visit.scanned_)) {
      auto next = visit.waiting_.extract(visit.waiting_.begin());
      SYNOD_TRY(const auto active, active_contract(visit, next.key(), next.mapped()));
      visit.last_ = std::move(next.key());
      if (!visitor(active)) return {};
    }
    if (visit.complete_) return {};
    SYNOD_RETURN_IF_ERROR(find_active(visit));
    SYNOD_RETURN_IF_ERROR(find_archived_since(visit));
  }
}

Status LedgerStore::find_active(ContractVisit& visit) const {
  storage::KeyRange range{visit.scanned_, number_key(visit.at().value + 1)};
  if (!range.from.empty()) range.from += '\0';  // behind it
  std::size_t found = 0;
  Status status;
  SYNOD_RETURN_IF_ERROR(
      store_->scan(kActiveColumn, range, storage::Direction::forward, [&](ByteView key, ByteView value) {
        if (found == kActiveAtOnce) return false;
        auto id = lf::ContractId::from_bytes(value);
        if (!id) {
          status = fail(corrupt("an active contract's id"));
          return false;
        }
        visit.waiting_.emplace(Bytes(key), std::move(*id));
        visit.scanned_ = Bytes(key);
        ++found;
        return true;
      }));
  SYNOD_RETURN_IF_ERROR(status);
  visit.complete_ = found < kActiveAtOnce;
  return {};
}

// Up to the end of what is written, which may be more than readers are told of.
Status LedgerStore::find_archived_since(ContractVisit& visit) const {
  Status status;
  SYNOD_RETURN_IF_ERROR(store_->scan(
      kUpdatesColumn, between(visit.told_, Offset(INT64_MAX - 1)), storage::Direction::forward,
      [&](ByteView key, ByteView value) {
        visit.told_ = Offset(read_i64(key));
        const auto update = decode_update(value);
        if (!update) {
          status = fail(update.error());
          return false;
        }
        const auto* transaction = update->transaction();
        if (!transaction) return true;
        for (const auto& event : transaction->events) {
          const auto* exercise = std::get_if<ExercisedEvent>(&event);
          if (!exercise || !exercise->consuming || !exercise->acs_delta) continue;
          auto bytes = store_->get(kLifecycleColumn, exercise->contract_id.bytes());
          if (!bytes || !*bytes) continue;
          auto lifecycle = parse_lifecycle(**bytes);
          if (!lifecycle || lifecycle->created_offset() == 0 || lifecycle->created_offset() > visit.at().value)
            continue;
          auto place = active_key(Offset(lifecycle->created_offset()), lifecycle->created_node());
          if (place > visit.last_) visit.waiting_.emplace(std::move(place), exercise->contract_id);
        }
        return true;
      }));
  return status;
}

Result<ActiveContract> LedgerStore::active_contract(ContractVisit& visit, ByteView place,
                                                    const lf::ContractId& id) const {
  SYNOD_TRY(auto bytes, store_->get(kContractsColumn, id.bytes()));
  if (!bytes) return fail(corrupt("an active contract"));
  ActiveContract active;
  SYNOD_TRY(active.contract, lf::decode_contract(*bytes));
  active.created_at_offset = Offset(read_i64(place));
  active.node_id = read_i32(place.substr(8));
  if (visit.workflow_of_ != active.created_at_offset) {
    visit.workflow_of_ = active.created_at_offset;
    SYNOD_TRY(auto update, update_at(active.created_at_offset));
    visit.workflow_id_ = update && update->transaction() ? update->transaction()->workflow_id : std::string();
  }
  active.workflow_id = visit.workflow_id_;
  return active;
}

Result<std::optional<ContractLifecycle>> LedgerStore::contract(const lf::ContractId& id) const {
  SYNOD_TRY(auto bytes, store_->get(kContractsColumn, id.bytes()));
  if (!bytes) return std::nullopt;
  ContractLifecycle result;
  SYNOD_TRY(result.contract, lf::decode_contract(*bytes));
  SYNOD_TRY(auto lifecycle_bytes, store_->get(kLifecycleColumn, id.bytes()));
  if (lifecycle_bytes) {
    SYNOD_TRY(auto lifecycle, parse_lifecycle(*lifecycle_bytes));
    result.created = Offset(lifecycle.created_offset());
    if (lifecycle.archived_offset() != 0) result.archived = Offset(lifecycle.archived_offset());
  }
  return std::optional<ContractLifecycle>(std::move(result));
}

Subscription LedgerStore::on_new_offsets(std::function<void(Offset)> changed) {
  const std::lock_guard lock(listeners_->mutex);
  const auto id = listeners_->next++;
  listeners_->callbacks.emplace(id, std::make_shared<std::function<void(Offset)>>(std::move(changed)));
  return Subscription([listeners = std::weak_ptr(listeners_), id] {
    if (auto live = listeners.lock()) {
      const std::lock_guard inner(live->mutex);
      live->callbacks.erase(id);
    }
  });
}

void LedgerStore::advance(Offset end, Timestamp record_time) {
  record_time_.store(record_time.micros, std::memory_order_release);
  if (end.value <= end_.load(std::memory_order_relaxed)) return;
  end_.store(end.value, std::memory_order_release);
  std::vector<std::shared_ptr<std::function<void(Offset)>>> callbacks;
  {
    const std::lock_guard lock(listeners_->mutex);
    for (const auto& [id, callback] : listeners_->callbacks) callbacks.push_back(callback);
  }
  for (const auto& callback : callbacks) (*callback)(end);
}

}  // namespace synod::participant
