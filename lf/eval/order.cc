#include "lf/eval/order.h"

#include <vector>

#include "lf/contract_id.h"
#include "lf/eval/fatal.h"
#include "lf/eval/map.h"
#include "lf/eval/program.h"

namespace synod::lf::eval {
namespace {

int sign(int n) { return n < 0 ? -1 : n > 0 ? 1 : 0; }
template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

[[noreturn]] void not_comparable(const ContractId& global) {
  fatal("CONTRACT_ID_COMPARABILITY", ErrorCategory::invalid_argument,
        "The global contract ID " + global.to_hex() + " conflicts with a local contract ID",
        {{"CONTRACT_ID", global.to_hex()}});
}

// Two ids that may turn out to be of one contract, once both are final, have no order yet. Fact: svalue/Ordering.scala.
int compare_ids(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  auto ida = ContractId::from_bytes(a), idb = ContractId::from_bytes(b);
  if (!ida || !idb) return order(a, b);
  if (ida->is_v1() != idb->is_v1()) return ida->is_v1() ? -1 : 1;
  if (ida->discriminator() != idb->discriminator()) return order(ida->discriminator(), idb->discriminator());
  if (ida->is_local()) not_comparable(*idb);
  if (idb->is_local() || ida->is_relative() || idb->is_relative()) not_comparable(*ida);
  return order(ida->suffix(), idb->suffix());
}

// Goes over a map in order without copying it: comparisons mostly end at the first entries.
class MapCursor {
 public:
  explicit MapCursor(const MapNode* root) { descend(root); }
  const MapNode* next() {  // null: at the end
    if (path_.empty()) return nullptr;
    const MapNode* n = path_.back();
    path_.pop_back();
    descend(n->right);
    return n;
  }

 private:
  void descend(const MapNode* n) {
    for (; n; n = n->left) path_.push_back(n);
  }
  std::vector<const MapNode*> path_;  // logarithmic in the size
};

struct Item {
  Cell a, b;
  bool maps = false;  // go on with the innermost pair of maps instead
};

// Comparing long texts is work, too.
std::uint64_t text_steps(const Cell& a, const Cell& b) {
  return std::min(a.text->size, b.text->size) / kTextBytesPerStep;
}

}  // namespace

int compare(const Cell& x, const Cell& y, Meter& steps) {
  // Most comparisons are of scalars.
  if (x.tag == y.tag) {
    switch (x.tag) {
      case Tag::int64:
      case Tag::date:
      case Tag::timestamp:
      case Tag::boolean:
        return order(x.integer, y.integer);
      case Tag::text:
      case Tag::party:
        steps += text_steps(x, y);
        return sign(text_of(x).compare(text_of(y)));
      case Tag::numeric:
        return order(x.numeric->unscaled, y.numeric->unscaled);
      case Tag::enumeration:
        return order(x.aux, y.aux);
      default:
        break;
    }
  }
  std::vector<Item> stack{{x, y}};
  std::vector<std::pair<MapCursor, MapCursor>> maps;
  auto push_fields = [&](const Cell* a, const Cell* b, std::size_t n) {
    for (std::size_t i = n; i-- > 0;) stack.push_back({a[i], b[i]});
  };
  while (!stack.empty()) {
    Item item = stack.back();
    stack.pop_back();
    ++steps;
    if (item.maps) {
      const MapNode *left = maps.back().first.next(), *right = maps.back().second.next();
      if (!left || !right) {
        if (left || right) return left ? 1 : -1;
        maps.pop_back();
        continue;
      }
      stack.push_back({Cell(), Cell(), true});
      stack.push_back({left->value, right->value});
      stack.push_back({left->key, right->key});
      continue;
    }
    const Cell &a = item.a, &b = item.b;
    int diff = 0;
    auto pair = [](Tag t, Tag u) { return t < u ? -1 : t == u ? 0 : 1; };
    auto family = [](Tag t) {  // the kinds of value that one type can have
      return t == Tag::cons ? Tag::nil : t == Tag::some ? Tag::none : t >= Tag::closure ? Tag::closure : t;
    };
    if (family(a.tag) != family(b.tag)) fatal_bug("comparison of values of different types");
    switch (a.tag) {
      case Tag::unit:
        break;
      case Tag::boolean:
      case Tag::int64:
      case Tag::date:
      case Tag::timestamp:
        diff = order(a.integer, b.integer);
        break;
      case Tag::numeric:
        diff = order(a.numeric->unscaled, b.numeric->unscaled);
        break;
      case Tag::text:
      case Tag::party:
        steps += text_steps(a, b);
        diff = sign(text_of(a).compare(text_of(b)));
        break;
      case Tag::contract_id:
        diff = compare_ids(text_of(a), text_of(b));
        break;
      case Tag::nil:
      case Tag::cons:
        diff = pair(a.tag, b.tag);
        if (diff == 0 && a.tag == Tag::cons) {
          stack.push_back({a.cons->tail, b.cons->tail});
          stack.push_back({a.cons->head, b.cons->head});
        }
        break;
      case Tag::none:
      case Tag::some:
        diff = pair(a.tag, b.tag);
        if (diff == 0 && a.tag == Tag::some) stack.push_back({a.box->value, b.box->value});
        break;
      case Tag::record:
        push_fields(a.record->fields(), b.record->fields(), std::min(a.record->count, b.record->count));
        break;
      case Tag::variant:
        diff = order(a.aux, b.aux);
        if (diff == 0) stack.push_back({a.variant->argument, b.variant->argument});
        break;
      case Tag::enumeration:
        diff = order(a.aux, b.aux);
        break;
      case Tag::text_map:
      case Tag::gen_map:
        maps.emplace_back(MapCursor(a.map), MapCursor(b.map));
        stack.push_back({Cell(), Cell(), true});
        break;
      case Tag::structure:
        push_fields(a.structure->fields(), b.structure->fields(), a.structure->layout->names.size());
        break;
      case Tag::any:
        diff = compare(*a.box->type, *b.box->type);
        if (diff == 0) stack.push_back({a.box->value, b.box->value});
        break;
      case Tag::type_rep:
        diff = compare(*a.runtime_type, *b.runtime_type);
        break;
      default:
        fatal("NON_COMPARABLE_VALUES", ErrorCategory::invalid_argument, "functions are not comparable");
    }
    if (diff != 0) return diff;
  }
  return 0;
}

bool equal(const Cell& a, const Cell& b, Meter& steps) { return compare(a, b, steps) == 0; }

}  // namespace synod::lf::eval
