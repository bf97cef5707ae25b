// Trees of a transaction: the whole one, what the mediator sees of it, and what the recipients of one view see.
// Facts: GenTransactionTree, TransactionView, MerkleSeq, FullInformeeTree, LightTransactionViewTree .scala.
// All trees are immutable and share their nodes: copies and blinded versions are cheap.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/merkle.h"
#include "protocol/transaction_view.h"
#include "protocol/view_position.h"

namespace com::digitalasset::canton::protocol::v30 {
class GenTransactionTree;
class MerkleSeq;
}  // namespace com::digitalasset::canton::protocol::v30

namespace synod::protocol {

namespace v30 = ::com::digitalasset::canton::protocol::v30;

class TransactionView;

// An ordered sequence of views as a binary Merkle tree; parts of it may be blinded.
class ViewSequence {
 public:
  ViewSequence() = default;  // empty
  static ViewSequence of(const std::vector<TransactionView>& views);
  // `depth` is how deep this sequence is nested already; deeper than the limit is refused.
  static Result<ViewSequence> from_proto(const v30::MerkleSeq& proto, int depth);
  void to_proto(v30::MerkleSeq& out) const;

  bool empty() const { return root_ == nullptr; }
  const Hash& hash() const;           // not empty
  bool is_fully_blinded() const;      // or empty
  bool has_blinded_elements() const;  // some view is not here at all
  // The views that are here, left to right, with their places.
  void for_each(const std::function<void(const TransactionView&, const SequenceIndex&)>& visit) const;
  ViewSequence blind() const;
  // Everything blinded but the view at `index`, which becomes change(view).
  ViewSequence only(const SequenceIndex& index,
                    const std::function<TransactionView(const TransactionView&)>& change) const;
  ViewSequence map(const std::function<TransactionView(const TransactionView&)>& change) const;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  explicit ViewSequence(NodePtr root) : root_(std::move(root)) {}
  static NodePtr blinded(const Hash& hash);
  static NodePtr single(TransactionView view);
  static NodePtr branch(NodePtr first, NodePtr second);
  static Result<NodePtr> parse_node(ByteView versioned, int depth);
  static Bytes serialize_node(const Node& node);
  static NodePtr keep_only(const NodePtr& node, const SequenceIndex& index, std::size_t level,
                           const std::function<TransactionView(const TransactionView&)>& change);
  NodePtr root_;
};

class TransactionView {
 public:
  TransactionView(MerkleLeaf<ViewCommonData> common, MerkleLeaf<ViewParticipantData> participant,
                  ViewSequence subviews);
  static Result<TransactionView> parse(ByteView versioned, int depth);  // W(30, ViewNode)
  Bytes serialize() const;

  const MerkleLeaf<ViewCommonData>& common() const { return common_; }
  const MerkleLeaf<ViewParticipantData>& participant() const { return participant_; }
  const ViewSequence& subviews() const { return subviews_; }
  const Hash& hash() const { return hash_; }  // the view hash

 private:
  MerkleLeaf<ViewCommonData> common_;
  MerkleLeaf<ViewParticipantData> participant_;
  ViewSequence subviews_;
  Hash hash_;
};

using VisitView = std::function<void(const TransactionView&, const ViewPosition&)>;

class TransactionTree {
 public:
  TransactionTree(MerkleLeaf<SubmitterMetadata> submitter, MerkleLeaf<CommonMetadata> common,
                  MerkleLeaf<ParticipantMetadata> participant, ViewSequence root_views);
  // Common metadata must be unblinded, and no hash may occur twice.
  static Result<TransactionTree> from_proto(const v30::GenTransactionTree& proto);
  void to_proto(v30::GenTransactionTree& out) const;

  const MerkleLeaf<SubmitterMetadata>& submitter() const { return submitter_; }
  const MerkleLeaf<CommonMetadata>& common() const { return common_; }
  const MerkleLeaf<ParticipantMetadata>& participant() const { return participant_; }
  const ViewSequence& root_views() const { return root_views_; }
  const Hash& root_hash() const { return root_hash_; }  // its hex is the update id of the Ledger API

  // All views that are here, each before its sub-views.
  void for_each_view(const VisitView& visit) const;
  // What the mediator sees: participant metadata and all view participant data blinded.
  TransactionTree informee_tree() const;
  // Everything blinded but one view, whose sub-views are blinded too unless `keep_subviews`; submitter metadata only
  // with a root view.
  TransactionTree only_view(const ViewPosition& position, bool keep_subviews) const;

 private:
  MerkleLeaf<SubmitterMetadata> submitter_;
  MerkleLeaf<CommonMetadata> common_;
  MerkleLeaf<ParticipantMetadata> participant_;
  ViewSequence root_views_;
  Hash root_hash_;
};

// A tree as the mediator gets it. Checked: submitter and common metadata and all view common data open, all else
// blinded.
class InformeeTree {
 public:
  static Result<InformeeTree> create(TransactionTree tree);
  const TransactionTree& tree() const { return tree_; }

 private:
  explicit InformeeTree(TransactionTree tree) : tree_(std::move(tree)) {}
  TransactionTree tree_;
};

// How a view refers to its sub-views: their hashes and the keys under which they are encrypted.
struct SubviewKey {
  Hash view_hash;
  Bytes key;  // 16 bytes
  bool operator==(const SubviewKey&) const = default;
};

// One view with the hashes of everything else. W(30, LightTransactionViewTree).
class LightViewTree {
 public:
  // Checked: exactly one view is open, its sub-views are blinded, and the sub-view hashes rebuild their sequence.
  static Result<LightViewTree> create(TransactionTree tree, std::vector<SubviewKey> subview_keys);
  static Result<LightViewTree> parse(ByteView versioned);
  Bytes serialize() const;

  const TransactionTree& tree() const { return tree_; }
  const TransactionView& view() const { return view_; }
  const ViewPosition& position() const { return position_; }
  const std::vector<SubviewKey>& subview_keys() const { return subview_keys_; }

 private:
  LightViewTree(TransactionTree tree, TransactionView view, ViewPosition position, std::vector<SubviewKey> subview_keys)
      : tree_(std::move(tree)),
        view_(std::move(view)),
        position_(std::move(position)),
        subview_keys_(std::move(subview_keys)) {}
  TransactionTree tree_;
  TransactionView view_;
  ViewPosition position_;
  std::vector<SubviewKey> subview_keys_;
};

// The direct sub-views' hashes of an open view in order.
std::vector<Hash> subview_hashes(const TransactionView& view);

// Rebuilds full views (with all their sub-views) from light ones of the same transaction; answers those root-most views
// for which everything is there. Light trees whose sub-views are missing are counted in `incomplete`.
struct FullView {
  TransactionView view;  // sub-views open as far as this participant sees them: completely
  ViewPosition position;
};
struct FullViews {
  std::vector<FullView> views;  // in order of position; none is below another
  std::vector<ViewPosition> incomplete;
};
FullViews assemble_full_views(const std::vector<LightViewTree>& light);

}  // namespace synod::protocol
