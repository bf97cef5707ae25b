// Checks of RegisterOnboardingTopologyTransactions, before a sequencer broadcasts what a new participant sends.
// Facts: canton-protocol §1.2.3.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/ids.h"
#include "topology/state.h"

namespace synod::topology {

struct OnboardingLimits {
  std::size_t max_transactions = 7;
  std::size_t max_bytes = 256 * 1024;  // of one transaction
};

// `transactions`: the messages as received (bare SignedTopologyTransaction). On success: what to broadcast, in order,
// one a unique key. Errors as Canton's service: INVALID_ARGUMENT, FAILED_PRECONDITION (locked, onboarded before, not
// authorised).
Result<std::vector<SignedTransaction>> check_onboarding(const TopologyState& state, const protocol::Member& participant,
                                                        const std::vector<Bytes>& transactions,
                                                        const OnboardingLimits& limits = {});

}  // namespace synod::topology
