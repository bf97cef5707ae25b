#include "protocol/confirmation.h"

#include "canton/envelope_v30.pb.h"
#include "canton/mediator_v30.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

namespace v30 = ::com::digitalasset::canton::protocol::v30;

Result<LocalVerdict> local_verdict_from(const v30::LocalVerdict& proto) {
  if (proto.code() < 1 || proto.code() > 4)
    return fail(malformed("confirmation response", "unknown verdict code " + std::to_string(proto.code())));
  return LocalVerdict{static_cast<LocalVerdict::Code>(proto.code()), RpcStatus::from_proto(proto.reason())};
}

void local_verdict_to(const LocalVerdict& verdict, v30::LocalVerdict& out) {
  out.set_code(static_cast<v30::LocalVerdict::VerdictCode>(verdict.code));
  verdict.reason.to_proto(*out.mutable_reason());
}

Result<std::vector<Party>> party_list_from(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<Party> out;
  for (const std::string& name : names) {
    SYNOD_TRY(Party party, parse_party(name));
    out.push_back(std::move(party));
  }
  return out;
}

Result<ConfirmationResponse> response_from(const v30::ConfirmationResponse& proto) {
  ConfirmationResponse out;
  if (!proto.has_local_verdict()) return fail(malformed("confirmation response", "no verdict"));
  SYNOD_TRY(out.verdict, local_verdict_from(proto.local_verdict()));
  SYNOD_TRY(out.confirming_parties, party_list_from(proto.confirming_parties()));
  if (proto.has_view_position()) out.view_position = ViewPosition::from_proto(proto.view_position());
  const bool is_malformed = out.verdict.code == LocalVerdict::Code::malformed;
  if (is_malformed != out.confirming_parties.empty())
    return fail(
        malformed("confirmation response", "confirming parties are given exactly if the verdict is not `malformed`"));
  if (!is_malformed && !out.view_position) return fail(malformed("confirmation response", "no view position"));
  return out;
}

Result<ConfirmationResponses> responses_from(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "confirmation responses"));
  v30::ConfirmationResponses proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "confirmation responses"));
  ConfirmationResponses out;
  SYNOD_TRY(out.request_id, timestamp_from(proto.request_id(), "confirmation responses"));
  SYNOD_TRY(out.root_hash, crypto::Hash::parse(proto.root_hash()));
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  SYNOD_TRY(Member sender, Member::parse(proto.sender()));
  if (sender.kind() != MemberKind::participant)
    return fail(malformed("confirmation responses", "the sender is no participant"));
  out.sender = sender.uid();
  if (proto.responses().empty()) return fail(malformed("confirmation responses", "no response"));
  for (const v30::ConfirmationResponse& from : proto.responses()) {
    SYNOD_TRY(ConfirmationResponse response, response_from(from));
    out.responses.push_back(std::move(response));
  }
  return out;
}

Result<Verdict> verdict_from(const v30::Verdict& proto) {
  switch (proto.some_verdict_case()) {
    case v30::Verdict::kApprove:
      return Verdict(Approve{});
    case v30::Verdict::kParticipantReject: {
      ParticipantReject out;
      for (const v30::RejectionReason& from : proto.participant_reject().reasons()) {
        ParticipantReject::Reason reason;
        SYNOD_TRY(reason.parties, party_list_from(from.parties()));
        SYNOD_TRY(reason.verdict, local_verdict_from(from.reject()));
        SYNOD_TRY(Member participant, Member::parse(from.participant_id()));
        reason.participant = participant.uid();
        out.reasons.push_back(std::move(reason));
      }
      if (out.reasons.empty()) return fail(malformed("verdict", "a participants' rejection without reasons"));
      return Verdict(std::move(out));
    }
    case v30::Verdict::kMediatorReject:
      return Verdict(MediatorReject{RpcStatus::from_proto(proto.mediator_reject().reason()),
                                    proto.mediator_reject().is_malformed()});
    default:
      return fail(malformed("verdict", "no verdict"));
  }
}

