// What a DAR contains, for people (text) and for programs (JSON): `synod dar inspect`.
#pragma once

#include <string>

#include "lf/archive/dar.h"

namespace synod::lf {

// Main package, its templates with fields and choices, its interfaces and exceptions, and the dependency tree.
std::string describe(const Dar& dar);
// The same as one JSON object, without the tree's repetition: every package once with its direct dependencies.
std::string describe_json(const Dar& dar);

}  // namespace synod::lf
