#include "protocol/envelope_content.h"

#include "canton/envelope_v31.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

namespace v31 = ::com::digitalasset::canton::protocol::v31;

constexpr int kVersion = 31;

Result<EnvelopeContent> informee_message_from(const v30::InformeeMessage& proto) {
  if (!proto.has_submitting_participant_signature()) return fail(malformed("informee message", "not signed"));
  SYNOD_TRY(TransactionTree tree, TransactionTree::from_proto(proto.full_informee_tree().tree()));
  SYNOD_TRY(InformeeTree informee_tree, InformeeTree::create(std::move(tree)));
  SYNOD_TRY(crypto::Signature signature, crypto::Signature::from_proto(proto.submitting_participant_signature()));
  return EnvelopeContent(InformeeMessage{std::move(informee_tree), std::move(signature)});
}

Result<EnvelopeContent> root_hash_message_from(const v30::RootHashMessage& proto) {
  RootHashMessage out;
  SYNOD_TRY(out.root_hash, Hash::parse(proto.root_hash()));
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  out.view_type = static_cast<ViewType>(proto.view_type());
  SYNOD_TRY(out.submission_topology_time, timestamp_from(proto.submission_topology_time(), "root hash message"));
  out.payload = proto.payload();
  return EnvelopeContent(std::move(out));
}

}  // namespace

Result<EnvelopeContent> parse_envelope_content(ByteView content) {
  SYNOD_TRY(ByteView message, unwrap(content, kVersion, "envelope content"));
  v31::EnvelopeContent proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "envelope content"));
  switch (proto.some_envelope_content_case()) {
    case v31::EnvelopeContent::kInformeeMessage:
      return informee_message_from(proto.informee_message());
    case v31::EnvelopeContent::kEncryptedMultipleViewsMessage: {
      SYNOD_TRY(EncryptedViews views, EncryptedViews::from_proto(proto.encrypted_multiple_views_message()));
      return EnvelopeContent(std::move(views));
    }
    case v31::EnvelopeContent::kRootHashMessage:
      return root_hash_message_from(proto.root_hash_message());
    case v31::EnvelopeContent::kTopologyTransactionsBroadcast: {
      const auto& from = proto.topology_transactions_broadcast();
      TopologyBroadcast out;
      SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(from.physical_synchronizer_id()));
      out.transactions.assign(from.signed_transactions().signed_transaction().begin(),
                              from.signed_transactions().signed_transaction().end());
      return EnvelopeContent(std::move(out));
    }
    case v31::EnvelopeContent::kAcsCommitmentProtocolMessage: {
      const auto& from = proto.acs_commitment_protocol_message();
      AcsCommitmentMessage out;
      out.commitment = from.acs_commitment();
      for (const auto& signature : from.signatures()) {
        SYNOD_TRY(crypto::Signature parsed, crypto::Signature::from_proto(signature));
        out.signatures.push_back(std::move(parsed));
      }
      return EnvelopeContent(std::move(out));
    }
    case v31::EnvelopeContent::SOME_ENVELOPE_CONTENT_NOT_SET:
      return fail(malformed("envelope content", "of no known kind"));
    default:
      return EnvelopeContent(std::monostate{});
  }
}

Bytes serialize_envelope_content(const InformeeMessage& message) {
  v31::EnvelopeContent proto;
  v30::InformeeMessage& to = *proto.mutable_informee_message();
  message.tree.tree().to_proto(*to.mutable_full_informee_tree()->mutable_tree());
  message.submitter_signature.to_proto(*to.mutable_submitting_participant_signature());
  return wrap(kVersion, proto);
}

Bytes serialize_envelope_content(const EncryptedViews& message) {
  v31::EnvelopeContent proto;
  message.to_proto(*proto.mutable_encrypted_multiple_views_message());
  return wrap(kVersion, proto);
}

Bytes serialize_envelope_content(const RootHashMessage& message) {
  v31::EnvelopeContent proto;
  v30::RootHashMessage& to = *proto.mutable_root_hash_message();
  to.set_root_hash(message.root_hash.bytes());
  to.set_physical_synchronizer_id(message.synchronizer.to_string());
  to.set_view_type(static_cast<v30::ViewType>(message.view_type));
  to.set_submission_topology_time(message.submission_topology_time.micros);
  to.set_payload(message.payload);
  return wrap(kVersion, proto);
}

Bytes serialize_envelope_content(const TopologyBroadcast& message) {
  v31::EnvelopeContent proto;
  v30::TopologyTransactionsBroadcast& to = *proto.mutable_topology_transactions_broadcast();
  to.set_physical_synchronizer_id(message.synchronizer.to_string());
  for (const Bytes& transaction : message.transactions)
    to.mutable_signed_transactions()->add_signed_transaction(transaction);
  return wrap(kVersion, proto);
}

Bytes serialize_envelope_content(const AcsCommitmentMessage& message) {
  v31::EnvelopeContent proto;
  v30::AcsCommitmentProtocolMessage& to = *proto.mutable_acs_commitment_protocol_message();
  to.set_acs_commitment(message.commitment);
  for (const crypto::Signature& signature : message.signatures) signature.to_proto(*to.add_signatures());
  return wrap(kVersion, proto);
}

}  // namespace synod::protocol