void verdict_to(const Verdict& verdict, v30::Verdict& out) {
  if (std::holds_alternative<Approve>(verdict)) {
    out.mutable_approve();
  } else if (const auto* rejected = std::get_if<ParticipantReject>(&verdict)) {
    for (const ParticipantReject::Reason& reason : rejected->reasons) {
      v30::RejectionReason& to = *out.mutable_participant_reject()->add_reasons();
      for (const Party& party : reason.parties) to.add_parties(party);
      local_verdict_to(reason.verdict, *to.mutable_reject());
      to.set_participant_id(Member::participant(reason.participant).to_string());
    }
  } else {
    const MediatorReject& reject = std::get<MediatorReject>(verdict);
    reject.reason.to_proto(*out.mutable_mediator_reject()->mutable_reason());
    out.mutable_mediator_reject()->set_is_malformed(reject.malformed);
  }
}

Result<ConfirmationResult> result_from(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "confirmation result"));
  v30::ConfirmationResultMessage proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "confirmation result"));
  ConfirmationResult out;
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  out.view_type = static_cast<ViewType>(proto.view_type());
  SYNOD_TRY(out.request_id, timestamp_from(proto.request_id(), "confirmation result"));
  SYNOD_TRY(out.root_hash, crypto::Hash::parse(proto.root_hash()));
  SYNOD_TRY(out.verdict, verdict_from(proto.verdict()));
  return out;
}

}  // namespace

Result<SignedMessage> parse_signed_message(ByteView content) {
  SYNOD_TRY(ByteView message, unwrap(content, 30, "signed message"));
  v30::TypedSignedProtocolMessageContent proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "signed message"));
  switch (proto.some_signed_protocol_message_case()) {
    case v30::TypedSignedProtocolMessageContent::kConfirmationResponses: {
      SYNOD_TRY(ConfirmationResponses responses, responses_from(proto.confirmation_responses()));
      return SignedMessage(std::move(responses));
    }
    case v30::TypedSignedProtocolMessageContent::kConfirmationResult: {
      SYNOD_TRY(ConfirmationResult result, result_from(proto.confirmation_result()));
      return SignedMessage(std::move(result));
    }
    case v30::TypedSignedProtocolMessageContent::kAcsCommitment:
    case v30::TypedSignedProtocolMessageContent::kSetTrafficPurchased:
      return SignedMessage(std::monostate{});
    default:
      return fail(malformed("signed message", "of no known kind"));
  }
}

Bytes serialize_signed_message(const ConfirmationResponses& responses) {
  v30::ConfirmationResponses proto;
  proto.set_request_id(responses.request_id.micros);
  proto.set_root_hash(responses.root_hash.bytes());
  proto.set_physical_synchronizer_id(responses.synchronizer.to_string());
  proto.set_sender(Member::participant(responses.sender).to_string());
  for (const ConfirmationResponse& response : responses.responses) {
    v30::ConfirmationResponse& to = *proto.add_responses();
    local_verdict_to(response.verdict, *to.mutable_local_verdict());
    for (const Party& party : response.confirming_parties) to.add_confirming_parties(party);
    if (response.view_position) response.view_position->to_proto(*to.mutable_view_position());
  }
  v30::TypedSignedProtocolMessageContent typed;
  typed.set_confirmation_responses(wrap(30, proto));
  return wrap(30, typed);
}

Bytes serialize_signed_message(const ConfirmationResult& result) {
  v30::ConfirmationResultMessage proto;
  proto.set_physical_synchronizer_id(result.synchronizer.to_string());
  proto.set_view_type(static_cast<v30::ViewType>(result.view_type));
  proto.set_request_id(result.request_id.micros);
  proto.set_root_hash(result.root_hash.bytes());
  verdict_to(result.verdict, *proto.mutable_verdict());
  v30::TypedSignedProtocolMessageContent typed;
  typed.set_confirmation_result(wrap(30, proto));
  return wrap(30, typed);
}

crypto::Hash signed_message_hash(ByteView content) {
  return crypto::hash(crypto::HashPurpose::signed_protocol_message, content);
}

Envelope signed_envelope(Bytes content, const crypto::SigningKeyPair& key, Recipients recipients) {
  crypto::Signature signature = crypto::sign(signed_message_hash(content), key);
  return {std::move(content), {std::move(signature)}, std::move(recipients)};
}

Bytes serialize_verdict(const Verdict& verdict) {
  v30::Verdict proto;
  verdict_to(verdict, proto);
  return wrap(30, proto);
}

Result<Verdict> parse_verdict(ByteView bytes) {
  SYNOD_TRY(ByteView message, unwrap(bytes, 30, "verdict"));
  v30::Verdict proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "verdict"));
  return verdict_from(proto);
}

}  // namespace synod::protocol
