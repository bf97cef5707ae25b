// Certificates of a test network: one authority an organisation, one certificate a node, and a file with all
// authorities that every node trusts. Processes notice changed files by themselves.
#pragma once

#include <string>

#include "testnet/network_plan.h"

namespace synod::testnet {

std::string authorities_file(const NetworkPlan& plan);

// Makes the node's certificate and key anew; also its organisation's authority if there is none yet.
Status renew_certificate(const NetworkPlan& plan, const NodePlan& node);

}  // namespace synod::testnet
