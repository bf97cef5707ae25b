// An engine that is away for a while, and somebody who uses it and needs no help to find it again.
#pragma once

#include <chrono>
#include <memory>

#include "ordering/conformance/collector.h"
#include "ordering/conformance/world.h"

namespace synod::ordering::conformance {

enum class Absence {
  cut,    // connections break, new ones are refused
  stall,  // connections stay, nothing passes
  pause,  // the engine's processes do not run
};

// Longer than any limit of drivers and engines that has to do with it.
inline constexpr std::chrono::milliseconds kLongAbsence{65'000};

class Sequencer {
 public:
  explicit Sequencer(EngineWorld& world);  // begun
  // Submits all the time. Afterwards everybody has got an answer, and the stream of blocks goes on where it was.
  void lives_through(Absence absence, std::chrono::milliseconds away);

 private:
  EngineWorld& world_;
  const std::unique_ptr<OrderingLog> log_;
  const std::shared_ptr<Collector> seen_ = std::make_shared<Collector>();
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace synod::ordering::conformance
