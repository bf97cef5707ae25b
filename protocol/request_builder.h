// A participant's confirmation request from the contents of its views.
// Facts: TransactionTreeFactory, TransactionConfirmationRequestFactory, EncryptedViewMessageFactory, Witnesses .scala.
//
//   TransactionSalts salts(seed);                 // order of use matters: see below
//   … fill SubmitterMetadata, CommonMetadata, ParticipantMetadata with salts 0, 1, 2
//   … fill ViewContents depth first: each view takes the next two salts, common then participant data, when it is
//   entered TransactionTree tree = build_transaction_tree(…); auto envelopes = build_confirmation_request(tree, …);
//
// The salt of a view's participant data enters the ids of the contracts it creates, so salts are dealt out while views
// are being filled, not here. sequence_indices() tells a sub-view's position.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "protocol/batch.h"
#include "protocol/envelope_content.h"
#include "protocol/submission.h"
#include "protocol/transaction_view.h"
#include "protocol/view_keys.h"
#include "protocol/view_tree.h"

namespace synod::protocol {

inline constexpr std::size_t kTransactionSeedSize = 16;  // random, never sent

// Salt number n = HMAC-SHA256(seed, i32(n)), from 0.
class TransactionSalts {
 public:
  explicit TransactionSalts(Bytes seed) : seed_(std::move(seed)) {}
  Salt next();

 private:
  Bytes seed_;
  std::int32_t next_ = 0;
};

// A view and its sub-views, complete.
struct ViewContents {
  ViewCommonData common;
  ViewParticipantData participant;
  std::vector<ViewContents> subviews;
};
TransactionView build_view(const ViewContents& contents);
TransactionTree build_transaction_tree(SubmitterMetadata submitter, CommonMetadata common,
                                       ParticipantMetadata participant, const std::vector<ViewContents>& root_views);

// What the request needs to know of the topology at submission.
struct RequestContext {
  PhysicalSynchronizerId synchronizer;
  // The active participants that host a party; none is an error.
  std::function<std::set<ParticipantId>(const Party&)> participants_of;
  // A participant's encryption keys; the first one that is P-256 is used, none is an error.
  std::function<std::vector<crypto::EncryptionPublicKey>(const ParticipantId&)> encryption_keys;
  Timestamp topology_time;            // of the snapshot behind these functions; goes into the root hash messages
  SentViewKeys* view_keys = nullptr;  // those in use; none: fresh keys for each request
  Timestamp now;                      // for their age
};

// The envelopes of the request: informee message to the mediator group, encrypted views per recipients tree, one root
// hash message per participant (and the mediator group). Every view must be open.
Result<std::vector<Envelope>> build_confirmation_request(const TransactionTree& tree, const RequestContext& context,
                                                         const crypto::SigningKeyPair& key, Random& random);

// Who gets the view at `position`: its informees' participants below those of the views above it, root view outermost.
Result<Recipients> view_recipients(const TransactionTree& tree, const ViewPosition& position,
                                   const RequestContext& context);

}  // namespace synod::protocol
