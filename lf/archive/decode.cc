#include "lf/archive/decode.h"

#include <openssl/sha.h>

#include <algorithm>

#include "lf/archive/dar_error.h"
#include "lf/archive/package_decoder.h"
#include "lf/archive/wire_reader.h"
#include "lf/archive/wire_writer.h"

namespace synod::lf {

namespace {

// Fields of proto/lf/archive.proto.
constexpr std::uint32_t kHashFunction = 1, kPayload = 3, kHash = 4;
constexpr std::uint32_t kLf1 = 2, kMinor = 3, kLf2 = 4, kPatch = 5;

tl::unexpected<Error> malformed_message(std::string_view message) {
  return fail(dar_parse_error(std::string(message) + ": malformed protobuf message"));
}
tl::unexpected<Error> unknown_field(std::string_view message, std::uint32_t number) {
  return fail(dar_parse_error(std::string(message) + ": message has unknown field " + std::to_string(number)));
}

}  // namespace

std::string package_id_of(ByteView payload) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), digest);
  return to_hex(ByteView(reinterpret_cast<const char*>(digest), sizeof digest));
}

Result<Archive> parse_archive(ByteView archive) {
  std::uint64_t hash_function = 0;
  std::string_view payload, hash;
  WireReader reader(archive);
  while (!reader.at_end()) {
    std::uint32_t number;
    WireType wire;
    if (!reader.tag(number, wire)) return malformed_message("Archive");
    if (number == kHashFunction && wire == WireType::varint) {
      if (!reader.varint(hash_function)) return malformed_message("Archive");
    } else if ((number == kPayload || number == kHash) && wire == WireType::bytes) {
      if (!reader.bytes(number == kPayload ? payload : hash)) return malformed_message("Archive");
    } else {
      return unknown_field("Archive", number);
    }
  }
  if (hash_function != 0) return fail(dar_parse_error("Unrecognized hash function"));
  if (!is_package_id(hash)) return fail(dar_parse_error("Invalid hash: an archive must state the hash of its payload"));
  auto ours = package_id_of(payload);
  if (ours != hash) {
    return fail(dar_parse_error("Mismatching hashes! Expected " + ours + " but got " + std::string(hash)));
  }
  return Archive{std::move(ours), payload};
}

Bytes encode_archive(ByteView payload) {
  WireWriter writer;
  writer.bytes(kPayload, payload);
  writer.bytes(kHash, package_id_of(payload));
  return writer.take();
}

Result<ArchivePayload> parse_payload(ByteView payload, const DecodeOptions& options) {
  std::string_view minor, lf1, lf2;
  std::uint64_t patch = 0;
  bool has_lf1 = false, has_lf2 = false;
  WireReader reader(payload);
  while (!reader.at_end()) {
    std::uint32_t number;
    WireType wire;
    if (!reader.tag(number, wire)) return malformed_message("ArchivePayload");
    if (number == kPatch && wire == WireType::varint) {
      if (!reader.varint(patch)) return malformed_message("ArchivePayload");
    } else if ((number == kMinor || number == kLf1 || number == kLf2) && wire == WireType::bytes) {
      auto& target = number == kMinor ? minor : number == kLf1 ? lf1 : lf2;
      if (!reader.bytes(target)) return malformed_message("ArchivePayload");
      has_lf1 |= number == kLf1;
      has_lf2 |= number == kLf2;
    } else {
      return unknown_field("ArchivePayload", number);
    }
  }
  if (!is_utf8(minor)) return malformed_message("ArchivePayload");
  if (has_lf1 && !has_lf2) return fail(language_version_not_allowed("1." + std::string(minor.substr(0, 16))));
  if (!has_lf2 || has_lf1) return fail(dar_parse_error("Unrecognized or Unsupported LF version"));
  SYNOD_TRY(auto version, parse_lf2_minor(minor, options.discontinued_versions));
  if (static_cast<std::int32_t>(patch) != 0) {
    return fail(dar_parse_error("Unknown patch version " + std::to_string(static_cast<std::int32_t>(patch)) +
                                " for LF " + version.to_string()));
  }
  return ArchivePayload{version, lf2};
}

Bytes encode_payload(LanguageVersion version, ByteView package_message) {
  WireWriter writer;
  writer.bytes(kMinor, std::to_string(version.minor));
  writer.bytes(kLf2, package_message);
  return writer.take();
}

Result<PackagePtr> decode_payload(std::string package_id, ByteView payload, const DecodeOptions& options) {
  SYNOD_TRY(auto parsed, parse_payload(payload, options));
  return PackageDecoder(std::move(package_id), parsed.version).decode(parsed.package_message);
}

Result<PackagePtr> decode_archive(ByteView archive, const DecodeOptions& options) {
  SYNOD_TRY(auto parsed, parse_archive(archive));
  return decode_payload(std::move(parsed.package_id), parsed.payload, options);
}

}  // namespace synod::lf
