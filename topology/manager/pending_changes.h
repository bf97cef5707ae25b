// Who waits for which topology transactions to be decided, and then to take effect. Pure bookkeeping.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "topology/state.h"

namespace synod::topology {

class PendingChanges {
 public:
  using Id = std::uint64_t;
  using Done = std::function<void(Status)>;

  // Waits until all are decided, with `effective` also until they hold. Answered by the calls below, once each.
  Id add(std::set<crypto::Hash> transactions, bool effective, Done done);
  std::size_t size() const { return waiting_.size(); }

  // What an event decided, before advanced() for its time. Returns the time until which somebody now waits, if any.
  std::optional<Timestamp> decided(const ProcessResult& result);
  // All events up to this sequencing time have been processed.
  void advanced(Timestamp sequenced);
  void fail(Id id, const Error& error);
  // Fails whoever still waits for one of these to be decided.
  void fail(const std::set<crypto::Hash>& transactions, const Error& error);
  void fail_all(const Error& error);

 private:
  struct Waiting {
    std::set<crypto::Hash> undecided;
    bool effective;
    std::optional<Timestamp> holds_from;  // of what has been decided
    Done done;
  };
  void finish(Id id, Status status);
  std::map<Id, Waiting> waiting_;
  Id next_ = 1;
};

}  // namespace synod::topology
