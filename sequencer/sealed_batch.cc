#include "sequencer/sealed_batch.h"

#include "canton/sequencing_v30.pb.h"
#include "protocol/signed_content.h"
#include "protocol/versioned.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {
namespace {

namespace canton = ::com::digitalasset::canton::protocol::v30;
constexpr int kOrderingRequestVersion = 30;

Bytes ordering_request(const SealedBatch& batch) {
  v1::SealedBatch sealed;
  sealed.set_synchronizer(batch.synchronizer.to_string());
  sealed.set_sequencer(batch.sequencer.to_string());
  sealed.set_sequence_number(batch.number.value);
  sealed.set_proposed_time(batch.proposed_time.micros);
  if (batch.seen_height.value >= 0) {
    sealed.set_seen_height(batch.seen_height.value);
    sealed.set_seen_state(batch.seen_state);
  }
  for (const SealedEntry& entry : batch.entries) {
    auto* item = sealed.add_entries();
    item->set_traceparent(entry.traceparent);
    if (const auto* submission = std::get_if<SubmissionEntry>(&entry.item)) {
      item->set_submission(submission->signed_request);
    } else if (const auto* acknowledgement = std::get_if<AcknowledgementEntry>(&entry.item)) {
      item->set_acknowledgement(acknowledgement->signed_request);
    } else {
      item->set_tick(true);
    }
  }
  canton::OrderingRequest request;
  request.set_sequencer_uid(batch.sequencer.uid().to_string());
  request.set_content(protocol::serialize_proto(sealed));
  return protocol::wrap(kOrderingRequestVersion, request);
}

Result<SealedBatch> sealed_batch(ByteView bytes) {
  v1::SealedBatch proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "SealedBatch"));
  SealedBatch batch;
  SYNOD_TRY(batch.synchronizer, protocol::PhysicalSynchronizerId::parse(proto.synchronizer()));
  SYNOD_TRY(batch.sequencer, protocol::Member::parse(proto.sequencer()));
  batch.number = SequenceNumber(proto.sequence_number());
  batch.proposed_time = Timestamp{proto.proposed_time()};
  if (batch.proposed_time < Timestamp::min() || batch.proposed_time > Timestamp::max()) {
    return fail(malformed("SealedBatch", "the proposed time is outside of the range of timestamps"));
  }
  if (proto.has_seen_height()) {
    batch.seen_height = ordering::Height(proto.seen_height());
    batch.seen_state = proto.seen_state();
  }
  for (auto& item : *proto.mutable_entries()) {
    SealedEntry entry;
    entry.traceparent = std::move(*item.mutable_traceparent());
    switch (item.item_case()) {
      case v1::SealedEntry::kSubmission:
        entry.item = SubmissionEntry{std::move(*item.mutable_submission())};
        break;
      case v1::SealedEntry::kAcknowledgement:
        entry.item = AcknowledgementEntry{std::move(*item.mutable_acknowledgement())};
        break;
      case v1::SealedEntry::kTick:
        entry.item = TickEntry{};
        break;
      case v1::SealedEntry::ITEM_NOT_SET:
        return fail(malformed("SealedBatch", "an entry is empty"));
    }
    batch.entries.push_back(std::move(entry));
  }
  return batch;
}

}  // namespace

std::size_t SealedEntry::bytes() const {
  constexpr std::size_t kFraming = 32;
  if (const auto* submission = std::get_if<SubmissionEntry>(&item)) {
    return submission->signed_request.size() + traceparent.size() + kFraming;
  }
  if (const auto* acknowledgement = std::get_if<AcknowledgementEntry>(&item)) {
    return acknowledgement->signed_request.size() + traceparent.size() + kFraming;
  }
  return kFraming;
}

Result<Bytes> seal(const SealedBatch& batch, const SignHash& sign) {
  protocol::SignedContent content;
  content.content = ordering_request(batch);
  SYNOD_TRY(auto signature, sign(content.content_hash(crypto::HashPurpose::ordering_request)));
  content.signatures.push_back(std::move(signature));
  return content.serialize();
}

Result<OpenedRecord> open_record(ByteView record) {
  SYNOD_TRY(const auto content, protocol::SignedContent::parse(record));
  SYNOD_TRY(const ByteView message, protocol::unwrap(content.content, kOrderingRequestVersion, "OrderingRequest"));
  canton::OrderingRequest request;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(message, request, "OrderingRequest"));
  SYNOD_TRY(auto batch, sealed_batch(request.content()));
  if (batch.sequencer.kind() != protocol::MemberKind::sequencer ||
      batch.sequencer.uid().to_string() != request.sequencer_uid()) {
    return fail(malformed("OrderingRequest", "the sealed batch names another sequencer"));
  }
  OpenedRecord opened;
  opened.batch = std::move(batch);
  opened.hash = content.content_hash(crypto::HashPurpose::ordering_request);
  opened.signature = content.signatures.back();
  return opened;
}

}  // namespace synod::sequencer
