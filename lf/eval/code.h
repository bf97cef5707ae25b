// What the compiler makes and the machine runs.
//
// A function works on a window of slots: parameters first, then locals and temporaries. An operand names a slot, a
// captured variable or a constant. Arguments of a call lie in consecutive slots at the end of the live window, so that
// the callee's window can start there without copying.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "lf/ast.h"
#include "lf/eval/cell.h"

namespace synod::lf::eval {

enum class Op : std::uint8_t {
  move,            // a <- b
  load,            // a <- value of definition c
  closure,         // a <- closure of proto c; captured operands: side[b ..]
  record,          // a <- record of type c from n slots at b
  structure,       // a <- struct of layout side[c] from n slots at b; positions side[c+1 ..]
  project,         // a <- field n of b
  update,          // a <- b with field n = c
  struct_project,  // a <- field named n of b; hints[c]: where it was last time
  struct_update,   // a <- b with field named n = c
  variant,         // a <- constructor n of type c with argument b
  cons,            // a <- b : c
  some,            // a <- Some b
  branch,          // on the rank of b: side[c + min(rank, n)]; the last is the default
  uncons,          // a, a+1 <- head, tail of b
  unwrap,          // a <- content of the some or variant b
  jump,            // to c
  call,            // a <- b applied to n slots at c
  tail_call,       // return b applied to n slots at c
  builtin,         // a <- builtin `sub` of n slots at c (as many as it takes)
  binary,          // a <- builtin `sub` of the operands b and c; one that never calls back
  run,             // a <- result of running update b
  tail_run,        // return the result of running update b; a is a free slot at the end of the window
  give_back,       // return b
  to_any,          // a <- b as Any of type c
  from_any,        // a <- b if it is of type c
  raise,           // throw b (an Any)
  action,          // a <- update `sub` of reference c with n slots at b
  execute,         // a <- result of update `sub` of reference c with n slots at b
  try_,            // handler at c, exception to a
  end_try,
  handle,                 // b: Optional update from a handler; None raises a again, Some x: a <- x
  to_interface,           // a <- b as interface value; template reference c
  from_interface,         // a <- Optional template c from b
  unsafe_from_interface,  // a <- template c from value at b+1, contract id at b
  from_required,          // a <- Optional interface c
  unsafe_from_required,   // a <- interface c from value at b+1, contract id at b
  call_interface,         // a <- method of interface reference c on slot b, which is the last of the window
  view_interface,
  signatory_interface,
  observer_interface,
  template_type_rep,  // a <- type rep of the template inside b
  fail,               // stop: text constant c says why
};

// Operands: the two top bits say where, the rest which.
inline constexpr std::uint32_t kSlot = 0, kCaptured = 1u << 30, kConstant = 2u << 30, kWhere = 3u << 30,
                               kIndex = kCaptured - 1;

struct Instruction {
  Op op;
  std::uint8_t sub = 0;
  std::uint16_t unused = 0;
  std::uint32_t n = 0;
  std::uint32_t a = 0, b = 0, c = 0;
};

struct Definition;

struct Code {
  std::vector<Instruction> instructions;
  std::vector<Cell> constants;
  std::vector<std::uint32_t> side;  // capture lists, jump tables, struct layouts
  std::vector<const Proto*> protos;
  std::vector<Definition*> definitions;
  std::vector<const void*> references;  // TypeDescriptor, StructDescriptor, RuntimeType, UpdateRef, ...
  std::vector<std::pair<std::uint32_t, LocationId>> locations;  // ascending instruction index -> source range
  std::uint32_t slots = 0;
  // Set when the code does nothing but give back this constant, as the methods of type class dictionaries do: a caller
  // with more arguments goes on with it at once.
  const Cell* only_result = nullptr;
  // Positions that struct projections found last. Guesses, shared by all threads: whoever uses one checks it.
  mutable std::vector<std::atomic<std::uint32_t>> hints;
  std::vector<std::unique_ptr<Proto>> owned;  // protos of the closures made here
};

// A function: compiled on first use (those made by closures: together with their surroundings).
struct Proto {
  const Package* package = nullptr;
  std::uint32_t arity = 0;
  std::vector<StringId> parameters;
  ExprId body = ExprId::none();
  bool run = false;  // execute the body, an update, instead of only evaluating it
  std::atomic<const Code*> code{nullptr};
  std::unique_ptr<Code> storage;
};

// A top-level value. A function is a constant closure; anything else is evaluated once per interpretation.
struct Definition {
  std::uint32_t index = 0;  // into the machine's table of evaluated definitions; functions have none
  bool is_function = false;
  Cell function;  // closure without captures
  Proto proto;    // of the function, or of arity 0: the body
};

}  // namespace synod::lf::eval
