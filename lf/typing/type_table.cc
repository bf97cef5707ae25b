#include "lf/typing/type_table.h"

#include <algorithm>

namespace synod::lf::typing {

namespace {

std::size_t mix(std::size_t seed, std::size_t value) { return (seed ^ value) * 0x9e3779b97f4a7c15ull + (seed >> 31); }

}  // namespace

TypeTable::TypeTable() : interned_(0, Hash{&nodes_}, Equal{&nodes_}) {
  kinds_ = {{TyKind::none(), TyKind::none()}, {TyKind::none(), TyKind::none()}};
  builtins_.fill(Ty::none());
}

// ---- kinds

TyKind TypeTable::arrow_kind(TyKind parameter, TyKind result) {
  auto key = std::uint64_t{parameter.value} << 32 | result.value;
  auto [it, inserted] = kind_ids_.emplace(key, static_cast<std::uint32_t>(kinds_.size()));
  if (inserted) kinds_.emplace_back(parameter, result);
  return TyKind{it->second};
}

TyKind TypeTable::kind(const Package& package, KindId id) {
  auto& built = package_kinds_[&package];
  for (auto i = static_cast<std::uint32_t>(built.size()); i < package.kind_count(); ++i) {
    const Kind& k = package.kind(KindId{i});
    if (k.kind != KindKind::arrow) {
      built.push_back(k.kind == KindKind::star ? star() : nat_kind());
      continue;
    }
    TyKind parameter = built[k.parameter.value], result = built[k.result.value];  // the parts of a kind come before it
    bool bad = parameter.is_none() || result.is_none() || result == nat_kind();
    built.push_back(bad ? TyKind::none() : arrow_kind(parameter, result));
  }
  return built[id.value];
}

// ---- interning

std::size_t TypeTable::Hash::operator()(std::uint32_t id) const {
  const TyNode& n = (*nodes)[id];
  auto h = mix(static_cast<std::size_t>(n.shape), reinterpret_cast<std::uintptr_t>(n.definition));
  h = mix(h, static_cast<std::size_t>(n.builtin));
  h = mix(h, n.number);
  h = mix(mix(h, n.binder.value), n.kind.value);
  h = mix(mix(h, n.first.value), n.second.value);
  for (auto [name, type] : n.fields) h = mix(mix(h, name.value), type.value);
  return h;
}

bool TypeTable::Equal::operator()(std::uint32_t x, std::uint32_t y) const {
  const TyNode &a = (*nodes)[x], &b = (*nodes)[y];
  return a.shape == b.shape && a.definition == b.definition && a.builtin == b.builtin && a.number == b.number &&
         a.binder == b.binder && a.kind == b.kind && a.first == b.first && a.second == b.second && a.fields == b.fields;
}

Ty TypeTable::intern(TyNode node) {
  auto add = [&](Ty part) {
    if (part.is_none()) return;
    const TyNode& p = nodes_[part.value];
    node.has_var |= p.has_var;
    node.loose = std::max(node.loose, node.shape == TyShape::forall && p.loose > 0 ? p.loose - 1 : p.loose);
  };
  add(node.first);
  add(node.second);
  for (auto [name, type] : node.fields) add(type);
  auto id = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(std::move(node));
  auto [it, inserted] = interned_.insert(id);
  if (!inserted) nodes_.pop_back();
  return Ty{*it};
}

Ty TypeTable::con(const Package& package, const DataType& definition) {
  TyNode n{.shape = TyShape::con, .kind = star(), .package = &package, .definition = &definition};
  auto params = package.items(definition.params);
  for (auto it = params.rbegin(); it != params.rend(); ++it) {
    TyKind k = kind(package, it->kind);
    if (k.is_none()) return Ty::none();
    n.kind = arrow_kind(k, n.kind);
  }
  return intern(std::move(n));
}

Ty TypeTable::builtin(BuiltinType b) {
  Ty& known = builtins_[static_cast<std::size_t>(b)];
  if (!known.is_none()) return known;
  TyNode n{.shape = TyShape::builtin, .kind = star(), .builtin = b};
  switch (b) {
    case BuiltinType::numeric:
      n.kind = arrow_kind(nat_kind(), star());
      break;
    case BuiltinType::list:
    case BuiltinType::update:
    case BuiltinType::contract_id:
    case BuiltinType::optional:
    case BuiltinType::text_map:
      n.kind = arrow_kind(star(), star());
      break;
    case BuiltinType::arrow:
    case BuiltinType::gen_map:
      n.kind = arrow_kind(star(), arrow_kind(star(), star()));
      break;
    default:
      break;
  }
  return known = intern(std::move(n));
}

Ty TypeTable::nat(std::uint32_t number) {
  return intern({.shape = TyShape::nat, .kind = nat_kind(), .number = number});
}

Ty TypeTable::var(std::uint32_t level, TyKind kind) {
  return intern({.shape = TyShape::var, .has_var = true, .kind = kind, .number = level});
}

Ty TypeTable::app(Ty function, Ty argument) {
  if (function.is_none() || argument.is_none()) return Ty::none();
  auto key = std::uint64_t{function.value} << 32 | argument.value;
  if (auto it = applications_.find(key); it != applications_.end()) return Ty{it->second};
  auto [parameter, result] = kinds_[kind_of(function).value];
  if (parameter.is_none() || parameter != kind_of(argument)) return Ty::none();
  Ty made = intern({.shape = TyShape::app, .kind = result, .first = function, .second = argument});
  applications_.emplace(key, made.value);
  return made;
}

Ty TypeTable::structure(std::vector<std::pair<NameId, Ty>> fields) {
  std::ranges::sort(fields, {}, [this](const auto& field) { return text(field.first); });
  return intern({.shape = TyShape::structure, .kind = star(), .fields = std::move(fields)});
}

// ---- variables

// Rebuilds what contains something that `leaf(node, depth)` replaces, where depth counts the foralls around it. `leaf`
// returns none to keep a node as it is and look into it; a node without anything to replace is kept by `leaf` too
// (itself).
template <typename Leaf>
Ty TypeTable::rewrite(Ty root, Leaf leaf) {
  struct Visit {
    Ty type;
    std::uint32_t depth;
    bool opened;
  };
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> done;
  auto key = [](Ty t, std::uint32_t depth) { return std::uint64_t{t.value} << 32 | depth; };
  std::vector<Visit> work{{root, 0, false}};
  while (!work.empty()) {
    Visit visit = work.back();
    auto its_key = key(visit.type, visit.depth);
    if (!visit.opened) {
      if (done.contains(its_key)) {
        work.pop_back();
        continue;
      }
      if (Ty replaced = leaf(visit.type, visit.depth); !replaced.is_none()) {
        done.emplace(its_key, replaced.value);
        work.pop_back();
        continue;
      }
      work.back().opened = true;
      const TyNode& n = nodes_[visit.type.value];
      auto inner = visit.depth + (n.shape == TyShape::forall ? 1 : 0);
      if (!n.first.is_none()) work.push_back({n.first, inner, false});
      if (!n.second.is_none()) work.push_back({n.second, inner, false});
      for (auto [name, type] : n.fields) work.push_back({type, inner, false});
      continue;
    }
    work.pop_back();
    if (const TyNode& n = nodes_[visit.type.value]; n.shape == TyShape::app) {
      Ty function{done.at(key(n.first, visit.depth))}, argument{done.at(key(n.second, visit.depth))};
      done.emplace(its_key, app(function, argument).value);
      continue;
    }
    TyNode n = nodes_[visit.type.value];
    n.has_var = false;
    n.loose = 0;
    auto inner = visit.depth + (n.shape == TyShape::forall ? 1 : 0);
    if (!n.first.is_none()) n.first = Ty{done.at(key(n.first, inner))};
    if (!n.second.is_none()) n.second = Ty{done.at(key(n.second, inner))};
    for (auto& [name, type] : n.fields) type = Ty{done.at(key(type, inner))};
    done.emplace(its_key, intern(std::move(n)).value);
  }
  return Ty{done.at(key(root, 0))};
}

Ty TypeTable::forall(Ty variable, Ty body) {
  TyKind binder = kind_of(variable);
  Ty closed = rewrite(body, [&](Ty t, std::uint32_t depth) {
    if (t == variable) return intern({.shape = TyShape::bound, .loose = depth + 1, .kind = binder, .number = depth});
    return nodes_[t.value].has_var ? Ty::none() : t;
  });
  return intern({.shape = TyShape::forall, .kind = star(), .binder = binder, .first = closed});
}

Ty TypeTable::instantiate(Ty forall, Ty argument) {
  return rewrite(nodes_[forall.value].first, [&](Ty t, std::uint32_t depth) {
    const TyNode& n = nodes_[t.value];
    if (n.shape == TyShape::bound && n.number == depth) return argument;
    return n.loose > depth ? (n.shape == TyShape::bound ? t : Ty::none()) : t;
  });
}

// ---- taking apart

bool TypeTable::as_arrow(Ty t, Ty& from, Ty& to) const {
  const TyNode& outer = node(t);
  if (outer.shape != TyShape::app) return false;
  from = as_applied(outer.first, BuiltinType::arrow);
  to = outer.second;
  return !from.is_none();
}

Ty TypeTable::as_applied(Ty t, BuiltinType b) const {
  const TyNode& n = node(t);
  return n.shape == TyShape::app && is_builtin(n.first, b) ? n.second : Ty::none();
}

bool TypeTable::is_builtin(Ty t, BuiltinType b) const {
  const TyNode& n = node(t);
  return n.shape == TyShape::builtin && n.builtin == b;
}

const TyNode* TypeTable::as_data(Ty t, std::vector<Ty>& arguments) const {
  arguments.clear();
  const TyNode* n = &node(t);
  for (; n->shape == TyShape::app; n = &node(n->first)) arguments.push_back(n->second);
  std::ranges::reverse(arguments);
  return n->shape == TyShape::con ? n : nullptr;
}

NameId TypeTable::name(std::string_view text) {
  if (auto it = name_ids_.find(text); it != name_ids_.end()) return NameId{it->second};
  auto id = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(text);
  name_ids_.emplace(names_.back(), id);
  return NameId{id};
}

Ty TypeTable::field(Ty structure, NameId name) const {
  for (auto [field, type] : node(structure).fields) {
    if (field == name) return type;
  }
  return Ty::none();
}

std::string TypeTable::to_string(Ty root) const {
  struct Piece {
    Ty type;
    std::string text;
    bool tight;  // as an argument: needs parentheses if it is composed
  };
  constexpr std::size_t kMaxLength = 200;
  std::string out;
  std::vector<Piece> work{{root, "", false}};
  auto say = [&](std::string text) { work.push_back({Ty::none(), std::move(text), false}); };
  while (!work.empty()) {
    Piece piece = std::move(work.back());
    work.pop_back();
    if (out.size() > kMaxLength) return out + "...";
    if (piece.type.is_none()) {
      out += piece.text;
      continue;
    }
    const TyNode& n = node(piece.type);
    Ty from, to;
    bool composed = n.shape == TyShape::app || n.shape == TyShape::forall;
    if (composed && piece.tight) {
      out += '(';
      say(")");
    }
    switch (n.shape) {
      case TyShape::con:
        out += n.package->qualified_name(*n.definition);
        break;
      case TyShape::builtin:
        out += name_of(n.builtin);
        break;
      case TyShape::nat:
        out += std::to_string(n.number);
        break;
      case TyShape::var:
        out += "a" + std::to_string(n.number);
        break;
      case TyShape::bound:
        out += "b" + std::to_string(n.number);
        break;
      case TyShape::app:
        if (as_arrow(piece.type, from, to)) {
          work.push_back({to, "", false});
          say(" -> ");
          work.push_back({from, "", true});
        } else {
          work.push_back({n.second, "", true});
          say(" ");
          work.push_back({n.first, "", node(n.first).shape != TyShape::app});
        }
        break;
      case TyShape::forall:
        out += "forall. ";
        work.push_back({n.first, "", false});
        break;
      case TyShape::structure:
        out += '<';
        say(">");
        for (auto it = n.fields.rbegin(); it != n.fields.rend(); ++it) {
          work.push_back({it->second, "", false});
          say((std::next(it) == n.fields.rend() ? "" : ", ") + std::string(text(it->first)) + ": ");
        }
        break;
    }
  }
  return out;
}

}  // namespace synod::lf::typing
