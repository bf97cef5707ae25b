// How many signed submissions a second the sequencers order and deliver over an engine, and how fast; what the engine
// alone does; how fast a new sequencer catches up.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace synod::bench {

struct OrderingBenchOptions {
  std::string ordering = "solo";
  std::uint64_t payload_bytes = 1024;
  double low_rate = 200;               // submissions a second of the run that measures latency
  double start_rate = 1000;            // of the search for the highest rate
  double seconds = 5;                  // of each run
  std::uint64_t idle_subscribers = 0;  // measured beside the others when there are any
  std::string folder;                  // of the network; empty: testnet-data/bench-<ordering>
  bool keep = false;                   // keep the folder
  bool json = false;
};

// Starts a network of two sequencers over the engine, each process as in production, with one member connected to each.
// The members send in turn, at times fixed beforehand (open loop: a slow system does not slow the load down), and both
// receive every submission and check the sequencer's signature. Latency counts from the time at which a submission was
// due. Then one sequencer begins anew without a cache; and at last, without sequencers, the engine gets the same load
// by its own protocol (bare_client.h), each submission a record. Prints to standard output. Fails when the
// network cannot be started.
Status run_ordering_bench(const OrderingBenchOptions& options);

}  // namespace synod::bench
