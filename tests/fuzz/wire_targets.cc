#include "base/check.h"
#include "canton/sequencing_v31.pb.h"
#include "protocol/acs_commitment.h"
#include "protocol/batch.h"
#include "protocol/confirmation.h"
#include "protocol/envelope_content.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "protocol/versioned.h"
#include "protocol/view_tree.h"
#include "sequencer/sealed_batch.h"
#include "tests/fuzz/targets.h"
#include "topology/genesis.h"
#include "topology/state.h"
#include "topology/transaction.h"

namespace synod::fuzz {
namespace {

const protocol::BatchLimits kLimits{1'000, 1 << 20, 1 << 20, 4 << 20};

}  // namespace

void batch(ByteView input) {
  protocol::v31::CompressedBatch proto;
  if (!protocol::parse_proto(input, proto, "CompressedBatch")) return;
  auto read = protocol::CompressedBatch::from_proto(proto, kLimits);
  if (!read) return;
  auto envelopes = read->decompress(kLimits);
  if (!envelopes) return;
  auto again = protocol::CompressedBatch::compress(*envelopes).decompress(kLimits);
  SYNOD_CHECK(again.has_value() && *again == *envelopes);
}

void signed_content(ByteView input) {
  if (auto read = protocol::SignedContent::parse(input)) {
    auto again = protocol::SignedContent::parse(read->serialize());
    SYNOD_CHECK(again.has_value() && *again == *read);
  }
  if (auto read = protocol::AcknowledgeRequest::parse(input)) {
    auto again = protocol::AcknowledgeRequest::parse(read->serialize());
    SYNOD_CHECK(again.has_value() && *again == *read);
  }
}

void topology_transaction(ByteView input) {
  (void)topology::Transaction::parse(Bytes(input));
  (void)topology::SignedTransaction::parse_versioned(input);
  (void)topology::SignedTransaction::parse_bare(input);
}

void sealed_batch(ByteView input) { (void)sequencer::open_record(input); }

void submission_request(ByteView input) {
  auto read = protocol::SubmissionRequest::parse(input, kLimits);
  if (!read) return;
  const Bytes bytes = read->serialize();
  auto again = protocol::SubmissionRequest::parse(bytes, kLimits);
  SYNOD_CHECK(again.has_value() && again->serialize() == bytes && again->kind() == read->kind());
  if (const auto envelopes = read->batch.decompress(kLimits); envelopes && read->aggregation_rule)
    SYNOD_CHECK(protocol::aggregation_id(*read, *envelopes).is_set());
}

void sequenced_event(ByteView input) {
  auto read = protocol::SequencedEvent::parse(input, kLimits);
  if (!read) return;
  const Bytes bytes = read->serialize();
  auto again = protocol::SequencedEvent::parse(bytes, kLimits);
  SYNOD_CHECK(again.has_value() && again->serialize() == bytes);
  (void)read->batch.decompress(kLimits);
  (void)read->batch.filter([](const protocol::Recipient& recipient) { return recipient.is_member(); });
}

void envelope_content(ByteView input) {
  auto read = protocol::parse_envelope_content(input);
  if (!read) return;
  std::visit(
      [](const auto& message) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(message)>, std::monostate>) {
          const Bytes bytes = protocol::serialize_envelope_content(message);
          // What Synod cannot use may be left out, and with it the last of what must be there.
          const auto again = protocol::parse_envelope_content(bytes);
          if (!again) return;
          const auto& same = std::get<std::decay_t<decltype(message)>>(*again);
          SYNOD_CHECK(protocol::serialize_envelope_content(same) == bytes);
        }
      },
      *read);
}

void light_view_tree(ByteView input) {
  auto read = protocol::LightViewTree::parse(input);
  if (!read) return;
  const Bytes bytes = read->serialize();
  auto again = protocol::LightViewTree::parse(bytes);
  SYNOD_CHECK(again.has_value() && again->serialize() == bytes);
  SYNOD_CHECK(again->tree().root_hash() == read->tree().root_hash() && again->position() == read->position());
  const auto full = protocol::assemble_full_views({*read, *read});
  SYNOD_CHECK(full.views.size() + full.incomplete.size() == 1);
}

void signed_message(ByteView input) {
  if (auto verdict = protocol::parse_verdict(input)) {
    const Bytes bytes = protocol::serialize_verdict(*verdict);
    const auto again = protocol::parse_verdict(bytes);
    SYNOD_CHECK(again.has_value() && *again == *verdict);
  }
  auto read = protocol::parse_signed_message(input);
  if (!read) return;
  std::visit(
      [](const auto& message) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(message)>, std::monostate>) {
          const auto again = protocol::parse_signed_message(protocol::serialize_signed_message(message));
          SYNOD_CHECK(again.has_value() && std::get<std::decay_t<decltype(message)>>(*again) == message);
        }
      },
      *read);
}

void topology_snapshot(ByteView input) {
  auto read = topology::decode_snapshot(input);
  if (!read) return;
  auto again = topology::decode_snapshot(topology::encode_snapshot(*read));
  SYNOD_CHECK(again.has_value() && topology::snapshot_hash(*again) == topology::snapshot_hash(*read));
  static const auto synchronizer = protocol::PhysicalSynchronizerId::parse(
      "fuzz::1220fc0d01b670d345d2a9dd4850e6ffd5999b9fc52bd2ccc9c57a0566837e2424ff::35-0");
  topology::TopologyState state(*synchronizer, {});
  if (!state.import(*read)) return;
  (void)topology::snapshot_hash(state.export_at(Timestamp::max()));
  (void)state.head().mediator_groups();
}

void acs_commitment(ByteView input) {
  auto read = protocol::AcsCommitment::parse(input);
  if (!read) return;
  const Bytes bytes = read->serialize();
  auto again = protocol::AcsCommitment::parse(bytes);
  SYNOD_CHECK(again.has_value() && again->serialize() == bytes);
}

}  // namespace synod::fuzz
