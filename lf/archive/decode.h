// Daml-LF archives: the bytes of one package, its id, and what they decode to.
//
// Everything here refuses bad input with an Error under Canton's ids: DAR_PARSE_ERROR for what is malformed,
// ALLOWED_LANGUAGE_VERSIONS for LF 1.x and for other LF 2 versions than 2.1, 2.2 and 2.3.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/package.h"

namespace synod::lf {

// An archive is the content of a .dalf file: a hash and a payload. The package id is the SHA-256 of the payload in hex.
struct Archive {
  std::string package_id;
  std::string_view payload;  // into the bytes that were parsed
};

// Checks that the stated hash is that of the payload.
Result<Archive> parse_archive(ByteView archive);
Bytes encode_archive(ByteView payload);

// A payload is a language version and a package message.
struct ArchivePayload {
  LanguageVersion version;
  std::string_view package_message;
};
struct DecodeOptions {
  // Whether packages of the release candidates 2.3-rc1 and 2.3-rc2 are read, as 2.3. Canton has discontinued them; this
  // is for looking at packages of that time, and for tests.
  bool discontinued_versions = false;
};
Result<ArchivePayload> parse_payload(ByteView payload, const DecodeOptions& options = {});
Bytes encode_payload(LanguageVersion version, ByteView package_message);

// SHA-256 of a payload in lower-case hex.
std::string package_id_of(ByteView payload);

// All of the above: from the content of a .dalf to the syntax tree.
Result<PackagePtr> decode_archive(ByteView archive, const DecodeOptions& options = {});
Result<PackagePtr> decode_payload(std::string package_id, ByteView payload, const DecodeOptions& options = {});

}  // namespace synod::lf
