// Code for expressions that yield a value from values.
#include "lf/eval/compiler_state.h"
#include "lf/value.h"

namespace synod::lf::eval {

Cell Compiler::constant_action(UpdateOp op) {
  auto* a = program_.immortal().make<ActionObject>();
  a->op = op;
  a->count = 0;
  a->ref = nullptr;
  Cell c;
  c.tag = Tag::action;
  c.action = a;
  return c;
}

Cell Compiler::builtin_cell(BuiltinFunction function) {
  if (function == BuiltinFunction::textmap_empty) return make_map(Tag::text_map, nullptr);
  if (function == BuiltinFunction::genmap_empty) return make_map(Tag::gen_map, nullptr);
  Cell c = make_tag(Tag::builtin);
  c.aux = static_cast<std::uint32_t>(function);
  return c;
}

std::optional<std::uint32_t> Compiler::simple(ExprId id) {
  const Expr& e = package_.expr(strip(id));
  switch (e.kind) {
    case ExprKind::var:
      return lookup(StringId{e.pair.id}.value);
    case ExprKind::int64:
      return constant(make_int64(e.number));
    case ExprKind::timestamp:
      return constant(make_integer(Tag::timestamp, e.number));
    case ExprKind::date:
      return constant(make_integer(Tag::date, e.number));
    case ExprKind::text:
      return constant(text(package_.text(e.name())));
    case ExprKind::failure_category:
      return constant(make_int64(e.category == FailureCategory::invalid_independent_of_system_state ? 8 : 9));
    case ExprKind::numeric: {
      auto n = parse_numeric(package_.text(e.name()));
      if (!n) return std::nullopt;
      return constant(make_numeric(program_.immortal(), n->unscaled, n->scale));
    }
    case ExprKind::builtin_con:
      switch (e.con) {
        case BuiltinCon::unit:
          return constant(make_unit());
        case BuiltinCon::false_:
          return constant(make_bool(false));
        case BuiltinCon::true_:
          return constant(make_bool(true));
      }
      return std::nullopt;
    case ExprKind::builtin:
      return constant(builtin_cell(e.builtin));
    case ExprKind::enum_con: {
      const TypeDescriptor* type = program_.descriptor(package_, e.ref);
      int rank = type ? type->index_of(package_.text(e.name())) : -1;
      if (rank < 0) return std::nullopt;
      return constant(make_enum(type, static_cast<std::uint32_t>(rank)));
    }
    case ExprKind::nil:
      return constant(make_nil());
    case ExprKind::none:
      return constant(make_none());
    case ExprKind::value: {
      Definition* d = program_.definition(package_, e.ref);
      if (!d || !d->is_function) return std::nullopt;
      return constant(d->function);
    }
    case ExprKind::type_rep: {
      const RuntimeType* type = program_.type(package_, e.type);
      if (!type) return std::nullopt;
      Cell c = make_tag(Tag::type_rep);
      c.runtime_type = type;
      return constant(c);
    }
    case ExprKind::update_get_time:
      return constant(constant_action(UpdateOp::get_time));
    default:
      return std::nullopt;
  }
}

void Compiler::push_node(std::uint32_t restore, const std::vector<Pending>& pending, Instruction i, std::uint32_t dst,
                         bool tail, bool run, std::span<const Instruction> before) {
  std::uint32_t inner = fn().next;
  fn().next = restore;
  push_restore();  // executed last
  push_done(dst, tail, run);
  fn().next = inner;
  push_emit(i);
  for (const Instruction& b : before) push_emit(b);
  push_pending(pending);
}

void Compiler::expr(ExprId id, std::uint32_t dst, bool tail, bool run) {
  const Expr& outer = package_.expr(id);
  if (!outer.location.is_none()) {
    auto at = static_cast<std::uint32_t>(code().instructions.size());
    code().locations.emplace_back(at, outer.location);
  }
  if (auto operand = simple(id)) return finish(*operand, dst, tail, run);
  id = strip(id);
  const Expr& e = package_.expr(id);
  std::uint32_t restore = fn().next;
  std::vector<Pending> pending;
  switch (e.kind) {
    case ExprKind::var:
      return fail_with("unbound variable " + std::string(package_.text(e.name())));
    case ExprKind::value: {
      Definition* d = program_.definition(package_, e.ref);
      if (!d) return fail_with("unknown value " + identifier(package_, e.ref).to_string());
      code().definitions.push_back(d);
      emit(Op::load, dst, peek(), static_cast<std::uint32_t>(code().definitions.size() - 1));
      return done(dst, tail, run);
    }
    case ExprKind::numeric:
      return fail_with("malformed Numeric literal");
    case ExprKind::enum_con:
      return fail_with("unknown constructor of " + identifier(package_, e.ref).to_string());
    case ExprKind::type_rep:
      return fail_with("type representation of a type that is not closed");
    case ExprKind::record_con:
      return record_con(e, dst, tail, run);
    case ExprKind::struct_con:
      return struct_con(e, dst, tail, run);
    case ExprKind::record_proj:
    case ExprKind::record_upd: {
      const TypeDescriptor* type = descriptor_of(e.type);
      int field = type ? type->index_of(package_.text(e.name())) : -1;
      if (field < 0) return fail_with("unknown record field " + std::string(package_.text(e.name())));
      std::uint32_t record = place(e.first, pending);
      std::uint32_t value = e.kind == ExprKind::record_upd ? place(e.second(), pending) : 0;
      Op op = e.kind == ExprKind::record_upd ? Op::update : Op::project;
      return push_node(restore, pending, make(op, dst, record, value, static_cast<std::uint32_t>(field)), dst, tail,
                       run);
    }
    case ExprKind::struct_proj:
    case ExprKind::struct_upd: {
      std::uint32_t symbol = program_.symbol(package_.text(e.name()));
      std::uint32_t record = place(e.first, pending);
      std::uint32_t value = e.kind == ExprKind::struct_upd ? place(e.second(), pending) : fn().hints++;
      Op op = e.kind == ExprKind::struct_upd ? Op::struct_update : Op::struct_project;
      return push_node(restore, pending, make(op, dst, record, value, symbol), dst, tail, run);
    }
    case ExprKind::variant_con: {
      const TypeDescriptor* type = descriptor_of(e.type);
      int rank = type ? type->index_of(package_.text(e.name())) : -1;
      if (rank < 0) return fail_with("unknown constructor " + std::string(package_.text(e.name())));
      std::uint32_t argument = place(e.first, pending);
      return push_node(restore, pending,
                       make(Op::variant, dst, argument, reference(type), static_cast<std::uint32_t>(rank)), dst, tail,
                       run);
    }
    case ExprKind::app:
      return application(id, dst, tail, run);
    case ExprKind::abs:
      return abstraction(id, dst, tail, run);
    case ExprKind::case_of:
      return case_of(id, dst, tail, run);
    case ExprKind::let:
    case ExprKind::update_block:
      if (e.kind == ExprKind::update_block && !run) {
        std::uint32_t first = alloc(1);
        push(Task{Task::What::set_next, false, false, id, 0, restore, 0, {}});
        push(Task{Task::What::block, tail, false, id, dst, first, 0, {}});
        return push_expr(package_.items(e.bindings)[0].bound, first, false, false);
      }
      push_restore();
      push_unbind(e.bindings.count);
      return push(Task{Task::What::binding, tail, run, id, dst, 0, 0, {}});
    case ExprKind::cons: {
      auto front = package_.items(e.args);
      std::vector<std::uint32_t> operands;
      for (ExprId item : front) operands.push_back(place(item, pending));
      std::uint32_t tail_operand = place(e.first, pending);
      std::uint32_t inner = fn().next;
      fn().next = restore;
      push_restore();
      push_done(dst, tail, run);
      fn().next = inner;
      for (std::size_t i = 0; i < operands.size(); ++i)  // pushed in reverse: the last element is consed first
        push_emit(make(Op::cons, dst, operands[i], i + 1 == operands.size() ? tail_operand : kSlot | dst));
      return push_pending(pending);
    }
    case ExprKind::some: {
      std::uint32_t value = place(e.first, pending);
      return push_node(restore, pending, make(Op::some, dst, value), dst, tail, run);
    }
    case ExprKind::to_any:
    case ExprKind::to_any_exception:
    case ExprKind::from_any:
    case ExprKind::from_any_exception: {
      const RuntimeType* type = program_.type(package_, e.type);
      if (!type) return fail_with("Any of a type that is not closed");
      bool to = e.kind == ExprKind::to_any || e.kind == ExprKind::to_any_exception;
      std::uint32_t value = place(e.first, pending);
      return push_node(restore, pending, make(to ? Op::to_any : Op::from_any, dst, value, reference(type)), dst, tail,
                       run);
    }
    case ExprKind::throw_: {
      const RuntimeType* type = program_.type(package_, e.second_type());
      if (!type) return fail_with("exception of a type that is not closed");
      std::uint32_t value = place(e.first, pending);
      push_restore();
      push_emit(make(Op::raise, 0, kSlot | dst));
      push_emit(make(Op::to_any, dst, value, reference(type)));
      return push_pending(pending);
    }
    case ExprKind::to_interface: {
      std::uint32_t value = place(e.first, pending);
      const UpdateRef* ref = program_.update_ref(package_, e.second_ref());
      return push_node(restore, pending, make(Op::to_interface, dst, value, reference(ref)), dst, tail, run);
    }
    case ExprKind::from_interface:
    case ExprKind::from_required_interface: {
      std::uint32_t value = place(e.first, pending);
      bool to_template = e.kind == ExprKind::from_interface;
      const UpdateRef* ref = program_.update_ref(package_, e.second_ref());
      return push_node(restore, pending,
                       make(to_template ? Op::from_interface : Op::from_required, dst, value, reference(ref)), dst,
                       tail, run);
    }
    case ExprKind::unsafe_from_interface:
    case ExprKind::unsafe_from_required_interface: {
      std::uint32_t base = alloc(2);
      bool to_template = e.kind == ExprKind::unsafe_from_interface;
      const UpdateRef* ref = program_.update_ref(package_, e.second_ref(), {}, to_template ? RefId::none() : e.ref);
      pending = {{e.first, base}, {e.second(), base + 1}};
      return push_node(
          restore, pending,
          make(to_template ? Op::unsafe_from_interface : Op::unsafe_from_required, dst, kSlot | base, reference(ref)),
          dst, tail, run);
    }
    case ExprKind::to_required_interface:
      return push_expr(e.first, dst, tail, run);
    case ExprKind::call_interface:
    case ExprKind::view_interface:
    case ExprKind::signatory_interface:
    case ExprKind::observer_interface: {
      std::uint32_t base = alloc(1);
      pending = {{e.first, base}};
      bool method = e.kind == ExprKind::call_interface;
      const UpdateRef* ref =
          program_.update_ref(package_, e.ref, method ? package_.text(e.name()) : std::string_view());
      Op op = method                                    ? Op::call_interface
              : e.kind == ExprKind::view_interface      ? Op::view_interface
              : e.kind == ExprKind::signatory_interface ? Op::signatory_interface
                                                        : Op::observer_interface;
      return push_node(restore, pending, make(op, dst, kSlot | base, reference(ref)), dst, tail, run);
    }
    case ExprKind::interface_template_type_rep: {
      std::uint32_t value = place(e.first, pending);
      return push_node(restore, pending, make(Op::template_type_rep, dst, value), dst, tail, run);
    }
    case ExprKind::update_pure:
      if (run) return push_expr(e.first, dst, tail, false);
      return update(e, UpdateOp::pure, nullptr, 1, dst, tail, run);
    case ExprKind::update_embed:
      if (run) return push_expr(e.first, dst, tail, true);
      return suspend(e.first, dst, tail);
    case ExprKind::update_try_catch:
      if (!run) return suspend(id, dst, tail);
      return try_catch(id, dst, tail);
    case ExprKind::update_create_interface:
      if (!run) return suspend(id, dst, tail);
      return update(e, UpdateOp::create_interface, program_.update_ref(package_, e.ref), 1, dst, tail, run);
    case ExprKind::update_create:
      return update(e, UpdateOp::create, program_.update_ref(package_, e.ref), 1, dst, tail, run);
    case ExprKind::update_fetch:
      return update(e, UpdateOp::fetch, program_.update_ref(package_, e.ref), 1, dst, tail, run);
    case ExprKind::update_fetch_interface:
      return update(e, UpdateOp::fetch_interface, program_.update_ref(package_, e.ref), 1, dst, tail, run);
    case ExprKind::update_ledger_time_lt:
      return update(e, UpdateOp::ledger_time_lt, nullptr, 1, dst, tail, run);
    case ExprKind::update_exercise:
    case ExprKind::update_exercise_interface:
    case ExprKind::update_exercise_by_key: {
      UpdateOp op = e.kind == ExprKind::update_exercise             ? UpdateOp::exercise
                    : e.kind == ExprKind::update_exercise_interface ? UpdateOp::exercise_interface
                                                                    : UpdateOp::exercise_by_key;
      return update(e, op, program_.update_ref(package_, e.ref, package_.text(e.name())), 2, dst, tail, run);
    }
    case ExprKind::update_fetch_by_key:
      return key_function(e, UpdateOp::fetch_by_key, 1, dst, tail, run);
    case ExprKind::update_query_n_by_key:
      return key_function(e, UpdateOp::query_n_by_key, 2, dst, tail, run);
    default:
      return fail_with("unknown expression");
  }
}

const TypeDescriptor* Compiler::descriptor_of(TypeId id) {
  const Type& t = package_.type(id);
  return t.kind == TypeKind::con ? program_.descriptor(package_, t.ref) : nullptr;
}

void Compiler::record_con(const Expr& e, std::uint32_t dst, bool tail, bool run) {
  const TypeDescriptor* type = descriptor_of(e.type);
  auto fields = package_.items(e.fields);
  if (!type || type->names.size() != fields.size()) return fail_with("record construction of an unknown type");
  std::uint32_t restore = fn().next;
  std::uint32_t base = alloc(static_cast<std::uint32_t>(fields.size()));
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    int position = type->names[i] == package_.text(fields[i].name) ? static_cast<int>(i)
                                                                   : type->index_of(package_.text(fields[i].name));
    if (position < 0) return fail_with("unknown field in record construction");
    pending.push_back({fields[i].value, base + static_cast<std::uint32_t>(position)});
  }
  push_node(restore, pending, make(Op::record, dst, base, reference(type), e.fields.count), dst, tail, run);
}

