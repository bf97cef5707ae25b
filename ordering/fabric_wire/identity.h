// Who signs and who may submit, in Fabric's manner: X.509 certificates with ECDSA P-256 keys, SHA-256, low S.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace synod::ordering::fabric_wire {

// A certificate with its private key. Copies share the key. Thread-safe. One from files follows them: see current().
class SigningIdentity {
 public:
  // Error ORDERING_IDENTITY_INVALID: not PEM, not P-256, or key and certificate do not belong together.
  static Result<SigningIdentity> from_pem(std::string msp_id, std::string certificate_pem, const std::string& key_pem);
  static Result<SigningIdentity> from_files(std::string msp_id, const std::string& certificate_file,
                                            const std::string& key_file);

  // What the files hold now, where this was made from files. Two files are not replaced at one moment: as long as they
  // do not belong together, what they held before. Sign with a copy: creator and signature must be of one identity.
  SigningIdentity current() const;
  const Bytes& creator() const { return creator_; }  // serialised msp.SerializedIdentity
  Bytes sign(ByteView message) const;                // DER, low S

 private:
  class Files;
  SigningIdentity() = default;
  std::shared_ptr<Files> files_;  // none: not from files
  std::shared_ptr<void> key_;     // EVP_PKEY
  Bytes creator_;
};

// The certificates whose holders may use an engine. Thread-safe.
class TrustedClients {
 public:
  // Each text holds one or more PEM certificates; nobody is trusted if there are none. Error ORDERING_IDENTITY_INVALID.
  static Result<TrustedClients> from_pem(const std::vector<std::string>& certificates);

  bool empty() const { return keys_.empty(); }
  // Ok if `creator` (a serialised msp.SerializedIdentity) holds one of the certificates, and `signature` is its owner's
  // over `message`. Error ORDERING_NOT_AUTHORIZED.
  Status verify(ByteView creator, ByteView message, ByteView signature) const;

 private:
  std::vector<std::pair<Bytes, std::shared_ptr<void>>> keys_;  // DER certificate, EVP_PKEY
};

// SHA-256 over the DER form of the first certificate in a PEM text; none if there is none.
std::optional<Bytes> certificate_hash(const std::string& pem);

}  // namespace synod::ordering::fabric_wire
