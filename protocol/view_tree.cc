#include "protocol/view_tree.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "canton/transaction_v30.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

// Views and the layers of their sequences together. Every level is bytes inside bytes, so the protobuf parser's own
// limit does not see it.
constexpr int kMaxDepth = 200;

template <typename Leaf>
void leaf_to(const Leaf& leaf, v30::BlindableNode& out) {
  if (leaf.is_blinded())
    out.set_blinded_hash(leaf.hash().bytes());
  else
    out.set_unblinded(leaf.bytes());
}

template <typename T>
Result<MerkleLeaf<T>> leaf_from(const v30::BlindableNode& node, std::string_view what) {
  switch (node.blinded_or_not_case()) {
    case v30::BlindableNode::kUnblinded:
      return MerkleLeaf<T>::parse(node.unblinded());
    case v30::BlindableNode::kBlindedHash: {
      SYNOD_TRY(Hash hash, Hash::parse(node.blinded_hash()));
      return MerkleLeaf<T>::blinded(hash);
    }
    default:
      return fail(malformed(what, "a tree node is neither blinded nor unblinded"));
  }
}

Error bad_tree(std::string cause) { return malformed("transaction tree", std::move(cause)); }

}  // namespace

struct ViewSequence::Node {
  enum class Kind { blinded, single, branch };
  Kind kind = Kind::blinded;
  Hash hash;
  std::optional<TransactionView> view;  // single with an open view
  Hash view_hash;                       // single
  NodePtr first, second;                // branch
};

ViewSequence::NodePtr ViewSequence::blinded(const Hash& hash) {
  auto node = std::make_shared<Node>();
  node->hash = hash;
  return node;
}

ViewSequence::NodePtr ViewSequence::single(TransactionView view) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::single;
  node->view_hash = view.hash();
  node->hash = inner_node_hash({view.hash()});
  node->view = std::move(view);
  return node;
}

ViewSequence::NodePtr ViewSequence::branch(NodePtr first, NodePtr second) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::branch;
  node->hash = inner_node_hash({first->hash, second->hash});
  node->first = std::move(first);
  node->second = std::move(second);
  return node;
}

ViewSequence ViewSequence::of(const std::vector<TransactionView>& views) {
  std::vector<NodePtr> layer;
  for (const TransactionView& view : views) layer.push_back(single(view));
  while (layer.size() > 1) {
    std::vector<NodePtr> next;
    for (std::size_t i = 0; i + 1 < layer.size(); i += 2) next.push_back(branch(layer[i], layer[i + 1]));
    if (layer.size() % 2 == 1) next.push_back(layer.back());
    layer = std::move(next);
  }
  return layer.empty() ? ViewSequence() : ViewSequence(layer.front());
}

Result<ViewSequence::NodePtr> ViewSequence::parse_node(ByteView versioned, int depth) {
  if (depth > kMaxDepth) return fail(bad_tree("nested more than " + std::to_string(kMaxDepth) + " levels deep"));
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "view sequence"));
  v30::MerkleSeqElement proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "view sequence"));
  auto child = [depth](const v30::BlindableNode& node) -> Result<NodePtr> {
    switch (node.blinded_or_not_case()) {
      case v30::BlindableNode::kUnblinded:
        return parse_node(node.unblinded(), depth + 1);
      case v30::BlindableNode::kBlindedHash: {
        SYNOD_TRY(Hash hash, Hash::parse(node.blinded_hash()));
        return blinded(hash);
      }
      default:
        return fail(bad_tree("an element of a view sequence is neither blinded nor unblinded"));
    }
  };
  if (proto.has_data()) {
    if (proto.has_first() || proto.has_second())
      return fail(bad_tree("an element of a view sequence is leaf and branch"));
    if (proto.data().blinded_or_not_case() == v30::BlindableNode::kUnblinded) {
      SYNOD_TRY(TransactionView view, TransactionView::parse(proto.data().unblinded(), depth + 1));
      return single(std::move(view));
    }
    if (proto.data().blinded_or_not_case() != v30::BlindableNode::kBlindedHash)
      return fail(bad_tree("a view is neither blinded nor unblinded"));
    SYNOD_TRY(Hash hash, Hash::parse(proto.data().blinded_hash()));
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::single;
    node->view_hash = hash;
    node->hash = inner_node_hash({hash});
    return NodePtr(std::move(node));
  }
  if (!proto.has_first() || !proto.has_second()) return fail(bad_tree("a branch of a view sequence lacks a child"));
  SYNOD_TRY(NodePtr first, child(proto.first()));
  SYNOD_TRY(NodePtr second, child(proto.second()));
  return branch(std::move(first), std::move(second));
}

