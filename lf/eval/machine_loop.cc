// The loop that runs bytecode.
#include <algorithm>

#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"

namespace synod::lf::eval {

Machine::Step Machine::run(std::size_t floor, Cell& out) {
  // What the loop needs of the top frame. `pc` lives here; it goes back to the frame before anything that pushes, pops
  // or looks at frames.
  Frame* f;
  Cell* s;
  const Instruction* pc;
  const Cell* places[3];  // by the top bits of an operand, so that reading one takes no branch
  auto reload = [&] {
    f = &frames_.back();
    s = stack_.data() + f->base;
    pc = f->pc;
    places[kSlot >> 30] = s;
    places[kCaptured >> 30] = f->captures;
    places[kConstant >> 30] = f->code->constants.data();
  };
  auto get = [&](std::uint32_t operand) -> const Cell& { return places[operand >> 30][operand & kIndex]; };
  // Starts `code` in the top frame, whose arguments are in place.
  auto restart = [&](const Code& code, const Cell* captures) {
    f->code = &code;
    f->captures = captures;
    if (std::size_t{f->base} + code.slots + 2 > stack_.size()) [[unlikely]] {
      grow_stack(std::size_t{f->base} + code.slots + 2);
      s = stack_.data() + f->base;
      places[kSlot >> 30] = s;
    }
    pc = code.instructions.data();
    places[kCaptured >> 30] = captures;
    places[kConstant >> 30] = code.constants.data();
  };
  reload();
  for (;;) {
    ++steps_;
    const Instruction& i = *pc++;
    Step step = Step::value;
    Cell result;
    switch (i.op) {
      case Op::move:
        s[i.a] = get(i.b);
        continue;
      case Op::load: {
        Definition* d = f->code->definitions[i.c];
        if (d->is_function) {
          s[i.a] = d->function;
          continue;
        }
        Evaluated& e = evaluated(*d);
        if (e.state == Evaluated::State::yes) {
          s[i.a] = e.value;
          continue;
        }
        if (e.state == Evaluated::State::running) fatal_bug("a top-level value depends on itself");
        e.state = Evaluated::State::running;
        f->pc = pc;
        std::uint32_t top = f->base + f->code->slots;
        Frame& frame = push(FrameKind::definition, top, f->base + i.a);
        frame.definition = d;
        enter(d->proto, nullptr, top, 0);
        reload();
        continue;
      }
      case Op::closure: {
        auto* closure = arena_.make<ClosureObject>(i.n * sizeof(Cell));
        closure->proto = f->code->protos[i.c];
        closure->count = i.n;
        for (std::uint32_t k = 0; k < i.n; ++k) closure->captures()[k] = get(f->code->side[i.b + k]);
        Cell c = make_tag(Tag::closure);
        c.closure = closure;
        s[i.a] = c;
        continue;
      }
      case Op::record: {
        RecordObject* r = new_record(arena_, static_cast<const TypeDescriptor*>(f->code->references[i.c]), i.n);
        for (std::uint32_t k = 0; k < i.n; ++k) r->fields()[k] = s[i.b + k];
        s[i.a] = cell_of(r);
        continue;
      }
      case Op::structure: {
        auto* o = arena_.make<StructObject>(i.n * sizeof(Cell));
        o->layout = static_cast<const StructDescriptor*>(f->code->references[i.c]);
        for (std::uint32_t k = 0; k < i.n; ++k) o->fields()[k] = s[i.b + k];
        Cell c = make_tag(Tag::structure);
        c.structure = o;
        s[i.a] = c;
        continue;
      }
      case Op::project: {
        const Cell& c = get(i.b);
        if (c.tag != Tag::record || i.n >= c.record->count) fatal_bug("projection of something else than the record");
        s[i.a] = c.record->fields()[i.n];
        continue;
      }
      case Op::update: {
        const Cell& c = get(i.b);
        if (c.tag != Tag::record || i.n >= c.record->count) fatal_bug("update of something else than the record");
        RecordObject* r = new_record(arena_, c.record->type, c.record->count);
        std::copy_n(c.record->fields(), c.record->count, r->fields());
        r->fields()[i.n] = get(i.c);
        s[i.a] = cell_of(r);
        continue;
      }
      case Op::struct_project: {
        const Cell& c = get(i.b);
        if (c.tag != Tag::structure) fatal_bug("projection of something else than a struct");
        const auto& names = c.structure->layout->names;
        std::atomic<std::uint32_t>& hint = f->code->hints[i.c];
        std::uint32_t at = hint.load(std::memory_order_relaxed);
        if (at >= names.size() || names[at] != i.n) [[unlikely]] {
          int found = c.structure->layout->index_of(i.n);
          if (found < 0) fatal_bug("a struct lacks a field");
          at = static_cast<std::uint32_t>(found);
          hint.store(at, std::memory_order_relaxed);
        }
        s[i.a] = c.structure->fields()[at];
        continue;
      }
      case Op::struct_update: {
        const Cell& c = get(i.b);
        int at = c.tag == Tag::structure ? c.structure->layout->index_of(i.n) : -1;
        if (at < 0) fatal_bug("a struct lacks a field");
        std::size_t n = c.structure->layout->names.size();
        auto* o = arena_.make<StructObject>(n * sizeof(Cell));
        o->layout = c.structure->layout;
        std::copy_n(c.structure->fields(), n, o->fields());
        o->fields()[at] = get(i.c);
        Cell made = make_tag(Tag::structure);
        made.structure = o;
        s[i.a] = made;
        continue;
      }
      case Op::variant:
        s[i.a] = make_variant(arena_, static_cast<const TypeDescriptor*>(f->code->references[i.c]), i.n, get(i.b));
        continue;
      case Op::cons:
        s[i.a] = make_cons(arena_, get(i.b), get(i.c));
        continue;
      case Op::some:
        s[i.a] = make_some(arena_, get(i.b));
        continue;
      case Op::branch:
        pc = f->code->instructions.data() + f->code->side[i.c + std::min(get(i.b).aux, i.n)];
        continue;
      case Op::uncons: {
        const Cell& c = get(i.b);
        if (c.tag != Tag::cons) fatal_bug("a cons pattern meets something else");
        const ConsObject* o = c.cons;
        s[i.a] = o->head;
        s[i.a + 1] = o->tail;
        continue;
      }
      case Op::unwrap: {
        const Cell& c = get(i.b);
        if (c.tag == Tag::some) {
          s[i.a] = c.box->value;
        } else {
          if (c.tag != Tag::variant) fatal_bug("a variant pattern meets something else");
          s[i.a] = c.variant->argument;
        }
        continue;
      }
      case Op::jump:
        pc = f->code->instructions.data() + i.c;
        continue;
      case Op::call: {
        const Cell& function = get(i.b);
        f->pc = pc;
        std::uint32_t ret = f->base + i.a;
        if (function.tag == Tag::closure && function.closure->proto->arity == i.n) [[likely]] {
          const ClosureObject* closure = function.closure;
          enter(*closure->proto, closure->captures(), f->base + i.c, ret);
          reload();
          continue;
        }
        step = apply(function, f->base + i.c, i.n, ret, result);
        if (step == Step::value) {
          stack_[ret] = result;
          reload();
          continue;
        }
        break;
      }
      case Op::tail_call: {
        Cell function = get(i.b);
        std::uint32_t n = i.n;
        for (std::uint32_t k = 0; k < n; ++k) s[k] = s[i.c + k];
        if (function.tag == Tag::closure && function.closure->proto->arity == n) [[likely]] {  // the frame stays
          restart(program_.code(*function.closure->proto), function.closure->captures());
          continue;
        }
        std::uint32_t base = f->base, ret = f->ret;
        frames_.pop_back();
        step = apply(function, base, n, ret, result);
        if (step == Step::value) {
          bool finished;
          step = deliver(result, ret, floor, result, finished);
          if (finished) {
            out = result;
            return Step::value;
          }
        }
        break;
      }
      case Op::binary: {
        const Cell &x = get(i.b), &y = get(i.c);
        auto function = static_cast<BuiltinFunction>(i.sub);
        if (quick_binary(function, x, y, s[i.a])) [[likely]]
          continue;
        const Cell arguments[2] = {x, y};
        f->pc = pc;
        BuiltinContext context{program_, arena_, steps_, setup_.builder != nullptr, &setup_.trace};
        if (apply_builtin(context, function, arguments, result) == Outcome::value) {
          s[i.a] = result;
          continue;
        }
        step = Step::raised;
        break;
      }
      case Op::builtin: {
        f->pc = pc;
        std::uint32_t ret = f->base + i.a;
        step = apply_builtin_here(static_cast<BuiltinFunction>(i.sub), f->base + i.c, ret, result);
        if (step == Step::value) {
          stack_[ret] = result;
          reload();
          continue;
        }
        break;
      }
      case Op::run: {
        f->pc = pc;
        std::uint32_t ret = f->base + i.a;
        step = run_update(get(i.b), f->base + i.c, ret, result);
        if (step == Step::value) {
          stack_[ret] = result;
          reload();
          continue;
        }
        break;
      }
      case Op::tail_run: {
        Cell update = get(i.b);
        std::uint32_t base = f->base, ret = f->ret;
        frames_.pop_back();
        step = run_update(update, base, ret, result);
        if (step == Step::value) {
          bool finished;
          step = deliver(result, ret, floor, result, finished);
          if (finished) {
            out = result;
            return Step::value;
          }
        }
        break;
      }
      case Op::give_back: {
        Cell value = get(i.b);
        std::uint32_t ret = f->ret;
        std::size_t below = frames_.size() - 1;
        if (below > floor) {
          Frame& caller = frames_[below - 1];
          if (caller.kind == FrameKind::code) [[likely]] {
            frames_.pop_back();
            stack_[ret] = value;
            reload();
            continue;
          }
          // A fold over a closure goes round without leaving the loop: this frame serves the next element, too.
          if (caller.kind == FrameKind::fold_left || caller.kind == FrameKind::fold_right) {
            Cell* w = stack_.data() + caller.base;
            if (w[0].tag == Tag::closure && w[0].closure->proto->arity == 2) {
              bool more = false;
              if (caller.kind == FrameKind::fold_left) {
                if ((more = w[1].tag == Tag::cons)) {
                  w[kFoldSlots] = value;
                  w[kFoldSlots + 1] = w[1].cons->head;
                  w[1] = w[1].cons->tail;
                }
              } else if ((more = caller.n > 0)) {
                w[kFoldSlots] = caller.items[--caller.n];
                w[kFoldSlots + 1] = value;
              }
              if (more) {
                f->base = caller.base + kFoldSlots;
                s = stack_.data() + f->base;
                places[kSlot >> 30] = s;
                restart(program_.code(*w[0].closure->proto), w[0].closure->captures());
                continue;
              }
            }
          }
        }
        frames_.pop_back();
        bool finished;
        step = deliver(value, ret, floor, result, finished);
        if (finished) {
          out = result;
          return Step::value;
        }
        break;
      }
      case Op::to_any:
        s[i.a] = make_any(arena_, static_cast<const RuntimeType*>(f->code->references[i.c]), get(i.b));
        continue;
      case Op::from_any: {
        const Cell& c = get(i.b);
        if (c.tag != Tag::any) fatal_bug("from_any of something else");
        s[i.a] = c.box->type == f->code->references[i.c] ? make_some(arena_, c.box->value) : make_none();
        continue;
      }
      case Op::raise:
        f->pc = pc;
        result = get(i.b);
        if (result.tag != Tag::any) fatal_bug("throw of something else than an exception");
        step = Step::raised;
        break;
      case Op::action: {
        auto* a = arena_.make<ActionObject>(i.n * sizeof(Cell));
        a->op = static_cast<UpdateOp>(i.sub);
        a->count = i.n;
        a->ref = static_cast<const UpdateRef*>(f->code->references[i.c]);
        for (std::uint32_t k = 0; k < i.n; ++k) a->arguments()[k] = s[i.b + k];
        Cell c = make_tag(Tag::action);
        c.action = a;
        s[i.a] = c;
        continue;
      }
      case Op::execute: {
        f->pc = pc;
        std::uint32_t ret = f->base + i.a, top = f->base + f->code->slots;
        step = execute(static_cast<UpdateOp>(i.sub), static_cast<const UpdateRef*>(f->code->references[i.c]), s + i.b,
                       i.n, top, ret, result);
        if (step == Step::value) {
          stack_[ret] = result;
          reload();
          continue;
        }
        break;
      }
      case Op::try_:
        builder().begin_try();
        handlers_.push_back(Handler{frames_.size() - 1, i.c, f->base + i.a});
        continue;
      case Op::end_try:
        handlers_.pop_back();
        builder().end_try();
        continue;
      case Op::handle: {
        const Cell& answer = get(i.b);
        if (answer.tag == Tag::some) {
          s[i.a] = answer.box->value;
          continue;
        }
        f->pc = pc;
        result = get(i.c);
        step = Step::raised;
        break;
      }
      case Op::fail:
        fatal_bug(std::string(text_of(f->code->constants[i.c])));
      default: {
        f->pc = pc;
        std::uint32_t ret = f->base + i.a;
        step = interface_operation(i, *f, s, result);
        if (step == Step::value) {
          stack_[ret] = result;
          reload();
          continue;
        }
        break;
      }
    }
    if (step == Step::raised && !handle(result, floor)) {
      out = result;
      return Step::raised;
    }
    reload();
  }
}

}  // namespace synod::lf::eval
