// An immutable hash map whose successors share nearly everything with it: what makes snapshots of neighbouring times
// cheap.
//
// Copying the handle copies one pointer. A successor with a few changes copies a table of kShards pointers and the
// shards that change, each about size/kShards entries. Any thread may read a map; the one that makes successors needs
// no lock.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace synod::topology {

template <typename V>
class PersistentMap {
 public:
  static constexpr std::size_t kShards = 128;
  using Change = std::pair<std::string, std::optional<V>>;  // none: erase

  const V* find(const std::string& key) const {
    if (!table_) return nullptr;
    const auto& shard = table_->shards[shard_of(key)];
    if (!shard) return nullptr;
    const auto it = shard->find(key);
    return it == shard->end() ? nullptr : &it->second;
  }

  template <typename F>
  void for_each(F&& visit) const {
    if (!table_) return;
    for (const auto& shard : table_->shards) {
      if (!shard) continue;
      for (const auto& [key, value] : *shard) visit(key, value);
    }
  }

  // Later changes of a key win.
  PersistentMap with(const std::vector<Change>& changes) const {
    if (changes.empty()) return *this;
    auto table = table_ ? std::make_shared<Table>(*table_) : std::make_shared<Table>();
    std::array<Shard*, kShards> copied{};
    for (const auto& [key, value] : changes) {
      const auto index = shard_of(key);
      if (!copied[index]) {
        auto copy = table->shards[index] ? std::make_shared<Shard>(*table->shards[index]) : std::make_shared<Shard>();
        copied[index] = copy.get();
        table->shards[index] = std::move(copy);
      }
      if (value) {
        copied[index]->insert_or_assign(key, *value);
      } else {
        copied[index]->erase(key);
      }
    }
    PersistentMap result;
    result.table_ = std::move(table);
    return result;
  }

 private:
  using Shard = std::unordered_map<std::string, V>;
  struct Table {
    std::array<std::shared_ptr<const Shard>, kShards> shards;
  };
  static std::size_t shard_of(const std::string& key) {
    // The high bits: the shard's own buckets use the low ones.
    return (std::hash<std::string>()(key) >> 32) % kShards;
  }
  std::shared_ptr<const Table> table_;
};

}  // namespace synod::topology
