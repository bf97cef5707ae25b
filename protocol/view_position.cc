#include "protocol/view_position.h"

#include <algorithm>

#include "canton/mediator_v30.pb.h"

namespace synod::protocol {

ViewPosition ViewPosition::child(SequenceIndex index) const {
  ViewPosition out;
  out.path.reserve(path.size() + 1);
  out.path.push_back(std::move(index));
  out.path.insert(out.path.end(), path.begin(), path.end());
  return out;
}

Bytes ViewPosition::encode() const {
  Bytes out;
  append_i32(out, static_cast<std::int32_t>(path.size()));
  for (const SequenceIndex& index : path) {
    append_i32(out, static_cast<std::int32_t>(index.size()));
    for (bool right : index) out.push_back(right ? '\1' : '\0');
  }
  return out;
}

ViewPosition ViewPosition::from_proto(const ::com::digitalasset::canton::protocol::v30::ViewPosition& proto) {
  ViewPosition out;
  for (const auto& index : proto.position()) out.path.emplace_back(index.is_right().begin(), index.is_right().end());
  return out;
}

void ViewPosition::to_proto(::com::digitalasset::canton::protocol::v30::ViewPosition& out) const {
  out.Clear();
  for (const SequenceIndex& index : path) {
    auto& to = *out.add_position();
    for (bool right : index) to.add_is_right(right);
  }
}

std::string ViewPosition::to_string() const {
  std::string out;
  for (auto index = path.rbegin(); index != path.rend(); ++index) {
    if (index != path.rbegin()) out += '/';
    if (index->empty()) out += '*';  // the only one
    for (auto step = index->rbegin(); step != index->rend(); ++step) out += *step ? 'R' : 'L';
  }
  return out;
}

std::strong_ordering ViewPosition::operator<=>(const ViewPosition& other) const {
  return std::lexicographical_compare_three_way(path.rbegin(), path.rend(), other.path.rbegin(), other.path.rend(),
                                                [](const SequenceIndex& a, const SequenceIndex& b) {
                                                  return std::lexicographical_compare_three_way(
                                                      a.rbegin(), a.rend(), b.rbegin(), b.rend(), [](bool x, bool y) {
                                                        return static_cast<int>(x) <=> static_cast<int>(y);
                                                      });
                                                });
}

std::vector<SequenceIndex> sequence_indices(std::size_t count) {
  std::vector<SequenceIndex> out(count);
  // A layer holds ranges of elements. Paths run from the leaf to the root, so each pairing appends a step.
  std::vector<std::pair<std::size_t, std::size_t>> layer;
  for (std::size_t i = 0; i < count; ++i) layer.emplace_back(i, i + 1);
  while (layer.size() > 1) {
    std::vector<std::pair<std::size_t, std::size_t>> next;
    for (std::size_t i = 0; i + 1 < layer.size(); i += 2) {
      for (std::size_t k = layer[i].first; k < layer[i].second; ++k) out[k].push_back(false);
      for (std::size_t k = layer[i + 1].first; k < layer[i + 1].second; ++k) out[k].push_back(true);
      next.emplace_back(layer[i].first, layer[i + 1].second);
    }
    if (layer.size() % 2 == 1) next.push_back(layer.back());
    layer = std::move(next);
  }
  return out;
}

}  // namespace synod::protocol
