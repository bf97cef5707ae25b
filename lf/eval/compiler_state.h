// The compiler's state and small steps, shared by its source files. Private to them.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lf/eval/compiler.h"

namespace synod::lf::eval {

inline constexpr std::size_t kMaxInstructions =
    4'000'000;  // per top-level function; shared expressions can unfold without bound
inline constexpr std::uint32_t kFirstSynthetic = 0xf0000000u;  // names that no program has

using Name = std::uint32_t;  // StringId of a variable, or synthetic

struct TooBig {};

// A function under construction.
struct Function {
  Proto* proto = nullptr;
  std::unique_ptr<Code> code = std::make_unique<Code>();
  std::vector<std::pair<Name, std::uint32_t>> scope;  // variable -> operand, innermost last
  std::uint32_t next = 0;                             // first free slot
  std::unordered_map<Name, std::uint32_t> captured;   // variable -> index
  std::vector<Name> captures;
  std::vector<std::uint32_t> labels;  // label -> instruction index
  std::uint32_t hints = 0;
};

struct Task {
  enum class What : std::uint8_t {
    expr,
    emit,
    set_next,
    bind,
    unbind,
    label,
    end_function,
    binding,
    alternative,
    block,
    handler
  };
  What what;
  bool tail = false;
  bool run = false;
  ExprId e = ExprId::none();
  std::uint32_t dst = 0;
  std::uint32_t x = 0, y = 0;
  Instruction instruction{};
};

class Compiler {
 public:
  Compiler(Program& program, const Package& package) : program_(program), package_(package) {}

  void compile(Proto& proto) {
    try {
      begin(proto);
      std::uint32_t dst = alloc(1);
      expr(proto.body, dst, true, proto.run);
      work();
      finish_function(*functions_.back());
      proto.storage = std::move(functions_.back()->code);
    } catch (const TooBig&) {
      proto.storage = std::make_unique<Code>();
      proto.storage->slots = proto.arity + 1;
      proto.storage->constants.push_back(text("definition is too large to compile"));
      proto.storage->instructions.push_back(Instruction{Op::fail, 0, 0, 0, 0, 0, 0});
    }
    proto.code.store(proto.storage.get(), std::memory_order_release);
  }

 private:
  Function& fn() { return *functions_.back(); }
  Code& code() { return *fn().code; }

  void begin(Proto& proto) {
    auto f = std::make_unique<Function>();
    f->proto = &proto;
    for (StringId p : proto.parameters) f->scope.emplace_back(p.value, kSlot | f->next++);
    f->code->slots = f->next;
    functions_.push_back(std::move(f));
  }

  std::uint32_t alloc(std::uint32_t n) {
    std::uint32_t slot = fn().next;
    fn().next += n;
    code().slots = std::max(code().slots, fn().next);
    return slot;
  }
  // Makes sure that a slot behind the live window exists, for the token of a run.
  std::uint32_t peek() {
    code().slots = std::max(code().slots, fn().next + 1);
    return fn().next;
  }

  void emit(Instruction i) {
    if (++emitted_ > kMaxInstructions) throw TooBig{};
    code().instructions.push_back(i);
  }
  void emit(Op op, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0, std::uint32_t n = 0,
            std::uint8_t sub = 0) {
    emit(Instruction{op, sub, 0, n, a, b, c});
  }
  static Instruction make(Op op, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0, std::uint32_t n = 0,
                          std::uint8_t sub = 0) {
    return Instruction{op, sub, 0, n, a, b, c};
  }

  Cell text(std::string_view s) { return make_text(program_.immortal(), s); }
  std::uint32_t constant(const Cell& c) {
    code().constants.push_back(c);
    return kConstant | static_cast<std::uint32_t>(code().constants.size() - 1);
  }
  std::uint32_t reference(const void* p) {
    code().references.push_back(p);
    return static_cast<std::uint32_t>(code().references.size() - 1);
  }
  std::uint32_t new_label() {
    fn().labels.push_back(0);
    return static_cast<std::uint32_t>(fn().labels.size() - 1);
  }
  void fail_with(const std::string& why) {
    std::uint32_t c = constant(text(why));
    emit(Op::fail, 0, 0, c & kIndex);
  }

