// Persistent maps: weight-balanced trees in the arena. Text maps and general maps share them; keys are ordered by
// eval::compare. Depth is logarithmic, so recursion over a tree is bounded.
#pragma once

#include "lf/eval/cell.h"

namespace synod::lf::eval {

inline std::uint64_t map_size(const MapNode* n) { return n ? n->size : 0; }

const MapNode* map_find(const MapNode* root, const Cell& key, Meter& steps);  // null: not there
const MapNode* map_insert(Arena& arena, const MapNode* root, const Cell& key, const Cell& value, Meter& steps);
const MapNode* map_erase(Arena& arena, const MapNode* root, const Cell& key, Meter& steps);
// From strictly ascending entries.
const MapNode* map_build(Arena& arena, const std::pair<Cell, Cell>* entries, std::size_t count);

template <typename F>
void for_each_entry(const MapNode* n, F&& f) {
  if (!n) return;
  for_each_entry(n->left, f);
  f(*n);
  for_each_entry(n->right, f);
}

}  // namespace synod::lf::eval
