// Refused submissions as Daml Script's SubmitError: by the error's id and its resources, which both the interpreter and
// participants give. Fact: GrpcErrorParser.scala, SubmitError.scala, IdeLedgerClient.scala, and Submit/Error.daml of
// the script library.
#pragma once

#include "lf/script/script_ledger.h"
#include "lf/script/script_values.h"

namespace synod::lf::script {

// `stable_keys`: contract keys as the standard library's AnyContractKey, which version 1 of the question uses.
eval::Cell submit_error(ScriptValues& values, const Refusal& refusal, bool stable_keys);

// What scripts see of a failure through tryCommands: the simple name of the reference's error class, and its text.
std::string error_class(const Refusal& refusal);
std::string error_text(const Refusal& refusal);
// Of a question that failed; `remote`: at a participant.
std::string error_class(const Error& error, bool remote);
// Whether the question as such could not be read. tryCommands does not catch that.
bool is_unreadable(const Error& error);

// Why a contract was not found, in the reference's words.
std::string describe(const LookupFailure& failure);
std::string quoted(const PartySet& parties);  // 'Alice', 'Bob'

// An uncaught failure of the program, as a script can catch it; empty: the error is another one. Participants add facts
// of their own to what the program says; everything of a `remote` failure that bears the name of one is theirs.
struct FailureStatus {
  std::string id;
  std::int64_t category = 0;
  std::string message;
  std::map<std::string, std::string> meta;
};
std::optional<FailureStatus> failure_status_of(const Error& error, bool remote);

}  // namespace synod::lf::script
