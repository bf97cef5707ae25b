#include "tests/sim/programs.h"

#include <cstdio>

#include "base/check.h"
#include "base/files.h"
#include "lf/text/assembler.h"

namespace synod::sim {
namespace {

std::string assemble(const std::string& name, lf::PackageStore& packages) {
  auto entry = lf::assemble_package(file_bytes(std::string(SYNOD_EXAMPLES) + "/" + name).value_or(""));
  if (!entry) std::fprintf(stderr, "%s: %s\n", name.c_str(), entry.error().to_string().c_str());
  SYNOD_CHECK(entry);
  packages.add(entry->package);
  return entry->package->id();
}

Programs build() {
  Programs programs;
  programs.packages = std::make_shared<lf::PackageStore>();
  programs.ping_package = assemble("ping.lf", *programs.packages);
  programs.iou_package = assemble("iou.lf", *programs.packages);
  programs.engine = std::make_shared<lf::Engine>(programs.packages);
  return programs;
}

}  // namespace

const Programs& Programs::instance() {
  static const Programs programs = build();
  return programs;
}

}  // namespace synod::sim