Bytes ViewSequence::serialize_node(const Node& node) {
  v30::MerkleSeqElement proto;
  auto child = [](const Node& part, v30::BlindableNode& out) {
    if (part.kind == Node::Kind::blinded)
      out.set_blinded_hash(part.hash.bytes());
    else
      out.set_unblinded(serialize_node(part));
  };
  if (node.kind == Node::Kind::single) {
    if (node.view)
      proto.mutable_data()->set_unblinded(node.view->serialize());
    else
      proto.mutable_data()->set_blinded_hash(node.view_hash.bytes());
  } else {
    child(*node.first, *proto.mutable_first());
    child(*node.second, *proto.mutable_second());
  }
  return wrap(30, proto);
}

Result<ViewSequence> ViewSequence::from_proto(const v30::MerkleSeq& proto, int depth) {
  if (!proto.has_root_or_empty()) return ViewSequence();
  switch (proto.root_or_empty().blinded_or_not_case()) {
    case v30::BlindableNode::kUnblinded: {
      SYNOD_TRY(NodePtr root, parse_node(proto.root_or_empty().unblinded(), depth + 1));
      return ViewSequence(std::move(root));
    }
    case v30::BlindableNode::kBlindedHash: {
      SYNOD_TRY(Hash hash, Hash::parse(proto.root_or_empty().blinded_hash()));
      return ViewSequence(blinded(hash));
    }
    default:
      return fail(bad_tree("the root of a view sequence is neither blinded nor unblinded"));
  }
}

void ViewSequence::to_proto(v30::MerkleSeq& out) const {
  out.Clear();
  if (!root_) return;
  if (root_->kind == Node::Kind::blinded)
    out.mutable_root_or_empty()->set_blinded_hash(root_->hash.bytes());
  else
    out.mutable_root_or_empty()->set_unblinded(serialize_node(*root_));
}

const Hash& ViewSequence::hash() const {
  SYNOD_CHECK(root_ != nullptr);
  return root_->hash;
}

bool ViewSequence::is_fully_blinded() const { return !root_ || root_->kind == Node::Kind::blinded; }

bool ViewSequence::has_blinded_elements() const {
  struct Search {
    bool operator()(const NodePtr& node) const {
      switch (node->kind) {
        case Node::Kind::blinded:
          return true;
        case Node::Kind::single:
          return !node->view;
        case Node::Kind::branch:
          return (*this)(node->first) || (*this)(node->second);
      }
      return true;
    }
  };
  return root_ && Search{}(root_);
}

void ViewSequence::for_each(const std::function<void(const TransactionView&, const SequenceIndex&)>& visit) const {
  struct Walk {
    const std::function<void(const TransactionView&, const SequenceIndex&)>& visit;
    void operator()(const NodePtr& node, const SequenceIndex& from_leaf) const {
      if (node->kind == Node::Kind::single && node->view) visit(*node->view, from_leaf);
      if (node->kind != Node::Kind::branch) return;
      SequenceIndex below;
      below.push_back(false);
      below.insert(below.end(), from_leaf.begin(), from_leaf.end());
      (*this)(node->first, below);
      below[0] = true;
      (*this)(node->second, below);
    }
  };
  if (root_) Walk{visit}(root_, {});
}

ViewSequence ViewSequence::blind() const { return root_ ? ViewSequence(blinded(root_->hash)) : ViewSequence(); }

