// From a transaction, as far as this participant sees it, to the events that readers get.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "lf/transaction.h"
#include "participant/update.h"

namespace synod::participant {

// `transaction`: with suffixed contract ids. `created`: the contracts of its create nodes. `hosted`: whether a party is
// hosted by this participant. Nodes below rollbacks, fetches and queries make no events; node ids count all nodes.
std::vector<Event> events_of(const lf::Transaction& transaction,
                             const std::map<lf::ContractId, lf::ContractInstance>& created,
                             const std::function<bool(const lf::Party&)>& hosted);

// Several transactions one after the other, as one: views that were rebuilt apart.
lf::Transaction merge(std::vector<lf::Transaction> parts);

}  // namespace synod::participant
