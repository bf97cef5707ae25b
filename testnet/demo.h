// The demonstration: two organisations transact through the Ledger API, each over its own sequencer; then one sequencer
// dies while they go on.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

struct DemoOptions {
  std::string ping_dar;                       // empty: see load_ping
  std::string iou_dar;                        // empty: see load_iou
  Duration patience = Duration::seconds(60);  // for each step
  int pings_without = 40;                     // answered while a sequencer is dead, before it is started again
  std::function<void(const std::string& line)> print;
};

// Needs a running network with at least two participants and two sequencers. Everything that the text claims is checked
// on the way; the first thing that is not so ends the demonstration with its error. Returns what happened as one JSON
// object. The sequencer that dies is started again whatever happens.
Result<std::string> run_demo(const NetworkPlan& plan, const DemoOptions& options);

}  // namespace synod::testnet
