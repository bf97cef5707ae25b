#include <algorithm>
#include <map>

#include "canton/transaction_v30.pb.h"
#include "protocol/versioned.h"
#include "protocol/view_tree.h"

namespace synod::protocol {
namespace {

constexpr std::size_t kViewKeySize = 16;

Error bad_light_tree(std::string cause) { return malformed("light view tree", std::move(cause)); }

// The hash of the sequence of these views.
Hash sequence_hash(const std::vector<Hash>& views) {
  std::vector<Hash> layer;
  for (const Hash& view : views) layer.push_back(inner_node_hash({view}));
  while (layer.size() > 1) {
    std::vector<Hash> next;
    for (std::size_t i = 0; i + 1 < layer.size(); i += 2) next.push_back(inner_node_hash({layer[i], layer[i + 1]}));
    if (layer.size() % 2 == 1) next.push_back(layer.back());
    layer = std::move(next);
  }
  return layer.front();
}

}  // namespace

std::vector<Hash> subview_hashes(const TransactionView& view) {
  std::vector<Hash> out;
  view.subviews().for_each([&](const TransactionView& child, const SequenceIndex&) { out.push_back(child.hash()); });
  return out;
}

Result<LightViewTree> LightViewTree::create(TransactionTree tree, std::vector<SubviewKey> subview_keys) {
  std::optional<TransactionView> found;
  ViewPosition found_at;
  std::string problem;
  tree.for_each_view([&](const TransactionView& view, const ViewPosition& position) {
    const bool on_path = view.common().is_blinded() && view.participant().is_blinded();
    const bool open =
        !view.common().is_blinded() && !view.participant().is_blinded() && view.subviews().is_fully_blinded();
    if (on_path) return;
    if (!open)
      problem = "view " + position.to_string() + " is partly blinded";
    else if (found)
      problem = "more than one view is open";
    found = view;
    found_at = position;
  });
  if (!problem.empty()) return fail(bad_light_tree(problem));
  if (!found) return fail(bad_light_tree("no view is open"));
  if (!found_at.is_root_view() && !tree.submitter().is_blinded())
    return fail(bad_light_tree("the submitter metadata of a sub-view's tree is not blinded"));
  if (found_at.is_root_view() && tree.submitter().is_blinded())
    return fail(bad_light_tree("the submitter metadata of a root view's tree is blinded"));
  if (tree.participant().is_blinded()) return fail(bad_light_tree("the participant metadata is blinded"));
  std::vector<Hash> hashes;
  for (const SubviewKey& subview : subview_keys) hashes.push_back(subview.view_hash);
  const bool consistent = hashes.empty() == found->subviews().empty() &&
                          (hashes.empty() || sequence_hash(hashes) == found->subviews().hash());
  if (!consistent) return fail(bad_light_tree("the sub-view hashes do not match the view"));
  return LightViewTree(std::move(tree), std::move(*found), std::move(found_at), std::move(subview_keys));
}

Result<LightViewTree> LightViewTree::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "light view tree"));
  v30::LightTransactionViewTree proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "light view tree"));
  SYNOD_TRY(TransactionTree tree, TransactionTree::from_proto(proto.tree()));
  std::vector<SubviewKey> keys;
  for (const v30::ViewHashAndKey& from : proto.subview_hashes_and_keys()) {
    SYNOD_TRY(Hash hash, Hash::parse(from.view_hash()));
    if (from.view_encryption_key_randomness().size() != kViewKeySize)
      return fail(bad_light_tree("a sub-view's key has not 16 bytes"));
    keys.push_back({hash, from.view_encryption_key_randomness()});
  }
  return create(std::move(tree), std::move(keys));
}

Bytes LightViewTree::serialize() const {
  v30::LightTransactionViewTree proto;
  tree_.to_proto(*proto.mutable_tree());
  for (const SubviewKey& subview : subview_keys_) {
    v30::ViewHashAndKey& to = *proto.add_subview_hashes_and_keys();
    to.set_view_hash(subview.view_hash.bytes());
    to.set_view_encryption_key_randomness(subview.key);
  }
  return wrap(30, proto);
}

FullViews assemble_full_views(const std::vector<LightViewTree>& light) {
  std::map<ViewPosition, const LightViewTree*> by_position;
  for (const LightViewTree& tree : light) by_position.emplace(tree.position(), &tree);  // repeats: the first counts
  std::map<Hash, TransactionView> complete;
  std::map<ViewPosition, const TransactionView*> full;
  FullViews out;
  // Children come after their parents in this order, so go backwards.
  for (auto it = by_position.rbegin(); it != by_position.rend(); ++it) {
    const LightViewTree& tree = *it->second;
    std::vector<TransactionView> children;
    for (const SubviewKey& subview : tree.subview_keys()) {
      const auto child = complete.find(subview.view_hash);
      if (child != complete.end()) children.push_back(child->second);
    }
    if (children.size() != tree.subview_keys().size()) {
      out.incomplete.push_back(it->first);
      continue;
    }
    TransactionView view(tree.view().common(), tree.view().participant(), ViewSequence::of(children));
    const auto [entry, fresh] = complete.emplace(view.hash(), std::move(view));
    full.emplace(it->first, &entry->second);
  }
  std::reverse(out.incomplete.begin(), out.incomplete.end());
  for (const auto& [position, view] : full) {
    const ViewPosition* above = out.views.empty() ? nullptr : &out.views.back().position;
    const bool below = above && position.path.size() > above->path.size() &&
                       std::equal(above->path.rbegin(), above->path.rend(), position.path.rbegin());
    if (!below) out.views.push_back({*view, position});
  }
  return out;
}

}  // namespace synod::protocol
