// The sub-expressions of an expression, in the order of evaluation as written. For passes over lf/ast.h.
#pragma once

#include "lf/package.h"

namespace synod::lf {

template <typename F>
void for_each_child(const Package& package, const Expr& e, F&& visit) {
  switch (e.kind) {
    case ExprKind::var:
    case ExprKind::value:
    case ExprKind::builtin:
    case ExprKind::builtin_con:
    case ExprKind::int64:
    case ExprKind::timestamp:
    case ExprKind::date:
    case ExprKind::numeric:
    case ExprKind::text:
    case ExprKind::failure_category:
    case ExprKind::enum_con:
    case ExprKind::nil:
    case ExprKind::none:
    case ExprKind::type_rep:
    case ExprKind::update_fetch_by_key:
    case ExprKind::update_query_n_by_key:
    case ExprKind::update_get_time:
      return;

    case ExprKind::record_con:
    case ExprKind::struct_con:
      for (const FieldExpr& field : package.items(e.fields)) visit(field.value);
      return;
    case ExprKind::app:
      visit(e.first);
      for (ExprId arg : package.items(e.args)) visit(arg);
      return;
    case ExprKind::cons:
      for (ExprId arg : package.items(e.args)) visit(arg);
      visit(e.first);
      return;
    case ExprKind::case_of:
      visit(e.first);
      for (const Alternative& alternative : package.items(e.alternatives)) visit(alternative.body);
      return;
    case ExprKind::let:
    case ExprKind::update_block:
      for (const Binding& binding : package.items(e.bindings)) visit(binding.bound);
      visit(e.first);
      return;

    case ExprKind::record_upd:
    case ExprKind::struct_upd:
    case ExprKind::unsafe_from_interface:
    case ExprKind::unsafe_from_required_interface:
    case ExprKind::update_exercise:
    case ExprKind::update_exercise_interface:
    case ExprKind::update_exercise_by_key:
    case ExprKind::update_try_catch:
      visit(e.first);
      visit(e.second());
      return;

    case ExprKind::record_proj:
    case ExprKind::variant_con:
    case ExprKind::struct_proj:
    case ExprKind::type_app:
    case ExprKind::abs:
    case ExprKind::type_abs:
    case ExprKind::some:
    case ExprKind::to_any:
    case ExprKind::from_any:
    case ExprKind::to_any_exception:
    case ExprKind::from_any_exception:
    case ExprKind::throw_:
    case ExprKind::to_interface:
    case ExprKind::from_interface:
    case ExprKind::to_required_interface:
    case ExprKind::from_required_interface:
    case ExprKind::call_interface:
    case ExprKind::view_interface:
    case ExprKind::signatory_interface:
    case ExprKind::observer_interface:
    case ExprKind::interface_template_type_rep:
    case ExprKind::update_pure:
    case ExprKind::update_create:
    case ExprKind::update_create_interface:
    case ExprKind::update_fetch:
    case ExprKind::update_fetch_interface:
    case ExprKind::update_ledger_time_lt:
    case ExprKind::update_embed:
      visit(e.first);
      return;
  }
}

}  // namespace synod::lf