void Compiler::struct_con(const Expr& e, std::uint32_t dst, bool tail, bool run) {
  auto fields = package_.items(e.fields);
  std::uint32_t restore = fn().next;
  std::uint32_t base = alloc(static_cast<std::uint32_t>(fields.size()));
  std::vector<std::uint32_t> symbols;
  for (const auto& f : fields) symbols.push_back(program_.symbol(package_.text(f.name)));
  const StructDescriptor* layout = program_.layout(symbols);
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < fields.size(); ++i)  // evaluated by their written order, stored sorted
    pending.push_back({fields[i].value, base + static_cast<std::uint32_t>(layout->index_of(symbols[i]))});
  push_node(restore, pending, make(Op::structure, dst, base, reference(layout), e.fields.count), dst, tail, run);
}

void Compiler::update(const Expr& e, UpdateOp op, const UpdateRef* ref, std::uint32_t n, std::uint32_t dst, bool tail,
                      bool run) {
  std::uint32_t restore = fn().next;
  std::uint32_t base = alloc(n);
  std::vector<Pending> pending{{e.first, base}};
  if (n == 2) pending.push_back({e.second(), base + 1});
  Op what = run ? Op::execute : Op::action;
  push_node(restore, pending, make(what, dst, base, reference(ref), n, static_cast<std::uint8_t>(op)), dst, tail,
            false);
}

}  // namespace synod::lf::eval
