#include "participant/node/package_registry.h"

#include "lf/archive/decode.h"
#include "lf/upload_check.h"
#include "participant/ledger/columns.h"

namespace synod::participant {
namespace {

constexpr std::size_t kSinceSize = 8;  // stored: known since (µs), then the archive payload

}  // namespace

PackageRegistry::PackageRegistry(std::shared_ptr<storage::Store> store, const lf::DarLimits& limits)
    : store_(std::move(store)), limits_(limits) {}

Status PackageRegistry::load() {
  Status status;
  SYNOD_RETURN_IF_ERROR(store_->scan(kPackagesColumn, storage::KeyRange::all(), storage::Direction::forward,
                                     [&](ByteView key, ByteView value) {
                                       if (value.size() < kSinceSize) {
                                         status = fail(storage::storage_corrupt("a stored package is cut short"));
                                         return false;
                                       }
                                       auto package = lf::decode_payload(std::string(key), value.substr(kSinceSize));
                                       if (!package) {
                                         status = fail(std::move(package).error());
                                         return false;
                                       }
                                       packages_->add(std::move(*package));
                                       return true;
                                     }));
  return status;
}

Result<lf::Dar> PackageRegistry::check(const std::string& dar) const {
  SYNOD_TRY(auto decoded, lf::decode_dar(dar, limits_, packages_.get()));
  SYNOD_RETURN_IF_ERROR(lf::check_upload(decoded, *packages_));
  return decoded;
}

Status PackageRegistry::add(const lf::Dar& dar, Timestamp now) {
  storage::WriteBatch writes;
  for (const auto& entry : dar.entries) {
    if (packages_->find(entry.package->id())) continue;
    Bytes value = number_key(now.micros);
    value += entry.payload;
    writes.put(kPackagesColumn, entry.package->id(), std::move(value));
  }
  if (!writes.empty()) {
    SYNOD_RETURN_IF_ERROR(store_->write(writes, storage::Sync::yes));
  }
  // Dependencies first, so that nobody meets a package before what it needs.
  for (auto entry = dar.entries.rbegin(); entry != dar.entries.rend(); ++entry) packages_->add(entry->package);
  return {};
}

std::vector<PackageDescription> PackageRegistry::list() const {
  std::vector<PackageDescription> out;
  const auto status = store_->scan(kPackagesColumn, storage::KeyRange::all(), storage::Direction::forward,
                                   [&](ByteView key, ByteView value) {
                                     const auto* package = packages_->find(key);
                                     if (package && value.size() >= kSinceSize) {
                                       out.push_back({std::string(key), package->name(), package->version(),
                                                      value.size() - kSinceSize, Timestamp{read_i64(value)}});
                                     }
                                     return true;
                                   });
  if (!status) out.clear();
  return out;
}

Result<std::optional<std::string>> PackageRegistry::archive_payload(const std::string& package_id) const {
  SYNOD_TRY(auto value, store_->get(kPackagesColumn, package_id));
  if (!value) return std::nullopt;
  return std::optional(value->substr(kSinceSize));
}

}  // namespace synod::participant
