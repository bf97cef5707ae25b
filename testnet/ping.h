// Pings between two parties through their participants' Ledger APIs: a contract is created here, answered there, and
// seen as answered here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "testnet/applications.h"

namespace synod::testnet {

// A party and the participant through which it acts.
struct Seat {
  LedgerClient* ledger;
  std::string party;
};

struct PingReport {
  std::vector<std::int64_t> micros;  // one entry a successful ping, in the order in which they ended
  std::vector<Error> failures;
  double seconds = 0;  // from the first one's begin to the last one's end, without the warm-up
  double per_second() const { return seconds > 0 ? static_cast<double>(micros.size()) / seconds : 0; }
  std::int64_t percentile(double p) const;  // of micros; 0 without any
  std::string as_json() const;
};

struct PingOptions {
  int count = 1;
  int warm_up = 0;                            // further pings before, not counted
  int parallel = 1;                           // so many run at a time
  Duration deadline = Duration::seconds(30);  // for each
  Duration pause = Duration{0};               // between two pings of the same row
  std::function<bool()> cancelled;            // true: no new ones
  // After each counted one, one call at a time.
  std::function<void(int index, std::optional<std::int64_t> micros)> on_ping;
};

// Runs `count` pings in `parallel` rows, each one after the other. Both participants must know the ping package.
Result<PingReport> run_pings(const PingApplication& application, const Seat& initiator, const Seat& responder,
                             const PingOptions& options);

}  // namespace synod::testnet
