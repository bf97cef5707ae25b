#include "topology/transaction.h"

#include <algorithm>
#include <map>
#include <set>

#include "canton/topology_v30.pb.h"
#include "protocol/versioned.h"
#include "topology/mapping_proto.h"

namespace synod::topology {
namespace v30 = ::com::digitalasset::canton::protocol::v30;
namespace {
constexpr int kVersion = 30;

Error no_signature() { return malformed("signatures", "At least one signature must be provided"); }

std::vector<TransactionSignature> first_of_each_key(std::vector<TransactionSignature> signatures) {
  std::set<Fingerprint> seen;
  std::vector<TransactionSignature> result;
  for (auto& signature : signatures) {
    if (seen.insert(signature.key()).second) result.push_back(std::move(signature));
  }
  return result;
}

// Signatures of the old format RAW are what their algorithm makes; without one the length tells.
Result<crypto::Signature> parse_signature(const crypto::v30::Signature& proto) {
  SYNOD_TRY(auto signature, crypto::Signature::from_proto(proto));
  if (signature.format != crypto::SignatureFormat::raw) return signature;
  if (proto.signing_algorithm_spec() == crypto::v30::SIGNING_ALGORITHM_SPEC_UNSPECIFIED &&
      signature.bytes.size() != 64) {
    signature.algorithm = crypto::SigningAlgorithm::ecdsa_sha256;
  }
  signature.format = signature.algorithm == crypto::SigningAlgorithm::ed25519 ? crypto::SignatureFormat::concat
                                                                              : crypto::SignatureFormat::der;
  return signature;
}

}  // namespace

Result<Transaction> Transaction::parse(Bytes bytes) {
  SYNOD_TRY(auto message, protocol::unwrap(bytes, kVersion, "TopologyTransaction"));
  v30::TopologyTransaction proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(message, proto, "TopologyTransaction"));
  if (!proto.has_mapping()) return fail(malformed("mapping", "not set"));
  SYNOD_TRY(auto mapping, parse_mapping(proto.mapping()));
  if (proto.serial() == 0 || proto.serial() > kMaxSerial) return fail(malformed("serial", "must be positive"));
  if (proto.operation() != 1 && proto.operation() != 2) return fail(malformed("operation", "not set or unknown"));
  const auto hash = crypto::hash(crypto::HashPurpose::topology_transaction, bytes);
  const auto key = topology::unique_key(mapping);
  return Transaction(std::make_shared<const Data>(Data{static_cast<Operation>(proto.operation()), proto.serial(),
                                                       std::move(mapping), std::move(bytes), hash, key}));
}

Result<Transaction> Transaction::create(Operation operation, std::uint32_t serial, const Mapping& mapping) {
  v30::TopologyTransaction proto;
  proto.set_operation(static_cast<v30::Enums::TopologyChangeOp>(operation));
  proto.set_serial(serial);
  put_mapping(mapping, *proto.mutable_mapping());
  return parse(protocol::wrap(kVersion, proto));
}

crypto::Hash TransactionSignature::signed_hash(const crypto::Hash& transaction) const {
  if (covers.empty()) return transaction;
  crypto::Hasher hasher(crypto::HashPurpose::multi_topology_transaction);
  hasher.add_i32(static_cast<std::int32_t>(covers.size()));
  for (const auto& hash : covers) hasher.add_bytes(hash.view());
  return hasher.finish();
}

Result<SignedTransaction> SignedTransaction::create(Transaction transaction,
                                                    std::vector<TransactionSignature> signatures, bool proposal) {
  if (signatures.empty()) return fail(no_signature());
  return SignedTransaction(std::move(transaction), first_of_each_key(std::move(signatures)), proposal);
}

