// Views encrypted for their recipients: all views with equal recipients share one message and one key.
// Facts: recipe 9 of the recordings; EncryptedViewMessage.scala.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "crypto/encryption.h"
#include "crypto/sign.h"
#include "protocol/confirmation.h"
#include "protocol/view_tree.h"

namespace com::digitalasset::canton::protocol::v31 {
class EncryptedMultipleViewsMessage;
}

namespace synod::protocol {

class OpenedViewKeys;

struct EncryptedSessionKey {
  Bytes ciphertext;  // ECIES of the 16-byte view key
  crypto::Fingerprint encrypted_for;
  bool operator==(const EncryptedSessionKey&) const = default;
};

struct EncryptedViews {
  Bytes ciphertext;               // AES-128-GCM of gzip({1: repeated W(30, LightTransactionViewTree)})
  std::vector<Hash> view_hashes;  // in the order of the trees inside
  std::optional<crypto::Signature> submitter_signature;  // over the root hash; with root views only
  std::vector<EncryptedSessionKey> session_keys;
  PhysicalSynchronizerId synchronizer;
  ViewType view_type = ViewType::transaction;

  static Result<EncryptedViews> from_proto(
      const ::com::digitalasset::canton::protocol::v31::EncryptedMultipleViewsMessage& proto);
  void to_proto(::com::digitalasset::canton::protocol::v31::EncryptedMultipleViewsMessage& out) const;
};

// Encrypts with `view_key` (16 bytes); session_keys are left to the caller.
Result<Bytes> encrypt_views(const std::vector<Bytes>& light_trees, ByteView view_key, Random& random);

// The view key, if one of the session keys is for a key in `keys`; none otherwise. One in `opened` is not decrypted
// again.
Result<std::optional<Bytes>> decrypt_view_key(const EncryptedViews& views, const crypto::KeyStore& keys,
                                              OpenedViewKeys& opened);
// The serialised light trees inside, at most `limit` unpacked bytes.
Result<std::vector<Bytes>> decrypt_views(const EncryptedViews& views, ByteView view_key, std::size_t limit);
// The same out of a budget that several messages share: see gunzip.
Result<std::vector<Bytes>> decrypt_views(const EncryptedViews& views, ByteView view_key, std::size_t limit,
                                         std::size_t& budget);

}  // namespace synod::protocol
