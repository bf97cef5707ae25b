// The reasons with which a participant turns a request down, as Canton words them. Facts: LocalRejectError.
#pragma once

#include <string>

#include "base/error.h"
#include "participant/reception/conflict_detector.h"
#include "protocol/confirmation.h"

namespace synod::participant {

protocol::LocalVerdict approve();
protocol::LocalVerdict locked_contracts(const ContractIds& ids);
protocol::LocalVerdict inactive_contracts(const ContractIds& ids);
protocol::LocalVerdict creates_existing_contracts(const ContractIds& ids);
protocol::LocalVerdict ledger_time_out_of_bound(const std::string& details);
protocol::LocalVerdict preparation_time_out_of_bound(const std::string& details);
protocol::LocalVerdict malformed_request(const std::string& details);
protocol::LocalVerdict malformed_payload(const std::string& details);
protocol::LocalVerdict failed_model_conformance(const std::string& details);

// The participant's own decision when no result came in time.
Error local_timeout();

// What a verdict's status means as the error of a completion; INTERNAL when it has no Canton form.
Error error_of(const protocol::RpcStatus& status);
// The error behind a verdict that is not an approval.
Error error_of(const protocol::Verdict& verdict);

}  // namespace synod::participant
