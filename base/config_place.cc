#include "base/config_place.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>

namespace synod::config {
namespace {

YAML::Node below(const YAML::Node& node, const std::string& step) {
  if (node.IsMap()) return node[step];
  const bool index = !step.empty() && step.size() < 10 &&
                     std::all_of(step.begin(), step.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
  if (node.IsSequence() && index) return node[std::stoul(step)];
  return YAML::Node(YAML::NodeType::Undefined);
}

}  // namespace

std::string place_of(const std::string& file, const std::vector<std::string>& path) {
  try {
    // Kept one by one: assigning to a YAML::Node would change the document.
    std::vector<YAML::Node> way{YAML::LoadFile(file)};
    for (const std::string& step : path) {
      YAML::Node next = below(std::as_const(way.back()), step);
      if (!next) break;
      way.push_back(std::move(next));
    }
    const YAML::Mark mark = way.back().Mark();
    return mark.is_null() ? file : file + ":" + std::to_string(mark.line + 1);
  } catch (const YAML::Exception&) {
    return file;
  }
}

}  // namespace synod::config
