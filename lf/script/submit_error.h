// Refused submissions as Daml Script's SubmitError: by the error's id and its resources, which both the interpreter and
// participants give. Fact: GrpcErrorParser.scala, SubmitError.scala, and Submit/Error.daml of the script library.
#pragma once

#include "lf/script/script_ledger.h"
#include "lf/script/script_values.h"

namespace synod::lf::script {

// `stable_keys`: contract keys as the standard library's AnyContractKey, which version 1 of the question uses.
eval::Cell submit_error(ScriptValues& values, const Refusal& refusal, bool stable_keys);

// The name of the reference's error class, which scripts see through tryCommands.
std::string error_class(const Error& error);

// An uncaught failure of the program, as a script can catch it; empty: the error is another one.
struct FailureStatus {
  std::string id;
  std::int64_t category = 0;
  std::string message;
  std::map<std::string, std::string> meta;
};
std::optional<FailureStatus> failure_status_of(const Error& error);

}  // namespace synod::lf::script
