// Expressions. In 2.1 each is written inside its parent; from 2.2 all stand in a table and refer to each other by
// index.
#include "lf/ast_walk.h"
#include "lf/text/encoder.h"

namespace synod::lf::text {

void Encoder::encode_exprs() {
  auto count = package_.expr_count();
  if (!flat_) {
    count_uses();
    exprs_.resize(count);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (flat_) {
      add_chain(ExprId{i});
    } else if (uses_[i] != 0) {
      exprs_[i] = expr_message(ExprId{i});
    }
  }
}

void Encoder::count_uses() {
  uses_.assign(package_.expr_count(), 0);
  auto use = [&](ExprId id) {
    if (!id.is_none()) ++uses_[id.value];
  };
  auto use_choice = [&](const Choice& c) { use(c.controllers), use(c.observers), use(c.update); };
  for (const auto& v : package_.values()) use(v.body);
  for (const auto& e : package_.exceptions()) use(e.message);
  for (const auto& i : package_.interfaces()) {
    for (const Choice& c : package_.items(i.choices)) use_choice(c);
  }
  for (const auto& t : package_.templates()) {
    use(t.precondition), use(t.signatories), use(t.observers);
    if (t.has_key) use(t.key.key), use(t.key.maintainers);
    for (const Choice& c : package_.items(t.choices)) use_choice(c);
    for (const Implementation& i : package_.items(t.implementations)) {
      use(i.view);
      for (const MethodBody& m : package_.items(i.methods)) use(m.value);
    }
  }
  for (auto i = package_.expr_count(); i-- > 0;) {
    if (uses_[i] != 0) for_each_child(package_, package_.expr(ExprId{static_cast<std::uint32_t>(i)}), use);
  }
}

// A reference to an expression: its number, or in 2.1 the expression itself.
Bytes Encoder::expr(ExprId id) {
  if (flat_) {
    WireWriter out;
    out.varint(44, expr_index_[id.value]);
    return out.take();
  }
  return --uses_[id.value] == 0 ? std::move(exprs_[id.value]) : exprs_[id.value];
}

// From 2.2 an abstraction has one parameter and a type application one argument: longer ones become several entries.
void Encoder::add_chain(ExprId id) {
  const Expr& e = package_.expr(id);
  auto add = [&](Bytes message) {
    expr_table_.push_back(std::move(message));
    return static_cast<std::uint32_t>(expr_table_.size() - 1);
  };
  auto link = [](std::uint32_t index) {
    WireWriter out;
    out.varint(44, index);
    return out.take();
  };
  std::vector<Bytes> parts;  // innermost first
  if (e.kind == ExprKind::abs) {
    for (const NamedType& p : package_.items(e.params)) parts.insert(parts.begin(), field_type(p.name, p.type));
  } else if (e.kind == ExprKind::type_abs) {
    for (const TypeParam& p : package_.items(e.type_params)) parts.insert(parts.begin(), type_param(p));
  } else if (e.kind == ExprKind::type_app) {
    for (TypeId t : package_.items(e.types)) parts.push_back(type(t));
  } else {
    expr_index_.push_back(add(expr_message(id)));
    return;
  }
  auto index = expr_index_[e.first.value];
  for (std::size_t i = 0; i < parts.size(); ++i) {
    WireWriter inner, out;
    if (i + 1 == parts.size()) location(e.location, out);
    if (e.kind == ExprKind::type_app) {
      inner.bytes(1, link(index));
      inner.bytes(2, parts[i]);
      out.bytes(16, inner.data());
    } else {
      inner.bytes(1, parts[i]);
      inner.bytes(2, link(index));
      out.bytes(e.kind == ExprKind::abs ? 17 : 18, inner.data());
    }
    index = add(out.take());
  }
  expr_index_.push_back(index);
}

void Encoder::location(LocationId id, WireWriter& out) {
  if (id.is_none()) return;
  const Location& location = package_.location(id);
  WireWriter range, message;
  range.scalar(1, static_cast<std::uint32_t>(location.start_line));
  range.scalar(2, static_cast<std::uint32_t>(location.start_column));
  range.scalar(3, static_cast<std::uint32_t>(location.end_line));
  range.scalar(4, static_cast<std::uint32_t>(location.end_column));
  if (!location.module.is_none()) message.bytes(1, module_id(location.package, location.module));
  message.bytes(2, range.data());
  out.bytes(1, message.data());
}

Bytes Encoder::expr_message(ExprId id) {
  const Expr& e = package_.expr(id);
  WireWriter out;
  location(e.location, out);
  if (e.kind >= ExprKind::update_pure) {
    WireWriter update;
    update_body(e, update);
    out.bytes(23, update.data());
  } else if (e.kind >= ExprKind::to_interface) {
    interface_body(e, out);
  } else if (e.kind >= ExprKind::int64 && e.kind <= ExprKind::failure_category) {
    WireWriter literal;
    literal_body(e, literal);
    out.bytes(6, literal.data());
  } else {
    expr_body(e, out);
  }
  return out.take();
}

void Encoder::literal_body(const Expr& e, WireWriter& out) {
  switch (e.kind) {
    case ExprKind::int64:
      out.sint64(1, e.number);
      break;
    case ExprKind::timestamp:
      out.fixed64(2, static_cast<std::uint64_t>(e.number));
      break;
    case ExprKind::numeric:
      out.varint(3, e.name().value);
      break;
    case ExprKind::text:
      out.varint(4, e.name().value);
      break;
    case ExprKind::date:
      out.varint(5, static_cast<std::uint64_t>(e.number));
      break;
    default:
      out.varint(6, static_cast<std::uint64_t>(e.category));
      break;
  }
}

Bytes Encoder::field_expr(const FieldExpr& field) {
  WireWriter out;
  out.bytes(2, expr(field.value));
  out.scalar(3, field.name.value);
  return out.take();
}

Bytes Encoder::binding_message(const Binding& binding) {
  WireWriter out;
  out.bytes(1, field_type(binding.name, binding.type));
  out.bytes(2, expr(binding.bound));
  return out.take();
}

Bytes Encoder::block(Slice<Binding> bindings, ExprId body) {
  WireWriter out;
  for (const Binding& binding : package_.items(bindings)) out.bytes(1, binding_message(binding));
  out.bytes(2, expr(body));
  return out.take();
}

Bytes Encoder::alternative(const Alternative& alternative) {
  WireWriter out, pattern;
  out.bytes(1, expr(alternative.body));
  switch (alternative.pattern) {
    case PatternKind::default_:
      out.bytes(2, "");
      break;
    case PatternKind::variant:
      pattern.bytes(1, ref(alternative.type));
      pattern.scalar(2, alternative.constructor.value);
      pattern.scalar(3, alternative.binder.value);
      out.bytes(3, pattern.data());
      break;
    case PatternKind::enumeration:
      pattern.bytes(1, ref(alternative.type));
      pattern.scalar(2, alternative.constructor.value);
      out.bytes(9, pattern.data());
      break;
    case PatternKind::unit:
      out.varint(4, 0);
      break;
    case PatternKind::false_:
      out.varint(4, 1);
      break;
    case PatternKind::true_:
      out.varint(4, 2);
      break;
    case PatternKind::nil:
      out.bytes(5, "");
      break;
    case PatternKind::cons:
      pattern.scalar(1, alternative.binder.value);
      pattern.scalar(2, alternative.tail.value);
      out.bytes(6, pattern.data());
      break;
    case PatternKind::none:
      out.bytes(7, "");
      break;
    case PatternKind::some:
      pattern.scalar(1, alternative.binder.value);
      out.bytes(8, pattern.data());
      break;
  }
  return out.take();
}

void Encoder::expr_body(const Expr& e, WireWriter& out) {
  WireWriter inner;
  auto typed = [&](std::uint32_t field) {
    inner.bytes(1, type(e.type));
    if (!e.first.is_none()) inner.bytes(2, expr(e.first));
    out.bytes(field, inner.data());
  };
  switch (e.kind) {
    case ExprKind::var:
      out.varint(2, e.name().value);
      return;
    case ExprKind::value:
      out.bytes(3, ref(e.ref));
      return;
    case ExprKind::builtin:
      out.varint(4, static_cast<std::uint64_t>(e.builtin));
      return;
    case ExprKind::builtin_con:
      out.varint(5, static_cast<std::uint64_t>(e.con));
      return;
    case ExprKind::record_con:
      inner.bytes(1, type_con(e.type));
      for (const FieldExpr& field : package_.items(e.fields)) inner.bytes(2, field_expr(field));
      out.bytes(7, inner.data());
      return;
    case ExprKind::record_proj:
      inner.bytes(1, type_con(e.type));
      inner.bytes(3, expr(e.first));
      inner.scalar(4, e.name().value);
      out.bytes(8, inner.data());
      return;
    case ExprKind::record_upd:
      inner.bytes(1, type_con(e.type));
      inner.scalar(2, e.name().value);
      inner.bytes(3, expr(e.first));
      inner.bytes(4, expr(e.second()));
      out.bytes(9, inner.data());
      return;
    case ExprKind::variant_con:
      inner.bytes(1, type_con(e.type));
      inner.scalar(2, e.name().value);
      inner.bytes(3, expr(e.first));
      out.bytes(10, inner.data());
      return;
    case ExprKind::enum_con:
      inner.bytes(1, ref(e.ref));
      inner.scalar(2, e.name().value);
      out.bytes(11, inner.data());
      return;
    case ExprKind::struct_con:
      for (const FieldExpr& field : package_.items(e.fields)) inner.bytes(1, field_expr(field));
      out.bytes(12, inner.data());
      return;
    case ExprKind::struct_proj:
      inner.scalar(1, e.name().value);
      inner.bytes(2, expr(e.first));
      out.bytes(13, inner.data());
      return;
    case ExprKind::struct_upd:
      inner.scalar(1, e.name().value);
      inner.bytes(2, expr(e.first));
      inner.bytes(3, expr(e.second()));
      out.bytes(14, inner.data());
      return;
    case ExprKind::app:
      inner.bytes(1, expr(e.first));
      for (ExprId arg : package_.items(e.args)) inner.bytes(2, expr(arg));
      out.bytes(15, inner.data());
      return;
    case ExprKind::type_app:
      inner.bytes(1, expr(e.first));
      for (TypeId t : package_.items(e.types)) inner.bytes(2, type(t));
      out.bytes(16, inner.data());
      return;
    case ExprKind::abs:
      for (const NamedType& p : package_.items(e.params)) inner.bytes(1, field_type(p.name, p.type));
      inner.bytes(2, expr(e.first));
      out.bytes(17, inner.data());
      return;
    case ExprKind::type_abs:
      for (const TypeParam& p : package_.items(e.type_params)) inner.bytes(1, type_param(p));
      inner.bytes(2, expr(e.first));
      out.bytes(18, inner.data());
      return;
    case ExprKind::case_of:
      inner.bytes(1, expr(e.first));
      for (const Alternative& a : package_.items(e.alternatives)) inner.bytes(2, alternative(a));
      out.bytes(19, inner.data());
      return;
    case ExprKind::let:
      out.bytes(20, block(e.bindings, e.first));
      return;
    case ExprKind::nil:
      inner.bytes(1, type(e.type));
      out.bytes(21, inner.data());
      return;
    case ExprKind::cons:
      inner.bytes(1, type(e.type));
      for (ExprId arg : package_.items(e.args)) inner.bytes(2, expr(arg));
      inner.bytes(3, expr(e.first));
      out.bytes(22, inner.data());
      return;
    case ExprKind::none:
      inner.bytes(1, type(e.type));
      out.bytes(25, inner.data());
      return;
    case ExprKind::some:
      return typed(26);
    case ExprKind::to_any:
      return typed(27);
    case ExprKind::from_any:
      return typed(28);
    case ExprKind::type_rep:
      out.bytes(29, type(e.type));
      return;
    case ExprKind::to_any_exception:
      return typed(30);
    case ExprKind::from_any_exception:
      return typed(31);
    default:  // throw_
      inner.bytes(1, type(e.type));
      inner.bytes(2, type(e.second_type()));
      inner.bytes(3, expr(e.first));
      out.bytes(32, inner.data());
      return;
  }
}

void Encoder::interface_body(const Expr& e, WireWriter& out) {
  WireWriter inner;
  inner.bytes(1, ref(e.ref));
  auto two_types = [&](std::uint32_t field) {
    inner.bytes(2, ref(e.second_ref()));
    inner.bytes(3, expr(e.first));
    bool unsafe = e.kind == ExprKind::unsafe_from_interface || e.kind == ExprKind::unsafe_from_required_interface;
    if (unsafe) inner.bytes(4, expr(e.second()));
    out.bytes(field, inner.data());
  };
  auto one_type = [&](std::uint32_t field) {
    inner.bytes(2, expr(e.first));
    out.bytes(field, inner.data());
  };
  switch (e.kind) {
    case ExprKind::to_interface:
      return two_types(33);
    case ExprKind::from_interface:
      return two_types(34);
    case ExprKind::call_interface:
      inner.scalar(2, e.name().value);
      inner.bytes(3, expr(e.first));
      out.bytes(35, inner.data());
      return;
    case ExprKind::signatory_interface:
      return one_type(36);
    case ExprKind::observer_interface:
      return one_type(37);
    case ExprKind::view_interface:
      return one_type(38);
    case ExprKind::unsafe_from_interface:
      return two_types(39);
    case ExprKind::interface_template_type_rep:
      return one_type(40);
    case ExprKind::to_required_interface:
      return two_types(41);
    case ExprKind::from_required_interface:
      return two_types(42);
    default:
      return two_types(43);
  }
}

void Encoder::update_body(const Expr& e, WireWriter& out) {
  WireWriter inner;
  auto typed = [&](std::uint32_t field) {
    inner.bytes(1, type(e.type));
    inner.bytes(2, expr(e.first));
    out.bytes(field, inner.data());
  };
  auto on_definition = [&](std::uint32_t field) {
    inner.bytes(1, ref(e.ref));
    if (!e.first.is_none()) inner.bytes(2, expr(e.first));
    out.bytes(field, inner.data());
  };
  auto exercise = [&](std::uint32_t field) {
    inner.bytes(1, ref(e.ref));
    inner.scalar(2, e.name().value);
    inner.bytes(3, expr(e.first));
    inner.bytes(4, expr(e.second()));
    out.bytes(field, inner.data());
  };
  switch (e.kind) {
    case ExprKind::update_pure:
      return typed(1);
    case ExprKind::update_block:
      out.bytes(2, block(e.bindings, e.first));
      return;
    case ExprKind::update_create:
      return on_definition(3);
    case ExprKind::update_exercise:
      inner.bytes(1, ref(e.ref));
      inner.bytes(3, expr(e.first));
      inner.bytes(5, expr(e.second()));
      inner.scalar(6, e.name().value);
      out.bytes(4, inner.data());
      return;
    case ExprKind::update_fetch:
      return on_definition(5);
    case ExprKind::update_get_time:
      out.bytes(6, "");
      return;
    case ExprKind::update_embed:
      return typed(7);
    case ExprKind::update_fetch_by_key:
      return on_definition(9);
    case ExprKind::update_exercise_by_key:
      return exercise(10);
    case ExprKind::update_try_catch:
      inner.bytes(1, type(e.type));
      inner.bytes(2, expr(e.first));
      inner.scalar(3, e.name().value);
      inner.bytes(4, expr(e.second()));
      out.bytes(11, inner.data());
      return;
    case ExprKind::update_create_interface:
      return on_definition(12);
    case ExprKind::update_exercise_interface:
      return exercise(13);
    case ExprKind::update_fetch_interface:
      return on_definition(14);
    case ExprKind::update_ledger_time_lt:
      out.bytes(15, expr(e.first));
      return;
    default:
      return on_definition(16);  // update_query_n_by_key
  }
}

}  // namespace synod::lf::text
