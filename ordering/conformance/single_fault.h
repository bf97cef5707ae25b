// One of an engine's processes fails while clients go on.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "ordering/conformance/collector.h"
#include "ordering/conformance/world.h"

namespace synod::ordering::conformance {

class SingleFault : public ::testing::Test {
 protected:
  // Skips the test where the engine is missing.
  void begin(std::unique_ptr<EngineWorld> world);
  // As a sequencer does: submits again what does not appear.
  ::testing::AssertionResult ordered(const Bytes& record, std::chrono::seconds patience = kPatience);
  // `kill` while records are submitted one after the other, `start` once the others have gone on.
  void dies_under_load(const std::string& name, const std::function<bool()>& kill,
                       const std::function<Status()>& start);
  // Nothing broke the stream, and a new driver sees the same from the start.
  void expect_one_history();

  std::unique_ptr<EngineWorld> world_;
  std::unique_ptr<OrderingLog> log_;  // none: skipped
  std::shared_ptr<Collector> seen_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace synod::ordering::conformance
