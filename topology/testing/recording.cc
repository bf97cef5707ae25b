#include "topology/testing/recording.h"

#include <cstdlib>
#include <fstream>
#include <optional>

namespace synod::topology::testing {
namespace {

// The recordings are one flat JSON object a line, written without spaces and without escapes in these fields.
std::optional<std::string> text_field(const std::string& line, const std::string& name) {
  const auto marker = "\"" + name + "\":\"";
  const auto begin = line.find(marker);
  if (begin == std::string::npos) return std::nullopt;
  const auto from = begin + marker.size();
  return line.substr(from, line.find('"', from) - from);
}

}  // namespace

std::vector<RecordedMessage> read_recording(const std::string& path) {
  std::vector<RecordedMessage> result;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (text_field(line, "ev") != "msg") continue;
    RecordedMessage message;
    const auto method = text_field(line, "method").value_or("");
    message.method = method.substr(method.rfind('/') + 1);
    message.from_server = text_field(line, "dir") == "s2c";
    if (const auto at = line.find("\"call\":"); at != std::string::npos)
      message.call = std::atoi(line.c_str() + at + 7);
    message.data = from_base64(text_field(line, "data").value_or("")).value_or(Bytes{});
    result.push_back(std::move(message));
  }
  return result;
}

}  // namespace synod::topology::testing
