// Whether a contract's content belongs to its id, and how a new contract gets an id that says so.
// Facts: recipe 10 of the recordings; ContractAuthenticator, ContractIdSuffixer.
#pragma once

#include "base/result.h"
#include "lf/transaction.h"
#include "protocol/merkle.h"

namespace synod::participant {

// W(30, ContractAuthenticationData): what a contract instance carries so that its id can be recomputed.
Bytes authentication_data(const protocol::Salt& contract_salt);
Result<protocol::Salt> contract_salt_of(ByteView authentication_data);

// Adds id (from the local one) and authentication data to a contract that is complete otherwise.
Status give_id(lf::ContractInstance& contract, const lf::ContractId& local, const protocol::Salt& contract_salt,
               ByteView contract_hash);

// CONTRACT_ID_AUTHENTICATION_FAILED unless the suffix of the id follows from the content. `contract_hash`: 32 bytes,
// recomputed from the argument.
Status authenticate(const lf::ContractInstance& contract, ByteView contract_hash);

}  // namespace synod::participant
