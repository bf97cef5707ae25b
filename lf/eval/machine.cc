#include "lf/eval/machine.h"

#include "lf/eval/fatal.h"
#include "lf/ledger/translate.h"

namespace synod::lf::eval {

namespace {

constexpr std::size_t kFirstSlots = 256, kFirstFrames = 64;

}  // namespace

Machine::Kept& Machine::kept() {
  thread_local Kept kept;
  return kept;
}

Machine::Machine(Program& program, Setup setup)
    : program_(program), setup_(std::move(setup)), arena_(setup_.limits.max_bytes), steps_(setup_.limits.max_steps) {
  if (!thread_ends) {
    stack_.swap(kept().stack);
    frames_.swap(kept().frames);
  }
  stack_.resize(kFirstSlots);
  frames_.reserve(kFirstFrames);
}

Machine::~Machine() {
  if (thread_ends) return;
  frames_.clear();
  if (stack_.size() == kFirstSlots && stack_.size() > kept().stack.size()) stack_.swap(kept().stack);
  if (frames_.capacity() == kFirstFrames) frames_.swap(kept().frames);
}

void Machine::grow_stack(std::size_t slots) {
  std::size_t size = std::max(slots + 64, stack_.size() * 2);
  arena_.charge((size - stack_.size()) * sizeof(Cell));
  stack_.resize(size);
}

Machine::Frame& Machine::push(FrameKind kind, std::uint32_t base, std::uint32_t ret) {
  if (frames_.size() >= setup_.limits.max_frames) throw OutOfBudget{"evaluation depth", "max-depth"};
  if (frames_.size() == frames_.capacity()) arena_.charge(frames_.size() * sizeof(Frame));
  Frame& f = frames_.emplace_back();
  f.kind = kind;
  f.base = base;
  f.ret = ret;
  return f;
}

void Machine::enter(const Proto& proto, const Cell* captures, std::uint32_t base, std::uint32_t ret) {
  const Code& code = program_.code(proto);
  ensure(std::size_t{base} + code.slots + 2);
  Frame& f = push(FrameKind::code, base, ret);
  f.code = &code;
  f.pc = code.instructions.data();
  f.captures = captures;
}

Machine::Evaluated& Machine::evaluated(const Definition& definition) {
  if (definition.index >= evaluated_.size())
    evaluated_.resize(std::max<std::size_t>(definition.index + 1, program_.definition_count()));
  return evaluated_[definition.index];
}

// ---- application
// -----------------------------------------------------------------------------------------------------

Machine::Step Machine::apply(Cell function, std::uint32_t base, std::uint32_t n, std::uint32_t ret, Cell& out) {
  for (;;) {
    ++steps_;
    std::uint32_t arity = 0;
    switch (function.tag) {
      case Tag::closure: {
        const Proto& proto = *function.closure->proto;
        arity = proto.arity;
        if (n <= arity) break;
        if (const Cell* result = program_.code(proto).only_result) {  // what a method does with its unit argument
          function = *result;
          for (std::uint32_t i = arity; i < n; ++i) stack_[base + i - arity] = stack_[base + i];
          n -= arity;
          continue;
        }
        break;
      }
      case Tag::builtin:
        if (n == 2 && quick_binary(static_cast<BuiltinFunction>(function.aux), stack_[base], stack_[base + 1], out))
          return Step::value;
        arity = static_cast<std::uint32_t>(value_arity(static_cast<BuiltinFunction>(function.aux)));
        break;
      case Tag::partial: {  // the arguments it already has go before the new ones
        const PartialObject& p = *function.partial;
        auto had = static_cast<std::uint32_t>(p.count);
        ensure(std::size_t{base} + n + had + 2);
        for (std::uint32_t i = n; i-- > 0;) stack_[base + had + i] = stack_[base + i];
        for (std::uint32_t i = 0; i < had; ++i) stack_[base + i] = p.arguments()[i];
        n += had;
        function = p.function;
        continue;
      }
      case Tag::action: {
        if (n != 1) fatal_bug("an update is applied to arguments");
        const ActionObject& a = *function.action;
        return execute(a.op, a.ref, a.arguments(), a.count, base, ret, out);
      }
      default:
        fatal_bug("application of a value that is not a function");
    }
    if (n < arity) {
      auto* p = arena_.make<PartialObject>(n * sizeof(Cell));
      p->function = function;
      p->count = n;
      for (std::uint32_t i = 0; i < n; ++i) p->arguments()[i] = stack_[base + i];
      out = make_tag(Tag::partial);
      out.partial = p;
      return Step::value;
    }
    std::uint32_t window = base;
    if (n > arity) {  // apply to what it takes; the result is applied to the rest
      Frame& more = push(FrameKind::apply_more, base + arity, ret);
      more.n = n - arity;
      window = base + n;
      ensure(std::size_t{window} + arity + 2);
      for (std::uint32_t i = 0; i < arity; ++i) stack_[window + i] = stack_[base + i];
    }
    if (function.tag == Tag::closure) {
      enter(*function.closure->proto, function.closure->captures(), window, ret);
      return Step::pushed;
    }
    Step step = apply_builtin_here(static_cast<BuiltinFunction>(function.aux), window, ret, out);
    if (step != Step::value || n == arity) return step;
    // The builtin answered at once: take its frame for the rest off again.
    Frame more = frames_.back();
    frames_.pop_back();
    function = out;
    base = more.base;
    n = static_cast<std::uint32_t>(more.n);
  }
}

Machine::Step Machine::apply_builtin_here(BuiltinFunction function, std::uint32_t base, std::uint32_t ret, Cell& out) {
  const Cell* a = stack_.data() + base;
  switch (function) {
    case BuiltinFunction::foldl: {
      if (a[2].tag == Tag::nil) {
        out = a[1];
        return Step::value;
      }
      need(a[2], Tag::cons);
      Cell z = a[1], list = a[2];
      if (a[0].tag == Tag::builtin) {  // no frames as long as the function is plain arithmetic
        std::uint64_t n = 0;
        for (; list.tag == Tag::cons && quick_binary(static_cast<BuiltinFunction>(a[0].aux), z, list.cons->head, z);
             ++n)
          list = list.cons->tail;
        steps_ += n;
      }
      stack_[base + 1] = list;
      push(FrameKind::fold_left, base, ret);
      return resume(z, out);
    }
    case BuiltinFunction::foldr: {
      if (a[2].tag == Tag::nil) {
        out = a[1];
        return Step::value;
      }
      Cell z = a[1];
      std::uint64_t n = 0;
      for (const Cell* rest = &a[2]; rest->tag == Tag::cons; rest = &rest->cons->tail) ++n;
      steps_ += n;
      auto* items = static_cast<Cell*>(arena_.allocate(n * sizeof(Cell)));
      std::uint64_t i = 0;
      for (const Cell* rest = &a[2]; rest->tag == Tag::cons; rest = &rest->cons->tail) items[i++] = rest->cons->head;
      if (a[0].tag == Tag::builtin)  // no frames as long as the function is plain arithmetic
        while (n > 0 && quick_binary(static_cast<BuiltinFunction>(a[0].aux), items[n - 1], z, z)) --n;
      Frame& frame = push(FrameKind::fold_right, base, ret);
      frame.items = items;
      frame.n = n;
      return resume(z, out);
    }
    case BuiltinFunction::equal_list: {
      push(FrameKind::equal_list, base, ret);
      return resume(make_bool(true), out);
    }
    case BuiltinFunction::any_exception_message: {
      need(a[0], Tag::any);
      Cell exception = a[0].box->value;
      const RuntimeType* type = a[0].box->type;
      if (type == program_.arithmetic_error() && exception.tag == Tag::record) {
        out = exception.record->fields()[0];
        return Step::value;
      }
      const Proto* message = type->head == RuntimeType::Head::con ? program_.exception_message(*type->con) : nullptr;
      if (!message) fatal_bug("message of a value that is no exception: " + type->key);
      stack_[base] = exception;
      Frame& more = push(FrameKind::apply_more, base, ret);
      more.n = 1;
      enter(*message, nullptr, base + 1, ret);
      return Step::pushed;
    }
    default: {
      BuiltinContext context{program_, arena_, steps_, setup_.builder != nullptr, &setup_.trace};
      return apply_builtin(context, function, a, out) == Outcome::value ? Step::value : Step::raised;
    }
  }
}

Machine::Step Machine::run_update(const Cell& update, std::uint32_t base, std::uint32_t ret, Cell& out) {
  if (update.tag == Tag::action) {
    const ActionObject& a = *update.action;
    return execute(a.op, a.ref, a.arguments(), a.count, base, ret, out);
  }
  ensure(std::size_t{base} + 2);
  stack_[base] = make_tag(Tag::token);
  return apply(update, base, 1, ret, out);
}

// The native frame on top got a value. Step::value: it is done, popped, and `out` is its result for frame.ret; it may
// also have pushed something.
Machine::Step Machine::resume(const Cell& given, Cell& out) {
  Cell value = given;
  for (;;) {
    ++steps_;
    Frame& f = frames_.back();
    std::uint32_t base = f.base, ret = f.ret;
    Step step = Step::value;
    switch (f.kind) {
      case FrameKind::apply_more: {
        auto n = static_cast<std::uint32_t>(f.n);
        frames_.pop_back();
        return apply(value, base, n, ret, out);
      }
      case FrameKind::fold_left: {
        const std::uint32_t window = base + kFoldSlots;
        ensure(std::size_t{window} + 4);
        Cell* w = stack_.data() + base;
        if (w[1].tag == Tag::nil) break;
        w[kFoldSlots] = value;
        w[kFoldSlots + 1] = w[1].cons->head;
        w[1] = w[1].cons->tail;
        step = apply(w[0], window, 2, 0, out);
        if (step != Step::value) return step;
        value = out;
        continue;
      }
      case FrameKind::fold_right: {
        if (f.n == 0) break;
        const std::uint32_t window = base + kFoldSlots;
        ensure(std::size_t{window} + 4);
        stack_[window] = f.items[--f.n];
        stack_[window + 1] = value;
        step = apply(stack_[base], window, 2, 0, out);
        if (step != Step::value) return step;
        value = out;
        continue;
      }
      case FrameKind::equal_list: {
        need(value, Tag::boolean);
        bool go_on = value.integer != 0;
        if (!go_on) break;
        const std::uint32_t window = base + kFoldSlots;
        ensure(std::size_t{window} + 4);
        Cell* w = stack_.data() + base;
        if (w[1].tag == Tag::nil || w[2].tag == Tag::nil) {
          value = make_bool(w[1].tag == w[2].tag);
          break;
        }
        w[kFoldSlots] = w[2].cons->head;
        w[kFoldSlots + 1] = w[1].cons->head;
        w[1] = w[1].cons->tail;
        w[2] = w[2].cons->tail;
        step = apply(w[0], window, 2, 0, out);
        if (step != Step::value) return step;
        value = out;
        continue;
      }
      case FrameKind::definition: {
        Evaluated& e = evaluated(*f.definition);
        e.state = Evaluated::State::yes;
        e.value = value;
        break;
      }
      case FrameKind::end_exercise:
        builder().end_exercise(to_value(value, arena_));
        break;
      case FrameKind::check_view:
        check_value(value, steps_);
        break;
      case FrameKind::run_result: {
        frames_.pop_back();
        return run_update(value, base, ret, out);
      }
      case FrameKind::code:
        fatal_bug("resume of a code frame");
    }
    frames_.pop_back();
    out = value;
    return Step::value;
  }
}

// A frame that is already popped produced `value` for slot `ret` of the frame below it.
Machine::Step Machine::deliver(Cell value, std::uint32_t ret, std::size_t floor, Cell& out, bool& finished) {
  finished = false;
  for (;;) {
    if (frames_.size() == floor) {
      out = value;
      finished = true;
      return Step::value;
    }
    Frame& top = frames_.back();
    if (top.kind == FrameKind::code) {
      stack_[ret] = value;
      return Step::value;
    }
    std::uint32_t next = top.ret;
    Cell result;
    Step step = resume(value, result);
    if (step == Step::raised) out = result;
    if (step != Step::value) return step;
    value = result;
    ret = next;
  }
}

bool Machine::handle(const Cell& exception, std::size_t floor) {
  std::size_t keep = floor;
  bool found = !handlers_.empty() && handlers_.back().frame >= floor;
  if (found) keep = handlers_.back().frame + 1;
  if (!found && floor == 0 && setup_.exercise_trace > 0) failed_in_ = builder().open_exercises(setup_.exercise_trace);
  while (frames_.size() > keep) {
    Frame& f = frames_.back();
    if (f.kind == FrameKind::end_exercise) builder().abort_exercise();
    if (f.kind == FrameKind::definition) evaluated(*f.definition).state = Evaluated::State::no;
    frames_.pop_back();
  }
  if (!found) return false;
  Handler h = handlers_.back();
  handlers_.pop_back();
  builder().rollback_try();
  Frame& f = frames_.back();
  stack_[h.slot] = exception;
  f.pc = f.code->instructions.data() + h.pc;
  return true;
}

std::string Machine::failed_in(std::size_t most) const {
  return failed_in_ ? *failed_in_ : setup_.builder ? setup_.builder->open_exercises(most) : std::string();
}

void Machine::abandon() {
  for (; !frames_.empty(); frames_.pop_back())
    if (frames_.back().kind == FrameKind::definition)
      evaluated(*frames_.back().definition).state = Evaluated::State::no;
  handlers_.clear();
}

// ---- nested evaluation
// -------------------------------------------------------------------------------------------------

Machine::Step Machine::call(const Proto& proto, std::initializer_list<Cell> arguments, std::uint32_t top, Cell& out) {
  std::size_t floor = frames_.size();
  ensure(std::size_t{top} + arguments.size() + 2);
  std::copy(arguments.begin(), arguments.end(), stack_.begin() + top);
  enter(proto, nullptr, top, 0);
  return run(floor, out);
}

Machine::Step Machine::call(const Cell& function, std::initializer_list<Cell> arguments, std::uint32_t top, Cell& out) {
  std::size_t floor = frames_.size();
  ensure(std::size_t{top} + arguments.size() + 2);
  std::copy(arguments.begin(), arguments.end(), stack_.begin() + top);
  Step step = apply(function, top, static_cast<std::uint32_t>(arguments.size()), 0, out);
  if (step == Step::pushed) return run(floor, out);
  if (step == Step::raised) handle(out, floor);
  return step;
}

}  // namespace synod::lf::eval
