#include "participant/reception/local_reject.h"

#include <algorithm>
#include <cstdlib>

namespace synod::participant {
namespace {

using Code = protocol::LocalVerdict::Code;

// The contracts are named twice, as Canton does: one by one as resources, and together as an entry of the error's
// facts.
protocol::LocalVerdict verdict(Code code, Error error, const ContractIds& contracts = {}) {
  std::vector<protocol::RpcStatus::Resource> resources;
  std::string all;
  for (const auto& id : contracts) {
    resources.push_back({"CONTRACT_ID", id.to_hex()});
    all += (all.empty() ? "" : ", ") + id.to_hex();
  }
  if (!contracts.empty()) error.context.emplace_back("CONTRACT_ID", "List(" + all + ")");
  return {code, protocol::RpcStatus::of(error, resources)};
}

protocol::LocalVerdict alarm(const char* id, std::string cause, const ContractIds& contracts = {}) {
  return verdict(Code::malformed, Error(id, ErrorCategory::malicious_or_faulty, std::move(cause)), contracts);
}

protocol::LocalVerdict contention(const char* id, std::string cause, const ContractIds& contracts = {}) {
  return verdict(Code::reject, Error(id, ErrorCategory::contention_on_shared_resources, std::move(cause)), contracts);
}

}  // namespace

protocol::LocalVerdict approve() { return {Code::approve, {}}; }

protocol::LocalVerdict locked_contracts(const ContractIds& ids) {
  return contention("LOCAL_VERDICT_LOCKED_CONTRACTS", "Rejected transaction is referring to locked contracts ", ids);
}

protocol::LocalVerdict inactive_contracts(const ContractIds& ids) {
  return verdict(Code::reject,
                 Error("LOCAL_VERDICT_INACTIVE_CONTRACTS", ErrorCategory::invalid_state_missing,
                       "Rejected transaction is referring to inactive contracts "),
                 ids);
}

protocol::LocalVerdict creates_existing_contracts(const ContractIds& ids) {
  return alarm("LOCAL_VERDICT_CREATES_EXISTING_CONTRACTS",
               "Rejected transaction would create contract(s) that already exist ", ids);
}

protocol::LocalVerdict ledger_time_out_of_bound(const std::string& details) {
  return contention(
      "LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND",
      "Rejected transaction as delta of the ledger time and the record time exceed the time tolerance " + details);
}

protocol::LocalVerdict preparation_time_out_of_bound(const std::string& details) {
  return contention(
      "LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND",
      "Rejected transaction as delta of the preparation time and the record time exceed the time tolerance " + details);
}

protocol::LocalVerdict malformed_request(const std::string& details) {
  return alarm("LOCAL_VERDICT_MALFORMED_REQUEST", details);
}

protocol::LocalVerdict malformed_payload(const std::string& details) {
  return alarm("LOCAL_VERDICT_MALFORMED_PAYLOAD",
               "Rejected transaction due to malformed payload within views " + details);
}

protocol::LocalVerdict failed_model_conformance(const std::string& details) {
  return alarm("LOCAL_VERDICT_FAILED_MODEL_CONFORMANCE_CHECK",
               "Rejected transaction due to a failed model conformance check: " + details);
}

Error local_timeout() {
  return Error("LOCAL_VERDICT_TIMEOUT", ErrorCategory::contention_on_shared_resources,
               "Rejected transaction due to a participant determined timeout ");
}

Error error_of(const protocol::RpcStatus& status) {
  const auto id = status.error_id();
  const auto open = status.message.find('(');
  const auto colon = status.message.find("): ");
  if (id.empty() || open == std::string::npos || colon == std::string::npos) return internal_error(status.message);
  const int category = std::atoi(status.message.c_str() + open + 1);
  if (category < 1 || category > 14) return internal_error(status.message);
  return Error(id, static_cast<ErrorCategory>(category), status.message.substr(colon + 3));
}

Error error_of(const protocol::Verdict& verdict) {
  if (const auto* mediator = std::get_if<protocol::MediatorReject>(&verdict)) return error_of(mediator->reason);
  const auto* participants = std::get_if<protocol::ParticipantReject>(&verdict);
  if (!participants || participants->reasons.empty()) return internal_error("a verdict without reason");
  // Canton tells the gravest: what a malformed answer says goes before an ordinary rejection.
  const auto grave = std::find_if(participants->reasons.begin(), participants->reasons.end(),
                                  [](const auto& r) { return r.verdict.code == Code::malformed; });
  return error_of((grave != participants->reasons.end() ? *grave : participants->reasons.front()).verdict.reason);
}

}  // namespace synod::participant
