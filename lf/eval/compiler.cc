#include "lf/eval/compiler.h"

// Functions, blocks, alternatives and handlers: what has a scope or a flow of its own.
#include "lf/eval/compiler_state.h"

namespace synod::lf::eval {

Proto& Compiler::new_proto(std::vector<StringId> parameters) {
  code().owned.push_back(std::make_unique<Proto>());
  Proto& proto = *code().owned.back();
  proto.package = &package_;
  proto.arity = static_cast<std::uint32_t>(parameters.size());
  proto.parameters = std::move(parameters);
  return proto;
}

void Compiler::abstraction(ExprId id, std::uint32_t dst, bool tail, bool run) {
  std::vector<StringId> parameters;
  while (package_.expr(id).kind == ExprKind::abs) {
    for (const auto& p : package_.items(package_.expr(id).params)) parameters.push_back(p.name);
    id = strip(package_.expr(id).first);
  }
  push_end(dst, tail, run);
  begin(new_proto(std::move(parameters)));
  push_expr(id, alloc(1), true, false);
}

void Compiler::suspend(ExprId body, std::uint32_t dst, bool tail) {
  push_end(dst, tail, false);
  begin(new_proto({StringId{kFirstSynthetic}}));
  push_expr(body, alloc(1), true, true);
}

void Compiler::block_closure(const Task& t) {
  // The first update of the block is in slot x; the closure runs it and then the rest.
  Name name = kFirstSynthetic + 1 + synthetic_++;
  fn().scope.emplace_back(name, kSlot | t.x);
  push_unbind(1);
  push_end(t.dst, t.tail, false);
  const Expr& e = package_.expr(t.e);
  begin(new_proto({StringId{kFirstSynthetic}}));
  std::uint32_t dst = alloc(1);
  std::uint32_t result = alloc(1);
  std::uint32_t first = *lookup(name);
  emit(Op::run, result, first, peek());
  fn().scope.emplace_back(package_.items(e.bindings)[0].name.value, kSlot | result);
  push(Task{Task::What::binding, true, true, t.e, dst, 1, 0, {}});
}

void Compiler::key_function(const Expr& e, UpdateOp op, std::uint32_t n, std::uint32_t dst, bool tail, bool run) {
  std::vector<StringId> parameters;
  for (std::uint32_t i = 0; i < n; ++i) parameters.push_back(StringId{kFirstSynthetic + 1 + synthetic_++});
  const UpdateRef* ref = program_.update_ref(package_, e.ref);
  push_end(dst, tail, run);
  begin(new_proto(std::move(parameters)));
  std::uint32_t result = alloc(1);
  emit(Op::action, result, 0, reference(ref), n, static_cast<std::uint8_t>(op));
  emit(Op::give_back, 0, kSlot | result);
}

void Compiler::finish_function(Function& f) {
  Code& made = *f.code;
  made.hints = std::vector<std::atomic<std::uint32_t>>(f.hints);
  if (made.instructions.size() == 1 && made.instructions[0].op == Op::give_back &&
      (made.instructions[0].b & kWhere) == kConstant)
    made.only_result = &made.constants[made.instructions[0].b & kIndex];
  for (auto& i : f.code->instructions) {
    if (i.op == Op::jump || i.op == Op::try_) i.c = f.labels[i.c];
    if (i.op == Op::branch)
      for (std::uint32_t k = 0; k <= i.n; ++k) f.code->side[i.c + k] = f.labels[f.code->side[i.c + k]];
  }
}

void Compiler::end_function(std::uint32_t dst, bool tail, bool run) {
  auto f = std::move(functions_.back());
  functions_.pop_back();
  finish_function(*f);
  Proto& proto = *f->proto;
  proto.storage = std::move(f->code);
  proto.code.store(proto.storage.get(), std::memory_order_release);
  if (f->captures.empty()) {
    auto* closure = program_.immortal().make<ClosureObject>();
    closure->proto = &proto;
    closure->count = 0;
    Cell c;
    c.tag = Tag::closure;
    c.closure = closure;
    return finish(constant(c), dst, tail, run);
  }
  code().protos.push_back(&proto);
  auto at = static_cast<std::uint32_t>(code().side.size());
  std::vector<std::uint32_t> operands;
  for (Name name : f->captures) operands.push_back(*lookup(name));
  code().side.insert(code().side.end(), operands.begin(), operands.end());
  emit(Op::closure, dst, at, static_cast<std::uint32_t>(code().protos.size() - 1),
       static_cast<std::uint32_t>(operands.size()));
  done(dst, tail, run);
}

void Compiler::binding(const Task& t) {
  const Expr& e = package_.expr(t.e);
  auto bindings = package_.items(e.bindings);
  bool block = e.kind == ExprKind::update_block;
  std::uint32_t i = t.x;
  for (; i < bindings.size(); ++i) {
    if (!block)
      if (auto operand = simple(bindings[i].bound)) {
        fn().scope.emplace_back(bindings[i].name.value, *operand);
        continue;
      }
    std::uint32_t slot = alloc(1);
    push(Task{Task::What::binding, t.tail, t.run, t.e, t.dst, i + 1, 0, {}});
    push_bind(bindings[i].name.value, kSlot | slot);
    return push_expr(bindings[i].bound, slot, false, block);
  }
  push_expr(e.first, t.dst, t.tail, t.run);
}

void Compiler::case_of(ExprId id, std::uint32_t dst, bool tail, bool run) {
  const Expr& e = package_.expr(id);
  auto alternatives = package_.items(e.alternatives);
  std::uint32_t restore = fn().next;
  std::vector<Pending> pending;
  std::uint32_t scrutinee = place(e.first, pending);

  std::uint32_t ranks = 0;
  std::vector<std::pair<int, std::uint32_t>> targets;  // rank or -1 for all, alternative
  for (std::uint32_t i = 0; i < alternatives.size(); ++i) {
    const Alternative& a = alternatives[i];
    int rank = -1;
    switch (a.pattern) {
      case PatternKind::default_:
        break;
      case PatternKind::variant:
      case PatternKind::enumeration: {
        const TypeDescriptor* type = program_.descriptor(package_, a.type);
        rank = type ? type->index_of(package_.text(a.constructor)) : -1;
        if (rank < 0) return fail_with("pattern of an unknown constructor");
        ranks = static_cast<std::uint32_t>(type->names.size());
        break;
      }
      case PatternKind::unit:
        rank = 0, ranks = 1;
        break;
      case PatternKind::false_:
      case PatternKind::nil:
      case PatternKind::none:
        rank = 0, ranks = 2;
        break;
      case PatternKind::true_:
      case PatternKind::cons:
      case PatternKind::some:
        rank = 1, ranks = 2;
        break;
    }
    targets.emplace_back(rank, i);
  }
  std::vector<std::uint32_t> labels;
  for (std::size_t i = 0; i < alternatives.size(); ++i) labels.push_back(new_label());
  std::uint32_t none = new_label(), end = new_label();
  std::vector<std::uint32_t> table(ranks + 1, none);
  for (auto [rank, i] : targets) {
    if (rank < 0) {
      for (auto& entry : table)
        if (entry == none) entry = labels[i];
      break;
    }
    if (table[static_cast<std::size_t>(rank)] == none) table[static_cast<std::size_t>(rank)] = labels[i];
  }
  auto at = static_cast<std::uint32_t>(code().side.size());
  code().side.insert(code().side.end(), table.begin(), table.end());

  push(Task{Task::What::set_next, false, false, id, 0, restore, 0, {}});
  push_label(end);
  std::uint32_t why = constant(text("no alternative of a case matches"));
  push_emit(make(Op::fail, 0, 0, why & kIndex));
  push_label(none);
  for (std::size_t i = alternatives.size(); i-- > 0;) {
    if (!tail) push_emit(make(Op::jump, 0, 0, end));
    Task t{Task::What::alternative, tail, run, id, dst, static_cast<std::uint32_t>(i), scrutinee, {}};
    push(t);
    push_label(labels[i]);
  }
  push_emit(make(Op::branch, 0, scrutinee, at, ranks));
  push_pending(pending);
}

void Compiler::alternative(const Task& t) {
  const Alternative& a = package_.items(package_.expr(t.e).alternatives)[t.x];
  push_restore();
  switch (a.pattern) {
    case PatternKind::variant:
    case PatternKind::some: {
      std::uint32_t slot = alloc(1);
      emit(Op::unwrap, slot, t.y);
      fn().scope.emplace_back(a.binder.value, kSlot | slot);
      push_unbind(1);
      break;
    }
    case PatternKind::cons: {
      std::uint32_t slot = alloc(2);
      emit(Op::uncons, slot, t.y);
      fn().scope.emplace_back(a.binder.value, kSlot | slot);
      fn().scope.emplace_back(a.tail.value, kSlot | (slot + 1));
      push_unbind(2);
      break;
    }
    default:
      break;
  }
  push_expr(a.body, t.dst, t.tail, t.run);
}

void Compiler::try_catch(ExprId id, std::uint32_t dst, bool tail) {
  const Expr& e = package_.expr(id);
  std::uint32_t caught = new_label(), end = new_label();
  if (tail) push_emit(make(Op::give_back, 0, kSlot | dst));
  push_restore();
  push_label(end);
  std::uint32_t exception = alloc(1);
  push(Task{Task::What::handler, false, true, id, dst, exception, 0, {}});
  push_label(caught);
  push_emit(make(Op::jump, 0, 0, end));
  push_emit(make(Op::end_try, 0));
  emit(Op::try_, exception, 0, caught);
  push_expr(e.first, dst, false, true);
}

void Compiler::handler(const Task& t) {
  const Expr& e = package_.expr(t.e);
  fn().scope.emplace_back(e.name().value, kSlot | t.x);
  std::uint32_t answer = alloc(1);
  std::uint32_t token = peek();
  push_unbind(1);
  push_emit(make(Op::run, t.dst, kSlot | answer, token));
  push_emit(make(Op::handle, answer, kSlot | answer, kSlot | t.x));
  push_expr(e.second(), answer, false, false);
}

void compile_function(Program& program, Proto& proto) { Compiler(program, *proto.package).compile(proto); }

}  // namespace synod::lf::eval
