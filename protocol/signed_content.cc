#include "protocol/signed_content.h"

#include "canton/sequencer_api_v30.pb.h"
#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {

namespace v30 = ::com::digitalasset::canton::protocol::v30;
namespace api_v30 = ::com::digitalasset::canton::sequencer::api::v30;

Result<SignedContent> SignedContent::parse(ByteView bytes) {
  SYNOD_TRY(ByteView message, unwrap(bytes, 30, "signed content"));
  v30::SignedContent proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "signed content"));
  if (!proto.has_content()) return fail(malformed("signed content", "no content"));
  if (proto.signatures().empty()) return fail(malformed("signed content", "no signature"));
  SignedContent out;
  out.content = std::move(*proto.mutable_content());
  for (const auto& signature : proto.signatures()) {
    SYNOD_TRY(crypto::Signature parsed, crypto::Signature::from_proto(signature));
    out.signatures.push_back(std::move(parsed));
  }
  if (proto.has_timestamp_of_signing_key()) {
    SYNOD_TRY(out.timestamp_of_signing_key, timestamp_from(proto.timestamp_of_signing_key(), "signed content"));
  }
  return out;
}

Bytes SignedContent::serialize() const {
  v30::SignedContent proto;
  proto.set_content(content);
  for (const crypto::Signature& signature : signatures) signature.to_proto(*proto.add_signatures());
  if (timestamp_of_signing_key) proto.set_timestamp_of_signing_key(timestamp_of_signing_key->micros);
  return wrap(30, proto);
}

SignedContent sign_content(crypto::HashPurpose purpose, Bytes content, const crypto::SigningKeyPair& key,
                           std::optional<Timestamp> timestamp_of_signing_key) {
  crypto::Signature signature = crypto::sign(crypto::hash(purpose, content), key);
  return {std::move(content), {std::move(signature)}, timestamp_of_signing_key};
}

Result<AcknowledgeRequest> AcknowledgeRequest::parse(ByteView bytes) {
  SYNOD_TRY(ByteView message, unwrap(bytes, 30, "acknowledgement"));
  api_v30::AcknowledgeRequest proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "acknowledgement"));
  SYNOD_TRY(Member member, Member::parse(proto.member()));
  SYNOD_TRY(const Timestamp timestamp, timestamp_from(proto.timestamp(), "acknowledgement"));
  return AcknowledgeRequest{std::move(member), timestamp};
}

Bytes AcknowledgeRequest::serialize() const {
  api_v30::AcknowledgeRequest proto;
  proto.set_member(member.to_string());
  proto.set_timestamp(timestamp.micros);
  return wrap(30, proto);
}

crypto::Hash authentication_hash(ByteView nonce, const PhysicalSynchronizerId& synchronizer) {
  return crypto::Hasher(crypto::HashPurpose::authentication_token)
      .add_raw(nonce)
      .add_string(synchronizer.to_string())
      .finish();
}

}  // namespace synod::protocol
