// Are the signatures on a topology transaction those of keys that may sign it, are they right, and are they enough?
// Facts: TopologyTransactionAuthorizationValidator.scala.
#pragma once

#include <vector>

#include "tl/expected.hpp"
#include "topology/parameters.h"
#include "topology/rejection.h"
#include "topology/required_auth.h"
#include "topology/working_state.h"

namespace synod::topology {

struct Authorized {
  SignedTransaction transaction;  // without signatures that nothing asked for
  Authorizations missing;         // empty: fully authorised
};

template <typename T>
using Decision = tl::expected<T, Rejection>;

// `transaction` already carries the signatures of the proposal or active transaction that it merges with.
Decision<Authorized> authorize(const WorkingState& state, const StaticParameters& parameters,
                               const SignedTransaction& transaction, const SignedTransaction* in_force, bool relaxed);

}  // namespace synod::topology
