// The machine that walks expressions, and the kinds of expressions that are not about interfaces or updates.
#include <algorithm>

#include "lf/typing/checker.h"

namespace synod::lf::typing {

// ---- the machine

void Checker::check(ExprId root, Ty expected) {
  if (failed()) return;
  push(root, expected);
  while (!frames_.empty() && !failed()) {
    if (budget_ == 0) return fail("the package takes too long to check");
    --budget_;
    Frame& frame = frames_.back();
    if (frame.next_pending < frame.end_pending) {
      auto [expr, type] = pending_[frame.next_pending++];
      push(expr, type);
    } else if (!frame.result.is_none()) {
      finish(frame.result);
    } else {
      step(frame, package_.expr(frame.expr));
    }
  }
}

void Checker::push(ExprId expr, Ty expected) {
  auto pending = static_cast<std::uint32_t>(pending_.size());
  frames_.push_back(Frame{.expr = expr,
                          .expected = expected,
                          .vars_mark = static_cast<std::uint32_t>(bound_.size()),
                          .scope_mark = static_cast<std::uint32_t>(scope_.size()),
                          .values_mark = static_cast<std::uint32_t>(values_.size()),
                          .next_pending = pending,
                          .end_pending = pending});
}

void Checker::plan(std::initializer_list<std::pair<ExprId, Ty>> parts, Ty result) {
  if (result.is_none()) return fail("ill-kinded type");
  pending_.insert(pending_.end(), parts.begin(), parts.end());
  Frame& frame = frames_.back();
  frame.end_pending = static_cast<std::uint32_t>(pending_.size());
  frame.result = result;
}

void Checker::finish(Ty type) {
  if (failed()) return;
  Frame frame = frames_.back();
  if (type.is_none()) return fail("ill-kinded type");
  if (!frame.expected.is_none() && type != frame.expected) {
    return fail("type mismatch: expected " + table_.to_string(frame.expected) + ", found " + table_.to_string(type));
  }
  unbind(frame.vars_mark);
  scope_.resize(frame.scope_mark);
  values_.resize(frame.values_mark, Ty::none());
  frames_.pop_back();
  pending_.resize(frames_.empty() ? 0 : frames_.back().end_pending);
  result_ = type;
}

void Checker::bind(StringId name, Ty type) {
  if (vars_.size() <= name.value) vars_.resize(package_.string_count());
  vars_[name.value].push_back(type);
  bound_.push_back(name);
}

void Checker::unbind(std::uint32_t mark) {
  while (bound_.size() > mark) {
    vars_[bound_.back().value].pop_back();
    bound_.pop_back();
  }
}

// ---- types within expressions

Ty Checker::read_any(TypeId type) {
  if (failed()) return Ty::none();
  Ty result = reader_.read(package_, type, scope_, level());
  if (result.is_none()) fail(reader_.error());
  return result;
}

Ty Checker::read(TypeId type) {
  Ty result = read_any(type);
  if (!failed() && table_.kind_of(result) != table_.star())
    fail("expected a type of values, found " + table_.to_string(result));
  return result;
}

Ty Checker::any_type(TypeId type) {
  const Type& t = package_.type(type);
  if (t.kind != TypeKind::con || t.args.count != 0) fail("expected a data type without arguments for Any");
  return read(type);
}

Ty Checker::exception_type(TypeId type) {
  const Type& t = package_.type(type);
  if (t.kind != TypeKind::con || t.args.count != 0 || !packages_.exception(package_, t.ref))
    fail("expected an exception type");
  return read(type);
}

Ty Checker::closed(const Package& package, TypeId type) {
  Ty result = reader_.read_closed(package, type);
  if (result.is_none()) fail(reader_.error());
  return result;
}

Ty Checker::con_of(RefId ref) {
  Ty result = reader_.con_of(package_, ref);
  if (result.is_none()) fail(reader_.error().empty() ? "ill-formed kind" : reader_.error());
  return result;
}

// ---- expressions

void Checker::step(Frame& frame, const Expr& e) {
  if (e.kind >= ExprKind::update_pure) return update_expr(frame, e);
  if (e.kind >= ExprKind::to_interface) return interface_expr(e);
  if (atom(e)) return;
  switch (e.kind) {
    case ExprKind::record_con:
    case ExprKind::record_proj:
    case ExprKind::record_upd:
    case ExprKind::variant_con:
      return data_expr(frame, e);
    case ExprKind::struct_con:
      return structure(frame, e);
    case ExprKind::struct_proj:
    case ExprKind::struct_upd:
      return structure_access(frame, e);
    case ExprKind::app:
      return application(frame, e);
    case ExprKind::type_app:
      return type_application(frame, e);
    case ExprKind::abs:
      return abstraction(frame, e);
    case ExprKind::type_abs:
      return type_abstraction(frame, e);
    case ExprKind::case_of:
      return case_of(frame, e);
    case ExprKind::let:
      return bindings(frame, e);
    default:
      return type_expr(e);
  }
}

bool Checker::atom(const Expr& e) {
  switch (e.kind) {
    case ExprKind::var: {
      auto name = e.name().value;
      if (name >= vars_.size() || vars_[name].empty()) {
        fail("unknown variable " + text(e.name()));
      } else {
        finish(vars_[name].back());
      }
      return true;
    }
    case ExprKind::value: {
      auto found = packages_.value(package_, e.ref);
      if (!found) {
        fail("unknown value " + identifier(package_, e.ref).to_string());
      } else {
        finish(closed(*found.package, found->type));
      }
      return true;
    }
    case ExprKind::builtin:
      finish(builtins_[static_cast<std::size_t>(e.builtin)]);
      return true;
    case ExprKind::builtin_con:
      finish(builtin(e.con == BuiltinCon::unit ? BuiltinType::unit : BuiltinType::boolean));
      return true;
    case ExprKind::int64:
      finish(builtin(BuiltinType::int64));
      return true;
    case ExprKind::timestamp:
      finish(builtin(BuiltinType::timestamp));
      return true;
    case ExprKind::date:
      finish(builtin(BuiltinType::date));
      return true;
    case ExprKind::text:
      finish(builtin(BuiltinType::text));
      return true;
    case ExprKind::failure_category:
      finish(builtin(BuiltinType::failure_category));
      return true;
    case ExprKind::numeric: {
      auto literal = package_.text(e.name());
      auto scale = literal.size() - literal.find('.') - 1;
      finish(table_.builtin(BuiltinType::numeric, table_.nat(static_cast<std::uint32_t>(scale))));
      return true;
    }
    case ExprKind::enum_con: {
      auto found = packages_.data_type(package_, e.ref);
      bool known = found && found->kind == DataKind::enumeration &&
                   std::ranges::any_of(found.package->items(found->constructors), [&](StringId constructor) {
                     return found.package->text(constructor) == package_.text(e.name());
                   });
      if (!known) {
        fail("unknown enumeration constructor " + text(e.name()));
      } else {
        finish(table_.con(*found.package, *found.definition));
      }
      return true;
    }
    default:
      return false;
  }
}

void Checker::data_expr(Frame& frame, const Expr& e) {
  Ty type = read(e.type);
  if (failed()) return;
  std::vector<Ty> arguments;
  const TyNode* data = table_.as_data(type, arguments);
  bool wants_variant = e.kind == ExprKind::variant_con;
  if (!data || data->definition->kind != (wants_variant ? DataKind::variant : DataKind::record)) {
    return fail("expected a " + std::string(wants_variant ? "variant" : "record") + " type, found " +
                table_.to_string(type));
  }
  const auto* members = reader_.members(*data, arguments, level());
  if (!members) return fail(reader_.error());
  auto fields = data->package->items(data->definition->fields);
  if (e.kind == ExprKind::record_con) {
    auto given = package_.items(e.fields);
    bool same = std::ranges::equal(given, fields, [&](const FieldExpr& g, const NamedType& f) {
      return package_.text(g.name) == data->package->text(f.name);
    });
    if (!same) return fail("the fields do not match those of " + table_.to_string(type));
    for (std::size_t i = 0; i < given.size(); ++i) pending_.emplace_back(given[i].value, (*members)[i]);
    frame.end_pending = static_cast<std::uint32_t>(pending_.size());
    frame.result = type;
    return;
  }
  auto at = std::ranges::find_if(
      fields, [&](const NamedType& f) { return data->package->text(f.name) == package_.text(e.name()); });
  if (at == fields.end()) return fail(table_.to_string(type) + " has no " + text(e.name()));
  Ty member = (*members)[static_cast<std::size_t>(at - fields.begin())];
  switch (e.kind) {
    case ExprKind::record_proj:
      return plan({{e.first, type}}, member);
    case ExprKind::record_upd:
      return plan({{e.first, type}, {e.second(), member}}, type);
    default:
      return plan({{e.first, member}}, type);
  }
}

void Checker::type_expr(const Expr& e) {
  switch (e.kind) {
    case ExprKind::nil: {
      Ty element = read(e.type);
      return failed() ? void() : finish(table_.list(element));
    }
    case ExprKind::none: {
      Ty element = read(e.type);
      return failed() ? void() : finish(table_.optional(element));
    }
    case ExprKind::cons: {
      Ty element = read(e.type);
      if (failed()) return;
      for (ExprId item : package_.items(e.args)) pending_.emplace_back(item, element);
      return plan({{e.first, table_.list(element)}}, table_.list(element));
    }
    case ExprKind::some: {
      Ty element = read(e.type);
      return failed() ? void() : plan({{e.first, element}}, table_.optional(element));
    }
    case ExprKind::to_any: {
      Ty type = any_type(e.type);
      return failed() ? void() : plan({{e.first, type}}, builtin(BuiltinType::any));
    }
    case ExprKind::from_any: {
      Ty type = any_type(e.type);
      return failed() ? void() : plan({{e.first, builtin(BuiltinType::any)}}, table_.optional(type));
    }
    case ExprKind::type_rep:
      any_type(e.type);
      return failed() ? void() : finish(builtin(BuiltinType::type_rep));
    case ExprKind::to_any_exception: {
      Ty type = exception_type(e.type);
      return failed() ? void() : plan({{e.first, type}}, builtin(BuiltinType::any_exception));
    }
    case ExprKind::from_any_exception: {
      Ty type = exception_type(e.type);
      return failed() ? void() : plan({{e.first, builtin(BuiltinType::any_exception)}}, table_.optional(type));
    }
    default: {  // throw_
      Ty result = read(e.type);
      Ty type = exception_type(e.second_type());
      return failed() ? void() : plan({{e.first, type}}, result);
    }
  }
}

void Checker::structure(Frame& frame, const Expr& e) {
  auto given = package_.items(e.fields);
  if (frame.stage > 0) values_.push_back(result_);
  if (frame.stage < given.size()) return push(given[frame.stage++].value, Ty::none());
  std::vector<std::pair<NameId, Ty>> fields;
  for (std::size_t i = 0; i < given.size(); ++i) {
    NameId name = table_.name(package_.text(given[i].name));
    bool twice = std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
    if (twice) return fail("a struct has two fields " + text(given[i].name));
    fields.emplace_back(name, values_[frame.values_mark + i]);
  }
  finish(table_.structure(std::move(fields)));
}

void Checker::structure_access(Frame& frame, const Expr& e) {
  if (frame.stage++ == 0) return push(e.first, Ty::none());
  Ty type = result_;
  Ty field = table_.node(type).shape == TyShape::structure ? table_.field(type, table_.name(package_.text(e.name())))
                                                           : Ty::none();
  if (field.is_none()) return fail(table_.to_string(type) + " has no field " + text(e.name()));
  if (e.kind == ExprKind::struct_proj) return finish(field);
  plan({{e.second(), field}}, type);
}

void Checker::application(Frame& frame, const Expr& e) {
  if (frame.stage == 0) {
    frame.stage = 1;
    return push(e.first, Ty::none());
  }
  if (frame.stage == 1) frame.held = result_;
  auto args = package_.items(e.args);
  auto index = frame.stage - 1;
  if (index == args.size()) return finish(frame.held);
  Ty from, to;
  if (!table_.as_arrow(frame.held, from, to)) return fail("expected a function, found " + table_.to_string(frame.held));
  frame.held = to;
  frame.stage = index + 2;
  push(args[index], from);
}

void Checker::type_application(Frame& frame, const Expr& e) {
  if (frame.stage++ == 0) return push(e.first, Ty::none());
  Ty type = result_;
  for (TypeId id : package_.items(e.types)) {
    if (budget_-- <= 1) return fail("the package takes too long to check");
    if (table_.node(type).shape != TyShape::forall)
      return fail("expected a polymorphic value, found " + table_.to_string(type));
    Ty argument = read_any(id);
    if (failed()) return;
    if (table_.kind_of(argument) != table_.node(type).binder)
      return fail("ill-kinded type argument " + table_.to_string(argument));
    type = table_.instantiate(type, argument);
  }
  finish(type);
}

void Checker::abstraction(Frame& frame, const Expr& e) {
  auto params = package_.items(e.params);
  if (frame.stage++ == 0) {
    for (const NamedType& param : params) {
      Ty type = read(param.type);
      if (failed()) return;
      values_.push_back(type);
      bind(param.name, type);
    }
    return push(e.first, Ty::none());
  }
  Ty type = result_;
  for (std::size_t i = params.size(); i-- > 0;) type = table_.arrow(values_[frame.values_mark + i], type);
  finish(type);
}

void Checker::type_abstraction(Frame& frame, const Expr& e) {
  auto params = package_.items(e.type_params);
  if (frame.stage++ == 0) {
    for (const TypeParam& param : params) {
      TyKind kind = table_.kind(package_, param.kind);
      if (kind.is_none()) return fail("ill-formed kind");
      Ty variable = table_.var(level(), kind);
      values_.push_back(variable);
      scope_.emplace_back(param.name, variable);
    }
    return push(e.first, Ty::none());
  }
  Ty type = result_;
  for (std::size_t i = params.size(); i-- > 0;) type = table_.forall(values_[frame.values_mark + i], type);
  finish(type);
}

// let, and the bind of updates: each binding is in scope of the later ones.
void Checker::bindings(Frame& frame, const Expr& e) {
  bool is_update = e.kind == ExprKind::update_block;
  auto all = package_.items(e.bindings);
  if (frame.stage > 0 && frame.stage <= all.size()) bind(all[frame.stage - 1].name, frame.held);
  if (frame.stage < all.size()) {
    const Binding& binding = all[frame.stage++];
    frame.held = read(binding.type);
    if (failed()) return;
    return push(binding.bound, is_update ? table_.update(frame.held) : frame.held);
  }
  if (frame.stage++ == all.size()) return push(e.first, Ty::none());
  if (is_update && table_.as_applied(result_, BuiltinType::update).is_none()) {
    return fail("expected an update, found " + table_.to_string(result_));
  }
  finish(result_);
}

// ---- case

void Checker::case_of(Frame& frame, const Expr& e) {
  if (frame.stage == 0) {
    frame.stage = 1;
    return push(e.first, Ty::none());
  }
  auto alternatives = package_.items(e.alternatives);
  if (frame.stage == 1) {
    if (alternatives.empty()) return fail("a case without alternatives");
    frame.held = result_;
    // All patterns first: they must suit the scrutinee and leave nothing out.
    std::size_t expected = 1;
    std::vector<std::uint32_t> seen;
    bool has_default = false;
    for (const Alternative& alternative : alternatives) {
      std::size_t rank = 0;
      if (!pattern(alternative, frame.held, rank, expected)) return;
      unbind(frame.vars_mark);
      has_default |= alternative.pattern == PatternKind::default_;
      if (alternative.pattern != PatternKind::default_) seen.push_back(static_cast<std::uint32_t>(rank));
    }
    std::ranges::sort(seen);
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    if (!has_default && seen.size() < expected)
      return fail("a case leaves out constructors of " + table_.to_string(frame.held));
  }
  unbind(frame.vars_mark);
  auto index = frame.stage - 1;
  if (index == 1) values_.push_back(result_);  // the first alternative's type is that of all
  if (index == alternatives.size()) return finish(values_[frame.values_mark]);
  Ty expected_type = index == 0 ? Ty::none() : values_[frame.values_mark];
  std::size_t rank = 0, expected = 0;
  if (!pattern(alternatives[index], frame.held, rank, expected)) return;
  frame.stage = index + 2;
  push(alternatives[index].body, expected_type);
}

// Binds the pattern's variables. `rank` says which constructor it matches, `expected` how many there are.
bool Checker::pattern(const Alternative& alternative, Ty scrutinee, std::size_t& rank, std::size_t& expected) {
  auto mismatch = [&] { return fail("a pattern does not match " + table_.to_string(scrutinee)), false; };
  auto ranked = [&](std::size_t r, std::size_t count) {
    rank = r;
    expected = count;
    return true;
  };
  Ty list = table_.as_applied(scrutinee, BuiltinType::list),
     optional = table_.as_applied(scrutinee, BuiltinType::optional);
  switch (alternative.pattern) {
    case PatternKind::default_:
      return true;
    case PatternKind::unit:
      return table_.is_builtin(scrutinee, BuiltinType::unit) ? ranked(0, 1) : mismatch();
    case PatternKind::false_:
      return table_.is_builtin(scrutinee, BuiltinType::boolean) ? ranked(0, 2) : mismatch();
    case PatternKind::true_:
      return table_.is_builtin(scrutinee, BuiltinType::boolean) ? ranked(1, 2) : mismatch();
    case PatternKind::nil:
      return !list.is_none() ? ranked(0, 2) : mismatch();
    case PatternKind::none:
      return !optional.is_none() ? ranked(0, 2) : mismatch();
    case PatternKind::cons:
      if (list.is_none()) return mismatch();
      if (alternative.binder == alternative.tail)
        return fail("a pattern binds " + text(alternative.tail) + " twice"), false;
      bind(alternative.binder, list);
      bind(alternative.tail, scrutinee);
      return ranked(1, 2);
    case PatternKind::some:
      if (optional.is_none()) return mismatch();
      bind(alternative.binder, optional);
      return ranked(1, 2);
    case PatternKind::variant:
    case PatternKind::enumeration:
      break;
  }
  std::vector<Ty> arguments;
  const TyNode* data = table_.as_data(scrutinee, arguments);
  auto found = packages_.data_type(package_, alternative.type);
  if (!data || !found || found.definition != data->definition) return mismatch();
  auto wanted = package_.text(alternative.constructor);
  if (alternative.pattern == PatternKind::enumeration) {
    auto constructors = found.package->items(found->constructors);
    auto at = std::ranges::find_if(constructors, [&](StringId c) { return found.package->text(c) == wanted; });
    if (found->kind != DataKind::enumeration || at == constructors.end()) return mismatch();
    return ranked(static_cast<std::size_t>(at - constructors.begin()), constructors.size());
  }
  auto constructors = found.package->items(found->fields);
  auto at =
      std::ranges::find_if(constructors, [&](const NamedType& c) { return found.package->text(c.name) == wanted; });
  if (found->kind != DataKind::variant || at == constructors.end()) return mismatch();
  const auto* members = reader_.members(*data, arguments, level());
  if (!members) return fail(reader_.error()), false;
  bind(alternative.binder, (*members)[static_cast<std::size_t>(at - constructors.begin())]);
  return ranked(static_cast<std::size_t>(at - constructors.begin()), constructors.size());
}

}  // namespace synod::lf::typing
