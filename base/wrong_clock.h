// A wall clock that is wrong by an amount which somebody else sets, for tests of what a node does when its clock jumps.
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "base/shared_micros.h"

namespace synod {

// Thread rules: from any thread, and any process.
class WrongClock final : public Clock {
 public:
  // A new file begins with 0: the clock is right. Error id WRONG_CLOCK_FAILED.
  static Result<std::shared_ptr<WrongClock>> open(const std::string& path) {
    SYNOD_TRY(SharedMicros offset, SharedMicros::open(path, "WRONG_CLOCK_FAILED"));
    return std::shared_ptr<WrongClock>(new WrongClock(std::move(offset)));
  }

  Timestamp now() const override { return real_->now() + Duration{offset_.get()}; }
  std::int64_t monotonic_micros() const override { return real_->monotonic_micros(); }
  // Negative: behind.
  void set_ahead(Duration offset) { offset_.set(offset.micros); }

 private:
  explicit WrongClock(SharedMicros offset) : offset_(std::move(offset)) {}
  SharedMicros offset_;
  std::shared_ptr<Clock> real_ = system_clock();
};

}  // namespace synod
