#include "lf/typing/type_reader.h"

#include <algorithm>

namespace synod::lf::typing {

namespace {
constexpr std::size_t kMaxExpansions = 10'000;  // of synonyms in one type
}

struct TypeReader::Frame {
  const Package* package;
  TypeId type;
  std::shared_ptr<const TypeScope> scope;
  std::vector<Ty> parts;     // of the type, as far as they are read
  Ty variable = Ty::none();  // of a forall
};

Ty TypeReader::read(const Package& package, TypeId type, const TypeScope& scope, std::uint32_t level) {
  auto key = std::pair(&package, type);
  if (scope.empty()) {
    if (auto it = closed_.find(key); it != closed_.end()) return it->second;
  }
  std::size_t expansions = 0;
  std::vector<Frame> stack;
  stack.push_back({&package, type, std::make_shared<TypeScope>(scope), {}});
  while (true) {
    if (budget_ == 0) return fail("the package takes too long to check");
    --budget_;
    Frame& frame = stack.back();
    const Type& t = frame.package->type(frame.type);
    // What has parts gets them read first.
    TypeId next = TypeId::none();
    auto next_of = [&](Slice<TypeId> args) {
      if (frame.parts.size() < args.count) next = frame.package->items(args)[frame.parts.size()];
    };
    switch (t.kind) {
      case TypeKind::var:
      case TypeKind::con:
      case TypeKind::builtin:
      case TypeKind::synonym:
        next_of(t.args);
        break;
      case TypeKind::app:
        if (frame.parts.empty()) {
          next = t.fun;
        } else if (frame.parts.size() <= t.args.count) {
          next = frame.package->items(t.args)[frame.parts.size() - 1];
        }
        break;
      case TypeKind::structure:
        if (frame.parts.size() < t.fields.count) next = frame.package->items(t.fields)[frame.parts.size()].type;
        break;
      case TypeKind::forall:
        if (frame.parts.empty()) next = t.body;
        break;
      case TypeKind::nat:
        break;
    }
    if (!next.is_none()) {
      auto its_scope = frame.scope;
      if (t.kind == TypeKind::forall) {
        TyKind kind = table_.kind(*frame.package, t.param.kind);
        if (kind.is_none()) return fail("ill-formed kind");
        frame.variable = table_.var(level++, kind);
        auto inner = std::make_shared<TypeScope>(*its_scope);
        inner->emplace_back(t.param.name, frame.variable);
        its_scope = std::move(inner);
      }
      stack.push_back({frame.package, next, std::move(its_scope), {}});
      continue;
    }
    if (t.kind == TypeKind::synonym) {
      auto synonym = packages_.synonym(*frame.package, t.ref);
      if (!synonym) return fail("unknown type synonym " + identifier(*frame.package, t.ref).qualified_name());
      auto params = synonym.package->items(synonym->params);
      if (params.size() != frame.parts.size()) {
        return fail("wrong number of arguments of the type synonym " +
                    identifier(*frame.package, t.ref).qualified_name());
      }
      if (++expansions > kMaxExpansions) return fail("type synonyms that expand without end");
      auto inner = std::make_shared<TypeScope>();
      for (std::size_t i = 0; i < params.size(); ++i) {
        if (table_.kind_of(frame.parts[i]) != table_.kind(*synonym.package, params[i].kind))
          return fail("ill-kinded type argument");
        inner->emplace_back(params[i].name, frame.parts[i]);
      }
      frame = Frame{synonym.package, synonym->type, std::move(inner), {}};
      continue;
    }
    Ty result = applied(frame);
    if (result.is_none()) return fail("ill-kinded type");
    if (t.kind == TypeKind::forall) --level;
    stack.pop_back();
    if (stack.empty()) {
      if (scope.empty()) closed_.emplace(key, result);
      return result;
    }
    stack.back().parts.push_back(result);
  }
}

Ty TypeReader::applied(const Frame& frame) {
  const Type& t = frame.package->type(frame.type);
  auto all_stars = [&] {
    return std::ranges::all_of(frame.parts, [&](Ty part) { return table_.kind_of(part) == table_.star(); });
  };
  switch (t.kind) {
    case TypeKind::nat:
      return table_.nat(t.number);
    case TypeKind::forall:
      return all_stars() ? table_.forall(frame.variable, frame.parts.front()) : Ty::none();
    case TypeKind::structure: {
      if (!all_stars()) return Ty::none();
      std::vector<std::pair<NameId, Ty>> fields;
      auto members = frame.package->items(t.fields);
      for (std::size_t i = 0; i < members.size(); ++i) {
        fields.emplace_back(table_.name(frame.package->text(members[i].name)), frame.parts[i]);
      }
      return table_.structure(std::move(fields));
    }
    default: {
      bool head_is_part = t.kind == TypeKind::app;
      Ty result = head_is_part ? frame.parts.front() : leaf(frame);
      for (std::size_t i = head_is_part ? 1 : 0; i < frame.parts.size() && !result.is_none(); ++i) {
        result = table_.app(result, frame.parts[i]);
      }
      return result;
    }
  }
}

Ty TypeReader::leaf(const Frame& frame) {
  const Type& t = frame.package->type(frame.type);
  switch (t.kind) {
    case TypeKind::builtin:
      return table_.builtin(t.builtin);
    case TypeKind::con:
      return con_of(*frame.package, t.ref);
    default:
      for (auto it = frame.scope->rbegin(); it != frame.scope->rend(); ++it) {
        if (it->first == t.name) return it->second;
      }
      return fail("unknown type variable " + std::string(frame.package->text(t.name)));
  }
}

Ty TypeReader::con_of(const Package& from, RefId ref) {
  auto found = packages_.data_type(from, ref);
  if (!found) return fail("unknown type " + identifier(from, ref).to_string());
  return table_.con(*found.package, *found.definition);
}

const std::vector<Ty>* TypeReader::members(const TyNode& con, const std::vector<Ty>& arguments, std::uint32_t level) {
  auto key = std::pair(con.definition, arguments);
  if (auto it = members_.find(key); it != members_.end()) return &it->second;
  const Package& package = *con.package;
  auto params = package.items(con.definition->params);
  if (params.size() != arguments.size()) {
    fail("wrong number of type arguments of " + package.qualified_name(*con.definition));
    return nullptr;
  }
  TypeScope scope;
  for (std::size_t i = 0; i < params.size(); ++i) scope.emplace_back(params[i].name, arguments[i]);
  std::vector<Ty> types;
  for (const NamedType& field : package.items(con.definition->fields)) {
    Ty type = read(package, field.type, scope, level);
    if (type.is_none()) return nullptr;
    types.push_back(type);
  }
  return &members_.emplace(std::move(key), std::move(types)).first->second;
}

}  // namespace synod::lf::typing
