// What the views of a request do to contracts, as far as it concerns this participant. Facts: ExtractUsedAndCreated.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "base/result.h"
#include "lf/transaction.h"
#include "participant/reception/conflict_detector.h"
#include "protocol/view_tree.h"

namespace synod::participant {

struct ContractEffects {
  std::map<lf::ContractId, lf::ContractInstance> inputs;     // used and not created by the transaction
  std::map<lf::ContractId, lf::ContractInstance> created;    // with a stakeholder hosted here
  std::map<lf::ContractId, lf::ContractInstance> witnessed;  // created, seen, but nobody hosted here has a stake
  ContractIds transient;                                     // of `created`: archived by the transaction
  ContractIds archived;                                      // inputs with a stakeholder hosted here, consumed
  ActivenessCheck check;
};

// Contracts in views, decoded once; for inputs that belong to no id see `authenticate`.
struct ViewContracts {
  std::map<lf::ContractId, std::pair<lf::ContractInstance, bool>> inputs;  // consumed in the core?
  std::vector<std::pair<lf::ContractInstance, bool>> created;              // consumed in the core?
  ContractIds archived_from_below;
};
Result<ViewContracts> contracts_of(const protocol::ViewParticipantData& data);

struct ViewFacts {
  protocol::ViewPosition position;
  const protocol::ViewCommonData* common = nullptr;
  const protocol::ViewParticipantData* participant = nullptr;
  ViewContracts contracts;
};

ContractEffects contract_effects(const std::vector<ViewFacts>& views,
                                 const std::function<bool(const lf::Party&)>& hosted);

}  // namespace synod::participant
