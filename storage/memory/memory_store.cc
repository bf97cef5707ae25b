#include "storage/memory/memory_store.h"

#include "base/check.h"

namespace synod::storage {

MemoryStore::MemoryStore(MemoryStoreOptions options) : options_(std::move(options)) {
  for (Column column : options_.columns) columns_[column];
}

MemoryStore::Map& MemoryStore::map(Column column) {
  auto found = columns_.find(column);
  SYNOD_CHECK(found != columns_.end());
  return found->second;
}

const MemoryStore::Map& MemoryStore::map(Column column) const { return const_cast<MemoryStore*>(this)->map(column); }

Result<std::optional<Bytes>> MemoryStore::get(Column column, ByteView key) const {
  std::lock_guard lock(mutex_);
  const Map& entries = map(column);
  auto found = entries.find(key);
  if (found == entries.end()) return std::nullopt;
  return found->second;
}

Status MemoryStore::scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const {
  std::lock_guard lock(mutex_);
  const Map& entries = map(column);
  if (range.to && *range.to <= range.from) return {};
  auto begin = entries.lower_bound(range.from);
  auto end = range.to ? entries.lower_bound(*range.to) : entries.end();
  if (direction == Direction::forward) {
    for (; begin != end; ++begin)
      if (!visitor(begin->first, begin->second)) break;
  } else {
    while (end != begin) {
      --end;
      if (!visitor(end->first, end->second)) break;
    }
  }
  return {};
}

std::optional<Bytes> MemoryStore::assign(const WriteBatch::Operation& operation) {
  Map& entries = map(operation.column);
  auto found = entries.lower_bound(operation.key);
  const bool exists = found != entries.end() && found->first == operation.key;
  std::optional<Bytes> earlier;
  if (exists) {
    bytes_ -= operation.key.size() + found->second.size();
    earlier = std::move(found->second);
  }
  if (operation.value) {
    bytes_ += operation.key.size() + operation.value->size();
    if (exists)
      found->second = *operation.value;
    else
      entries.emplace_hint(found, operation.key, *operation.value);
  } else if (exists) {
    entries.erase(found);
  }
  return earlier;
}

Status MemoryStore::write(const WriteBatch& batch, Sync sync_mode) {
  std::lock_guard lock(mutex_);
  if (!batch.empty()) {
    if (full_) return fail(storage_full("the store is full"));
    std::size_t growth = 0;
    for (const auto& operation : batch.operations())
      if (operation.value) growth += operation.key.size() + operation.value->size();
    if (growth > 0 && growth > options_.max_bytes - std::min(bytes_, options_.max_bytes))
      return fail(storage_full("the store has reached its limit of " + std::to_string(options_.max_bytes) + " bytes"));
  }
  Undo undo;
  for (const auto& operation : batch.operations()) {
    std::optional<Bytes> earlier = assign(operation);
    if (options_.track_unsynced) undo.push_back({operation.column, operation.key, std::move(earlier)});
  }
  if (sync_mode == Sync::yes)
    unsynced_.clear();
  else if (options_.track_unsynced && !batch.empty())
    unsynced_.push_back(std::move(undo));
  return {};
}

Status MemoryStore::sync() {
  std::lock_guard lock(mutex_);
  unsynced_.clear();
  return {};
}

Status MemoryStore::health() const {
  std::lock_guard lock(mutex_);
  if (full_ || bytes_ >= options_.max_bytes) return fail(storage_full("the store is full"));
  return {};
}

void MemoryStore::lose_unsynced(std::size_t keep) {
  std::lock_guard lock(mutex_);
  SYNOD_CHECK(options_.track_unsynced);
  while (unsynced_.size() > keep) {
    Undo& undo = unsynced_.back();
    for (auto operation = undo.rbegin(); operation != undo.rend(); ++operation) assign(*operation);
    unsynced_.pop_back();
  }
  unsynced_.clear();  // what the machine has after its restart is on the disk
}

std::size_t MemoryStore::unsynced_batches() const {
  std::lock_guard lock(mutex_);
  return unsynced_.size();
}

void MemoryStore::set_full(bool full) {
  std::lock_guard lock(mutex_);
  full_ = full;
}

std::size_t MemoryStore::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace synod::storage
