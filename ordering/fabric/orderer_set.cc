#include "ordering/fabric/orderer_set.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <set>

#include "fabric/channel_config.pb.h"
#include "fabric/envelope.pb.h"
#include "fabric/msp.pb.h"
#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/block_codec.h"

namespace synod::ordering::fabric {
namespace {

constexpr std::size_t kRememberedMembers = 256;  // far more than a channel has orderers

tl::unexpected<Error> invalid_block(std::string cause) {
  return fail(invalid_argument("ORDERING_CHANNEL_BLOCK_INVALID", std::move(cause)));
}

std::shared_ptr<void> read_certificate(ByteView pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), [](void* p) { X509_free(static_cast<X509*>(p)); }};
}
X509* x509(const std::shared_ptr<void>& certificate) { return static_cast<X509*>(certificate.get()); }

std::shared_ptr<void> key_of(const std::shared_ptr<void>& certificate) {
  return {certificate ? X509_get_pubkey(x509(certificate)) : nullptr,
          [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }};
}

bool verifies(const std::shared_ptr<void>& key, const Bytes& message, const Bytes& signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, static_cast<EVP_PKEY*>(key.get())) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

const common::ConfigValue* value_of(const common::ConfigGroup& group, const std::string& name) {
  const auto found = group.values().find(name);
  return found == group.values().end() ? nullptr : &found->second;
}

}  // namespace

Result<std::shared_ptr<const OrdererSet>> OrdererSet::from_config(const common::ConfigGroup& root) {
  const auto group = root.groups().find("Orderer");
  if (group == root.groups().end()) return invalid_block("the channel's configuration has no group Orderer");
  const std::shared_ptr<OrdererSet> set(new OrdererSet());
  for (const auto& [name, organisation] : group->second.groups()) {
    const common::ConfigValue* value = value_of(organisation, "MSP");
    msp::MSPConfig config;
    msp::FabricMSPConfig members;
    if (!value || !config.ParseFromString(value->value()) || config.type() != 0 ||
        !members.ParseFromString(config.config()))
      return invalid_block("orderer organisation " + name + " has no X.509 membership that decodes");
    Organisation known;
    known.roots = Authorities(X509_STORE_new(), [](void* p) { X509_STORE_free(static_cast<X509_STORE*>(p)); });
    for (const std::string& pem : members.root_certs()) {
      const auto certificate = read_certificate(pem);
      if (!certificate) return invalid_block("a root certificate of " + name + " is not PEM");
      X509_STORE_add_cert(static_cast<X509_STORE*>(known.roots.get()), x509(certificate));
    }
    for (const std::string& pem : members.intermediate_certs()) {
      known.intermediates.push_back(read_certificate(pem));
      if (!known.intermediates.back()) return invalid_block("an intermediate certificate of " + name + " is not PEM");
    }
    set->organisations_.emplace(members.name(), std::move(known));
  }
  orderer::ConsensusType consensus;
  const common::ConfigValue* type = value_of(group->second, "ConsensusType");
  if (!type || !consensus.ParseFromString(type->value()))
    return invalid_block("the channel's configuration names no consensus");
  if (consensus.type() == "BFT") {
    common::Orderers orderers;
    const common::ConfigValue* value = value_of(group->second, "Orderers");
    if (!value || !orderers.ParseFromString(value->value()))
      return invalid_block("the channel's configuration names no consenters");
    set->consenters_.emplace();
    for (const common::Consenter& consenter : orderers.consenter_mapping()) {
      auto key = key_of(read_certificate(consenter.identity()));
      if (!key) return invalid_block("consenter " + std::to_string(consenter.id()) + " has no certificate");
      set->consenters_->emplace(consenter.id(), std::move(key));
    }
    // Fabric's own rule (common/policies: ComputeBFTQuorum): any two quorums share an honest consenter.
    const std::size_t n = set->consenters_->size(), faulty = n == 0 ? 0 : (n - 1) / 3;
    set->needed_ = (n + faulty + 2) / 2;
  }
  return set;
}

// The key of a member of an orderer organisation; none if it is not one.
OrdererSet::Key OrdererSet::key_of_member(const Bytes& creator) const {
  {
    std::lock_guard lock(mutex_);
    if (const auto known = members_.find(creator); known != members_.end()) return known->second;
  }
  msp::SerializedIdentity identity;
  if (!identity.ParseFromString(creator)) return nullptr;
  const auto organisation = organisations_.find(identity.mspid());
  const auto certificate = read_certificate(identity.id_bytes());
  if (organisation == organisations_.end() || !certificate) return nullptr;
  STACK_OF(X509)* between = sk_X509_new_null();
  for (const auto& intermediate : organisation->second.intermediates) sk_X509_push(between, x509(intermediate));
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, static_cast<X509_STORE*>(organisation->second.roots.get()), x509(certificate), between);
  // Blocks outlive the certificates that signed them.
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
  const bool member = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  sk_X509_free(between);
  if (!member) return nullptr;
  auto key = key_of(certificate);
  std::lock_guard lock(mutex_);
  if (members_.size() < kRememberedMembers) members_.emplace(creator, key);
  return key;
}

// protoutil.BlockSignatureVerifier: what is signed is the metadata's value, the signer's header, and the block's header
// in DER, from which the block's hash is taken too.
Status OrdererSet::check_signatures(const common::Block& block) const {
  const auto denied = [&](std::string cause) {
    return fail(Error("ORDERING_BLOCK_NOT_SIGNED", ErrorCategory::malicious_or_faulty,
                      "block " + std::to_string(block.header().number()) + " " + std::move(cause)));
  };
  common::Metadata signatures;
  if (block.metadata().metadata_size() == 0 ||
      !signatures.ParseFromString(block.metadata().metadata(common::SIGNATURES)))
    return denied("carries no signatures");
  const common::BlockHeader& header = block.header();
  if (header.previous_hash().size() > 32 || header.data_hash().size() > 32)
    return denied("has hashes of a wrong length");
  const Bytes header_bytes = fabric_wire::header_der(header.number(), header.previous_hash(), header.data_hash());
  std::set<Bytes> signers;
  for (const common::MetadataSignature& signature : signatures.signatures()) {
    Key key;
    Bytes signer, signer_header;
    if (consenters_) {
      common::IdentifierHeader identifier;
      if (!identifier.ParseFromString(signature.identifier_header())) continue;
      const auto consenter = consenters_->find(identifier.identifier());
      if (consenter == consenters_->end()) continue;
      key = consenter->second;
      signer = std::to_string(identifier.identifier());
      signer_header = signature.identifier_header();
    } else {
      common::SignatureHeader creator;
      if (!creator.ParseFromString(signature.signature_header())) continue;
      key = key_of_member(creator.creator());
      signer = creator.creator();
      signer_header = signature.signature_header();
    }
    if (!key || signers.contains(signer)) continue;
    if (verifies(key, signatures.value() + signer_header + header_bytes, signature.signature())) signers.insert(signer);
    if (signers.size() >= needed_) return {};
  }
  return denied("is signed by " + std::to_string(signers.size()) + " of the channel's orderers, not by " +
                std::to_string(needed_));
}

}  // namespace synod::ordering::fabric
