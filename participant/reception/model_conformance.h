// Model conformance: the views of a request are exactly what the packages' code makes of their root actions.
#pragma once

#include "base/result.h"
#include "lf/transaction.h"
#include "participant/reception/request.h"
#include "protocol/view_tree.h"

namespace synod::participant {

struct CheckContext;

// Who must have authorised a view's root action: signatories of a create, actors of an exercise or fetch.
Result<lf::PartySet> authorizers_of(const protocol::TransactionView& view);

struct RebuiltTransaction {
  lf::Transaction transaction;  // of all root-most views, one after the other; suffixed contract ids
  std::map<lf::ContractId, lf::ContractInstance> created;
};

// Interprets each root-most view again, rebuilds its views and compares. The error says what does not conform.
Result<RebuiltTransaction> rebuild(const ReceivedRequest& request, const CheckContext& context);

}  // namespace synod::participant