Result<SignedTransaction> SignedTransaction::parse(const v30::SignedTopologyTransaction& proto) {
  SYNOD_TRY(auto transaction, Transaction::parse(proto.transaction()));
  std::vector<TransactionSignature> signatures;
  for (const auto& p : proto.signatures()) {
    SYNOD_TRY(auto signature, parse_signature(p));
    signatures.push_back({std::move(signature), {}});
  }
  for (const auto& multi : proto.multi_transaction_signatures()) {
    std::set<crypto::Hash> covers;
    for (const auto& bytes : multi.transaction_hashes()) {
      SYNOD_TRY(auto hash, crypto::Hash::parse(bytes));
      covers.insert(hash);
    }
    if (!covers.contains(transaction.hash()))
      return fail(malformed("transaction_hashes", "does not contain the transaction hash"));
    if (multi.signatures().empty()) return fail(no_signature());
    for (const auto& p : multi.signatures()) {
      SYNOD_TRY(auto signature, parse_signature(p));
      signatures.push_back({std::move(signature), {covers.begin(), covers.end()}});
    }
  }
  return create(std::move(transaction), std::move(signatures), proto.proposal());
}

Result<SignedTransaction> SignedTransaction::parse_versioned(ByteView bytes) {
  SYNOD_TRY(auto message, protocol::unwrap(bytes, kVersion, "SignedTopologyTransaction"));
  return parse_bare(message);
}

Result<SignedTransaction> SignedTransaction::parse_bare(ByteView bytes) {
  v30::SignedTopologyTransaction proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "SignedTopologyTransaction"));
  return parse(proto);
}

bool SignedTransaction::signed_by(const Fingerprint& key) const {
  return std::any_of(signatures_.begin(), signatures_.end(), [&](const auto& s) { return s.key() == key; });
}

bool SignedTransaction::is_root_certificate() const {
  const auto* delegation = transaction_.as<NamespaceDelegation>();
  return delegation && delegation->target.fingerprint() == delegation->ns &&
         delegation->can_sign(MappingCode::namespace_delegation) &&
         std::all_of(signatures_.begin(), signatures_.end(), [&](const auto& s) { return s.key() == delegation->ns; });
}

SignedTransaction SignedTransaction::with_signatures(const std::vector<TransactionSignature>& more) const {
  auto signatures = signatures_;
  for (const auto& signature : more) {
    if (!signed_by(signature.key())) signatures.push_back(signature);
  }
  return {transaction_, first_of_each_key(std::move(signatures)), proposal_};
}

std::optional<SignedTransaction> SignedTransaction::without_keys(const std::vector<Fingerprint>& keys) const {
  std::vector<TransactionSignature> signatures;
  for (const auto& signature : signatures_) {
    if (std::find(keys.begin(), keys.end(), signature.key()) == keys.end()) signatures.push_back(signature);
  }
  if (signatures.empty()) return std::nullopt;
  return SignedTransaction(transaction_, std::move(signatures), proposal_);
}

SignedTransaction SignedTransaction::as_proposal(bool proposal) const { return {transaction_, signatures_, proposal}; }

void SignedTransaction::to_proto(v30::SignedTopologyTransaction& proto) const {
  proto.set_transaction(transaction_.bytes());
  proto.set_proposal(proposal_);
  std::map<std::vector<crypto::Hash>, v30::MultiTransactionSignatures*> multi;
  for (const auto& signature : signatures_) {
    if (signature.covers.empty()) {
      signature.signature.to_proto(*proto.add_signatures());
      continue;
    }
    auto& group = multi[signature.covers];
    if (!group) {
      group = proto.add_multi_transaction_signatures();
      for (const auto& hash : signature.covers) group->add_transaction_hashes(hash.bytes());
    }
    signature.signature.to_proto(*group->add_signatures());
  }
}

Bytes SignedTransaction::to_versioned() const { return protocol::wrap(kVersion, to_bare()); }

Bytes SignedTransaction::to_bare() const {
  v30::SignedTopologyTransaction proto;
  to_proto(proto);
  return protocol::serialize_proto(proto);
}

}  // namespace synod::topology
