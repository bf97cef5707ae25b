// The packages that a participant knows: decoded in memory, archives in the store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lf/archive/dar.h"
#include "lf/package_store.h"
#include "participant/package_service.h"
#include "storage/store.h"

namespace synod::participant {

// Thread rules: from any thread.
class PackageRegistry {
 public:
  explicit PackageRegistry(std::shared_ptr<storage::Store> store, const lf::DarLimits& limits = {});

  // Decodes everything that is stored.
  Status load();
  std::shared_ptr<const lf::PackageStore> packages() const { return packages_; }

  // Checks a DAR against what is known: dependencies, types, versions and upgrades (lf/upload_check.h).
  Result<lf::Dar> check(const std::string& dar) const;
  // Stores durably what is new and makes it known.
  Status add(const lf::Dar& dar, Timestamp now);

  std::vector<PackageDescription> list() const;
  Result<std::optional<std::string>> archive_payload(const std::string& package_id) const;

 private:
  std::shared_ptr<storage::Store> store_;
  const lf::DarLimits limits_;
  std::shared_ptr<lf::PackageStore> packages_ = std::make_shared<lf::PackageStore>();
};

}  // namespace synod::participant
