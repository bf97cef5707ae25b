// Whether one version of a package may follow another under the same name, so that contracts of the one can be used
// through the other. Only declared shapes are compared, never code. Source of the rules: community/daml-lf/validation,
// Upgrading.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lf/package_store.h"

namespace synod::lf {

// Packages without serialisable types, templates and interfaces, and the standard library, are no part of any upgrade:
// several may share a name and version.
bool is_utility_package(const Package& package);
bool takes_part_in_upgrades(const Package& package);
// DAML_PRIM_NOT_UTILITY_PACKAGE: a package that only pretends to be part of the standard library.
Status check_standard_library(const Package& package);

// `packages` holds both and their dependencies. NOT_VALID_UPGRADE_PACKAGE says what was removed or changed:
//   * modules, templates, choices, interface implementations and serialisable data types may be added, not removed;
//   * records may gain Optional fields at the end, variants and enumerations constructors at the end;
//   * types of fields, constructors, keys and choice results stay the same, up to upgrades of the packages they come
//   from; what a record is for (a template, a choice, a constructor), and the kinds of parameters, stay the same, too.
Status check_upgrade(const Package& past, const Package& present, const PackageStore& packages);
// All that was removed or changed, for reports; empty: it is a valid upgrade. The first one is check_upgrade's.
std::vector<std::string> upgrade_problems(const Package& past, const Package& present, const PackageStore& packages);

}  // namespace synod::lf
