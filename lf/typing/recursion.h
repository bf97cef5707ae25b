// Cycles that a package must not have: of modules that refer to each other, and of type synonyms.
// Fact: Recursion.scala, and collectIdentifiers in language/Util.scala for which names count as references.
#pragma once

#include <cstdint>
#include <string>

#include "lf/package.h"

namespace synod::lf::typing {

// Empty: there is none. Takes a step off the budget for each part that it looks at; stops when none is left.
std::string find_cycle(const Package& package, std::uint64_t& budget);

}  // namespace synod::lf::typing
