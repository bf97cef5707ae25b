// What the Ledger API hands to the participant: commands that are already decoded and typed, and what comes back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "lf/engine.h"
#include "lf/transaction.h"

namespace synod::participant {

// Position in this participant's ledger: 1 for the first update, no gaps promised; 0 is before everything.
using Offset = Strong<struct OffsetTag>;

// How far back a command id is remembered. none: as long as the node keeps it (ParticipantConfig::max_deduplication).
using DeduplicationPeriod = std::variant<std::monostate, Duration, Offset>;

struct CommandSubmission {
  std::string user_id;
  std::string command_id;
  std::string submission_id;  // a fresh UUID when empty
  std::string workflow_id;    // may be empty
  lf::PartySet act_as;        // at least one, all hosted here with submission permission
  lf::PartySet read_as;
  std::vector<lf::Command> commands;
  std::vector<lf::ContractInstance> disclosed_contracts;  // authenticated against their ids before use
  std::vector<std::string> package_preference;            // package ids that win over the preferred one of their name
  DeduplicationPeriod deduplication;
  std::optional<Timestamp> min_ledger_time;  // absolute; the Ledger API adds a relative one to its clock
  std::string traceparent;                   // W3C, may be empty; goes with every message of the request
};

// The outcome of a command, as CompletionStream tells it.
struct Completion {
  Offset offset;
  std::string command_id;
  std::string submission_id;
  std::string user_id;
  lf::PartySet act_as;
  std::optional<Error> rejection;  // none: committed
  std::string update_id;           // hex of the root hash; empty for a rejection
  DeduplicationPeriod deduplication;
  Timestamp record_time;  // sequencing time of the request (or of the deadline that expired)
  std::string traceparent;
};

// Thread rules: from any thread. Callbacks run on the participant's own thread: enqueue and return.
class CommandSink {
 public:
  virtual ~CommandSink() = default;

  // `accepted` is called once, when the command was interpreted and handed to the sequencer, or with the error that
  // stopped it: interpretation errors, DUPLICATE_COMMAND, SUBMISSION_ALREADY_IN_FLIGHT,
  // NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT, UNKNOWN_INFORMEES, PACKAGE_SELECTION_FAILED,
  // NOT_CONNECTED_TO_ANY_SYNCHRONIZER ... The outcome then comes as a completion.
  virtual void submit(CommandSubmission command, std::function<void(Status)> accepted) = 0;

  // `done` is called once with the completion, after it can be read from the LedgerReader; a rejection before or after
  // sequencing is the error. Waits at most `timeout`: then REQUEST_TIME_OUT, and the outcome is unknown.
  virtual void submit_and_wait(CommandSubmission command, Duration timeout,
                               std::function<void(Result<Completion>)> done) = 0;

  // Only interprets (for prepare, and for estimating): nothing is sent.
  virtual void interpret(CommandSubmission command, std::function<void(Result<lf::InterpretationResult>)> done) = 0;
};

}  // namespace synod::participant