  // ---- tasks -------------------------------------------------------------------------------------------------------
  void push(Task t) { tasks_.push_back(t); }
  void push_expr(ExprId e, std::uint32_t dst, bool tail, bool run) {
    push(Task{Task::What::expr, tail, run, e, dst, 0, 0, {}});
  }
  void push_emit(Instruction i) { push(Task{Task::What::emit, false, false, ExprId::none(), 0, 0, 0, i}); }
  void push_restore_to(std::uint32_t next) {
    push(Task{Task::What::set_next, false, false, ExprId::none(), 0, next, 0, {}});
  }
  // The value of `operand`, which needs no code by then.
  void push_finish(std::uint32_t operand, std::uint32_t dst, bool tail, bool run) {
    if (run)
      push_emit(tail ? make(Op::tail_run, peek(), operand) : make(Op::run, dst, operand, peek()));
    else
      push_emit(tail ? make(Op::give_back, 0, operand) : make(Op::move, dst, operand));
  }
  void push_restore() { push(Task{Task::What::set_next, false, false, ExprId::none(), 0, fn().next, 0, {}}); }
  void push_bind(Name name, std::uint32_t operand) {
    push(Task{Task::What::bind, false, false, ExprId::none(), 0, name, operand, {}});
  }
  void push_unbind(std::uint32_t n) { push(Task{Task::What::unbind, false, false, ExprId::none(), 0, n, 0, {}}); }
  void push_label(std::uint32_t label) { push(Task{Task::What::label, false, false, ExprId::none(), 0, label, 0, {}}); }

  void work() {
    while (!tasks_.empty()) {
      Task t = tasks_.back();
      tasks_.pop_back();
      switch (t.what) {
        case Task::What::expr:
          expr(t.e, t.dst, t.tail, t.run);
          break;
        case Task::What::emit:
          emit(t.instruction);
          break;
        case Task::What::set_next:
          fn().next = t.x;
          break;
        case Task::What::bind:
          fn().scope.emplace_back(t.x, t.y);
          break;
        case Task::What::unbind:
          fn().scope.resize(fn().scope.size() - t.x);
          break;
        case Task::What::label:
          fn().labels[t.x] = static_cast<std::uint32_t>(code().instructions.size());
          break;
        case Task::What::end_function:
          end_function(t.dst, t.tail, t.run);
          break;
        case Task::What::binding:
          binding(t);
          break;
        case Task::What::alternative:
          alternative(t);
          break;
        case Task::What::block:
          block_closure(t);
          break;
        case Task::What::handler:
          handler(t);
          break;
      }
    }
  }

  // The value of an expression is in `dst`: what remains to do with it.
  void done(std::uint32_t dst, bool tail, bool run) { finish(kSlot | dst, dst, tail, run); }
  void finish(std::uint32_t operand, std::uint32_t dst, bool tail, bool run) {
    if (run)
      tail ? emit(Op::tail_run, peek(), operand) : emit(Op::run, dst, operand, peek());
    else if (tail)
      emit(Op::give_back, 0, operand);
    else if (operand != (kSlot | dst))
      emit(Op::move, dst, operand);
  }
  // The same for instructions that are emitted later.
  void push_done(std::uint32_t dst, bool tail, bool run) {
    if (run)
      push_emit(tail ? make(Op::tail_run, peek(), kSlot | dst) : make(Op::run, dst, kSlot | dst, peek()));
    else if (tail)
      push_emit(make(Op::give_back, 0, kSlot | dst));
  }

  // ---- names -------------------------------------------------------------------------------------------------------
  std::optional<std::uint32_t> lookup(Name name) { return lookup(name, functions_.size() - 1); }
  std::optional<std::uint32_t> lookup(Name name, std::size_t level) {
    // Outwards to the function that binds it, then captured by each function on the way back in.
    std::size_t at = level;
    std::uint32_t operand = 0;
    for (;; --at) {
      Function& f = *functions_[at];
      bool found = false;
      for (auto it = f.scope.rbegin(); it != f.scope.rend() && !found; ++it)
        if (it->first == name) operand = it->second, found = true;
      if (!found)
        if (auto it = f.captured.find(name); it != f.captured.end()) operand = kCaptured | it->second, found = true;
      if (found) break;
      if (at == 0) return std::nullopt;
    }
    for (; at < level; ++at) {
      Function& f = *functions_[at + 1];
      if ((operand & kWhere) == kConstant) {
        f.code->constants.push_back(functions_[at]->code->constants[operand & kIndex]);
        operand = kConstant | static_cast<std::uint32_t>(f.code->constants.size() - 1);
      } else {
        operand = kCaptured | static_cast<std::uint32_t>(f.captures.size());
        f.captured.emplace(name, operand & kIndex);
        f.captures.push_back(name);
      }
    }
    return operand;
  }

  ExprId strip(ExprId id) const { return strip(package_, id); }
  static ExprId strip(const Package& package, ExprId id) {
    for (;;) {
      const Expr& e = package.expr(id);
      if (e.kind != ExprKind::type_app && e.kind != ExprKind::type_abs) return id;
      id = e.first;
    }
  }

