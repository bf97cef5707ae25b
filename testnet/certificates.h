// Certificates of a test network: one authority an organisation, one certificate a node, and a file with all
// authorities that every node trusts. Processes notice changed files by themselves.
#pragma once

#include <string>

#include "testnet/network_plan.h"

namespace synod::testnet {

std::string authorities_file(const NetworkPlan& plan);

// Makes the node's certificate and key anew; also its organisation's authority if there is none yet.
Status renew_certificate(const NetworkPlan& plan, const NodePlan& node);

// Where a holder of a certificate has it, and who issues it.
struct CertificateFiles {
  std::string certificate, key, authority, authority_key;
};

// A new key and certificate in place of those; the authority may be anybody's. `unit`: of the organisation.
Status reissue(const CertificateFiles& files, const std::string& name, const std::string& organisation,
               const std::string& unit);

}  // namespace synod::testnet
