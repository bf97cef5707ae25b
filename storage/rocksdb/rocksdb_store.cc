#include "storage/rocksdb/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "base/check.h"
#include "base/log.h"

namespace synod::storage {
namespace {

rocksdb::Slice slice(ByteView bytes) { return {bytes.data(), bytes.size()}; }
ByteView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

Error error_of(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return storage_full(status.ToString());
  if (status.IsCorruption()) return storage_corrupt(status.ToString());
  return storage_failed(status.ToString());
}

class RocksDbStore final : public Store {
 public:
  using Handles = std::vector<rocksdb::ColumnFamilyHandle*>;

  RocksDbStore(std::unique_ptr<rocksdb::DB> db, Handles handles, const std::vector<Column>& columns)
      : db_(std::move(db)), handles_(std::move(handles)) {
    for (Column column : columns)
      for (rocksdb::ColumnFamilyHandle* handle : handles_)
        if (handle->GetName() == column.name) columns_.emplace_back(column, handle);
  }

  ~RocksDbStore() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    db_->Close();
  }

  Result<std::optional<Bytes>> get(Column column, ByteView key) const override {
    Bytes value;
    const rocksdb::Status status = db_->Get({}, handle(column), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return fail(error_of(status));
    return value;
  }

  Status scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const override {
    if (range.to && *range.to <= range.from) return {};
    rocksdb::ReadOptions options;
    const rocksdb::Slice lower = slice(range.from);
    const rocksdb::Slice upper = range.to ? slice(*range.to) : rocksdb::Slice();
    options.iterate_lower_bound = &lower;
    if (range.to) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> entry(db_->NewIterator(options, handle(column)));
    const bool forward = direction == Direction::forward;
    for (forward ? entry->SeekToFirst() : entry->SeekToLast(); entry->Valid(); forward ? entry->Next() : entry->Prev())
      if (!visitor(view(entry->key()), view(entry->value()))) break;
    if (!entry->status().ok()) return fail(error_of(entry->status()));
    return {};
  }

  Status write(const WriteBatch& batch, Sync sync_mode) override {
    rocksdb::WriteBatch native(batch.bytes() + batch.size() * 16);
    for (const auto& operation : batch.operations()) {
      if (operation.value)
        native.Put(handle(operation.column), slice(operation.key), slice(*operation.value));
      else
        native.Delete(handle(operation.column), slice(operation.key));
    }
    rocksdb::WriteOptions options;
    options.sync = sync_mode == Sync::yes;
    return noted(db_->Write(options, &native));
  }

  Status sync() override { return noted(db_->SyncWAL()); }

  Status health() const override {
    std::lock_guard lock(mutex_);
    if (trouble_) return fail(*trouble_);
    return {};
  }

 private:
  Status noted(const rocksdb::Status& status) {
    std::lock_guard lock(mutex_);
    if (status.ok()) {
      trouble_.reset();
      return {};
    }
    trouble_ = error_of(status);
    return fail(*trouble_);
  }

  rocksdb::ColumnFamilyHandle* handle(Column column) const {
    // A store has some ten columns: a scan of the list is quicker than a hash.
    for (const auto& [known, found] : columns_)
      if (known == column) return found;
    SYNOD_CHECK(false && "a column that the store was not opened with");
    return nullptr;
  }

  std::unique_ptr<rocksdb::DB> db_;
  Handles handles_;
  std::vector<std::pair<Column, rocksdb::ColumnFamilyHandle*>> columns_;
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;  // of the latest write, guarded by mutex_
};

// RocksDB's own messages go into our log instead of a file of its own: on a full disk Debian's build ends the process
// when it cannot write that file.
class ForwardingLogger final : public rocksdb::Logger {
 public:
  ForwardingLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list arguments) override {
    char text[1024];
    std::vsnprintf(text, sizeof text, format, arguments);
    log::debug("rocksdb", "{}", text);
  }
};

// All of a key but a number at its end. What is written most (events, index entries) has keys of one beginning that
// rise: where the last of them went, the next one goes. To find the place anew took two thirds of a write.
class Beginning final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "synod.beginning"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), key.size() - kNumber}; }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() >= kNumber; }

 private:
  static constexpr std::size_t kNumber = 8;
};

constexpr std::size_t kDeletionWindow = 8192, kDeletionTrigger = 4096;  // entries
constexpr double kDeletionRatio = 0.5;

rocksdb::Options native_options(const RocksDbOptions& options) {
  rocksdb::Options native;
  native.create_if_missing = true;
  native.create_missing_column_families = true;
  native.max_open_files = options.max_open_files;
  native.db_write_buffer_size = options.write_buffer_bytes;
  native.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 2, 1u << 20);
  native.max_total_wal_size = options.write_buffer_bytes * 4;
  native.max_background_jobs = 2;
  // A torn tail is what an unsynced end of the log looks like; everything before it counts, nothing after it does.
  native.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  native.info_log = std::make_shared<ForwardingLogger>();
  // Files that hold mostly deletions are compacted soon: pruning gives the space back.
  native.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kDeletionWindow, kDeletionTrigger, kDeletionRatio));
  native.memtable_insert_with_hint_prefix_extractor = std::make_shared<const Beginning>();
  native.stats_dump_period_sec = 0;
  native.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  native.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return native;
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb(const RocksDbOptions& options) {
  std::error_code failure;
  std::filesystem::create_directories(options.path, failure);
  if (failure) return fail(storage_failed("cannot create " + options.path + ": " + failure.message()));

  const rocksdb::Options native = native_options(options);
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(native, options.path, &names).ok()) names = {rocksdb::kDefaultColumnFamilyName};
  for (Column column : options.columns)
    if (std::find(names.begin(), names.end(), column.name) == names.end()) names.emplace_back(column.name);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, native);

  rocksdb::DB* db = nullptr;
  RocksDbStore::Handles handles;
  const rocksdb::Status status = rocksdb::DB::Open(native, options.path, descriptors, &handles, &db);
  if (status.ok()) return std::make_unique<RocksDbStore>(std::unique_ptr<rocksdb::DB>(db), handles, options.columns);
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos)
    return fail(failed_precondition("STORAGE_LOCKED", options.path + " is open in another process"));
  return fail(error_of(status));
}

}  // namespace synod::storage
