// What a DAR contains, for people (text) and for programs (JSON): `synod dar inspect`.
#pragma once

#include <string>

#include "lf/archive/dar.h"

namespace synod::lf {

// By name, `name-version` or id; of several with that name, the highest version. Empty: the main package.
// PACKAGE_NOT_FOUND lists those that there are.
Result<const Package*> find_package(const Dar& dar, const std::string& wanted);

// A package, its templates with fields and choices, its interfaces, exceptions and other serialisable types, and its
// dependency tree.
std::string describe(const Dar& dar, const Package& package);
inline std::string describe(const Dar& dar) { return describe(dar, dar.main()); }
// The same as one JSON object, without the tree's repetition: every package of the file once with its direct
// dependencies. `main` is the file's main package, `package` the one that is described.
std::string describe_json(const Dar& dar, const Package& package);
inline std::string describe_json(const Dar& dar) { return describe_json(dar, dar.main()); }

}  // namespace synod::lf
