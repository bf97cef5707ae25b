#include "ordering/fabric_wire/envelope.h"

#include <openssl/rand.h>

#include <chrono>

#include "base/check.h"
#include "fabric/envelope.pb.h"
#include "fabric/orderer.pb.h"

namespace synod::ordering::fabric_wire {
namespace {

Bytes nonce() {
  Bytes bytes(24, '\0');
  SYNOD_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) == 1);
  return bytes;
}

void set_now(google::protobuf::Timestamp& timestamp) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  timestamp.set_seconds(nanos / 1'000'000'000);
  timestamp.set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
}

template <typename Message>
bool parse(Message& message, ByteView bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

Bytes make_bound_envelope(EnvelopeType type, const std::string& channel_id, ByteView data,
                          ByteView tls_certificate_hash, const SigningIdentity* signer) {
  const std::optional<SigningIdentity> now = signer ? std::optional(signer->current()) : std::nullopt;
  common::ChannelHeader channel;
  channel.set_type(static_cast<int>(type));
  channel.set_channel_id(channel_id);
  channel.set_tls_cert_hash(Bytes(tls_certificate_hash));
  set_now(*channel.mutable_timestamp());
  common::Payload payload;
  payload.mutable_header()->set_channel_header(channel.SerializeAsString());
  if (now) {
    common::SignatureHeader signature;
    signature.set_creator(now->creator());
    signature.set_nonce(nonce());
    payload.mutable_header()->set_signature_header(signature.SerializeAsString());
  }
  payload.set_data(Bytes(data));
  common::Envelope envelope;
  envelope.set_payload(payload.SerializeAsString());
  if (now) envelope.set_signature(now->sign(envelope.payload()));
  return envelope.SerializeAsString();
}

}  // namespace

Bytes make_envelope(EnvelopeType type, const std::string& channel_id, ByteView data, const SigningIdentity* signer) {
  return make_bound_envelope(type, channel_id, data, {}, signer);
}

Result<Envelope> parse_envelope(ByteView bytes) {
  const auto bad = [](std::string cause) {
    return fail(invalid_argument("ORDERING_MALFORMED_ENVELOPE", std::move(cause)));
  };
  common::Envelope envelope;
  common::Payload payload;
  common::ChannelHeader channel;
  common::SignatureHeader signature;
  if (!parse(envelope, bytes)) return bad("not an envelope");
  if (!parse(payload, envelope.payload())) return bad("the payload does not decode");
  if (payload.header().channel_header().empty() || !parse(channel, payload.header().channel_header()))
    return bad("the channel header is missing or does not decode");
  if (!parse(signature, payload.header().signature_header())) return bad("the signature header does not decode");
  Envelope result;
  result.type = channel.type();
  result.channel_id = channel.channel_id();
  result.creator = std::move(*signature.mutable_creator());
  result.data = std::move(*payload.mutable_data());
  result.payload = std::move(*envelope.mutable_payload());
  result.signature = std::move(*envelope.mutable_signature());
  return result;
}

Bytes make_seek(const std::string& channel_id, std::optional<std::uint64_t> from, std::optional<std::uint64_t> to,
                SeekContent content, ByteView tls_certificate_hash, const SigningIdentity* signer) {
  orderer::SeekInfo seek;
  if (from) {
    seek.mutable_start()->mutable_specified()->set_number(*from);
    seek.mutable_stop()->mutable_specified()->set_number(to.value_or(UINT64_MAX));
  } else {
    seek.mutable_start()->mutable_newest();
    seek.mutable_stop()->mutable_newest();
  }
  seek.set_behavior(orderer::SeekInfo::BLOCK_UNTIL_READY);
  seek.set_error_response(orderer::SeekInfo::BEST_EFFORT);
  if (content == SeekContent::signed_headers) seek.set_content_type(orderer::SeekInfo::HEADER_WITH_SIG);
  return make_bound_envelope(EnvelopeType::deliver_seek_info, channel_id, seek.SerializeAsString(),
                             tls_certificate_hash, signer);
}

}  // namespace synod::ordering::fabric_wire