ViewSequence::NodePtr ViewSequence::keep_only(const NodePtr& node, const SequenceIndex& index, std::size_t level,
                                              const std::function<TransactionView(const TransactionView&)>& change) {
  if (level == 0) {
    SYNOD_CHECK(node->kind == Node::Kind::single && node->view.has_value());
    return single(change(*node->view));
  }
  SYNOD_CHECK(node->kind == Node::Kind::branch);
  return index[level - 1] ? branch(blinded(node->first->hash), keep_only(node->second, index, level - 1, change))
                          : branch(keep_only(node->first, index, level - 1, change), blinded(node->second->hash));
}

ViewSequence ViewSequence::only(const SequenceIndex& index,
                                const std::function<TransactionView(const TransactionView&)>& change) const {
  SYNOD_CHECK(root_ != nullptr);
  return ViewSequence(keep_only(root_, index, index.size(), change));
}

ViewSequence ViewSequence::map(const std::function<TransactionView(const TransactionView&)>& change) const {
  struct Mapper {
    const std::function<TransactionView(const TransactionView&)>& change;
    NodePtr operator()(const NodePtr& node) const {
      if (node->kind == Node::Kind::single && node->view) return single(change(*node->view));
      if (node->kind != Node::Kind::branch) return node;
      return branch((*this)(node->first), (*this)(node->second));
    }
  };
  return root_ ? ViewSequence(Mapper{change}(root_)) : ViewSequence();
}

TransactionView::TransactionView(MerkleLeaf<ViewCommonData> common, MerkleLeaf<ViewParticipantData> participant,
                                 ViewSequence subviews)
    : common_(std::move(common)), participant_(std::move(participant)), subviews_(std::move(subviews)) {
  std::vector<Hash> children{common_.hash(), participant_.hash()};
  if (!subviews_.empty()) children.push_back(subviews_.hash());
  hash_ = inner_node_hash(children);
}

Result<TransactionView> TransactionView::parse(ByteView versioned, int depth) {
  if (depth > kMaxDepth) return fail(bad_tree("nested more than " + std::to_string(kMaxDepth) + " levels deep"));
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "view"));
  v30::ViewNode proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "view"));
  SYNOD_TRY(auto common, leaf_from<ViewCommonData>(proto.view_common_data(), "view common data"));
  SYNOD_TRY(auto participant, leaf_from<ViewParticipantData>(proto.view_participant_data(), "view participant data"));
  SYNOD_TRY(ViewSequence subviews, ViewSequence::from_proto(proto.subviews(), depth));
  return TransactionView(std::move(common), std::move(participant), std::move(subviews));
}

Bytes TransactionView::serialize() const {
  v30::ViewNode proto;
  leaf_to(common_, *proto.mutable_view_common_data());
  leaf_to(participant_, *proto.mutable_view_participant_data());
  subviews_.to_proto(*proto.mutable_subviews());
  return wrap(30, proto);
}

TransactionTree::TransactionTree(MerkleLeaf<SubmitterMetadata> submitter, MerkleLeaf<CommonMetadata> common,
                                 MerkleLeaf<ParticipantMetadata> participant, ViewSequence root_views)
    : submitter_(std::move(submitter)),
      common_(std::move(common)),
      participant_(std::move(participant)),
      root_views_(std::move(root_views)) {
  std::vector<Hash> children{submitter_.hash(), common_.hash(), participant_.hash()};
  if (!root_views_.empty()) children.push_back(root_views_.hash());
  root_hash_ = inner_node_hash(children);
}

