// Contract ids as ledger values. Suffixing (unicum) and the parts inside the suffix belong to protocol/contract_id.h.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace synod::lf {

// Version 1: 00 | 32-byte discriminator | suffix (0 to 94 bytes). Version 2: 01 | 12-byte local part | suffix (0 to
// 33). An id without suffix is local: it exists only inside the transaction that creates the contract.
class ContractId {
 public:
  ContractId() = default;
  // Checks version byte and lengths.
  static Result<ContractId> from_bytes(ByteView bytes);
  static Result<ContractId> from_hex(std::string_view hex);
  // 00 | discriminator, which must be 32 bytes.
  static ContractId local_v1(ByteView discriminator);

  const Bytes& bytes() const { return bytes_; }
  std::string to_hex() const { return synod::to_hex(bytes_); }
  bool is_v1() const { return !bytes_.empty() && bytes_[0] == 0; }
  ByteView discriminator() const;  // the 32 bytes (V1) or 12 bytes (V2) after the version byte
  ByteView suffix() const;
  bool is_local() const { return suffix().empty(); }
  // Version 2 with a suffix that is not final yet: its contract has an id of its own in every view of its transaction.
  // Fact: Value.ContractId.V2 (the first bit of a final suffix is set).
  bool is_relative() const;

  auto operator<=>(const ContractId&) const = default;
  bool operator==(const ContractId&) const = default;

 private:
  Bytes bytes_;
};

}  // namespace synod::lf

template <>
struct std::hash<synod::lf::ContractId> {
  std::size_t operator()(const synod::lf::ContractId& id) const noexcept {
    return std::hash<std::string>()(id.bytes());
  }
};
