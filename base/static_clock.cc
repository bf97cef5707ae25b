#include "base/static_clock.h"

namespace synod {

Result<std::shared_ptr<StaticClock>> StaticClock::open(const std::string& path) {
  SYNOD_TRY(SharedMicros micros, SharedMicros::open(path, "STATIC_CLOCK_FAILED"));
  return std::shared_ptr<StaticClock>(new StaticClock(std::move(micros)));
}

}  // namespace synod
