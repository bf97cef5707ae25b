// From syntax trees to bytecode, one top-level function with the closures inside it at a time. Works through an
// explicit list of pending tasks, so that nesting of the input costs heap, not stack.
#pragma once

#include "lf/eval/code.h"
#include "lf/eval/program.h"

namespace synod::lf::eval {

// Fills proto.storage and publishes proto.code. Never fails: what cannot be compiled (a missing package, an unknown
// constructor, code beyond all size) becomes a `fail` instruction that says so when it is reached. Call with the
// program's lock held.
void compile_function(Program& program, Proto& proto);

}  // namespace synod::lf::eval
