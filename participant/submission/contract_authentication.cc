#include "participant/submission/contract_authentication.h"

#include <algorithm>

#include "canton/crypto_v30.pb.h"
#include "canton/merkle_v30.pb.h"
#include "lf/ledger/value_codec.h"
#include "protocol/contract_id.h"
#include "protocol/versioned.h"

namespace synod::participant {
namespace {

namespace crypto_v30 = ::com::digitalasset::canton::crypto::v30;
namespace protocol_v30 = ::com::digitalasset::canton::protocol::v30;

constexpr int kAuthenticationDataVersion = 30;
constexpr std::size_t kDiscriminatorSize = 32;

Bytes suffix_of(const lf::ContractInstance& contract, const protocol::Salt& salt, ByteView contract_hash) {
  protocol::UnicumInputs inputs;
  inputs.contract_salt = salt;
  inputs.created_at = contract.created_at;
  inputs.signatories.assign(contract.signatories.begin(), contract.signatories.end());
  std::set_difference(contract.stakeholders.begin(), contract.stakeholders.end(), contract.signatories.begin(),
                      contract.signatories.end(), std::back_inserter(inputs.observers));
  inputs.contract_hash = Bytes(contract_hash);
  if (contract.key) {
    inputs.serialized_key = lf::encode_versioned_value(contract.key->key.key, contract.version);
    inputs.maintainers.assign(contract.key->maintainers.begin(), contract.key->maintainers.end());
  }
  return protocol::contract_id_suffix(inputs);
}

}  // namespace

Bytes authentication_data(const protocol::Salt& contract_salt) {
  protocol_v30::ContractAuthenticationData data;
  auto* salt = data.mutable_contract_salt();
  salt->set_hmac(crypto_v30::HMAC_ALGORITHM_HMAC_SHA256);
  salt->set_salt(contract_salt);
  return protocol::wrap(kAuthenticationDataVersion, data);
}

Result<protocol::Salt> contract_salt_of(ByteView bytes) {
  SYNOD_TRY(const auto message, protocol::unwrap(bytes, kAuthenticationDataVersion, "ContractAuthenticationData"));
  protocol_v30::ContractAuthenticationData data;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(message, data, "ContractAuthenticationData"));
  if (data.contract_salt().salt().size() != 32)
    return fail(malformed("ContractAuthenticationData", "the salt is not 32 bytes long"));
  return data.contract_salt().salt();
}

Status give_id(lf::ContractInstance& contract, const lf::ContractId& local, const protocol::Salt& contract_salt,
               ByteView contract_hash) {
  contract.authentication_data = authentication_data(contract_salt);
  SYNOD_TRY(contract.contract_id, lf::ContractId::from_bytes(protocol::contract_id(
                                      local.discriminator(), suffix_of(contract, contract_salt, contract_hash))));
  return {};
}

Status authenticate(const lf::ContractInstance& contract, ByteView contract_hash) {
  auto refused = [&](const std::string& why) {
    return fail(invalid_argument("CONTRACT_ID_AUTHENTICATION_FAILED",
                                 "Contract " + contract.contract_id.to_hex() + " cannot be authenticated: " + why));
  };
  if (!contract.contract_id.is_v1() || contract.contract_id.discriminator().size() != kDiscriminatorSize)
    return refused("its id is not of a supported version");
  const auto salt = contract_salt_of(contract.authentication_data);
  if (!salt) return refused(salt.error().cause);
  if (suffix_of(contract, *salt, contract_hash) != contract.contract_id.suffix())
    return refused("the id does not follow from the content");
  return {};
}

}  // namespace synod::participant
