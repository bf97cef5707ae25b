// One source and one receiver of load, whatever the load goes through: when to send, what is in a payload, and how late
// each arrived.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/env.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "bench/ordering/latency.h"

namespace synod::bench {

// A run: submission `i` is due at `begin` + i / rate. Its number and run stand in its payload, so that whoever receives
// it knows how late it is.
struct LoadRun {
  std::uint32_t number = 0;
  std::int64_t begin_micros = 0;  // monotonic
  double rate = 0;
  std::uint64_t submissions = 0;
  std::uint64_t payload_bytes = 0;

  std::int64_t due(std::uint64_t i) const {
    return begin_micros + static_cast<std::int64_t>(static_cast<double>(i) / rate * 1e6);
  }
};

// Thread rules: methods from one thread; the client has its own inside.
class LoadClient {
 public:
  explicit LoadClient(std::shared_ptr<EventLoop> loop) : loop_(std::move(loop)) {}
  virtual ~LoadClient() = default;

  // Sends every submission i of the run with i % `of` == `mine`; returns at once.
  void start(const LoadRun& run, std::uint64_t mine, std::uint64_t of);
  // Those of the run started last: every submission counts once, whoever sent it.
  std::uint64_t delivered() const { return delivered_; }
  Latencies take_latencies();
  std::optional<Error> problem() const;

 protected:
  virtual void send(Bytes payload, std::uint64_t i) = 0;  // on the loop
  void received(ByteView payload);                        // on any thread, one call at a time
  void failed(const Error& error);

  std::shared_ptr<Clock> clock_ = system_clock();
  std::shared_ptr<Random> random_ = system_random();
  std::shared_ptr<EventLoop> loop_;

 private:
  void send_due();

  std::uint64_t next_ = 0, stride_ = 1;
  Bytes filler_;
  std::atomic<std::uint64_t> delivered_{0};
  mutable std::mutex mutex_;
  LoadRun run_;  // changed on the loop, under the lock
  Latencies latencies_;
  std::optional<Error> problem_;
};

}  // namespace synod::bench
