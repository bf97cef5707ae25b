#include "lf/eval/map.h"

#include "lf/eval/order.h"

namespace synod::lf::eval {
namespace {

const MapNode* node(Arena& arena, const Cell& key, const Cell& value, const MapNode* left, const MapNode* right) {
  auto* n = arena.make<MapNode>();
  n->key = key;
  n->value = value;
  n->left = left;
  n->right = right;
  n->size = map_size(left) + map_size(right) + 1;
  return n;
}

// Weight-balanced with the proven parameters (3, 2) of Hirai and Yamamoto.
constexpr std::uint64_t kDelta = 3, kRatio = 2;
std::uint64_t weight(const MapNode* n) { return map_size(n) + 1; }

const MapNode* balance(Arena& arena, const Cell& key, const Cell& value, const MapNode* l, const MapNode* r) {
  if (weight(r) > kDelta * weight(l)) {
    if (weight(r->left) < kRatio * weight(r->right))
      return node(arena, r->key, r->value, node(arena, key, value, l, r->left), r->right);
    const MapNode* rl = r->left;
    return node(arena, rl->key, rl->value, node(arena, key, value, l, rl->left),
                node(arena, r->key, r->value, rl->right, r->right));
  }
  if (weight(l) > kDelta * weight(r)) {
    if (weight(l->right) < kRatio * weight(l->left))
      return node(arena, l->key, l->value, l->left, node(arena, key, value, l->right, r));
    const MapNode* lr = l->right;
    return node(arena, lr->key, lr->value, node(arena, l->key, l->value, l->left, lr->left),
                node(arena, key, value, lr->right, r));
  }
  return node(arena, key, value, l, r);
}

const MapNode* without_first(Arena& arena, const MapNode* n, const MapNode** first) {
  if (!n->left) {
    *first = n;
    return n->right;
  }
  const MapNode* left = without_first(arena, n->left, first);
  return balance(arena, n->key, n->value, left, n->right);
}

}  // namespace

const MapNode* map_find(const MapNode* n, const Cell& key, Meter& steps) {
  while (n) {
    int c = compare(key, n->key, steps);
    if (c == 0) return n;
    n = c < 0 ? n->left : n->right;
  }
  return nullptr;
}

const MapNode* map_insert(Arena& arena, const MapNode* n, const Cell& key, const Cell& value, Meter& steps) {
  if (!n) {
    compare(key, key, steps);  // a key that cannot be compared must not get in
    return node(arena, key, value, nullptr, nullptr);
  }
  int c = compare(key, n->key, steps);
  if (c == 0) return node(arena, key, value, n->left, n->right);
  if (c < 0) return balance(arena, n->key, n->value, map_insert(arena, n->left, key, value, steps), n->right);
  return balance(arena, n->key, n->value, n->left, map_insert(arena, n->right, key, value, steps));
}

const MapNode* map_erase(Arena& arena, const MapNode* n, const Cell& key, Meter& steps) {
  if (!n) return nullptr;
  int c = compare(key, n->key, steps);
  if (c < 0) return balance(arena, n->key, n->value, map_erase(arena, n->left, key, steps), n->right);
  if (c > 0) return balance(arena, n->key, n->value, n->left, map_erase(arena, n->right, key, steps));
  if (!n->left) return n->right;
  if (!n->right) return n->left;
  const MapNode* first = nullptr;
  const MapNode* right = without_first(arena, n->right, &first);
  return balance(arena, first->key, first->value, n->left, right);
}

const MapNode* map_build(Arena& arena, const std::pair<Cell, Cell>* entries, std::size_t count) {
  if (count == 0) return nullptr;
  std::size_t middle = count / 2;
  const MapNode* left = map_build(arena, entries, middle);
  const MapNode* right = map_build(arena, entries + middle + 1, count - middle - 1);
  return node(arena, entries[middle].first, entries[middle].second, left, right);
}

}  // namespace synod::lf::eval
