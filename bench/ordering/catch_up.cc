#include "bench/ordering/catch_up.h"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/env.h"
#include "testnet/process.h"
#include "testnet/status.h"

namespace synod::bench {
namespace {

constexpr Duration kPatience = Duration::seconds(300);

}  // namespace

Result<CatchUp> measure_catch_up(const testnet::NodePlan& fresh, const testnet::NodePlan& other,
                                 std::uint64_t submissions) {
  const auto clock = system_clock();
  const auto target = testnet::ask(other, Duration::seconds(2));
  if (!target) return fail(unavailable("NETWORK_NOT_READY", other.name + " does not answer"));
  if (!testnet::stop(fresh, SIGTERM, Duration::seconds(10)))
    return fail(unavailable("BENCH_NODE_NOT_STOPPED", fresh.name + " does not stop"));
  std::error_code error;
  std::filesystem::remove_all(fresh.folder + "/data/cache", error);
  if (error) return fail(unavailable("BENCH_CACHE_NOT_REMOVED", error.message()));

  CatchUp caught_up;
  caught_up.submissions = submissions;
  const std::int64_t begin = clock->monotonic_micros();
  SYNOD_RETURN_IF_ERROR(testnet::start(fresh));
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::int64_t now = clock->monotonic_micros();
    const auto status = testnet::ask(fresh, Duration::seconds(1));
    if (status && status->height() >= target->height()) {
      caught_up.blocks = static_cast<std::uint64_t>(status->blocks_read());
      caught_up.seconds = static_cast<double>(now - begin) / 1e6;
      break;
    }
    if (now - begin > kPatience.micros) return fail(unavailable("NETWORK_NOT_READY", fresh.name + " is still behind"));
  }
  if (const auto pid = testnet::running(fresh))
    caught_up.cpu_micros = testnet::cpu_seconds_of(*pid).value_or(0) / static_cast<double>(submissions) * 1e6;
  return caught_up;
}

}  // namespace synod::bench
