#include "topology/broadcast.h"

#include <algorithm>

#include "base/log.h"
#include "canton/envelope_v31.pb.h"
#include "protocol/versioned.h"

namespace synod::topology {
namespace {

namespace v31 = ::com::digitalasset::canton::protocol::v31;
constexpr int kContentVersion = 31;
constexpr auto kComponent = "topology";

bool to_all(const std::vector<protocol::RecipientsTree>& trees) {
  return std::any_of(trees.begin(), trees.end(), [](const protocol::RecipientsTree& tree) {
    return tree.recipients.contains(protocol::Recipient::all_members()) || to_all(tree.children);
  });
}

void append_transactions(const protocol::Envelope& envelope, const protocol::PhysicalSynchronizerId& synchronizer,
                         std::vector<SignedTransaction>& out) {
  if (!envelope.signatures.empty()) return;
  const auto message = protocol::unwrap(envelope.content, kContentVersion, "EnvelopeContent");
  if (!message) return;
  v31::EnvelopeContent content;
  if (!protocol::parse_proto(*message, content, "EnvelopeContent") || !content.has_topology_transactions_broadcast())
    return;
  const auto& broadcast = content.topology_transactions_broadcast();
  if (broadcast.physical_synchronizer_id() != synchronizer.to_string()) {
    log::alarm(kComponent, "dropped a topology broadcast for synchronizer {}", broadcast.physical_synchronizer_id());
    return;
  }
  if (!to_all(envelope.recipients.trees)) {
    log::alarm(kComponent, "dropped a topology broadcast that is not addressed to all members");
    return;
  }
  // One transaction that does not decode spoils its whole envelope.
  std::vector<SignedTransaction> transactions;
  for (const auto& bytes : broadcast.signed_transactions().signed_transaction()) {
    auto transaction = SignedTransaction::parse_versioned(bytes);
    if (!transaction) {
      log::alarm(kComponent, "dropped a topology broadcast: {}", transaction.error().to_string());
      return;
    }
    transactions.push_back(std::move(*transaction));
  }
  out.insert(out.end(), transactions.begin(), transactions.end());
}

}  // namespace

protocol::Envelope broadcast_envelope(const protocol::PhysicalSynchronizerId& synchronizer,
                                      const std::vector<SignedTransaction>& transactions) {
  v31::EnvelopeContent content;
  auto& broadcast = *content.mutable_topology_transactions_broadcast();
  broadcast.set_physical_synchronizer_id(synchronizer.to_string());
  for (const auto& transaction : transactions) {
    broadcast.mutable_signed_transactions()->add_signed_transaction(transaction.to_versioned());
  }
  return {protocol::wrap(kContentVersion, content),
          {},
          protocol::Recipients::together({protocol::Recipient::all_members()})};
}

std::vector<SignedTransaction> broadcasts_in(const std::vector<protocol::Envelope>& envelopes,
                                             const protocol::PhysicalSynchronizerId& synchronizer) {
  std::vector<SignedTransaction> result;
  for (const auto& envelope : envelopes) append_transactions(envelope, synchronizer, result);
  return result;
}

std::vector<SignedTransaction> broadcasts_in(const protocol::CompressedBatch& batch,
                                             const protocol::PhysicalSynchronizerId& synchronizer,
                                             const protocol::BatchLimits& limits) {
  std::vector<SignedTransaction> result;
  for (std::size_t i = 0; i < batch.envelopes.size() && i < batch.recipients.size(); ++i) {
    if (!to_all(batch.recipients[i].trees)) continue;
    const auto envelope = batch.decompress_envelope(i, limits.max_envelope_bytes);
    if (!envelope) {
      log::alarm(kComponent, "dropped an envelope to all members: {}", envelope.error().to_string());
      continue;
    }
    append_transactions(*envelope, synchronizer, result);
  }
  return result;
}

}  // namespace synod::topology
