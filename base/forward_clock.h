// The time of a synchronizer as one of its nodes knows it: never earlier than what was heard, whatever its clock says.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace synod {

// Wall clocks jump. One that jumps forward at a sequencer takes the synchronizer's time with it, and all others are
// behind then. Where the wall clock is behind the synchronizer's time, or behind what this clock said before, time goes
// on at half the pace of real time until the wall clock has caught up: deadlines still pass, and nothing waits for
// hours.
//
// Thread rules: one thread at a time.
class ForwardClock {
 public:
  // `monotonic` in microseconds; `heard`: the synchronizer's latest time.
  Timestamp now(Timestamp wall, std::int64_t monotonic, Timestamp heard) {
    if (wall >= said_ && wall >= heard) {
      at_ = monotonic;
      return said_ = wall;
    }
    if (heard > said_) {
      said_ = heard;
      at_ = monotonic;
    }
    const std::int64_t steps = std::max<std::int64_t>(monotonic - at_, 0) / 2;
    at_ += 2 * steps;
    return said_ = said_ + Duration{steps};
  }

 private:
  Timestamp said_;
  std::int64_t at_ = 0;
};

}  // namespace synod
