// Gives offsets to what is decided and writes it where readers find it: updates, completions, contracts, the active
// set.
#pragma once

#include <map>
#include <optional>

#include "base/result.h"
#include "participant/core.h"
#include "participant/reception/conflict_detector.h"
#include "participant/state/in_flight.h"

namespace synod::participant {

// Thread rules: one thread at a time. Reads the store, writes into effects only.
class Publisher {
 public:
  explicit Publisher(const storage::Store& store) : store_(store) {}

  Status load();
  // What earlier effects wrote is in the store now. Returns the contracts whose state changed with them.
  ContractIds begin_input();

  // A decided request. Must be called in the order of request ids.
  Status publish(const InFlightRequest& request, Effects& effects);
  // The outcome of a command that never became a request; its record time is moved to keep the order.
  void publish_rejection(Completion completion, Effects& effects);

  // Unknown where the store cannot be read: then read_failure() tells, and what was decided upon it must not be used.
  ContractStatus stored_status(const lf::ContractId& id) const;
  const std::optional<Error>& read_failure() const { return read_failure_; }
  Offset ledger_end() const { return end_; }

 private:
  struct Lifecycle {
    Offset created;
    std::int32_t node = 0;
    Offset archived;  // 0: active
    Bytes key_hash;   // empty: no key
  };
  Result<std::optional<Lifecycle>> lifecycle(const lf::ContractId& id) const;
  void set_lifecycle(const lf::ContractId& id, const Lifecycle& lifecycle, Effects& effects);
  Status publish_update(const InFlightRequest& request, Offset offset, Effects& effects);
  void publish_completion(Completion completion, Effects& effects);
  Offset next_offset(Effects& effects);

  const storage::Store& store_;
  Offset end_;
  Timestamp last_record_time_ = Timestamp::min();
  std::map<lf::ContractId, Lifecycle> unstored_;  // written by this input
  mutable std::optional<Error> read_failure_;
};

}  // namespace synod::participant
