#include "participant/reception/request.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/log.h"
#include "participant/log_component.h"
#include "protocol/confirmation.h"

namespace synod::participant {
namespace {

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

// Decrypts what it has keys for; a decrypted view brings the keys of its sub-views. Each message is looked at when the
// request is read, and once more when its key turns up, whatever their order.
class Decryption {
 public:
  Decryption(const SortedEnvelopes& envelopes, ReceivedRequest& request,
             const protocol::PhysicalSynchronizerId& synchronizer, const crypto::KeyStore& keys,
             protocol::OpenedViewKeys& opened, const ViewLimits& limits)
      : envelopes_(envelopes),
        request_(request),
        synchronizer_(synchronizer),
        keys_(keys),
        opened_(opened),
        limits_(limits),
        left_(limits.max_request_bytes) {}

  std::vector<protocol::LightViewTree> run() {
    for (std::size_t i = 0; i < envelopes_.views.size(); ++i) {
      begin(i);
      while (!ready_.empty()) {
        const auto [message, key] = ready_.front();
        ready_.pop_front();
        open(envelopes_.views[message].message, key);
      }
    }
    for (std::size_t i = 0; i < unopened_.size(); ++i)
      request_.malformed.add("A view message is not encrypted for this participant");
    return std::move(trees_);
  }

 private:
  void begin(std::size_t i) {
    const auto& message = envelopes_.views[i].message;
    for (const auto& hash : message.view_hashes) {
      const auto found = subview_keys_.find(hash);
      if (found == subview_keys_.end()) continue;
      ready_.emplace_back(i, found->second);
      return;
    }
    auto key = protocol::decrypt_view_key(message, keys_, opened_);
    if (!key) return request_.malformed.add(key.error().cause);
    if (*key) {
      ready_.emplace_back(i, std::move(**key));
      return;
    }
    for (const auto& hash : message.view_hashes) keyless_.emplace(hash, i);
    unopened_.insert(i);
  }

  void learn(const protocol::SubviewKey& sub) {
    if (!subview_keys_.emplace(sub.view_hash, sub.key).second) return;
    const auto [first, last] = keyless_.equal_range(sub.view_hash);
    for (auto it = first; it != last; ++it) {
      if (unopened_.erase(it->second) > 0) ready_.emplace_back(it->second, sub.key);
    }
    keyless_.erase(first, last);
  }

  void open(const protocol::EncryptedViews& message, const Bytes& key) {
    if (left_ == 0)
      return request_.malformed.add("The views unpack to more than the allowed " +
                                    std::to_string(limits_.max_request_bytes) + " bytes");
    const auto plain = protocol::decrypt_views(message, key, limits_.max_message_bytes, left_);
    if (!plain) return request_.malformed.add(plain.error().cause);
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
    for (const auto& sub : tree->subview_keys()) learn(sub);
    if (tree->position().is_root_view() && message.submitter_signature)
      request_.submitter_signature = message.submitter_signature;
    trees_.push_back(std::move(*tree));
  }

  const SortedEnvelopes& envelopes_;
  ReceivedRequest& request_;
  const protocol::PhysicalSynchronizerId& synchronizer_;
  const crypto::KeyStore& keys_;
  protocol::OpenedViewKeys& opened_;
  const ViewLimits& limits_;
  std::size_t left_;
  std::map<crypto::Hash, Bytes> subview_keys_;
  std::deque<std::pair<std::size_t, Bytes>> ready_;   // messages whose keys are known
  std::multimap<crypto::Hash, std::size_t> keyless_;  // by the views in them
  std::set<std::size_t> unopened_;                    // of keyless_
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
                                            const crypto::KeyStore& keys, protocol::OpenedViewKeys& opened,
                                            const ViewLimits& limits) {
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
  auto trees = Decryption(envelopes, request, synchronizer, keys, opened, limits).run();
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
