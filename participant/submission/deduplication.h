// Command de-duplication: a change (who acts, user, command id) is accepted at most once within its period.
// Facts: ChangeId, CommandDeduplicator.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "participant/commands.h"
#include "storage/store.h"

namespace synod::participant {

// 32 bytes.
Bytes change_id(const lf::PartySet& act_as, const std::string& user_id, const std::string& command_id);

// Thread rules: one thread at a time.
class Deduplication {
 public:
  Deduplication(const storage::Store& store, Duration longest) : store_(store), longest_(longest) {}

  // The offset since which the change is certain not to have been accepted: what the request says about itself.
  // DUPLICATE_COMMAND: accepted within the period. SUBMISSION_ALREADY_IN_FLIGHT. INVALID_DEDUPLICATION_PERIOD: too
  // long.
  Result<Offset> check(const Bytes& change, const DeduplicationPeriod& period, const std::string& submission_id,
                       Timestamp now) const;

  void started(const Bytes& change, const std::string& submission_id) { in_flight_.emplace(change, submission_id); }
  void finished(const Bytes& change) { in_flight_.erase(change); }
  // An accepted change, for the store.
  static void record(storage::WriteBatch& writes, const Bytes& change, const Completion& completion);

 private:
  const storage::Store& store_;
  Duration longest_;
  std::map<Bytes, std::string> in_flight_;  // change id -> submission id
};

}  // namespace synod::participant
