#include "participant/reception/request.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "protocol/confirmation.h"

namespace synod::participant {
namespace {

constexpr const char* kLog = "participant";

void visit_views(const protocol::TransactionView& view, const protocol::ViewPosition& position,
                 const protocol::VisitView& visit) {
  visit(view, position);
  view.subviews().for_each([&](const protocol::TransactionView& child, const protocol::SequenceIndex& index) {
    visit_views(child, position.child(index), visit);
  });
}

// The group, if the message is addressed to exactly one mediator group and this participant.
std::optional<int> mediator_group_of(const protocol::Recipients& recipients, const protocol::Member& own) {
  if (recipients.trees.size() != 1) return std::nullopt;
  const auto* group = recipients.single_group();
  if (!group || group->size() != 2 || !group->contains(protocol::Recipient(own))) return std::nullopt;
  for (const auto& recipient : *group) {
    if (recipient.kind() == protocol::Recipient::Kind::mediator_group) return recipient.group();
  }
  return std::nullopt;
}

// Decrypts what it has keys for; a decrypted view brings the keys of its sub-views.
class Decryption {
 public:
  Decryption(const SortedEnvelopes& envelopes, ReceivedRequest& request,
             const protocol::PhysicalSynchronizerId& synchronizer, const crypto::KeyStore& keys, std::size_t limit)
      : envelopes_(envelopes),
        request_(request),
        synchronizer_(synchronizer),
        keys_(keys),
        limit_(limit),
        done_(envelopes.views.size(), false) {}

  std::vector<protocol::LightViewTree> run() {
    bool progress = true;
    while (progress) {
      progress = false;
      for (std::size_t i = 0; i < envelopes_.views.size(); ++i) {
        if (done_[i]) continue;
        const auto key = key_of(i);
        if (!key) continue;
        open(envelopes_.views[i].message, *key);
        done_[i] = true;
        progress = true;
      }
    }
    for (std::size_t i = 0; i < done_.size(); ++i) {
      if (!done_[i]) request_.malformed.add("A view message is not encrypted for this participant");
    }
    return std::move(trees_);
  }

 private:
  std::optional<Bytes> key_of(std::size_t i) {
    const auto& message = envelopes_.views[i].message;
    for (const auto& hash : message.view_hashes) {
      if (const auto found = subview_keys_.find(hash); found != subview_keys_.end()) return found->second;
    }
    auto key = protocol::decrypt_view_key(message, keys_);
    if (!key) {
      done_[i] = true;
      request_.malformed.add(key.error().cause);
      return std::nullopt;
    }
    return *key;
  }

  void open(const protocol::EncryptedViews& message, const Bytes& key) {
    const auto plain = protocol::decrypt_views(message, key, limit_);
    if (!plain) {
      request_.malformed.add(plain.error().cause);
      return;
    }
    if (plain->size() != message.view_hashes.size()) {
      request_.malformed.add("A view message names " + std::to_string(message.view_hashes.size()) +
                                   " views and holds " + std::to_string(plain->size()));
      return;
    }
    for (std::size_t i = 0; i < plain->size(); ++i) take(message, message.view_hashes[i], (*plain)[i]);
  }

  void take(const protocol::EncryptedViews& message, const crypto::Hash& hash, const Bytes& bytes) {
    auto tree = protocol::LightViewTree::parse(bytes);
    if (!tree) return request_.malformed.add(tree.error().cause);
    if (tree->view().hash() != hash)
      return request_.malformed.add("A view does not have the hash that its message names");
    if (tree->tree().root_hash() != request_.root_hash)
      return request_.malformed.add("A view belongs to another transaction than the root hash message");
    const auto& common = tree->tree().common().value();
    if (common.synchronizer != synchronizer_)
      return request_.malformed.add("A view is for synchronizer " + common.synchronizer.to_string());
    if (common.mediator_group != request_.mediator_group)
      return request_.malformed.add("A view names another mediator group than the root hash message");
    if (tree->view().common().is_blinded() || tree->view().participant().is_blinded() ||
        tree->tree().participant().is_blinded()) {
      return request_.malformed.add("A view is blinded for its recipient");
    }
    for (const auto& sub : tree->subview_keys()) subview_keys_.emplace(sub.view_hash, sub.key);
    if (tree->position().is_root_view() && message.submitter_signature)
      request_.submitter_signature = message.submitter_signature;
    trees_.push_back(std::move(*tree));
  }

