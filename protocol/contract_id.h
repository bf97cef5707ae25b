// Contract ids, version 1 with suffix prefix ca12: 00 | discriminator(32) | ca 12 | 12 20 unicum(32).
// Facts: recipe 10 of the recordings; ContractSalt, UnicumGenerator .scala. Contract hashes come from lf/.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "protocol/ids.h"
#include "protocol/merkle.h"
#include "protocol/view_position.h"

namespace synod::protocol {

// The seed of the child at `index` of a node with `seed`; both 32 bytes.
Bytes child_seed(ByteView seed, std::int32_t index);

// 32 bytes; stakeholders need not be sorted.
Bytes contract_discriminator(ByteView create_seed, Timestamp preparation_time, std::vector<Party> stakeholders);

// The salt that ties a contract to its creating view: `create_index` counts the creates in the core of the view.
Salt contract_salt(const Salt& view_participant_data_salt, std::int32_t create_index, const ViewPosition& view_position,
                   std::string_view transaction_uuid, const PhysicalSynchronizerId& synchronizer, int mediator_group);

struct UnicumInputs {
  Salt contract_salt;
  Timestamp created_at;  // ledger time of the transaction
  std::vector<Party> signatories;
  std::vector<Party> observers;  // stakeholders that are not signatories
  Bytes contract_hash;           // 32 bytes
  // Of the key, empty when the contract has none.
  Bytes serialized_key;
  std::vector<Party> maintainers;
};
// ca 12 12 20 and the 32 bytes.
Bytes contract_id_suffix(const UnicumInputs& inputs);

// The whole id from its discriminator and suffix.
Bytes contract_id(ByteView discriminator, ByteView suffix);

}  // namespace synod::protocol
