#include "lf/archive/dar.h"

#include <algorithm>
#include <map>
#include <set>

#include "lf/archive/dar_error.h"
#include "lf/archive/decode.h"
#include "lf/archive/package_decoder.h"
#include "lf/archive/zip_file.h"
#include "lf/package_store.h"

namespace synod::lf {

namespace {
constexpr const char* kManifest = "META-INF/MANIFEST.MF";
}

Result<DarFile> read_dar(ByteView dar, const DarLimits& limits) {
  SYNOD_TRY(auto zip, ZipFile::open(dar, limits));
  if (!zip.contains(kManifest)) return fail(invalid_dar(std::string("it has no ") + kManifest));
  SYNOD_TRY(auto manifest_text, zip.read(kManifest));
  SYNOD_TRY(auto manifest, parse_dar_manifest(manifest_text));
  DarFile file;
  file.sdk_version = std::move(manifest.sdk_version);
  std::set<std::string> seen;
  auto add = [&](std::string name) -> Status {
    if (!seen.insert(name).second) return {};
    SYNOD_TRY(auto archive, zip.read(name));
    file.entries.push_back(DarFile::Entry{std::move(name), std::move(archive)});
    return {};
  };
  SYNOD_RETURN_IF_ERROR(add(std::move(manifest.main_dalf)));
  for (auto& name : manifest.dependencies) SYNOD_RETURN_IF_ERROR(add(std::move(name)));
  return file;
}

Result<Dar> decode_dar(ByteView bytes, const DarLimits& limits, const PackageStore* known,
                       const DecodeOptions& options) {
  SYNOD_TRY(auto file, read_dar(bytes, limits));
  Dar dar;
  std::set<std::string> seen;
  for (auto& entry : file.entries) {
    SYNOD_TRY(auto archive, parse_archive(entry.archive));
    if (!seen.insert(archive.package_id).second) continue;
    PackagePtr package = known ? known->share(archive.package_id) : nullptr;
    if (!package) {
      auto decoded = decode_payload(archive.package_id, archive.payload, options);
      if (!decoded) return fail(std::move(decoded.error()).with("entry", entry.name));
      package = std::move(*decoded);
    }
    dar.entries.push_back(Dar::Entry{std::move(package), Bytes(archive.payload)});
  }
  return dar;
}

Status check_dar_dependencies(const Dar& dar) {
  std::map<std::string_view, const Package*> included;
  for (const auto& entry : dar.entries) included.emplace(entry.package->id(), entry.package.get());
  std::set<std::string_view> needed{dar.main().id()};
  std::vector<const Package*> work{&dar.main()};
  std::string missing, extra;
  auto append = [](std::string& list, std::string_view id) { list.append(list.empty() ? "" : ", ").append(id); };
  while (!work.empty()) {
    const Package* package = work.back();
    work.pop_back();
    for (std::string_view id : package->dependencies()) {
      if (!needed.insert(id).second) continue;
      if (auto it = included.find(id); it != included.end()) {
        work.push_back(it->second);
      } else if (!is_stable_package(id)) {
        append(missing, id);
      }
    }
  }
  for (const auto& [id, package] : included) {
    if (!needed.contains(id) && !is_stable_package(id)) append(extra, id);
  }
  if (missing.empty() && extra.empty()) return {};
  return fail(
      invalid_argument("DAR_DEPENDENCIES_NOT_VALID",
                       "The set of packages in the dar is not self-consistent and is missing dependencies or has "
                       "extra dependencies")
          .with("mainPackageId", dar.main().id())
          .with("missingDependencies", missing)
          .with("extraDependencies", extra));
}

Result<Bytes> write_dar(const std::vector<DarFile::Entry>& entries) {
  std::string dalfs;
  for (const auto& entry : entries) dalfs.append(dalfs.empty() ? "" : ", ").append(entry.name);
  std::string manifest;
  auto line = [&](const std::string& name, const std::string& value) {
    constexpr std::size_t kWidth = 72;
    std::string text = name + ": " + value;
    manifest += text.substr(0, kWidth);
    for (std::size_t at = kWidth; at < text.size(); at += kWidth - 1) manifest += "\n " + text.substr(at, kWidth - 1);
    manifest += '\n';
  };
  line("Manifest-Version", "1.0");
  line("Format", "daml-lf");
  line("Main-Dalf", entries.front().name);
  line("Dalfs", dalfs);
  std::vector<std::pair<std::string, ByteView>> files{{kManifest, manifest}};
  for (const auto& entry : entries) files.emplace_back(entry.name, entry.archive);
  return write_zip(files);
}

}  // namespace synod::lf
