// Equality and order of cells, left to right and lazily, as far as the first difference. Iterative: depth and length of
// values cost heap, not stack.
#pragma once

#include <cstdint>

#include "lf/eval/cell.h"

namespace synod::lf::eval {

// Negative, zero or positive. Functions: NON_COMPARABLE_VALUES; a local or relative contract id against another one
// with the same discriminator: CONTRACT_ID_COMPARABILITY (both as Fatal). `steps` is charged with the cells looked at:
// shared substructure can make a small value large to walk.
int compare(const Cell& a, const Cell& b, Meter& steps);
bool equal(const Cell& a, const Cell& b, Meter& steps);

}  // namespace synod::lf::eval
