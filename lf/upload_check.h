// What a DAR must satisfy before a participant accepts it, in Canton's order.
#pragma once

#include "base/result.h"
#include "lf/archive/dar.h"
#include "lf/package_store.h"
#include "lf/typing/check_package.h"

namespace synod::lf {

// `known` are the packages that were accepted before; they are trusted. Errors:
//   DAR_DEPENDENCIES_NOT_VALID  packages are missing from the file, or superfluous
//   PACKAGE_NOT_FOUND           a stable package is in neither the file nor `known`
//   DAR_VALIDATION_ERROR        a new package is ill-typed (lf/typing/check_package.h)
//   KNOWN_PACKAGE_VERSION       another package has the same name and version
//   NOT_VALID_UPGRADE_PACKAGE   a new package does not fit between the known versions before and after it
Status check_upload(const Dar& dar, const PackageStore& known, const CheckLimits& limits = {});

}  // namespace synod::lf
