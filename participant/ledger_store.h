// The ledger as its readers see it: updates and completions by offset, active contracts, contracts by id, notification
// of new offsets. Written by the core through write batches; this is the reading side over the same store.
//
// Thread rules: every method from any thread. What lies at or below ledger_end() never changes (except by pruning).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "participant/update.h"
#include "storage/store.h"

namespace synod::participant {

// Where a contract stands: event queries by contract id.
struct ContractLifecycle {
  lf::ContractInstance contract;
  Offset created;  // 0: known (divulged or disclosed) but its creation was not seen here
  std::optional<Offset> archived;
};

// Ends a subscription when destroyed; after that the callback does not run any more.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  Subscription(Subscription&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      reset();
      cancel_ = std::exchange(other.cancel_, nullptr);
    }
    return *this;
  }
  ~Subscription() { reset(); }
  void reset() {
    if (cancel_) std::exchange(cancel_, nullptr)();
  }

 private:
  std::function<void()> cancel_;
};

// A visit of the contracts that were active after one update, as far as it has come. Whoever stops goes on with it from
// there, and the whole visit costs as much as one without stops. Thread rules: one thread at a time.
class ContractVisit {
 public:
  explicit ContractVisit(Offset at) : at_(at), told_(at) {}
  Offset at() const { return at_; }
  bool done() const { return complete_ && waiting_.empty(); }

 private:
  friend class LedgerStore;
  using Place = Bytes;  // offset and node id of the creation
  const Offset at_;
  std::map<Place, lf::ContractId> waiting_;  // found, but not visited
  Place last_;                               // visited; none before it is left
  Place scanned_;                            // of today's active contracts, those up to here have been found
  bool complete_ = false;                    // all of them
  Offset told_;                              // updates up to here have told what they archived
  std::string workflow_id_;                  // of the update that created the last one
  Offset workflow_of_;
};

class LedgerReader {
 public:
  virtual ~LedgerReader() = default;

  virtual Offset ledger_end() const = 0;      // last offset that can be read; 0 when empty
  virtual Offset pruned_through() const = 0;  // offsets at or below are gone; 0 when nothing was pruned
  virtual Timestamp record_time() const = 0;  // latest sequencing time processed; for offset checkpoints

  // Visits updates with after < offset <= until in order (descending when `reverse`); the visitor returns false to
  // stop. PARTICIPANT_PRUNED_DATA_ACCESSED when `after` lies before the pruned offset.
  using UpdateVisitor = std::function<bool(const Update&)>;
  virtual Status updates(Offset after, Offset until, bool reverse, const UpdateVisitor& visitor) const = 0;
  using CompletionVisitor = std::function<bool(const Completion&)>;
  virtual Status completions(Offset after, Offset until, const CompletionVisitor& visitor) const = 0;

  virtual Result<std::optional<Update>> update_at(Offset offset) const = 0;
  virtual Result<std::optional<Update>> update_by_id(const std::string& update_id) const = 0;

  // All contracts active after the update at `at`; each one has a stakeholder hosted here. In the order of creation.
  // The visitor returns false to stop. PARTICIPANT_PRUNED_DATA_ACCESSED as above.
  using ContractVisitor = std::function<bool(const ActiveContract&)>;
  virtual Status active_contracts(ContractVisit& visit, const ContractVisitor& visitor) const = 0;
  Status active_contracts(Offset at, const ContractVisitor& visitor) const {
    ContractVisit visit(at);
    return active_contracts(visit, visitor);
  }

  virtual Result<std::optional<ContractLifecycle>> contract(const lf::ContractId& id) const = 0;

  // `changed` is called after ledger_end() moved, once per batch of new offsets, on the participant's thread: enqueue
  // and return. It may be called once more while the subscription is being ended by another thread.
  virtual Subscription on_new_offsets(std::function<void(Offset end)> changed) = 0;
};

// The reader over a storage::Store.
class LedgerStore final : public LedgerReader {
 public:
  // Reads the ledger end from the store, which must outlive it.
  static Result<std::unique_ptr<LedgerStore>> open(std::shared_ptr<const storage::Store> store);

  Offset ledger_end() const override { return Offset(end_.load(std::memory_order_acquire)); }
  Offset pruned_through() const override { return Offset(pruned_.load(std::memory_order_acquire)); }
  Timestamp record_time() const override { return Timestamp{record_time_.load(std::memory_order_acquire)}; }
  Status updates(Offset after, Offset until, bool reverse, const UpdateVisitor& visitor) const override;
  Status completions(Offset after, Offset until, const CompletionVisitor& visitor) const override;
  Result<std::optional<Update>> update_at(Offset offset) const override;
  Result<std::optional<Update>> update_by_id(const std::string& update_id) const override;
  using LedgerReader::active_contracts;
  Status active_contracts(ContractVisit& visit, const ContractVisitor& visitor) const override;
  Result<std::optional<ContractLifecycle>> contract(const lf::ContractId& id) const override;
  Subscription on_new_offsets(std::function<void(Offset)> changed) override;

  // For the shell, after it has applied a batch of the core.
  void advance(Offset end, Timestamp record_time);

 private:
  explicit LedgerStore(std::shared_ptr<const storage::Store> store) : store_(std::move(store)) {}
  Status find_active(ContractVisit& visit) const;
  Status find_archived_since(ContractVisit& visit) const;
  Result<ActiveContract> active_contract(ContractVisit& visit, ByteView place, const lf::ContractId& id) const;

  struct Listeners {
    std::mutex mutex;
    std::uint64_t next = 1;
    std::map<std::uint64_t, std::shared_ptr<std::function<void(Offset)>>> callbacks;
  };

  std::shared_ptr<const storage::Store> store_;
  std::atomic<std::int64_t> end_{0};
  std::atomic<std::int64_t> pruned_{0};
  std::atomic<std::int64_t> record_time_{Timestamp::min().micros};
  std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
};

}  // namespace synod::participant
