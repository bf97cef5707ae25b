// Daml-LF language versions and the features that depend on them.
// Source of the ranges: daml-lf-features.json of the Daml repository.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace synod::lf {

// 2.1, 2.2 and 2.3 are what Synod runs. LF 1.x is recognised in order to be refused by name.
struct LanguageVersion {
  std::uint8_t major = 2;
  std::uint8_t minor = 1;

  constexpr auto operator<=>(const LanguageVersion&) const = default;
  std::string to_string() const;

  constexpr bool has_flat_archive() const { return at_least(2); }  // single arguments, tapp, interned kinds and exprs
  constexpr bool has_package_imports() const { return at_least(2); }  // explicit list of imported packages
  constexpr bool has_contract_keys() const { return at_least(3); }    // non-unique keys
  constexpr bool has_extended_crypto() const { return at_least(3); }  // SECP256K1_VALIDATE_KEY
  constexpr bool has_unsafe_from_interface() const { return major == 2 && minor == 1; }

  constexpr bool at_least(std::uint8_t wanted) const { return major == 2 && minor >= wanted; }
};

inline constexpr LanguageVersion kLf21{2, 1};
inline constexpr LanguageVersion kLf22{2, 2};
inline constexpr LanguageVersion kLf23{2, 3};

// The `minor` field of an LF2 archive payload. Anything but a stable version is refused with ALLOWED_LANGUAGE_VERSIONS;
// but `discontinued_too` reads the release candidates 3-rc1 and 3-rc2 as the 2.3 that they became.
Result<LanguageVersion> parse_lf2_minor(std::string_view minor, bool discontinued_too = false);

}  // namespace synod::lf
