// Interface expressions and updates.
#include <algorithm>

#include "lf/typing/checker.h"

namespace synod::lf::typing {

namespace {
// DA.Types of the standard library, which holds the pairs that key lookups return.
constexpr const char* kPairPackage = "5aee9b21b8e9a4c4975b5f4c4198e6e6e8469df49e2010820e792f393db870f4";
}  // namespace

Found<Template> Checker::template_of(RefId ref) {
  auto found = packages_.template_(package_, ref);
  if (!found) fail("unknown template " + identifier(package_, ref).to_string());
  return found;
}

Found<Interface> Checker::interface_of(RefId ref) {
  auto found = packages_.interface(package_, ref);
  if (!found) fail("unknown interface " + identifier(package_, ref).to_string());
  return found;
}

bool Checker::implements(Found<Template> tpl, Found<Interface> interface) const {
  return std::ranges::any_of(tpl.package->items(tpl->implementations), [&](const Implementation& implementation) {
    return packages_.interface(*tpl.package, implementation.interface).definition == interface.definition;
  });
}

bool Checker::requires_(Found<Interface> requiring, Found<Interface> required) const {
  return std::ranges::any_of(requiring.package->items(requiring->required), [&](RefId ref) {
    return packages_.interface(*requiring.package, ref).definition == required.definition;
  });
}

void Checker::interface_expr(const Expr& e) {
  auto interface = interface_of(e.ref);
  if (failed()) return;
  Ty self = con_of(e.ref);
  switch (e.kind) {
    case ExprKind::to_interface:
    case ExprKind::from_interface:
    case ExprKind::unsafe_from_interface: {
      auto tpl = template_of(e.second_ref());
      Ty contract = failed() ? Ty::none() : con_of(e.second_ref());
      if (failed()) return;
      if (!implements(tpl, interface))
        return fail(table_.to_string(contract) + " does not implement " + table_.to_string(self));
      if (e.kind == ExprKind::to_interface) return plan({{e.first, contract}}, self);
      if (e.kind == ExprKind::from_interface) return plan({{e.first, self}}, table_.optional(contract));
      return plan({{e.first, table_.contract_id(self)}, {e.second(), self}}, contract);
    }
    case ExprKind::to_required_interface:
    case ExprKind::from_required_interface:
    case ExprKind::unsafe_from_required_interface: {
      auto requiring = interface_of(e.second_ref());
      Ty its_type = failed() ? Ty::none() : con_of(e.second_ref());
      if (failed()) return;
      if (!requires_(requiring, interface))
        return fail(table_.to_string(its_type) + " does not require " + table_.to_string(self));
      if (e.kind == ExprKind::to_required_interface) return plan({{e.first, its_type}}, self);
      if (e.kind == ExprKind::from_required_interface) return plan({{e.first, self}}, table_.optional(its_type));
      return plan({{e.first, table_.contract_id(self)}, {e.second(), self}}, its_type);
    }
    case ExprKind::call_interface:
      for (const NamedType& method : interface.package->items(interface->methods)) {
        if (interface.package->text(method.name) == package_.text(e.name())) {
          Ty result = closed(*interface.package, method.type);
          return failed() ? void() : plan({{e.first, self}}, result);
        }
      }
      return fail(table_.to_string(self) + " has no method " + text(e.name()));
    case ExprKind::view_interface: {
      Ty view = closed(*interface.package, interface->view);
      return failed() ? void() : plan({{e.first, self}}, view);
    }
    case ExprKind::interface_template_type_rep:
      return plan({{e.first, self}}, builtin(BuiltinType::type_rep));
    default:
      return plan({{e.first, self}}, table_.parties());  // signatory_interface, observer_interface
  }
}

void Checker::update_expr(Frame& frame, const Expr& e) {
  switch (e.kind) {
    case ExprKind::update_pure: {
      Ty type = read(e.type);
      return failed() ? void() : plan({{e.first, type}}, table_.update(type));
    }
    case ExprKind::update_block:
      return bindings(frame, e);
    case ExprKind::update_create:
    case ExprKind::update_create_interface:
    case ExprKind::update_fetch:
    case ExprKind::update_fetch_interface: {
      bool on_template = e.kind == ExprKind::update_create || e.kind == ExprKind::update_fetch;
      if (on_template) {
        template_of(e.ref);
      } else {
        interface_of(e.ref);
      }
      Ty self = failed() ? Ty::none() : con_of(e.ref);
      if (failed()) return;
      bool creates = e.kind == ExprKind::update_create || e.kind == ExprKind::update_create_interface;
      if (creates) return plan({{e.first, self}}, table_.update(table_.contract_id(self)));
      return plan({{e.first, table_.contract_id(self)}}, table_.update(self));
    }
    case ExprKind::update_exercise:
    case ExprKind::update_exercise_interface: {
      const Choice* choice = nullptr;
      const Package* package = nullptr;
      if (e.kind == ExprKind::update_exercise) {
        auto found = template_of(e.ref);
        if (found) choice = found.package->find_choice(found->choices, package_.text(e.name()));
        package = found.package;
      } else {
        auto found = interface_of(e.ref);
        if (found) choice = found.package->find_choice(found->choices, package_.text(e.name()));
        package = found.package;
      }
      Ty self = failed() ? Ty::none() : con_of(e.ref);
      if (failed()) return;
      if (!choice) return fail(table_.to_string(self) + " has no choice " + text(e.name()));
      Ty argument = closed(*package, choice->argument.type), result = closed(*package, choice->result);
      return failed() ? void()
                      : plan({{e.first, table_.contract_id(self)}, {e.second(), argument}}, table_.update(result));
    }
    case ExprKind::update_get_time:
      return finish(table_.update(builtin(BuiltinType::timestamp)));
    case ExprKind::update_ledger_time_lt:
      return plan({{e.first, builtin(BuiltinType::timestamp)}}, table_.update(builtin(BuiltinType::boolean)));
    case ExprKind::update_embed: {
      Ty type = read(e.type);
      return failed() ? void() : plan({{e.first, table_.update(type)}}, table_.update(type));
    }
    case ExprKind::update_try_catch:
      return try_catch(frame, e);
    default:
      return key_expr(e);
  }
}

void Checker::try_catch(Frame& frame, const Expr& e) {
  Ty type = read(e.type);
  if (failed()) return;
  switch (frame.stage++) {
    case 0:
      return push(e.first, table_.update(type));
    case 1:
      bind(e.name(), builtin(BuiltinType::any_exception));
      return push(e.second(), table_.optional(table_.update(type)));
    default:
      return finish(table_.update(type));
  }
}

void Checker::key_expr(const Expr& e) {
  auto tpl = template_of(e.ref);
  Ty self = failed() ? Ty::none() : con_of(e.ref);
  if (failed()) return;
  if (!tpl->has_key) return fail(table_.to_string(self) + " has no key");
  Ty key = closed(*tpl.package, tpl->key.type);
  if (failed()) return;
  if (e.kind == ExprKind::update_exercise_by_key) {
    const Choice* choice = tpl.package->find_choice(tpl->choices, package_.text(e.name()));
    if (!choice) return fail(table_.to_string(self) + " has no choice " + text(e.name()));
    Ty argument = closed(*tpl.package, choice->argument.type), result = closed(*tpl.package, choice->result);
    return failed() ? void() : plan({{e.first, key}, {e.second(), argument}}, table_.update(result));
  }
  const Package* pairs = packages_.find(kPairPackage);
  const DataType* pair = pairs ? pairs->find_data_type("DA.Types", "Tuple2") : nullptr;
  if (!pair) return fail("contract keys need package " + std::string(kPairPackage) + " (DA.Types)");
  Ty contract = table_.app(table_.app(table_.con(*pairs, *pair), table_.contract_id(self)), self);
  if (e.kind == ExprKind::update_fetch_by_key) return finish(table_.arrow(key, table_.update(contract)));
  finish(table_.arrow(builtin(BuiltinType::int64),
                      table_.arrow(key, table_.update(table_.optional(table_.list(contract))))));
}

}  // namespace synod::lf::typing
