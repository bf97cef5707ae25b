// The standard library has no serialisable types of its own, except in the packages that compilers of Daml 3 wrote
// before that was so. Those are known by their ids; any other package that takes the name is an impostor. Source of the
// ids: community/daml-lf/language, UtilityDamlPackages.
#pragma once

#include <string_view>

namespace synod::lf {

// Whether the package of that name, daml-prim or daml-stdlib, is one of them.
bool is_early_standard_library(std::string_view package_name, std::string_view package_id);

}  // namespace synod::lf
