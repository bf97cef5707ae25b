#include "lf/contract_id.h"

#include "base/check.h"

namespace synod::lf {
namespace {

constexpr std::size_t kV1Local = 33, kV1MaxSuffix = 94, kV2Local = 13, kV2MaxSuffix = 33;

}  // namespace

Result<ContractId> ContractId::from_bytes(ByteView bytes) {
  bool v1 = !bytes.empty() && bytes[0] == 0 && bytes.size() >= kV1Local && bytes.size() <= kV1Local + kV1MaxSuffix;
  bool v2 = !bytes.empty() && bytes[0] == 1 && bytes.size() >= kV2Local && bytes.size() <= kV2Local + kV2MaxSuffix;
  if (!v1 && !v2)
    return fail(invalid_argument("INVALID_ARGUMENT",
                                 "cannot parse ContractId \"" + synod::to_hex(bytes.substr(0, 128)) + "\""));
  ContractId id;
  id.bytes_ = Bytes(bytes);
  return id;
}

Result<ContractId> ContractId::from_hex(std::string_view hex) {
  auto bytes = synod::from_hex(hex);
  if (!bytes)
    return fail(
        invalid_argument("INVALID_ARGUMENT", "cannot parse ContractId \"" + std::string(hex.substr(0, 256)) + "\""));
  return from_bytes(*bytes);
}

ContractId ContractId::local_v1(ByteView discriminator) {
  SYNOD_CHECK(discriminator.size() == 32);
  ContractId id;
  id.bytes_ = Bytes(1, '\0') + Bytes(discriminator);
  return id;
}

ByteView ContractId::discriminator() const {
  return ByteView(bytes_).substr(std::min<std::size_t>(1, bytes_.size()), (is_v1() ? kV1Local : kV2Local) - 1);
}

ByteView ContractId::suffix() const {
  std::size_t local = is_v1() ? kV1Local : kV2Local;
  return ByteView(bytes_).substr(std::min(local, bytes_.size()));
}

bool ContractId::is_relative() const {
  const ByteView s = suffix();
  return !is_v1() && !s.empty() && static_cast<unsigned char>(s.front()) < 0x80;
}

}  // namespace synod::lf
