// The synchronizer's time as a member knows it, whatever the member's own clock says: never earlier than what was heard
// (base/forward_clock.h), and not ahead of it because the machine's clock is ahead.
//
// How far it is ahead shows in receipts: what was sent at one moment cannot have been sequenced at an earlier one.
// Events of others show nothing, they may be as old as they like.
//
// Thread rules: one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/forward_clock.h"
#include "base/time.h"

namespace synod::sequencer::client {

class SynchronizerClock {
 public:
  // Less than this is nobody's mistake, and does no harm.
  static constexpr Duration kTolerance = Duration::seconds(10);

  // A submission of this member was sequenced. `wall`, `monotonic` (µs): this machine's clocks when it was first sent.
  void receipt(Timestamp sequenced, Timestamp wall, std::int64_t monotonic) {
    const Duration ahead = wall - sequenced;
    if (ahead <= kTolerance) {
      ahead_.reset();
      return;
    }
    if (!ahead_) forward_ = ForwardClock();  // it has said what is not true
    ahead_ = Ahead{ahead, sequenced, monotonic};
  }
  // Since when, if it is: how far this machine's clock is ahead.
  std::optional<Duration> ahead() const { return ahead_ ? std::optional(ahead_->by) : std::nullopt; }

  // `heard`: the synchronizer's latest time.
  Timestamp now(Timestamp wall, std::int64_t monotonic, Timestamp heard) {
    return forward_.now(corrected(wall, monotonic), monotonic, heard);
  }

 private:
  struct Ahead {
    Duration by;
    Timestamp sequenced;
    std::int64_t monotonic = 0;
  };

  // The wall clock may have been put right since (then the steady clock knows), or the machine may have slept (then the
  // wall clock does).
  Timestamp corrected(Timestamp wall, std::int64_t monotonic) const {
    if (!ahead_) return wall;
    const Timestamp steady = ahead_->sequenced + Duration{std::max<std::int64_t>(monotonic - ahead_->monotonic, 0)};
    return std::min(wall, std::max(steady, Timestamp{wall.micros - ahead_->by.micros}));
  }

  ForwardClock forward_;
  std::optional<Ahead> ahead_;
};

}  // namespace synod::sequencer::client
