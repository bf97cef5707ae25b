#include "protocol/contract_id.h"

#include <algorithm>

#include "base/check.h"

namespace synod::protocol {
namespace {

Bytes encode_parties(std::vector<Party> parties) {
  std::sort(parties.begin(), parties.end());
  Bytes out;
  append_i32(out, static_cast<std::int32_t>(parties.size()));
  for (const Party& party : parties) append_length_prefixed(out, party);
  return out;
}

}  // namespace

Bytes child_seed(ByteView seed, std::int32_t index) {
  Bytes message;
  append_i32(message, index);
  return crypto::hmac_sha256(seed, message);
}

Bytes contract_discriminator(ByteView create_seed, Timestamp preparation_time, std::vector<Party> stakeholders) {
  Bytes message;
  append_i64(message, preparation_time.micros);
  message += encode_parties(std::move(stakeholders));
  return crypto::hmac_sha256(create_seed, message);
}

Salt contract_salt(const Salt& view_participant_data_salt, std::int32_t create_index, const ViewPosition& view_position,
                   std::string_view transaction_uuid, const PhysicalSynchronizerId& synchronizer, int mediator_group) {
  Bytes message;
  append_i32(message, create_index);
  message += view_position.encode();
  append_length_prefixed(message, transaction_uuid);
  append_length_prefixed(message, synchronizer.to_string());
  append_length_prefixed(message, "MGR::" + std::to_string(mediator_group));
  return crypto::hmac_sha256(view_participant_data_salt, message);
}

Bytes contract_id_suffix(const UnicumInputs& inputs) {
  SYNOD_CHECK(inputs.contract_salt.size() == 32 && inputs.contract_hash.size() == 32);
  std::int64_t seconds = inputs.created_at.micros / 1'000'000, micros = inputs.created_at.micros % 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    --seconds;
  }
  crypto::Hasher hasher(crypto::HashPurpose::unicum);
  hasher.add_raw(inputs.contract_salt)
      .add_i64(seconds)
      .add_i32(static_cast<std::int32_t>(micros * 1000))
      .add_bytes(encode_parties(inputs.signatories))
      .add_bytes(encode_parties(inputs.observers));
  if (inputs.serialized_key.empty()) {
    hasher.add_byte(0).add_bytes(ByteView("\0", 1));  // neither key nor maintainers
  } else {
    hasher.add_byte(1).add_bytes(inputs.serialized_key).add_bytes("\1" + encode_parties(inputs.maintainers));
  }
  return Bytes("\xca\x12", 2) + hasher.add_raw(inputs.contract_hash).finish().bytes();
}

Bytes contract_id(ByteView discriminator, ByteView suffix) {
  SYNOD_CHECK(discriminator.size() == 32);
  return Bytes(1, '\0') + Bytes(discriminator) + Bytes(suffix);
}

}  // namespace synod::protocol
