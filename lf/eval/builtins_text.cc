#include <algorithm>
#include <charconv>

#include "lf/eval/builtins.h"
#include "lf/eval/fatal.h"
#include "lf/eval/numeric.h"
#include "lf/eval/utf8.h"
#include "lf/value.h"

namespace synod::lf::eval {
namespace {

std::optional<std::int64_t> parse_int64(std::string_view s) {
  if (!s.empty() && s.front() == '+') {
    s.remove_prefix(1);
    if (!s.empty() && s.front() == '-') return std::nullopt;
  }
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return n;
}

}  // namespace

bool text_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* a, Cell& out) {
  using F = BuiltinFunction;
  Arena& arena = context.arena;
  auto text = [&](int i) {
    need(a[i], Tag::text);
    return text_of(a[i]);
  };
  auto list_from = [&](const std::vector<Cell>& items) {
    context.steps += items.size();
    Cell list = make_nil();
    for (std::size_t i = items.size(); i-- > 0;) list = make_cons(arena, items[i], list);
    return list;
  };
  auto for_each_item = [&](const Cell& list, auto&& f) {
    Cell rest = list;
    for (; rest.tag == Tag::cons; rest = rest.cons->tail) f(rest.cons->head), ++context.steps;
    need(rest, Tag::nil);
  };
  switch (function) {
    case F::append_text: {
      std::string_view x = text(0), y = text(1);
      context.steps += (x.size() + y.size()) / 64;
      auto* t = static_cast<TextObject*>(arena.allocate(sizeof(std::uint32_t) + x.size() + y.size() + 1));
      t->size = static_cast<std::uint32_t>(x.size() + y.size());
      std::copy(x.begin(), x.end(), t->data);
      std::copy(y.begin(), y.end(), t->data + x.size());
      out = make_tag(Tag::text);
      out.text = t;
      return true;
    }
    case F::explode_text: {
      std::string_view s = text(0);
      std::vector<Cell> items;
      for (std::size_t i = 0; i < s.size();) {
        std::size_t n = code_point_length(s, i);
        items.push_back(make_text(arena, s.substr(i, n)));
        i += n;
      }
      out = list_from(items);
      return true;
    }
    case F::implode_text: {
      std::string joined;
      for_each_item(a[0], [&](const Cell& c) {
        need(c, Tag::text);
        joined += text_of(c);
        if (joined.size() > (std::size_t{1} << 28)) throw OutOfBudget{"memory", "max-memory"};
      });
      out = make_text(arena, joined);
      return true;
    }
    case F::text_to_code_points: {
      arena.charge(text(0).size() * sizeof(Cell));  // the vector below
      std::string_view s = text(0);
      std::vector<Cell> items;
      for (std::size_t i = 0; i < s.size(); i += code_point_length(s, i))
        items.push_back(make_int64(code_point_at(s, i)));
      out = list_from(items);
      return true;
    }
    case F::code_points_to_text: {
      std::string joined;
      for_each_item(a[0], [&](const Cell& c) {
        need(c, Tag::int64);
        if (!append_code_point(joined, c.integer)) fatal_bug("invalid code point " + std::to_string(c.integer));
      });
      out = make_text(arena, joined);
      return true;
    }
    case F::int64_to_text:
      need(a[0], Tag::int64);
      out = make_text(arena, std::to_string(a[0].integer));
      return true;
    case F::numeric_to_text:
      need(a[0], Tag::numeric);
      out = make_text(arena, to_shortest_text(a[0].numeric->unscaled, a[0].scale));
      return true;
    case F::timestamp_to_text:
      need(a[0], Tag::timestamp);
      out = make_text(arena, Timestamp{a[0].integer}.to_string());
      return true;
    case F::date_to_text:
      need(a[0], Tag::date);
      out = make_text(arena, Timestamp{a[0].integer * std::int64_t{86'400'000'000}}.to_string().substr(0, 10));
      return true;
    case F::party_to_text:
      need(a[0], Tag::party);
      out = make_text(arena, text_of(a[0]));
      return true;
    case F::text_to_party: {
      std::string_view s = text(0);
      out = is_party_id(s) ? make_some(arena, make_text(arena, s, Tag::party)) : make_none();
      return true;
    }
    case F::text_to_int64: {
      auto n = parse_int64(text(0));
      out = n ? make_some(arena, make_int64(*n)) : make_none();
      return true;
    }
    case F::text_to_numeric: {
      need(a[0], Tag::numeric);
      auto n = from_lenient_text(text(1), a[0].scale);
      out = n ? make_some(arena, make_numeric(arena, *n, a[0].scale)) : make_none();
      return true;
    }
    default:
      return false;
  }
}

}  // namespace synod::lf::eval
