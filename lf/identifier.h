// Names of templates, interfaces and types, as transactions, contracts and commands carry them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace synod::lf {

// package: 64 lower-case hex digits, or in commands `#package-name`. module and entity: dotted, e.g. "DA.Types", "Iou".
struct Identifier {
  std::string package;
  std::string module;
  std::string entity;

  // "package:Module.Name:Entity", the form of Canton's logs, admin interfaces and view action descriptions.
  std::string to_string() const { return package + ":" + module + ":" + entity; }
  std::string qualified_name() const { return module + ":" + entity; }
  bool by_package_name() const { return !package.empty() && package.front() == '#'; }
  auto operator<=>(const Identifier&) const = default;
  bool operator==(const Identifier&) const = default;
};

// "package:Module:Entity"; anything else is INVALID_ARGUMENT.
Result<Identifier> parse_identifier(std::string_view text);

}  // namespace synod::lf

template <>
struct std::hash<synod::lf::Identifier> {
  std::size_t operator()(const synod::lf::Identifier& id) const noexcept {
    std::hash<std::string> h;
    return (h(id.package) * 31 + h(id.module)) * 31 + h(id.entity);
  }
};
