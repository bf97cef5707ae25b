// Topology transactions: one change of one mapping, its signatures, and what a node stores about it.
//
// The bytes of the transaction are kept as received, because its hash (purpose 11) is over them; the mapping is parsed
// beside them. Everything here is an immutable value; copies share the bytes. Facts: canton-protocol §4, recipe 5.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "topology/mapping.h"

namespace com::digitalasset::canton::protocol::v30 {
class SignedTopologyTransaction;
}

namespace synod::topology {

enum class Operation : int { add_replace = 1, remove = 2 };

inline constexpr std::uint32_t kMaxSerial = 0x7fffffff;

// Sequencing and effective time of everything in a genesis state: 0001-01-01T00:00:00.000001Z.
inline constexpr Timestamp kGenesisTime = Timestamp::min().next();

class Transaction {
 public:
  // From the versioned bytes (wrapper version 30).
  static Result<Transaction> parse(Bytes bytes);
  // Serialises; the mapping is checked as if it had been received (thresholds, duplicates, limits).
  static Result<Transaction> create(Operation operation, std::uint32_t serial, const Mapping& mapping);

  Operation operation() const { return data_->operation; }
  std::uint32_t serial() const { return data_->serial; }  // 1 .. kMaxSerial
  const Mapping& mapping() const { return data_->mapping; }
  MappingCode code() const { return code_of(data_->mapping); }
  template <typename M>
  const M* as() const {
    return std::get_if<M>(&data_->mapping);
  }

  const Bytes& bytes() const { return data_->bytes; }
  const crypto::Hash& hash() const { return data_->hash; }
  const crypto::Hash& unique_key() const { return data_->unique_key; }
  bool operator==(const Transaction& other) const { return data_ == other.data_ || hash() == other.hash(); }

 private:
  struct Data {
    Operation operation;
    std::uint32_t serial;
    Mapping mapping;
    Bytes bytes;
    crypto::Hash hash;
    crypto::Hash unique_key;
  };
  explicit Transaction(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// A signature over one transaction, or over a set of transactions at once (purpose 55).
struct TransactionSignature {
  crypto::Signature signature;
  std::vector<crypto::Hash> covers;  // sorted; empty: only the transaction that carries it
  const Fingerprint& key() const { return signature.signed_by; }
  // What was signed, for a transaction with this hash.
  crypto::Hash signed_hash(const crypto::Hash& transaction) const;
  bool operator==(const TransactionSignature&) const = default;
};

class SignedTransaction {
 public:
  // At most one signature a key: later ones with a key that is already there are dropped, as Canton does.
  // Without any signature: invalid_argument.
  static Result<SignedTransaction> create(Transaction transaction, std::vector<TransactionSignature> signatures,
                                          bool proposal);
  static Result<SignedTransaction> parse(
      const com::digitalasset::canton::protocol::v30::SignedTopologyTransaction& proto);
  static Result<SignedTransaction> parse_versioned(ByteView bytes);  // with wrapper, as in broadcasts and snapshots
  static Result<SignedTransaction> parse_bare(ByteView bytes);  // without, as in onboarding requests and the admin API

  const Transaction& transaction() const { return transaction_; }
  const Mapping& mapping() const { return transaction_.mapping(); }
  const crypto::Hash& hash() const { return transaction_.hash(); }
  const std::vector<TransactionSignature>& signatures() const { return signatures_; }
  bool proposal() const { return proposal_; }
  bool signed_by(const Fingerprint& key) const;
  // Self-signed by the key that is the namespace, able to sign further delegations.
  bool is_root_certificate() const;

  SignedTransaction with_signatures(
      const std::vector<TransactionSignature>& more) const;  // of keys not yet there, appended
  // None if no signature would remain.
  std::optional<SignedTransaction> without_keys(const std::vector<Fingerprint>& keys) const;
  SignedTransaction as_proposal(bool proposal) const;

  void to_proto(com::digitalasset::canton::protocol::v30::SignedTopologyTransaction& proto) const;
  Bytes to_versioned() const;
  Bytes to_bare() const;
  bool operator==(const SignedTransaction&) const = default;

 private:
  SignedTransaction(Transaction transaction, std::vector<TransactionSignature> signatures, bool proposal)
      : transaction_(std::move(transaction)), signatures_(std::move(signatures)), proposal_(proposal) {}
  Transaction transaction_;
  std::vector<TransactionSignature> signatures_;  // not empty, one a key
  bool proposal_;
};

// Valid for valid_from < t <= valid_until. A rejected transaction has valid_from == valid_until and is kept, because
// every member must be able to come to the same decisions by replaying the state.
struct StoredTransaction {
  Timestamp sequenced;
  Timestamp valid_from;
  std::optional<Timestamp> valid_until;
  SignedTransaction transaction;
  std::optional<std::string> rejection_reason;

  bool rejected() const { return rejection_reason.has_value(); }
  // Accepted and fully authorised.
  bool decided() const { return !rejected() && !transaction.proposal(); }
  bool active_at(Timestamp t) const { return valid_from < t && (!valid_until || t <= *valid_until); }
};

}  // namespace synod::topology
