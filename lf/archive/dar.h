// DAR files: a ZIP with a manifest and one .dalf per package.
//
// Errors are Canton's: INVALID_DAR (no ZIP, or a bad manifest), INVALID_ZIP_ENTRY (a package named but absent),
// ZIP_BOMB, DAR_PARSE_ERROR and ALLOWED_LANGUAGE_VERSIONS from decoding (lf/archive/decode.h),
// DAR_DEPENDENCIES_NOT_VALID.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/archive/decode.h"
#include "lf/package.h"

namespace synod::lf {

class PackageStore;

struct DarLimits {
  std::uint64_t max_entry_bytes = 1ull << 30;  // of one entry, inflated; Canton's limit
  std::uint64_t max_total_bytes = 2ull << 30;  // of all entries read, inflated
  std::uint64_t max_entries = 10'000;
};

// The main package comes first, the others in the manifest's order. Contents are archives (lf/archive/decode.h).
struct DarFile {
  struct Entry {
    std::string name;
    Bytes archive;
  };
  std::vector<Entry> entries;
  std::string sdk_version;  // from the manifest; may be empty
};
Result<DarFile> read_dar(ByteView dar, const DarLimits& limits = {});

struct Dar {
  struct Entry {
    PackagePtr package;
    Bytes payload;  // to be kept for whoever asks for the package
  };
  std::vector<Entry> entries;  // main package first; a package named twice appears once
  const Package& main() const { return *entries.front().package; }
};
// Reads and decodes. One package that cannot be decoded refuses the whole file. Packages that `known` has are not
// decoded again: applications share most of their dependencies.
Result<Dar> decode_dar(ByteView dar, const DarLimits& limits = {}, const PackageStore* known = nullptr,
                       const DecodeOptions& options = {});

// The packages in the file must be exactly those the main package needs, directly and indirectly; the stable packages
// of the standard library may be missing or superfluous. Otherwise DAR_DEPENDENCIES_NOT_VALID.
Status check_dar_dependencies(const Dar& dar);

struct DarManifest {
  std::string main_dalf;
  std::vector<std::string> dependencies;  // without the main one
  std::string sdk_version;
};
// JAR syntax: 72-byte lines with continuations, main section only.
Result<DarManifest> parse_dar_manifest(std::string_view manifest);

// A DAR with these archives, the main one first. The same input gives the same bytes.
Result<Bytes> write_dar(const std::vector<DarFile::Entry>& entries);

}  // namespace synod::lf
