// What becomes of each submission: who got it, when to give it to the next sequencer, when its fate is known. Pure;
// single-threaded; times are monotonic microseconds given by the caller.
// Facts: canton-protocol §5 (amplification), SendTracker and SubmissionRequestAmplification in Canton's client.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/client/config.h"
#include "sequencer/client/pool.h"

namespace synod::sequencer::client {

// What a refusal of SendAsync means for the submission.
enum class Refusal {
  try_next,  // a matter of this sequencer: no connection, overloaded, behind the others
  final_,    // every sequencer would say so
};
Refusal classify_refusal(const Error& error);
// The sequencer's clock says that the max sequencing time is too far away for a request with an aggregation rule.
bool is_too_far(const Error& error);

struct Completion {
  std::string message_id;
  Result<Timestamp> result;
};

class SendTracker {
 public:
  struct Limits {
    Amplification amplification;
    Duration min_retry_delay;
    Duration max_retry_delay;
    std::uint64_t max_pending = 10'000;
  };
  explicit SendTracker(Limits limits) : limits_(limits) {}

  // Due at once. Errors: SUBMISSION_QUEUE_FULL, DUPLICATE_MESSAGE_ID.
  Status add(const std::string& message_id, Timestamp max_sequencing_time, bool amplify, std::int64_t now);
  // Submissions to give to a sequencer now; for each call started() or no_connection().
  std::vector<std::string> due(std::int64_t now) const;
  // Sequencers that have been tried in this round.
  std::set<protocol::Member> excluded(const std::string& message_id) const;
  // Who has it (or was asked to take it) and owes the receipt.
  std::set<ConnectionIndex> debtors(const std::string& message_id) const;
  void started(const std::string& message_id, ConnectionIndex connection, const protocol::Member& sequencer,
               std::int64_t now);
  // No untried sequencer is there: a new round after a delay; a submission that may not be repeated fails.
  std::optional<Completion> no_connection(const std::string& message_id, std::int64_t now);

  // It was made anew and may not be repeated: due at once, at any sequencer.
  void once_only(const std::string& message_id, std::int64_t now);
  // It ends here.
  Completion failed(const std::string& message_id, const Error& error);

  // The answers to an attempt.
  void accepted(const std::string& message_id, ConnectionIndex connection);
  std::optional<Completion> refused(const std::string& message_id, ConnectionIndex connection, const Error& error,
                                    std::int64_t now);
  // What this sequencer had accepted may be lost with it. Completes what may not be repeated and has no end of its own.
  std::vector<Completion> connection_lost(ConnectionIndex connection, std::int64_t now);

  // A sequenced event: the receipt or rejection of one of ours (if it names a message id), and the time it shows.
  std::vector<Completion> observed(const std::optional<std::string>& message_id, Timestamp timestamp,
                                   const std::optional<Error>& rejection);

  std::optional<std::int64_t> next_due() const;
  // The earliest max sequencing time of what is pending.
  std::optional<Timestamp> earliest_deadline() const;
  std::size_t size() const { return pending_.size(); }
  bool contains(const std::string& message_id) const { return pending_.contains(message_id); }

 private:
  struct Pending {
    Timestamp max_sequencing_time;
    bool amplify = false;
    std::uint32_t failures = 0;
    std::set<protocol::Member> tried;
    std::multiset<ConnectionIndex> in_flight;  // no answer yet
    std::set<ConnectionIndex> holders;         // accepted it, and are still connected
    bool accepted_ever = false;
    std::optional<std::int64_t> due;
  };
  void set_due(const std::string& message_id, Pending& pending, std::optional<std::int64_t> due);
  void erase(const std::string& message_id);
  std::int64_t retry_delay(std::uint32_t failures) const;

  Limits limits_;
  std::map<std::string, Pending> pending_;
  std::set<std::pair<std::int64_t, std::string>> by_due_;
  std::set<std::pair<Timestamp, std::string>> by_deadline_;
};

}  // namespace synod::sequencer::client
