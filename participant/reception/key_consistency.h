// Whether the views of a request agree on contract keys: what lookups found fits together with what was created,
// archived and found before, in the order of execution. Facts: NextGenInternalConsistencyChecker,
// NextGenContractStateMachine.
#pragma once

#include <functional>

#include "base/result.h"
#include "lf/transaction.h"
#include "participant/reception/request.h"

namespace synod::participant {

// Keys without a maintainer hosted here are left to others: their contracts need not be seen here. `transaction`: as
// rebuilt from the request's views. The error says which key is inconsistent.
Status check_keys(const ReceivedRequest& request, const lf::Transaction& transaction,
                  const std::function<bool(const lf::Party&)>& hosted);

}  // namespace synod::participant
