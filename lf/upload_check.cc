#include "lf/upload_check.h"

#include <algorithm>
#include <set>

#include "lf/upgrade/upgrade_check.h"

namespace synod::lf {

namespace {

std::string shown(const Package& package) {
  return package.id() + " (" + package.name() + " v" + package.version() + ")";
}

// A package against its neighbours among the versions of its name.
Status check_lineage(const Package& package, const PackageStore& packages) {
  SYNOD_RETURN_IF_ERROR(check_standard_library(package));
  if (!takes_part_in_upgrades(package)) return {};
  auto versions = packages.versions_of(package.name());
  std::erase_if(versions, [](const Package* p) { return !takes_part_in_upgrades(*p); });
  auto at = std::ranges::find(versions, &package);
  for (auto other = versions.begin(); other != versions.end(); ++other) {
    if (other != at && (*other)->version() == package.version()) {
      return fail(invalid_argument("KNOWN_PACKAGE_VERSION", "Tried to upload package " + shown(package) +
                                                                ", but a different package " + shown(**other) +
                                                                " with the same name and version is known"));
    }
  }
  if (at != versions.begin()) SYNOD_RETURN_IF_ERROR(check_upgrade(**std::prev(at), package, packages));
  if (std::next(at) != versions.end()) SYNOD_RETURN_IF_ERROR(check_upgrade(package, **std::next(at), packages));
  return {};
}

}  // namespace

Status check_upload(const Dar& dar, const PackageStore& known, const CheckLimits& limits) {
  SYNOD_RETURN_IF_ERROR(check_dar_dependencies(dar));
  PackageStore packages;
  for (const Package* package : known.all()) packages.add(known.share(package->id()));
  std::set<std::string_view> fresh;
  for (const auto& entry : dar.entries) {
    if (packages.add(entry.package)) fresh.insert(entry.package->id());
  }
  SYNOD_TRY(auto in_order, packages.closure(dar.main().id()));
  for (const Package* package : in_order) {
    if (fresh.contains(package->id())) SYNOD_RETURN_IF_ERROR(check_package(*package, packages, limits));
  }
  for (const Package* package : in_order) {
    if (fresh.contains(package->id())) SYNOD_RETURN_IF_ERROR(check_lineage(*package, packages));
  }
  return {};
}

}  // namespace synod::lf
