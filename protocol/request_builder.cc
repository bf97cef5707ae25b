#include "protocol/request_builder.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "crypto/encryption.h"

namespace synod::protocol {
namespace {

Error cannot_build(std::string id, std::string cause) { return failed_precondition(std::move(id), std::move(cause)); }

Result<std::set<ParticipantId>> participants_of_all(const std::vector<Party>& parties, const RequestContext& context) {
  std::set<ParticipantId> out;
  for (const Party& party : parties) {
    const std::set<ParticipantId> hosts = context.participants_of(party);
    if (hosts.empty())
      return fail(cannot_build("UNKNOWN_INFORMEES", "no active participant hosts the informee " + party));
    out.insert(hosts.begin(), hosts.end());
  }
  if (out.empty()) return fail(cannot_build("UNKNOWN_INFORMEES", "a view has no informees"));
  return out;
}

RecipientSet as_recipients(const std::set<ParticipantId>& participants) {
  RecipientSet out;
  for (const ParticipantId& participant : participants) out.insert(Member::participant(participant));
  return out;
}

Result<crypto::EncryptionPublicKey> encryption_key(const ParticipantId& participant, const RequestContext& context) {
  for (const crypto::EncryptionPublicKey& key : context.encryption_keys(participant))
    if (key.spec() == crypto::EncryptionKeySpec::p256) return key;
  return fail(cannot_build("UNABLE_TO_GET_ENCRYPTION_KEY", participant.to_string() + " has no P-256 encryption key"));
}

// All views with equal recipients: one key, one message.
struct ViewGroup {
  Recipients recipients;
  ViewKey key;
  std::vector<ViewPosition> views;
  std::vector<Hash> hashes;
  bool has_root_view = false;
};

Result<ViewKey> fresh_view_key(const std::vector<crypto::EncryptionPublicKey>& readers, Random& random) {
  ViewKey out{random.bytes(crypto::kSymmetricKeySize), {}};
  for (const crypto::EncryptionPublicKey& key : readers) {
    SYNOD_TRY(Bytes ciphertext, crypto::encrypt_ecies(out.key, key, random));
    out.encrypted.push_back({std::move(ciphertext), key.fingerprint()});
  }
  return out;
}

// For the readers of views with these recipients: one in use, or a new one.
Result<ViewKey> view_key(const Bytes& recipients, const std::set<ParticipantId>& readers, const RequestContext& context,
                         Random& random) {
  std::vector<crypto::EncryptionPublicKey> keys;
  Bytes id = recipients;
  for (const ParticipantId& participant : readers) {
    SYNOD_TRY(crypto::EncryptionPublicKey key, encryption_key(participant, context));
    id += key.fingerprint();
    keys.push_back(std::move(key));
  }
  const ViewKey* known = context.view_keys ? context.view_keys->find(id, context.now) : nullptr;
  if (known) return *known;
  SYNOD_TRY(ViewKey fresh, fresh_view_key(keys, random));
  if (context.view_keys) context.view_keys->add(std::move(id), fresh, context.now);
  return fresh;
}

struct Grouping {
  std::vector<ViewGroup> groups;  // in the order in which they are first met
  std::map<Hash, std::size_t> group_of_view;
  std::set<ParticipantId> all_participants;
};

Result<Grouping> group_views(const TransactionTree& tree, const RequestContext& context, Random& random) {
  Grouping out;
  std::map<Bytes, std::size_t> known;  // by serialised recipients
  std::map<ViewPosition, std::set<ParticipantId>> readers;
  std::optional<Error> problem;
  tree.for_each_view([&](const TransactionView& view, const ViewPosition& position) {
    if (problem) return;
    auto mine = participants_of_all(view.common().value().informees, context);
    if (!mine) {
      problem = mine.error();
      return;
    }
    readers[position] = *mine;
    out.all_participants.insert(mine->begin(), mine->end());
    // The view's readers innermost, those of the views above it around them.
    RecipientsTree nested{as_recipients(*mine), {}};
    for (ViewPosition above = position; above.path.size() > 1;) {
      above.path.erase(above.path.begin());
      nested = RecipientsTree{as_recipients(readers.at(above)), {std::move(nested)}};
    }
    Recipients recipients{{std::move(nested)}};
    const auto [entry, is_new] = known.emplace(recipients.serialize(), out.groups.size());
    if (is_new) {
      auto key = view_key(entry->first, *mine, context, random);
      if (!key) {
        problem = key.error();
        return;
      }
      out.groups.push_back({std::move(recipients), std::move(*key), {}, {}, false});
    }
    ViewGroup& group = out.groups[entry->second];
    group.views.push_back(position);
    group.hashes.push_back(view.hash());
    group.has_root_view |= position.is_root_view();
    out.group_of_view[view.hash()] = entry->second;
  });
  if (problem) return fail(std::move(*problem));
  return out;
}

// The light tree of each view of the group, with the keys of its sub-views.
Result<std::vector<Bytes>> light_trees(const TransactionTree& tree, const ViewGroup& group, const Grouping& grouping) {
  std::vector<Bytes> out;
  std::map<ViewPosition, std::vector<SubviewKey>> keys;
  tree.for_each_view([&](const TransactionView& view, const ViewPosition& position) {
    std::vector<SubviewKey>& mine = keys[position];
    for (const Hash& hash : subview_hashes(view))
      mine.push_back({hash, grouping.groups[grouping.group_of_view.at(hash)].key.key});
  });
  for (const ViewPosition& position : group.views) {
    SYNOD_TRY(LightViewTree light, LightViewTree::create(tree.only_view(position, false), keys.at(position)));
    out.push_back(light.serialize());
  }
  return out;
}

Result<Envelope> view_envelope(const TransactionTree& tree, const ViewGroup& group, const Grouping& grouping,
                               const RequestContext& context, const crypto::Signature& root_signature, Random& random) {
  EncryptedViews message;
  SYNOD_TRY(std::vector<Bytes> trees, light_trees(tree, group, grouping));
  SYNOD_TRY(message.ciphertext, encrypt_views(trees, group.key.key, random));
  message.view_hashes = group.hashes;
  if (group.has_root_view) message.submitter_signature = root_signature;
  message.session_keys = group.key.encrypted;
  message.synchronizer = context.synchronizer;
  return Envelope{serialize_envelope_content(message), {}, group.recipients};
}

}  // namespace

Salt TransactionSalts::next() {
  Bytes message;
  append_i32(message, next_++);
  return crypto::hmac_sha256(seed_, message);
}

TransactionView build_view(const ViewContents& contents) {
  std::vector<TransactionView> subviews;
  for (const ViewContents& subview : contents.subviews) subviews.push_back(build_view(subview));
  return TransactionView(MerkleLeaf<ViewCommonData>::of(contents.common),
                         MerkleLeaf<ViewParticipantData>::of(contents.participant), ViewSequence::of(subviews));
}

TransactionTree build_transaction_tree(SubmitterMetadata submitter, CommonMetadata common,
                                       ParticipantMetadata participant, const std::vector<ViewContents>& root_views) {
  std::vector<TransactionView> views;
  for (const ViewContents& view : root_views) views.push_back(build_view(view));
  return TransactionTree(MerkleLeaf<SubmitterMetadata>::of(std::move(submitter)),
                         MerkleLeaf<CommonMetadata>::of(std::move(common)),
                         MerkleLeaf<ParticipantMetadata>::of(std::move(participant)), ViewSequence::of(views));
}

Result<Recipients> view_recipients(const TransactionTree& tree, const ViewPosition& position,
                                   const RequestContext& context) {
  std::vector<RecipientSet> levels;  // outermost first
  std::optional<Error> problem;
  tree.for_each_view([&](const TransactionView& view, const ViewPosition& at) {
    const bool on_path =
        at.path.size() <= position.path.size() && std::equal(at.path.rbegin(), at.path.rend(), position.path.rbegin());
    if (!on_path || problem) return;
    auto readers = participants_of_all(view.common().value().informees, context);
    if (!readers)
      problem = readers.error();
    else
      levels.push_back(as_recipients(*readers));
  });
  if (problem) return fail(std::move(*problem));
  if (levels.size() != position.path.size()) return fail(internal_error("no view at position " + position.to_string()));
  RecipientsTree nested{std::move(levels.back()), {}};
  for (std::size_t i = levels.size() - 1; i-- > 0;) nested = RecipientsTree{std::move(levels[i]), {std::move(nested)}};
  return Recipients{{std::move(nested)}};
}

Result<std::vector<Envelope>> build_confirmation_request(const TransactionTree& tree, const RequestContext& context,
                                                         const crypto::SigningKeyPair& key, Random& random) {
  SYNOD_TRY(Grouping grouping, group_views(tree, context, random));
  const crypto::Signature root_signature = crypto::sign_to_return(tree.root_hash(), key);
  const Recipient mediator = Recipient::mediator_group(tree.common().value().mediator_group);
  SYNOD_TRY(InformeeTree informee_tree, InformeeTree::create(tree.informee_tree()));

  std::vector<Envelope> out;
  out.push_back({serialize_envelope_content(InformeeMessage{std::move(informee_tree), root_signature}),
                 {},
                 Recipients::together({mediator})});
  std::vector<RecipientSet> pairs;
  for (const ParticipantId& participant : grouping.all_participants)
    pairs.push_back({mediator, Recipient(Member::participant(participant))});
  const RootHashMessage root_hash_message{
      tree.root_hash(), context.synchronizer, ViewType::transaction, context.topology_time, {}};
  out.push_back({serialize_envelope_content(root_hash_message), {}, Recipients::groups(std::move(pairs))});
  for (const ViewGroup& group : grouping.groups) {
    SYNOD_TRY(Envelope envelope, view_envelope(tree, group, grouping, context, root_signature, random));
    out.push_back(std::move(envelope));
  }
  return out;
}

}  // namespace synod::protocol