Result<TransactionTree> TransactionTree::from_proto(const v30::GenTransactionTree& proto) {
  SYNOD_TRY(auto submitter, leaf_from<SubmitterMetadata>(proto.submitter_metadata(), "submitter metadata"));
  SYNOD_TRY(auto common, leaf_from<CommonMetadata>(proto.common_metadata(), "common metadata"));
  if (common.is_blinded()) return fail(bad_tree("the common metadata is blinded"));
  SYNOD_TRY(auto participant, leaf_from<ParticipantMetadata>(proto.participant_metadata(), "participant metadata"));
  if (!proto.has_root_views()) return fail(bad_tree("no root views"));
  SYNOD_TRY(ViewSequence root_views, ViewSequence::from_proto(proto.root_views(), 0));
  TransactionTree tree(std::move(submitter), std::move(common), std::move(participant), std::move(root_views));
  std::unordered_set<Hash> seen;
  bool repeated = !(seen.insert(tree.submitter().hash()).second && seen.insert(tree.common().hash()).second &&
                    seen.insert(tree.participant().hash()).second);
  tree.for_each_view([&](const TransactionView& view, const ViewPosition&) {
    repeated |= !(seen.insert(view.hash()).second && seen.insert(view.common().hash()).second &&
                  seen.insert(view.participant().hash()).second);
  });
  if (repeated) return fail(bad_tree("a hash occurs twice"));
  return tree;
}

void TransactionTree::to_proto(v30::GenTransactionTree& out) const {
  out.Clear();
  leaf_to(submitter_, *out.mutable_submitter_metadata());
  leaf_to(common_, *out.mutable_common_metadata());
  leaf_to(participant_, *out.mutable_participant_metadata());
  root_views_.to_proto(*out.mutable_root_views());
}

namespace {

void walk(const ViewSequence& sequence, const ViewPosition& parent, const VisitView& visit) {
  sequence.for_each([&](const TransactionView& view, const SequenceIndex& index) {
    const ViewPosition position = parent.child(index);
    visit(view, position);
    walk(view.subviews(), position, visit);
  });
}

TransactionView without_participant_data(const TransactionView& view) {
  return TransactionView(view.common(), view.participant().blind(), view.subviews().map(without_participant_data));
}

// `level` counts the steps of the position that are still to go; 0: this is the view.
TransactionView keep_path(const TransactionView& view, const ViewPosition& position, std::size_t level,
                          bool keep_subviews) {
  if (level == 0)
    return keep_subviews ? view : TransactionView(view.common(), view.participant(), view.subviews().blind());
  return TransactionView(view.common().blind(), view.participant().blind(),
                         view.subviews().only(position.path[level - 1], [&](const TransactionView& child) {
                           return keep_path(child, position, level - 1, keep_subviews);
                         }));
}

}  // namespace

void TransactionTree::for_each_view(const VisitView& visit) const { walk(root_views_, {}, visit); }

TransactionTree TransactionTree::informee_tree() const {
  return TransactionTree(submitter_, common_, participant_.blind(), root_views_.map(without_participant_data));
}

TransactionTree TransactionTree::only_view(const ViewPosition& position, bool keep_subviews) const {
  SYNOD_CHECK(!position.path.empty());
  return TransactionTree(position.is_root_view() ? submitter_ : submitter_.blind(), common_, participant_,
                         root_views_.only(position.path.back(), [&](const TransactionView& view) {
                           return keep_path(view, position, position.path.size() - 1, keep_subviews);
                         }));
}

Result<InformeeTree> InformeeTree::create(TransactionTree tree) {
  if (tree.submitter().is_blinded()) return fail(bad_tree("the submitter metadata of an informee tree is blinded"));
  if (!tree.participant().is_blinded())
    return fail(bad_tree("the participant metadata of an informee tree is not blinded"));
  std::string problem;
  if (tree.root_views().has_blinded_elements()) problem = "a root view of an informee tree is blinded";
  tree.for_each_view([&](const TransactionView& view, const ViewPosition& position) {
    if (view.common().is_blinded()) problem = "the common data of view " + position.to_string() + " is blinded";
    if (!view.participant().is_blinded())
      problem = "the participant data of view " + position.to_string() + " is not blinded";
    if (view.subviews().has_blinded_elements()) problem = "a sub-view of view " + position.to_string() + " is blinded";
  });
  if (!problem.empty()) return fail(bad_tree(problem));
  return InformeeTree(std::move(tree));
}

}  // namespace synod::protocol
