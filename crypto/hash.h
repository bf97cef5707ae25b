// SHA-256, HMAC and Canton's purpose-tagged multihashes.
// Fact: HashBuilder.scala, HashPurpose.scala, DeterministicEncoding.scala. A Canton hash is 12 20 ‖
// SHA-256(i32(purpose) ‖ data).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

struct evp_md_ctx_st;

namespace synod::crypto {

Bytes sha256(ByteView data);                        // 32 bytes
Bytes hmac_sha256(ByteView key, ByteView message);  // 32 bytes

// A multihash: always 34 bytes, 12 20 and the digest. The default value is all zero and equals no real hash.
// Signatures are over these 34 bytes, never over the bare digest.
class Hash {
 public:
  static constexpr std::size_t kSize = 34;

  Hash() = default;
  static Hash of_digest(ByteView digest);     // exactly 32 bytes; anything else is a bug
  static Result<Hash> parse(ByteView bytes);  // 34 bytes that begin with 12 20
  static Result<Hash> from_hex(std::string_view hex);

  ByteView view() const { return {bytes_.data(), bytes_.size()}; }
  ByteView digest() const { return view().substr(2); }
  Bytes bytes() const { return Bytes(view()); }
  std::string hex() const { return to_hex(view()); }
  bool is_set() const { return bytes_[0] != 0; }
  auto operator<=>(const Hash&) const = default;

 private:
  std::array<char, kSize> bytes_{};
};

// Numbers are Canton's.
enum class HashPurpose : std::int32_t {
  sequenced_event = 1,
  merkle_inner_node = 3,
  submitter_metadata = 5,
  common_metadata = 6,
  participant_metadata = 7,
  view_common_data = 8,
  view_participant_data = 9,
  topology_transaction = 11,
  public_key_fingerprint = 12,
  authentication_token = 14,
  acs_commitment = 22,
  stakeholders = 23,
  unassignment_common_data = 24,
  unassignment_view = 25,
  assignment_common_data = 26,
  assignment_view = 27,
  unicum = 29,
  repair_update_id = 30,
  db_lock_id = 33,
  hashed_acs_commitment = 34,
  submission_request = 35,
  acknowledgement = 36,
  decentralized_namespace = 37,
  signed_protocol_message = 38,
  aggregation_id = 39,
  ordering_request = 42,
  topology_mapping_unique_key = 43,
  prepared_submission = 48,
  topology_update_id = 49,
  party_update_id = 51,
  multi_topology_transaction = 55,
  session_key_delegation = 56,
  reassignment_id = 57,
  encrypted_session_key = 58,
  contract_id_absolutization = 59,
  initial_topology_state = 60,
  acs_continuation_token = 61,
  lsu_sequencing_test_message = 62,
  updates_page_token = 63,
  ciphertext_id = 64,
  sequencer_aggregator_aggregation = 65,
  acs_commitment_update_id = 66,
};

// Accumulates the data of one hash. Not copyable; single-threaded; finish() once.
class Hasher {
 public:
  explicit Hasher(HashPurpose purpose);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add_raw(ByteView bytes);  // as they are, without a length
  Hasher& add_byte(std::uint8_t value);
  Hasher& add_bool(bool value) { return add_byte(value ? 1 : 0); }
  Hasher& add_i32(std::int32_t value);
  Hasher& add_i64(std::int64_t value);
  Hasher& add_bytes(ByteView bytes);  // i32 length first
  Hasher& add_string(std::string_view text) { return add_bytes(text); }
  Hasher& add_hash(const Hash& hash) { return add_raw(hash.view()); }
  Hash finish();

 private:
  evp_md_ctx_st* context_;
};

// H(purpose, data) in one go.
Hash hash(HashPurpose purpose, ByteView data);

}  // namespace synod::crypto

template <>
struct std::hash<synod::crypto::Hash> {
  std::size_t operator()(const synod::crypto::Hash& h) const noexcept {
    return std::hash<std::string_view>()(h.digest().substr(0, 8));
  }
};