  Cell constant_action(UpdateOp op);

  // The operand of an expression that needs no code; nothing otherwise.
  std::optional<std::uint32_t> simple(ExprId id);

  // A place for an operand: its own, or a new slot that a pushed task will fill; the caller collects those and calls
  // push_pending at the right moment. Operands are listed as written and evaluated from the last to the first: the
  // order can be observed (which of two exceptions is thrown), and this is the reference's (compiler/Anf.scala).
  struct Pending {
    ExprId e;
    std::uint32_t slot;
  };
  std::uint32_t place(ExprId e, std::vector<Pending>& pending) {
    if (auto operand = simple(e)) return *operand;
    std::uint32_t slot = alloc(1);
    pending.push_back({e, slot});
    return kSlot | slot;
  }
  void push_pending(const std::vector<Pending>& pending) {
    for (const Pending& p : pending) push_expr(p.e, p.slot, false, false);
  }
  // The common shape: operands or slots for the children, what belongs to the node (`before`), one instruction, the
  // rest.
  void push_node(std::uint32_t restore, const std::vector<Pending>& pending, Instruction i, std::uint32_t dst,
                 bool tail, bool run, std::span<const Instruction> before = {});

  // ---- expressions -------------------------------------------------------------------------------------------------
  void expr(ExprId id, std::uint32_t dst, bool tail, bool run);

  const TypeDescriptor* descriptor_of(TypeId id);

  void record_con(const Expr& e, std::uint32_t dst, bool tail, bool run);

  void struct_con(const Expr& e, std::uint32_t dst, bool tail, bool run);

  void application(ExprId id, std::uint32_t dst, bool tail, bool run);

  // ---- type classes (compiler_methods.cc)
  // ---------------------------------------------------------------------------- What an application really calls,
  // after methods of known dictionaries have been followed.
  struct Callee {
    const Package* package;
    ExprId expr;                            // in `package`, without type abstractions and applications
    std::size_t taken = 0;                  // how many of the arguments were dictionaries that are used up
    bool unit = false;                      // a unit argument goes before the remaining ones
    std::optional<std::string_view> field;  // the next argument is an unknown dictionary: call that field of it
  };
  Callee resolve(ExprId head, const std::vector<ExprId>& args);
  struct Place {  // an expression somewhere
    const Package* package;
    ExprId expr;
  };
  std::optional<Place> follow(const Place& value);  // the body of the value; none for what has a meaning of its own
  struct Selector {
    std::string_view field;
    bool unit;  // applies the field to unit
  };
  std::optional<Selector> selector(const Place& body) const;
  std::optional<Place> field_of(const Place& dictionary, std::string_view field) const;
  std::optional<Place> known_dictionary(Place e, int& budget);
  void push_call(std::uint32_t restore, const std::vector<Pending>& pending, std::uint32_t function, std::uint32_t base,
                 std::uint32_t n, std::uint32_t dst, bool tail, bool run, std::span<const Instruction> before);
  Cell builtin_cell(BuiltinFunction function);
  static bool is_unit(const Package& package, ExprId e);

  void update(const Expr& e, UpdateOp op, const UpdateRef* ref, std::uint32_t n, std::uint32_t dst, bool tail,
              bool run);

  // ---- closures ----------------------------------------------------------------------------------------------------
  Proto& new_proto(std::vector<StringId> parameters);
  void push_end(std::uint32_t dst, bool tail, bool run) {
    push(Task{Task::What::end_function, tail, run, ExprId::none(), dst, 0, 0, {}});
  }

  void abstraction(ExprId id, std::uint32_t dst, bool tail, bool run);

  // A closure over the token that runs the update `body`.
  void suspend(ExprId body, std::uint32_t dst, bool tail);

  void block_closure(const Task& t);

  void key_function(const Expr& e, UpdateOp op, std::uint32_t n, std::uint32_t dst, bool tail, bool run);

  void finish_function(Function& f);

  void end_function(std::uint32_t dst, bool tail, bool run);

  // ---- let, block, case, try ---------------------------------------------------------------------------------------
  void binding(const Task& t);

  void case_of(ExprId id, std::uint32_t dst, bool tail, bool run);

  void alternative(const Task& t);

  void try_catch(ExprId id, std::uint32_t dst, bool tail);

  void handler(const Task& t);

  Program& program_;
  const Package& package_;
  std::vector<std::unique_ptr<Function>> functions_;
  std::vector<Task> tasks_;
  std::size_t emitted_ = 0;
  std::uint32_t synthetic_ = 0;
};

}  // namespace synod::lf::eval
