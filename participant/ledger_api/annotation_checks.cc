#include "participant/ledger_api/annotation_checks.h"

#include <algorithm>
#include <cctype>

#include "participant/ledger_api/request_checks.h"

namespace synod::participant {
namespace {

bool alphanumeric(char c) { return static_cast<unsigned char>(c) < 128 && std::isalnum(static_cast<unsigned char>(c)); }

// Letters and digits, and `inside` except at the ends.
bool is_segment(std::string_view text, std::string_view inside) {
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || inside.find(c) != std::string_view::npos; });
}

bool is_dns_subdomain(std::string_view text) {
  for (;;) {
    const auto dot = text.find('.');
    if (!is_segment(text.substr(0, dot), "-")) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string shortened(std::string_view text) {
  return text.size() > 53 ? std::string(text.substr(0, 50)) + "..." : std::string(text);
}

Status check_part(const char* part, std::string_view text, std::size_t longest, bool well_formed) {
  const auto what = std::string("Key ") + part + " segment '" + shortened(text) + "' ";
  if (text.size() > longest)
    return fail(invalid_request(what + "exceeds maximum length of " + std::to_string(longest) + " characters"));
  if (!well_formed) return fail(invalid_request(what + "has invalid syntax"));
  return {};
}

Status check_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash != std::string_view::npos && key.find('/', slash + 1) != std::string_view::npos)
    return fail(invalid_request("Key '" + shortened(key) + "' contains more than one forward slash ('/') character"));
  if (slash != std::string_view::npos) {
    const auto prefix = key.substr(0, slash);
    SYNOD_RETURN_IF_ERROR(check_part("prefix", prefix, 253, is_dns_subdomain(prefix)));
    key.remove_prefix(slash + 1);
  }
  return check_part("name", key, 63, is_segment(key, ".-_"));
}

}  // namespace

Status check_annotations(const std::map<std::string, std::string>& annotations, bool allow_empty_values,
                         const std::string& field) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations)
    if (!value.empty()) bytes += key.size() + value.size();
  if (bytes > kMaxAnnotationBytes)
    return fail(invalid_request("annotations from field '" + field + "' are larger than the limit of " +
                                std::to_string(kMaxAnnotationBytes / 1024) + "kb"));
  for (const auto& [key, value] : annotations) {
    SYNOD_RETURN_IF_ERROR(check_key(key));
    if (value.empty() && !allow_empty_values)
      return fail(invalid_request("The value of an annotation is empty for key: '" + shortened(key) + "'"));
  }
  return {};
}

}  // namespace synod::participant
