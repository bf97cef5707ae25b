// Where a view stands in its transaction. Facts: ViewPosition.scala, MerkleSeq.scala.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace com::digitalasset::canton::protocol::v30 {
class ViewPosition;
}

namespace synod::protocol {

// The path inside one sequence of views, from the element up to the root of the sequence; true = right child.
using SequenceIndex = std::vector<bool>;

// From the view up to the root: the view's place among its siblings first, the root view's last.
struct ViewPosition {
  std::vector<SequenceIndex> path;

  // The position of a view below this one.
  ViewPosition child(SequenceIndex index) const;
  // For hashing (contract salts): i32 count, then per element i32 count and one byte each.
  Bytes encode() const;
  static ViewPosition from_proto(const ::com::digitalasset::canton::protocol::v30::ViewPosition& proto);
  void to_proto(::com::digitalasset::canton::protocol::v30::ViewPosition& out) const;
  std::string to_string() const;  // from the root: "*" (the only view), "LR/R"

  bool is_root_view() const { return path.size() == 1; }
  bool operator==(const ViewPosition&) const = default;
  // Depth first from the root, left before right: parents before children.
  std::strong_ordering operator<=>(const ViewPosition& other) const;
};

// The places of `count` siblings: neighbours are paired layer by layer, an odd last one moves up unchanged.
std::vector<SequenceIndex> sequence_indices(std::size_t count);

}  // namespace synod::protocol
