// META-INF/MANIFEST.MF
#include <algorithm>
#include <map>

#include "lf/archive/dar.h"
#include "lf/archive/dar_error.h"

namespace synod::lf {

namespace {

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::string_view take_line(std::string_view& rest) {
  auto end = rest.find_first_of("\r\n");
  auto line = rest.substr(0, end);
  if (end == std::string_view::npos) {
    rest = {};
  } else {
    rest.remove_prefix(rest.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  return line;
}

// The attributes of the main section, which ends at the first blank line. Names in lower case.
Result<std::map<std::string, std::string>> main_attributes(std::string_view manifest) {
  std::map<std::string, std::string> attributes;
  std::string* last = nullptr;
  while (!manifest.empty()) {
    auto line = take_line(manifest);
    if (line.empty()) break;
    if (line.front() == ' ') {
      if (!last) return fail(invalid_dar("misplaced continuation line in the manifest"));
      last->append(line.substr(1));
      continue;
    }
    auto colon = line.find(": ");
    if (colon == std::string_view::npos) return fail(invalid_dar("invalid header field in the manifest"));
    last = &attributes[lower(line.substr(0, colon))];
    *last = line.substr(colon + 2);
  }
  return attributes;
}

}  // namespace

Result<DarManifest> parse_dar_manifest(std::string_view text) {
  SYNOD_TRY(auto attributes, main_attributes(text));
  for (const char* required : {"Main-Dalf", "Dalfs", "Format"}) {
    if (!attributes.contains(lower(required))) {
      return fail(invalid_dar(std::string("Cannot find attribute: ") + required));
    }
  }
  if (auto format = trim(attributes["format"]); format != "daml-lf") {
    return fail(invalid_dar("Unsupported format: " + std::string(format)));
  }
  DarManifest manifest;
  manifest.main_dalf = trim(attributes["main-dalf"]);
  manifest.sdk_version = trim(attributes["sdk-version"]);
  std::string_view dalfs = attributes["dalfs"];
  while (!dalfs.empty()) {
    auto comma = std::min(dalfs.find(','), dalfs.size());
    auto name = trim(dalfs.substr(0, comma));
    dalfs.remove_prefix(std::min(comma + 1, dalfs.size()));
    if (name != manifest.main_dalf) manifest.dependencies.emplace_back(name);
  }
  return manifest;
}

}  // namespace synod::lf
