// The Daml programs that simulated participants run: the project's own examples, assembled once.
#pragma once

#include <memory>
#include <string>

#include "lf/engine.h"
#include "lf/package_store.h"

namespace synod::sim {

struct Programs {
  std::shared_ptr<lf::PackageStore> packages;
  std::shared_ptr<const lf::Engine> engine;
  std::string ping_package;
  std::string iou_package;

  static const Programs& instance();
};

}  // namespace synod::sim
