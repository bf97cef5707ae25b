// UTF-8 by code points, as Daml sees Text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace synod::lf::eval {

// Length in bytes of the code point that starts at text[i]; 1 for a stray byte.
std::size_t code_point_length(std::string_view text, std::size_t i);
std::uint32_t code_point_at(std::string_view text, std::size_t i);
// False for surrogates and beyond U+10FFFF.
bool append_code_point(std::string& out, std::int64_t code_point);
bool is_valid_utf8(std::string_view text);
// Any bytes as text: what is not UTF-8 becomes U+FFFD, as often as the reference's platform has it: once for a sequence
// that ends too early, once for an encoded surrogate, otherwise once for each byte.
std::string decode_lossy(std::string_view bytes);

}  // namespace synod::lf::eval
