// What the conformance suite observes a log with.
#pragma once

#include <chrono>
#include <climits>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "ordering/ordering_log.h"

namespace synod::ordering::conformance {

// Until something happens that must: long enough for the slowest machine, so that a test fails instead of hanging.
inline constexpr std::chrono::seconds kPatience{300};

// Asks until it is so; false: not within the patience.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = kPatience);

// Keeps all blocks, and checks that they come without gaps and chain. Asks for more by itself unless told otherwise.
class Collector : public BlockSink {
 public:
  void on_block(Block block) override {
    std::lock_guard lock(mutex_);
    if (!blocks_.empty() &&
        (block.height != blocks_.back().height.next() || block.previous_hash != blocks_.back().hash))
      chained_ = false;
    for (const Bytes& record : block.records) records_.insert(record);
    blocks_.push_back(std::move(block));
    changed_.notify_all();
  }
  void on_end(Error error) override {
    std::lock_guard lock(mutex_);
    end_ = std::move(error);
    ++ends_;
    changed_.notify_all();
  }

  bool wait(const std::function<bool(const Collector&)>& condition, std::chrono::milliseconds limit = kPatience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return condition(*this); });
  }
  bool wait_for_record(const Bytes& record, std::chrono::milliseconds limit = kPatience) {
    return wait([&](const Collector& c) { return c.records_.contains(record); }, limit);
  }
  bool wait_for_end(std::chrono::milliseconds limit = kPatience) {
    return wait([](const Collector& c) { return c.end_.has_value(); }, limit);
  }
  bool wait_for_height(Height height) {
    return wait([&](const Collector& c) { return !c.blocks_.empty() && c.blocks_.back().height >= height; });
  }

  std::vector<Block> blocks() const {
    std::lock_guard lock(mutex_);
    return blocks_;
  }
  // Of all records in order.
  std::vector<Bytes> sequence() const {
    std::lock_guard lock(mutex_);
    std::vector<Bytes> all;
    for (const Block& block : blocks_) all.insert(all.end(), block.records.begin(), block.records.end());
    return all;
  }
  bool chained() const {
    std::lock_guard lock(mutex_);
    return chained_;
  }
  std::optional<Error> end() const {
    std::lock_guard lock(mutex_);
    return end_;
  }
  int ends() const {
    std::lock_guard lock(mutex_);
    return ends_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Block> blocks_;
  std::multiset<Bytes> records_;
  bool chained_ = true;
  std::optional<Error> end_;
  int ends_ = 0;
};

// submit() made synchronous.
SubmitResult submit_and_wait(OrderingLog& log, Bytes record);

// Submits until the record is accepted, as a sequencer does, and tells how often that was: so often it may be ordered.
// 0: it was not accepted after `attempts`, or within the patience.
int submissions_until_accepted(OrderingLog& log, const Bytes& record, int attempts = INT_MAX);
inline bool submit_until_accepted(OrderingLog& log, const Bytes& record, int attempts = INT_MAX) {
  return submissions_until_accepted(log, record, attempts) > 0;
}

// What has been accepted and does not appear for so long may have been forgotten.
inline constexpr std::chrono::seconds kForgotten{10};

// Submits until the record is seen, and tells how often that was; 0: not within the patience. `forgetful`: an engine
// that may forget what it has accepted, say because it elects another leader meanwhile. It is given the record again.
int order(OrderingLog& log, Collector& seen, const Bytes& record, bool forgetful);

// Each where it came first: what was submitted again, because its outcome was unknown, may be ordered again, and late.
std::vector<Bytes> first_of_each(const std::vector<Bytes>& sequence);

// OrderingLog::prune made synchronous, and tried again where that is worth it.
Status prune_and_wait(OrderingLog& log, Height before);

}  // namespace synod::ordering::conformance