  const SortedEnvelopes& envelopes_;
  ReceivedRequest& request_;
  const protocol::PhysicalSynchronizerId& synchronizer_;
  const crypto::KeyStore& keys_;
  std::size_t limit_;
  std::vector<bool> done_;
  std::map<crypto::Hash, Bytes> subview_keys_;
  std::vector<protocol::LightViewTree> trees_;
};

}  // namespace

void for_each_view(const protocol::FullView& full, const protocol::VisitView& visit) {
  visit_views(full.view, full.position, visit);
}

SortedEnvelopes sort_envelopes(const std::vector<protocol::Envelope>& envelopes,
                               const protocol::PhysicalSynchronizerId& synchronizer, Timestamp at) {
  SortedEnvelopes sorted;
  protocol::Complaints dropped;
  const auto is_here = [&](const protocol::PhysicalSynchronizerId& id, const char* what) {
    if (id != synchronizer) dropped.add(std::string(what) + " for synchronizer " + id.to_string());
    return id == synchronizer;
  };
  for (const auto& envelope : envelopes) {
    if (!envelope.signatures.empty()) {
      auto message = protocol::parse_signed_message(envelope.content);
      if (!message) {
        dropped.add(message.error());
      } else if (auto* result = std::get_if<protocol::ConfirmationResult>(&*message)) {
        if (is_here(result->synchronizer, "a result"))
          sorted.results.push_back({std::move(*result), envelope.content, envelope.signatures});
      }
      continue;
    }
    auto content = protocol::parse_envelope_content(envelope.content);
    if (!content) {
      dropped.add(content.error());
    } else if (auto* root_hash = std::get_if<protocol::RootHashMessage>(&*content)) {
      if (is_here(root_hash->synchronizer, "a root hash message"))
        sorted.root_hashes.push_back({std::move(*root_hash), envelope.recipients});
    } else if (auto* views = std::get_if<protocol::EncryptedViews>(&*content)) {
      if (is_here(views->synchronizer, "views")) sorted.views.push_back({std::move(*views), envelope.recipients});
    }
  }
  if (!dropped.empty())
    log::alarm(kLog, "what does not decode, or is for others, is dropped from the event at {}: {}", at.to_string(),
               dropped.of(envelopes.size(), "envelopes"));
  return sorted;
}

std::optional<ReceivedRequest> read_request(Timestamp id, const SortedEnvelopes& envelopes, const protocol::Member& own,
                                            const protocol::PhysicalSynchronizerId& synchronizer,
                                            const crypto::KeyStore& keys, std::size_t max_view_bytes) {
  if (envelopes.root_hashes.empty() && envelopes.views.empty()) return std::nullopt;
  if (envelopes.root_hashes.size() != 1) {
    log::alarm(kLog, "request {}: {} root hash messages instead of one; dropped", id.to_string(),
               envelopes.root_hashes.size());
    return std::nullopt;
  }
  const auto& root_hash = envelopes.root_hashes.front();
  const auto group = mediator_group_of(root_hash.recipients, own);
  if (!group || root_hash.message.view_type != protocol::ViewType::transaction) {
    log::alarm(kLog, "request {}: the root hash message has wrong recipients or an unsupported view type; dropped",
               id.to_string());
    return std::nullopt;
  }
  ReceivedRequest request;
  request.id = id;
  request.root_hash = root_hash.message.root_hash;
  request.mediator_group = *group;
  auto trees = Decryption(envelopes, request, synchronizer, keys, max_view_bytes).run();
  if (trees.empty()) {
    if (request.malformed.empty()) request.malformed.add("The request has no views for this participant");
    return request;
  }
  // A tree of a root view shows the submitter's metadata as well.
  const auto with_submitter =
      std::find_if(trees.begin(), trees.end(), [](const auto& t) { return !t.tree().submitter().is_blinded(); });
  request.tree = with_submitter != trees.end() ? with_submitter->tree() : trees.front().tree();
  auto full = protocol::assemble_full_views(trees);
  for (const auto& position : full.incomplete)
    request.malformed.add("Sub-views of the view at " + position.to_string() + " are missing");
  request.views = std::move(full.views);
  return request;
}

}  // namespace synod::participant
