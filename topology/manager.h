// Making topology transactions: picks serials, signs with the keys at hand, and merges with open proposals.
//
// A participant uses it for its own mappings (trust certificate, keys, vetting, parties), the topology manager for
// those of the synchronizer. It changes nothing itself: what it returns is to be broadcast (broadcast.h) and takes
// effect when the state has processed it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "crypto/keys.h"
#include "topology/state.h"

namespace synod::topology {

// Signs a transaction with one key; what is signed depends only on the hash.
Result<TransactionSignature> sign_transaction(const crypto::KeyStore& keys, const Fingerprint& key,
                                              const crypto::Hash& hash);

struct ProposeOptions {
  Operation operation = Operation::add_replace;
  std::optional<std::uint32_t> serial;  // none: current + 1 (of the state), or 1
  std::vector<Fingerprint> signed_by;   // empty: every key at hand that helps
  bool must_fully_authorize =
      false;  // true: an error unless our signatures suffice; false: the result may be a proposal
};

// Thread rules: as the state and the key store it is given; both must outlive it.
class TopologyManager {
 public:
  TopologyManager(const TopologyState& state, const crypto::KeyStore& keys);

  // A signed transaction for `mapping`, merged with the signatures of an open proposal of the same transaction. Checked
  // against the current state: errors are those with which the state would reject it. Already in force unchanged:
  // MAPPING_ALREADY_EXISTS.
  Result<SignedTransaction> propose(const Mapping& mapping, const ProposeOptions& options = {}) const;
  // Adds our signatures to an open proposal.
  Result<SignedTransaction> sign_proposal(const crypto::Hash& transaction_hash,
                                          const ProposeOptions& options = {}) const;
  // Adds our signatures to a transaction made elsewhere.
  Result<SignedTransaction> sign(const SignedTransaction& transaction, const std::vector<Fingerprint>& signed_by) const;
  // Checks transactions made elsewhere before they are broadcast.
  Status check(const std::vector<SignedTransaction>& transactions) const;

  // The keys in the key store that may sign this transaction for one of its namespaces, or must because it registers
  // them.
  std::vector<Fingerprint> useful_keys(const Transaction& transaction) const;

 private:
  const TopologyState& state_;
  const crypto::KeyStore& keys_;
};

}  // namespace synod::topology
