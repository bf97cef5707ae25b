#include "topology/manager.h"

#include <fmt/format.h>

#include <algorithm>

#include "topology/required_auth.h"

namespace synod::topology {
namespace {

const Transaction* transaction_of(const StoredTransaction* stored) {
  return stored ? &stored->transaction.transaction() : nullptr;
}

}  // namespace

Result<TransactionSignature> sign_transaction(const crypto::KeyStore& keys, const Fingerprint& key,
                                              const crypto::Hash& hash) {
  const auto pair = keys.signing_key(key);
  if (!pair) {
    return fail(
        failed_precondition("TOPOLOGY_SECRET_KEY_NOT_IN_STORE", "the private key " + key + " is not in the key store"));
  }
  return TransactionSignature{crypto::sign(hash, *pair), {}};
}

TopologyManager::TopologyManager(const TopologyState& state, const crypto::KeyStore& keys)
    : state_(state), keys_(keys) {}

std::vector<Fingerprint> TopologyManager::useful_keys(const Transaction& transaction) const {
  const auto* previous = transaction_of(state_.current(transaction.unique_key(), transaction.mapping()));
  const auto required = required_auth(transaction, previous, state_.synchronizer().logical().ns(), false).referenced();
  std::vector<Fingerprint> result;
  const auto take = [&](const Fingerprint& key) {
    if (std::find(result.begin(), result.end(), key) == result.end()) result.push_back(key);
  };
  for (const auto& ns : required.namespaces) {
    bool found = false;
    for (const auto& key : state_.namespace_keys(ns, transaction.code())) {
      // One key of a plain namespace is enough; a decentralized one may need several owners.
      if (keys_.signing_key(key.fingerprint())) {
        take(key.fingerprint());
        found = true;
      }
    }
    // A root certificate is signed by the key it introduces; so is hosting of a party whose namespace is its own key.
    if (!found && keys_.signing_key(ns)) take(ns);
  }
  for (const auto& key : required.extra_keys) {
    if (keys_.signing_key(key)) take(key);
  }
  return result;
}

Result<SignedTransaction> TopologyManager::sign(const SignedTransaction& transaction,
                                                const std::vector<Fingerprint>& signed_by) const {
  const auto keys = signed_by.empty() ? useful_keys(transaction.transaction()) : signed_by;
  if (keys.empty()) {
    return fail(not_found("TOPOLOGY_NO_APPROPRIATE_SIGNING_KEY_IN_STORE",
                          "no key in the key store may sign " + describe(transaction.mapping())));
  }
  std::vector<TransactionSignature> signatures;
  for (const auto& key : keys) {
    SYNOD_TRY(auto signature, sign_transaction(keys_, key, transaction.hash()));
    signatures.push_back(std::move(signature));
  }
  return transaction.with_signatures(signatures);
}

Result<SignedTransaction> TopologyManager::propose(const Mapping& mapping, const ProposeOptions& options) const {
  const auto* current = state_.current(mapping);
  const auto expected = current ? current->transaction.transaction().serial() + 1 : options.serial.value_or(1);
  if (options.serial && *options.serial != expected) {
    return fail(
        Error("TOPOLOGY_SERIAL_MISMATCH", ErrorCategory::invalid_state_other,
              fmt::format("The given serial {} does not match the expected serial {}", *options.serial, expected)));
  }
  const bool in_force = current && current->transaction.transaction().operation() == options.operation &&
                        current->transaction.mapping() == mapping;
  if (in_force && !options.serial) {
    return fail(Error("TOPOLOGY_MAPPING_ALREADY_EXISTS", ErrorCategory::invalid_state_exists,
                      "A matching topology mapping already exists: " + describe(mapping)));
  }
  SYNOD_TRY(auto transaction, Transaction::create(options.operation, expected, mapping));
  const auto keys = options.signed_by.empty() ? useful_keys(transaction) : options.signed_by;
  if (keys.empty()) {
    return fail(not_found("TOPOLOGY_NO_APPROPRIATE_SIGNING_KEY_IN_STORE",
                          "no key in the key store may sign " + describe(mapping)));
  }
  std::vector<TransactionSignature> signatures;
  for (const auto& key : keys) {
    SYNOD_TRY(auto signature, sign_transaction(keys_, key, transaction.hash()));
    signatures.push_back(std::move(signature));
  }
  SYNOD_TRY(auto result,
            SignedTransaction::create(std::move(transaction), std::move(signatures), !options.must_fully_authorize));
  const auto rejections = state_.check({result}, options.must_fully_authorize);
  if (rejections.front()) return fail(rejections.front()->to_error());
  return result;
}

Result<SignedTransaction> TopologyManager::sign_proposal(const crypto::Hash& transaction_hash,
                                                         const ProposeOptions& options) const {
  const auto open = state_.proposals();
  const auto it =
      std::find_if(open.begin(), open.end(), [&](const auto* p) { return p->transaction.hash() == transaction_hash; });
  if (it == open.end()) {
    return fail(
        not_found("TOPOLOGY_TRANSACTION_NOT_FOUND", "there is no open proposal with hash " + transaction_hash.hex()));
  }
  SYNOD_TRY(auto result, sign((*it)->transaction, options.signed_by));
  result = result.as_proposal(!options.must_fully_authorize);
  const auto rejections = state_.check({result}, options.must_fully_authorize);
  if (rejections.front()) return fail(rejections.front()->to_error());
  return result;
}

Status TopologyManager::check(const std::vector<SignedTransaction>& transactions) const {
  for (const auto& rejection : state_.check(transactions, false)) {
    if (rejection) return fail(rejection->to_error());
  }
  return {};
}

}  // namespace synod::topology
