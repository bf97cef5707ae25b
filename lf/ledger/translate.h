// Ledger values <-> the machine's cells.
#pragma once

#include <string>

#include "base/result.h"
#include "lf/eval/cell.h"
#include "lf/eval/program.h"
#include "lf/value.h"

namespace synod::lf {

// How a value is read, and what is said if it does not fit: of commands and of contracts Canton says it differently.
// Facts: engine/refinement/ValueTranslator.scala and speedy/ValueTranslator.scala.
struct TranslationRules {
  // The argument of a contract, which must be in normal form: no trailing None, general maps in ascending order.
  bool of_contract = false;
  bool local_ids = false;    // contract ids without suffix are allowed
  bool relative_ids = true;  // and those whose suffix is not final
  // The type that the writer of a command knew: it has labels for fields that `type` does not have.
  const eval::RuntimeType* written_as = nullptr;
};

// `value` as a value of `type`, following the rules of package upgrades: record fields by position, missing trailing
// fields only if Optional, surplus ones only if None; constructors by name. The error's cause says what does not fit,
// in Canton's words; id and category are the caller's to choose. Fails with OutOfBudget when the arena does.
Result<eval::Cell> to_cell(eval::Program& program, eval::Arena& arena, const Value& value,
                           const eval::RuntimeType& type, const TranslationRules& rules = {});

// In normal form. Fatal: VALUE_NESTING, or a function or other value that no ledger value has. The memory is charged to
// the arena's budget, because cells that share parts can stand for far larger values.
Value to_value(const eval::Cell& cell, eval::Arena& budget);
// The same checks without a result.
void check_value(const eval::Cell& cell, eval::Meter& steps);

// A list of parties, or one party.
PartySet to_parties(const eval::Cell& cell);

}  // namespace synod::lf
