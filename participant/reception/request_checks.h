// The checks of a received request that need no shared state: who signed, who may authorise, whether the views are what
// the packages' code makes of their actions, whether times and contracts fit. Pure: may run on any thread. Facts:
// AuthenticationValidator, AuthorizationValidator, ModelConformanceChecker, InternalConsistencyChecker, TimeValidator.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lf/engine.h"
#include "lf/package_store.h"
#include "participant/reception/conflict_detector.h"
#include "participant/reception/contract_effects.h"
#include "participant/reception/request.h"
#include "topology/snapshot.h"

namespace synod::participant {

struct CheckContext {
  const topology::Snapshot& snapshot;  // at the sequencing time of the request
  const protocol::Member& own;
  const lf::Engine& engine;
  const lf::PackageStore& packages;
  const lf::Limits& limits;
};

struct CheckedRequest {
  std::vector<ViewFacts> views;  // every view that is seen, parents first; pointers into the request
  ContractEffects effects;

  // Failures. Those without position stand against every view.
  std::map<protocol::ViewPosition, std::string> unauthenticated;
  std::map<protocol::ViewPosition, std::string> unauthorized;
  std::optional<protocol::LocalVerdict> out_of_time;
  std::optional<std::string> contracts_inconsistent;
  std::optional<std::string> not_conformant;
  std::optional<std::string> internally_inconsistent;

  // The transaction as rebuilt, if everything conforms.
  lf::Transaction transaction;
  std::map<lf::ContractId, lf::ContractInstance> created;

  bool malformed() const {
    return !unauthenticated.empty() || !unauthorized.empty() || contracts_inconsistent || not_conformant ||
           internally_inconsistent;
  }
};

// `request` must outlive the result and has a tree and views. Views that cannot be used are added to request.malformed.
CheckedRequest check_request(ReceivedRequest& request, const CheckContext& context);

// The participant's answer; none when there is nothing to say (no confirming party is hosted here).
std::optional<protocol::ConfirmationResponses> respond(const ReceivedRequest& request, const CheckedRequest* checked,
                                                       const ActivenessResult& activeness, const CheckContext& context,
                                                       const protocol::PhysicalSynchronizerId& synchronizer);

}  // namespace synod::participant
