// Packages of a participant: upload, listing, vetting.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace synod::participant {

struct PackageDescription {
  std::string package_id;
  std::string name;
  std::string version;
  std::uint64_t size = 0;  // bytes of the archive payload
  Timestamp known_since;
};

// What one participant has declared usable.
struct VettedPackage {
  std::string package_id;
  std::string name;  // with the version: empty for packages that are not known here
  std::string version;
  std::optional<Timestamp> valid_from;   // inclusive
  std::optional<Timestamp> valid_until;  // exclusive
};
struct VettingState {
  std::string participant;   // uid
  std::string synchronizer;  // logical
  std::uint32_t serial = 0;
  std::vector<VettedPackage> packages;
};

// Packages by id, or by name and version; empty fields do not count.
struct PackageReference {
  std::string package_id;
  std::string name;
  std::string version;
};
struct VettingChange {
  PackageReference package;
  bool vet = true;  // false: no longer
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_until;
};
struct VettingUpdate {
  std::vector<VettingChange> changes;  // the last one about a package counts
  bool dry_run = false;
  std::optional<std::uint32_t> expected_serial;  // of the state that it builds upon; 0: there must be none
};
struct VettingOutcome {
  std::optional<VettingState> before, after;
};

// Thread rules: from any thread; callbacks run on the participant's own thread.
class PackageService {
 public:
  virtual ~PackageService() = default;

  struct UploadOptions {
    bool vet = true;                   // announce the packages as usable to the synchronizer
    bool wait_until_effective = true;  // `done` only after the vetting is effective here
  };
  // Decodes and checks the DAR with its dependencies, stores it durably, then vets all its packages. Errors:
  // INVALID_DAR and what lf/archive reports, PACKAGE_NOT_FOUND (missing dependency), KNOWN_PACKAGE_VERSION,
  // NOT_VALID_UPGRADE_PACKAGE. Uploading what is known already succeeds. `done` receives the main package id.
  virtual void upload(std::string dar, UploadOptions options, std::function<void(Result<std::string>)> done) = 0;
  // The checks of upload, without effect.
  virtual Status validate(const std::string& dar) const = 0;

  virtual std::vector<PackageDescription> list() const = 0;
  // The archive payload (what GetPackage returns); empty: unknown.
  virtual Result<std::optional<std::string>> archive_payload(const std::string& package_id) const = 0;
  virtual bool is_known(const std::string& package_id) const = 0;
  // As of the newest topology; empty while not connected.
  virtual std::vector<std::string> vetted() const = 0;

  // Changes what this participant vets; `done` after it has become effective. Errors: UNRESOLVED_VETTING_REFERENCE
  // (when vetting), AMBIGUOUS_VETTING_REFERENCE, TOPOLOGY_SERIAL_MISMATCH, NOT_CONNECTED_TO_ANY_SYNCHRONIZER.
  virtual void update_vetting(VettingUpdate update, std::function<void(Result<VettingOutcome>)> done) = 0;
  // Of all participants, sorted by id, as of the newest topology; empty while not connected.
  virtual std::vector<VettingState> vetting_states() const = 0;
};

}  // namespace synod::participant
