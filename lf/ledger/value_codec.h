// Ledger values and contracts <-> bytes of lf/value.proto and lf/transaction.proto, byte-exact with Canton's.
//
// `Value` bytes appear inside contracts and nodes, `VersionedValue` bytes as chosen_value of exercise action
// descriptions, `Versioned(FatContractInstance)` as created_event_blob and as the contracts inside views.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/transaction.h"
#include "lf/value.h"

namespace synod::lf {

Bytes encode_value(const Value& value);
// Refuses unknown fields, nesting above kMaxValueNesting, unsorted maps, non-normal records (trailing None) stay
// accepted and are normalised.
Result<Value> decode_value(ByteView bytes);

Bytes encode_versioned_value(const Value& value, const std::string& version = "2.1");
Result<Value> decode_versioned_value(ByteView bytes);
Result<std::string> version_of_value(ByteView versioned);  // "2.1" or "2.3"

Bytes encode_identifier(const Identifier& id);  // lf/value.proto Identifier

// The Versioned wrapper around FatContractInstance.
Bytes encode_contract(const ContractInstance& contract);
Result<ContractInstance> decode_contract(ByteView bytes);

}  // namespace synod::lf
