// A clock that stands still until somebody sets it, for tests on networks of one machine: the nodes that open the same
// file show the same time. What Canton calls static time.
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "base/shared_micros.h"

namespace synod {

// Thread rules: from any thread, and any process.
class StaticClock final : public Clock {
 public:
  // A new file begins at 1970-01-01T00:00:00Z.
  static Result<std::shared_ptr<StaticClock>> open(const std::string& path);

  Timestamp now() const override { return {micros_.get()}; }
  std::int64_t monotonic_micros() const override { return real_->monotonic_micros(); }
  // False, without effect, unless it shows `expected`.
  bool set(Timestamp expected, Timestamp next) { return micros_.replace(expected.micros, next.micros); }

 private:
  explicit StaticClock(SharedMicros micros) : micros_(std::move(micros)) {}
  SharedMicros micros_;
  std::shared_ptr<Clock> real_ = system_clock();
};

}  // namespace synod
