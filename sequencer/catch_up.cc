#include "sequencer/catch_up.h"

#include <fmt/format.h>

#include <algorithm>

namespace synod::sequencer {

void CatchUp::observe(ordering::Height at, std::optional<ordering::Height> head, std::int64_t now_micros) {
  at_ = at;
  head_ = head;
  now_ = now_micros;
  if (done_) return;
  if (!head) {
    if (!headless_since_) headless_since_ = now_micros;
    behind_ = now_micros - *headless_since_ < kHeadMicros;
    return;
  }
  behind_ = head->value - at.value > kCloseEnough;
  done_ = !behind_;
}

double CatchUp::blocks_per_second() const {
  const std::int64_t elapsed = now_ - began_;
  return elapsed <= 0 ? 0 : static_cast<double>(at_.value - from_.value) * 1e6 / static_cast<double>(elapsed);
}

std::optional<std::int64_t> CatchUp::seconds_left() const {
  const double rate = blocks_per_second();
  if (!head_ || rate <= 0) return std::nullopt;
  return static_cast<std::int64_t>(static_cast<double>(head_->value - at_.value) / rate) + 1;
}

std::string CatchUp::text() const {
  std::string text = fmt::format("block {} of {}, {:.0f} blocks/s", at_.value,
                                 head_ ? std::to_string(head_->value) : "not known how many", blocks_per_second());
  if (const auto left = seconds_left()) text += fmt::format(", about {} s left", *left);
  return text;
}

bool CatchUp::report_due(std::int64_t now_micros) {
  if (done_ || now_micros - std::max(last_report_, began_) < kReportMicros) return false;
  last_report_ = now_micros;
  return true;
}

}  // namespace synod::sequencer
