// How far a sequencer that was away (or starts from nothing) is behind the log, and when it will have caught up. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ordering/ordering_log.h"

namespace synod::sequencer {

class CatchUp {
 public:
  // So few blocks behind the log's head count as caught up: under load the head itself is never reached.
  static constexpr std::int64_t kCloseEnough = 64;
  static constexpr std::int64_t kReportMicros = 5'000'000;
  // An engine that is ready tells its head soon, unless its log is empty; so long it is waited for.
  static constexpr std::int64_t kHeadMicros = 2'000'000;

  CatchUp(ordering::Height from, std::int64_t now_micros) : from_(from), at_(from), began_(now_micros) {}

  // While the engine is ready. `head`: the newest block known to exist; none: it has not told. Once caught up with a
  // head it stays so.
  void observe(ordering::Height at, std::optional<ordering::Height> head, std::int64_t now_micros);
  bool done() const { return done_; }
  // Blocks are missing, as far as is known. False without a head that did not come in time: then nothing is known to be
  // missing, which a later head may still change.
  bool behind() const { return behind_; }
  double blocks_per_second() const;
  std::optional<std::int64_t> seconds_left() const;
  // `block 1200 of 5000, 400 blocks/s, about 10 s left`.
  std::string text() const;
  // True now and then, as long as there is something to tell.
  bool report_due(std::int64_t now_micros);

 private:
  ordering::Height from_, at_;
  std::optional<ordering::Height> head_;
  std::int64_t began_;
  std::int64_t now_ = 0;
  std::int64_t last_report_ = 0;
  std::optional<std::int64_t> headless_since_;
  bool behind_ = true;
  bool done_ = false;
};

}  // namespace synod::sequencer
