// Seeds and local contract ids: the interpreter's half of contract id derivation (the suffix is
// protocol/contract_id.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "lf/contract_id.h"
#include "lf/value.h"

namespace synod::lf {

// HMAC-SHA256(submission seed; S(participant id) | i64 preparation time): 32 bytes.
Bytes transaction_seed(ByteView submission_seed, std::string_view participant_id, Timestamp preparation_time);
// HMAC-SHA256(parent seed; i32 index). The index counts the action children of the parent (or the roots).
Bytes child_seed(ByteView parent_seed, std::int32_t index);
// HMAC-SHA256(seed of the create node; i64 preparation time | i32 count | S(party) for the sorted stakeholders).
ContractId local_contract_id(ByteView node_seed, Timestamp preparation_time, const PartySet& stakeholders);

}  // namespace synod::lf
