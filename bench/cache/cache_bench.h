// How long a sequencer with a large cache takes to serve again; see README.md.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace synod::bench {

struct CacheBenchOptions {
  std::uint64_t events = 100'000;
  std::uint32_t payload_bytes = 1024;
  std::string folder;  // of the cache; empty: a temporary one, removed at the end
  bool json = false;
};

// Prints to standard output. Errors: those of the store; BENCH_FAILED when the restart was not what it must be.
Status run_cache_bench(const CacheBenchOptions& options);

}  // namespace synod::bench
