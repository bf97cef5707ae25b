// Applications, and type classes within them.
//
// The Daml compiler makes a class into a struct of suspended members, the dictionary, and each method into a function
// that selects one:
//   plus = \\d -> d.m_plus ()        numInt = < m_plus = \\u -> ADD_INT64, ... >
// Called as written, `plus numInt x y` is three calls and a projection. Dictionaries are mostly top-level values, so
// the compiler follows them and calls what is behind; of the others it takes the field without calling the method.
#include "lf/eval/compiler_state.h"

namespace synod::lf::eval {
namespace {

constexpr int kMaxLinks = 32;  // from a name to what it stands for, from a class to its superclasses

}  // namespace

bool Compiler::is_unit(const Package& package, ExprId id) {
  const Expr& e = package.expr(strip(package, id));
  return e.kind == ExprKind::builtin_con && e.con == BuiltinCon::unit;
}

std::optional<Compiler::Place> Compiler::follow(const Place& value) {
  auto found = program_.packages().value(*value.package, value.package->expr(value.expr).ref);
  if (!found) return std::nullopt;
  // A runtime may have given the definition a meaning that is not its body.
  if (program_.definition(*found.package, *found.definition)->function.tag == Tag::builtin) return std::nullopt;
  return Place{found.package, strip(*found.package, found->body)};
}

std::optional<Compiler::Selector> Compiler::selector(const Place& body) const {
  const Package& p = *body.package;
  const Expr& function = p.expr(body.expr);
  if (function.kind != ExprKind::abs || function.params.count != 1) return std::nullopt;
  ExprId inner = strip(p, function.first);
  bool unit = false;
  if (const Expr& call = p.expr(inner); call.kind == ExprKind::app) {
    if (call.args.count != 1 || !is_unit(p, p.items(call.args)[0])) return std::nullopt;
    unit = true;
    inner = strip(p, call.first);
  }
  const Expr& projection = p.expr(inner);
  if (projection.kind != ExprKind::struct_proj) return std::nullopt;
  const Expr& dictionary = p.expr(strip(p, projection.first));
  if (dictionary.kind != ExprKind::var || dictionary.name() != p.items(function.params)[0].name) return std::nullopt;
  return Selector{p.text(projection.name()), unit};
}

// Only of dictionaries that hold nothing but functions: making one can then neither fail nor take time, so that it does
// not matter whether it is made.
std::optional<Compiler::Place> Compiler::field_of(const Place& dictionary, std::string_view field) const {
  const Package& p = *dictionary.package;
  const Expr& made = p.expr(dictionary.expr);
  if (made.kind != ExprKind::struct_con) return std::nullopt;
  std::optional<Place> out;
  for (const auto& f : p.items(made.fields)) {
    ExprId value = strip(p, f.value);
    if (p.expr(value).kind != ExprKind::abs) return std::nullopt;
    if (p.text(f.name) == field) out = Place{&p, value};
  }
  return out;
}

// The struct that `e` is: a value, or a superclass selected from one.
std::optional<Compiler::Place> Compiler::known_dictionary(Place e, int& budget) {
  const Expr* at = &e.package->expr(e.expr);
  if (at->kind == ExprKind::app) {
    if (at->args.count != 1 || --budget < 0) return std::nullopt;
    ExprId method = strip(*e.package, at->first);
    if (e.package->expr(method).kind != ExprKind::value) return std::nullopt;
    auto body = follow({e.package, method});
    auto select = body ? selector(*body) : std::nullopt;
    if (!select || !select->unit) return std::nullopt;
    auto outer = known_dictionary({e.package, strip(*e.package, e.package->items(at->args)[0])}, budget);
    auto field = outer ? field_of(*outer, select->field) : std::nullopt;
    if (!field || field->package->expr(field->expr).params.count != 1) return std::nullopt;
    e = {field->package, strip(*field->package, field->package->expr(field->expr).first)};
    return known_dictionary(e, budget);
  }
  for (int i = 0; i < kMaxLinks && e.package->expr(e.expr).kind == ExprKind::value; ++i) {
    auto body = follow(e);
    if (!body) return std::nullopt;
    e = *body;
  }
  return e.package->expr(e.expr).kind == ExprKind::struct_con ? std::optional(e) : std::nullopt;
}

Compiler::Callee Compiler::resolve(ExprId head, const std::vector<ExprId>& args) {
  Callee callee{&package_, head};
  for (int i = 0; i < kMaxLinks && callee.package->expr(callee.expr).kind == ExprKind::value; ++i) {
    auto body = follow({callee.package, callee.expr});
    if (!body) break;
    const Expr& e = body->package->expr(body->expr);
    if (e.kind == ExprKind::value || e.kind == ExprKind::builtin) {  // only a name for something else
      callee.package = body->package;
      callee.expr = body->expr;
      continue;
    }
    if (callee.unit || callee.taken == args.size()) break;
    auto select = selector(*body);
    if (!select) break;
    int budget = kMaxLinks;
    auto dictionary = known_dictionary({&package_, strip(args[callee.taken])}, budget);
    auto field = dictionary ? field_of(*dictionary, select->field) : std::nullopt;
    if (!field) {
      // An unknown dictionary: its field is called, without the method in between.
      if (select->unit) callee.field = select->field;
      break;
    }
    ++callee.taken;
    const Expr& suspended = field->package->expr(field->expr);
    ExprId inner = strip(*field->package, suspended.first);
    const Expr& member = field->package->expr(inner);
    bool direct = select->unit && suspended.params.count == 1 &&
                  (member.kind == ExprKind::value || member.kind == ExprKind::builtin);
    callee.package = field->package;
    callee.expr = direct ? inner : field->expr;
    callee.unit = select->unit && !direct;
    if (!direct) break;
  }
  return callee;
}

void Compiler::application(ExprId id, std::uint32_t dst, bool tail, bool run) {
  std::vector<ExprId> args;  // in reverse
  ExprId head = id;
  while (package_.expr(head).kind == ExprKind::app) {
    const Expr& e = package_.expr(head);
    auto items = package_.items(e.args);
    args.insert(args.end(), items.rbegin(), items.rend());
    head = strip(e.first);
  }
  std::reverse(args.begin(), args.end());
  Callee callee = resolve(head, args);
  args.erase(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(callee.taken));
  std::uint32_t restore = fn().next;
  const Expr& h = callee.package->expr(callee.expr);
  std::vector<Pending> pending;
  std::uint32_t function = 0;

  if (callee.field) {
    std::uint32_t from = place(args[0], pending);
    args.erase(args.begin());
    function = alloc(1);
    auto n = static_cast<std::uint32_t>(args.size() + 1);
    std::uint32_t base = alloc(n);
    for (std::uint32_t i = 1; i < n; ++i) pending.push_back({args[i - 1], base + i});
    const Instruction method[] = {
        make(Op::move, base, constant(make_unit())),
        make(Op::struct_project, function, from, fn().hints++, program_.symbol(*callee.field)),
    };
    return push_call(restore, pending, kSlot | function, base, n, dst, tail, run, method);
  }

  auto n = static_cast<std::uint32_t>(args.size());
  if (h.kind == ExprKind::builtin && !callee.unit && n > 0) {
    if (h.builtin == BuiltinFunction::coerce_contract_id && n == 1) return push_expr(args[0], dst, tail, run);
    if (value_arity(h.builtin) == static_cast<int>(n)) {
      auto sub = static_cast<std::uint8_t>(h.builtin);
      if (n == 2) {
        std::uint32_t x = place(args[0], pending), y = place(args[1], pending);
        return push_node(restore, pending, make(Op::binary, dst, x, y, 0, sub), dst, tail, run);
      }
      std::uint32_t base = alloc(n);
      for (std::uint32_t i = 0; i < n; ++i) pending.push_back({args[i], base + i});
      return push_node(restore, pending, make(Op::builtin, dst, 0, base, n, sub), dst, tail, run);
    }
  }

  // The function: an operand, a value of another package that must be loaded, or an expression here.
  Definition* load = nullptr;
  if (callee.package == &package_ && callee.expr == head) {
    function = place(head, pending);
  } else if (h.kind == ExprKind::builtin) {
    function = constant(builtin_cell(h.builtin));
  } else {
    load = h.kind == ExprKind::value ? program_.definition(*callee.package, h.ref)
                                     : program_.function(*callee.package, callee.expr);
    if (!load) return fail_with("unknown value " + identifier(*callee.package, h.ref).to_string());
    if (load->is_function) {
      function = constant(load->function);
      load = nullptr;
    } else {
      function = kSlot | alloc(1);
    }
  }
  std::uint32_t extra = callee.unit ? 1 : 0;
  n += extra;
  std::uint32_t base = alloc(n);
  for (std::uint32_t i = extra; i < n; ++i) pending.push_back({args[i - extra], base + i});
  std::vector<Instruction> before;
  if (callee.unit) before.push_back(make(Op::move, base, constant(make_unit())));
  if (load) {
    code().definitions.push_back(load);
    before.push_back(make(Op::load, function & kIndex, 0, static_cast<std::uint32_t>(code().definitions.size() - 1)));
  }
  if (n > 0) return push_call(restore, pending, function, base, n, dst, tail, run, before);
  push_restore_to(restore);
  push_finish(function, dst, tail, run);
  for (const Instruction& b : before) push_emit(b);
}

void Compiler::push_call(std::uint32_t restore, const std::vector<Pending>& pending, std::uint32_t function,
                         std::uint32_t base, std::uint32_t n, std::uint32_t dst, bool tail, bool run,
                         std::span<const Instruction> before) {
  if (!tail || run) return push_node(restore, pending, make(Op::call, dst, function, base, n), dst, tail, run, before);
  push_restore_to(restore);
  push_emit(make(Op::tail_call, 0, function, base, n));
  for (const Instruction& b : before) push_emit(b);
  push_pending(pending);
}

}  // namespace synod::lf::eval
