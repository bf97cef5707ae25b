// A confirmation request as one participant received it: its views decrypted and put together again.
// Facts: MessageDispatcher, ViewMessageDecrypter, ProtocolProcessor; recipe 9 of the recordings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/keys.h"
#include "protocol/batch.h"
#include "protocol/complaints.h"
#include "protocol/envelope_content.h"
#include "protocol/view_keys.h"
#include "protocol/view_tree.h"
#include "topology/snapshot.h"

namespace synod::participant {

// What one event holds for a participant, envelope by envelope. Other kinds are dropped.
struct SortedEnvelopes {
  struct RootHash {
    protocol::RootHashMessage message;
    protocol::Recipients recipients;
  };
  struct Views {
    protocol::EncryptedViews message;
    protocol::Recipients recipients;
  };
  struct Result {
    protocol::ConfirmationResult message;
    Bytes content;  // what was signed
    std::vector<crypto::Signature> signatures;
  };
  std::vector<RootHash> root_hashes;
  std::vector<Views> views;
  std::vector<Result> results;
};
// Of the event at that time. Malformed envelopes are dropped, with one alarm for all of them.
SortedEnvelopes sort_envelopes(const std::vector<protocol::Envelope>& envelopes,
                               const protocol::PhysicalSynchronizerId& synchronizer, Timestamp at);

// What the views of one request may unpack to.
struct ViewLimits {
  std::size_t max_message_bytes = 10u << 20;  // those that are encrypted together
  std::size_t max_request_bytes = 64u << 20;  // all that this participant can read
};

struct ReceivedRequest {
  Timestamp id;  // sequencing time
  crypto::Hash root_hash;
  int mediator_group = 0;
  // None of the trees could be used: only the malformed answer remains.
  std::optional<protocol::TransactionTree> tree;         // of one of the views: for the metadata
  std::vector<protocol::FullView> views;                 // root-most that are seen here, by position
  std::optional<crypto::Signature> submitter_signature;  // over the root hash, from a message with a root view
  protocol::Complaints malformed;                        // what is wrong with payloads

  const protocol::SubmitterMetadata* submitter() const {
    return tree && !tree->submitter().is_blinded() ? &tree->submitter().value() : nullptr;
  }
};

// None: nothing to answer (no usable root hash message; an alarm has been logged). `own`: PAR::...
std::optional<ReceivedRequest> read_request(Timestamp id, const SortedEnvelopes& envelopes, const protocol::Member& own,
                                            const protocol::PhysicalSynchronizerId& synchronizer,
                                            const crypto::KeyStore& keys, protocol::OpenedViewKeys& opened,
                                            const ViewLimits& limits);

// All views of a full view with their positions, parents first.
void for_each_view(const protocol::FullView& full, const protocol::VisitView& visit);

}  // namespace synod::participant
