#include "topology/broadcast.h"

#include <algorithm>

#include "base/log.h"
#include "canton/envelope_v31.pb.h"
#include "protocol/complaints.h"
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
                         std::vector<SignedTransaction>& out, protocol::Complaints& dropped) {
  if (!envelope.signatures.empty()) return;
  const auto message = protocol::unwrap(envelope.content, kContentVersion, "EnvelopeContent");
  if (!message) return;
  v31::EnvelopeContent content;
  if (!protocol::parse_proto(*message, content, "EnvelopeContent") || !content.has_topology_transactions_broadcast())
    return;
  const auto& broadcast = content.topology_transactions_broadcast();
  if (broadcast.physical_synchronizer_id() != synchronizer.to_string())
    return dropped.add("a topology broadcast for synchronizer " + broadcast.physical_synchronizer_id());
  if (!to_all(envelope.recipients.trees))
    return dropped.add("a topology broadcast that is not addressed to all members");
  // One transaction that does not decode spoils its whole envelope.
  std::vector<SignedTransaction> transactions;
  for (const auto& bytes : broadcast.signed_transactions().signed_transaction()) {
    auto transaction = SignedTransaction::parse_versioned(bytes);
    if (!transaction) return dropped.add(transaction.error());
    transactions.push_back(std::move(*transaction));
  }
  out.insert(out.end(), transactions.begin(), transactions.end());
}

void report(const protocol::Complaints& dropped, std::size_t envelopes) {
  if (!dropped.empty()) log::alarm(kComponent, "dropped topology broadcasts: {}", dropped.of(envelopes, "envelopes"));
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
  protocol::Complaints dropped;
  for (const auto& envelope : envelopes) append_transactions(envelope, synchronizer, result, dropped);
  report(dropped, envelopes.size());
  return result;
}

std::vector<SignedTransaction> broadcasts_in(const protocol::CompressedBatch& batch,
                                             const protocol::PhysicalSynchronizerId& synchronizer,
                                             const protocol::BatchLimits& limits) {
  std::vector<SignedTransaction> result;
  protocol::Complaints dropped;
  std::size_t left = limits.max_total_bytes;
  for (std::size_t i = 0; i < batch.envelopes.size() && i < batch.recipients.size(); ++i) {
    if (!to_all(batch.recipients[i].trees)) continue;
    const auto envelope = batch.decompress_envelope(i, limits.max_envelope_bytes, left);
    if (envelope)
      append_transactions(*envelope, synchronizer, result, dropped);
    else
      dropped.add(envelope.error());
  }
  report(dropped, batch.envelopes.size());
  return result;
}

}  // namespace synod::topology
