#include "lf/ledger/contract_ids.h"

#include "crypto/hash.h"

namespace synod::lf {

Bytes transaction_seed(ByteView submission_seed, std::string_view participant_id, Timestamp preparation_time) {
  Bytes message;
  append_length_prefixed(message, participant_id);
  append_i64(message, preparation_time.micros);
  return crypto::hmac_sha256(submission_seed, message);
}

Bytes child_seed(ByteView parent_seed, std::int32_t index) {
  Bytes message;
  append_i32(message, index);
  return crypto::hmac_sha256(parent_seed, message);
}

ContractId local_contract_id(ByteView node_seed, Timestamp preparation_time, const PartySet& stakeholders) {
  Bytes message;
  append_i64(message, preparation_time.micros);
  append_i32(message, static_cast<std::int32_t>(stakeholders.size()));
  for (const auto& party : stakeholders) append_length_prefixed(message, party);
  return ContractId::local_v1(crypto::hmac_sha256(node_seed, message));
}

}  // namespace synod::lf
