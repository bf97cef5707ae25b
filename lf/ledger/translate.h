// Ledger values <-> the machine's cells.
#pragma once

#include <string>

#include "base/result.h"
#include "lf/eval/cell.h"
#include "lf/eval/program.h"
#include "lf/value.h"

namespace synod::lf {

// `value` as a value of `type`, following the rules of package upgrades: record fields by position, missing trailing
// fields only if Optional, surplus ones only if None; constructors by name. The error's cause says what does not fit;
// id and category are the caller's to choose. Fails with OutOfBudget when the arena does.
Result<eval::Cell> to_cell(eval::Program& program, eval::Arena& arena, const Value& value,
                           const eval::RuntimeType& type, bool allow_local_ids = false);

// In normal form. Fatal: VALUE_NESTING, or a function or other value that no ledger value has. The memory is charged to
// the arena's budget, because cells that share parts can stand for far larger values.
Value to_value(const eval::Cell& cell, eval::Arena& budget);

// A list of parties, or one party.
PartySet to_parties(const eval::Cell& cell);

}  // namespace synod::lf
