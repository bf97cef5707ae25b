// The type checker: what makes it safe to run a package. Source of the rules: the Daml-LF specification, and which of
// them Canton checks at upload (community/daml-lf/validation).
//
// Checked: every name is defined, types are well-kinded, expressions have the types their context wants, cases are
// exhaustive, templates, choices, keys, interfaces and their implementations fit together, what is declared
// serialisable is, names do not collide, modules and type synonyms do not refer to each other in circles, dependencies
// are not of a later language version.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "lf/package_store.h"

namespace synod::lf {

struct CheckLimits {
  // Steps over expressions and types. The largest real packages take about two million.
  std::uint64_t max_steps = 100'000'000;
};

// `packages` holds the package and all its dependencies. DAR_VALIDATION_ERROR names the definition and what is wrong.
Status check_package(const Package& package, const PackageStore& packages, const CheckLimits& limits = {});

}  // namespace synod::lf
