#include "protocol/encrypted_view.h"

#include "canton/transaction_v31.pb.h"
#include "protocol/compression.h"
#include "protocol/versioned.h"
#include "protocol/view_keys.h"

namespace synod::protocol {

namespace v31 = ::com::digitalasset::canton::protocol::v31;
namespace crypto_v30 = ::com::digitalasset::canton::crypto::v30;

Result<EncryptedViews> EncryptedViews::from_proto(const v31::EncryptedMultipleViewsMessage& proto) {
  EncryptedViews out;
  out.ciphertext = proto.compressed_view_trees();
  for (const std::string& bytes : proto.view_hashes()) {
    SYNOD_TRY(Hash hash, Hash::parse(bytes));
    out.view_hashes.push_back(hash);
  }
  if (out.view_hashes.empty()) return fail(malformed("encrypted views", "no view hash"));
  if (proto.encryption_scheme() != crypto_v30::SYMMETRIC_KEY_SCHEME_AES128GCM)
    return fail(malformed("encrypted views", "unknown encryption scheme " + std::to_string(proto.encryption_scheme())));
  if (proto.has_submitting_participant_signature()) {
    SYNOD_TRY(out.submitter_signature, crypto::Signature::from_proto(proto.submitting_participant_signature()));
  }
  for (const crypto_v30::AsymmetricEncrypted& key : proto.session_key_lookup()) {
    if (key.encryption_algorithm_spec() != crypto_v30::ENCRYPTION_ALGORITHM_SPEC_ECIES_HKDF_HMAC_SHA256_AES128CBC)
      continue;
    out.session_keys.push_back({key.ciphertext(), key.fingerprint()});
  }
  if (proto.session_key_lookup().empty()) return fail(malformed("encrypted views", "no session key"));
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  out.view_type = static_cast<ViewType>(proto.view_type());
  return out;
}

void EncryptedViews::to_proto(v31::EncryptedMultipleViewsMessage& out) const {
  out.Clear();
  out.set_compressed_view_trees(ciphertext);
  for (const Hash& hash : view_hashes) out.add_view_hashes(hash.bytes());
  out.set_encryption_scheme(crypto_v30::SYMMETRIC_KEY_SCHEME_AES128GCM);
  if (submitter_signature) submitter_signature->to_proto(*out.mutable_submitting_participant_signature());
  for (const EncryptedSessionKey& key : session_keys) {
    crypto_v30::AsymmetricEncrypted& to = *out.add_session_key_lookup();
    to.set_ciphertext(key.ciphertext);
    to.set_encryption_algorithm_spec(crypto_v30::ENCRYPTION_ALGORITHM_SPEC_ECIES_HKDF_HMAC_SHA256_AES128CBC);
    to.set_fingerprint(key.encrypted_for);
  }
  out.set_physical_synchronizer_id(synchronizer.to_string());
  out.set_view_type(static_cast<v30::ViewType>(view_type));
}

Result<Bytes> encrypt_views(const std::vector<Bytes>& light_trees, ByteView view_key, Random& random) {
  v31::EncryptedMultipleViewsMessage::UncompressedViewTrees trees;
  for (const Bytes& tree : light_trees) trees.add_view_trees(tree);
  return crypto::encrypt_aes128_gcm(gzip(serialize_proto(trees)), view_key, random);
}

Result<std::optional<Bytes>> decrypt_view_key(const EncryptedViews& views, const crypto::KeyStore& keys,
                                              OpenedViewKeys& opened) {
  for (const EncryptedSessionKey& session_key : views.session_keys) {
    const auto key = keys.encryption_key(session_key.encrypted_for);
    if (!key) continue;
    if (auto known = opened.find(session_key)) return known;
    SYNOD_TRY(Bytes plain, crypto::decrypt_ecies(session_key.ciphertext, *key));
    if (plain.size() != crypto::kSymmetricKeySize) return fail(malformed("session key", "not 16 bytes"));
    opened.add(session_key, plain);
    return std::optional<Bytes>(std::move(plain));
  }
  return std::optional<Bytes>();
}

Result<std::vector<Bytes>> decrypt_views(const EncryptedViews& views, ByteView view_key, std::size_t limit) {
  std::size_t budget = limit;
  return decrypt_views(views, view_key, limit, budget);
}

Result<std::vector<Bytes>> decrypt_views(const EncryptedViews& views, ByteView view_key, std::size_t limit,
                                         std::size_t& budget) {
  SYNOD_TRY(Bytes compressed, crypto::decrypt_aes128_gcm(views.ciphertext, view_key));
  SYNOD_TRY(Bytes plain, gunzip(compressed, limit, budget));
  v31::EncryptedMultipleViewsMessage::UncompressedViewTrees trees;
  SYNOD_RETURN_IF_ERROR(parse_proto(plain, trees, "views"));
  if (trees.view_trees_size() != static_cast<int>(views.view_hashes.size()))
    return fail(malformed("encrypted views", "the numbers of views and of view hashes differ"));
  return std::vector<Bytes>(trees.view_trees().begin(), trees.view_trees().end());
}

}  // namespace synod::protocol
