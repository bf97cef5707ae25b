// A sequencer's upkeep of its cache: prunes in rounds and on request, on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "sequencer/node_state.h"
#include "sequencer/pruning.h"

namespace synod::sequencer {

struct PruneRequest {
  std::optional<Timestamp> before;    // exactly; refused when a member still needs events before it
  std::optional<Duration> retention;  // without `before`: as much as is safe and older than this; none: as configured
  bool dry_run = false;
};

struct PruneReport {
  Timestamp before;  // events before it are (or would be) gone
  Timestamp safe;
  std::optional<Timestamp> lower_bound;     // afterwards
  Prunable removed;                         // with dry_run: what would be removed
  std::vector<PruningMember> holding_back;  // members that need events older than the retention
};

// Thread rules: any thread; `done` comes on the own thread, or never after stop().
class Housekeeping {
 public:
  explicit Housekeeping(NodeState& node) : node_(node), loop_("seq-upkeep") {}

  void start();
  void stop();
  // Errors: UNSAFE_PRUNING_POINT in Canton's words, PRUNING_INTERRUPTED, those of the store.
  void prune(PruneRequest request, std::function<void(Result<PruneReport>)> done);
  // All members as pruning sees them.
  void members(std::function<void(std::vector<PruningMember>)> done);

 private:
  void schedule();
  void prune_events();
  void prune_log();
  Result<PruneReport> prune_now(const PruneRequest& request, const std::vector<PruningMember>& members,
                                Timestamp last_time);

  NodeState& node_;
  std::atomic<bool> stopping_ = false;
  EventLoop loop_;
};

}  // namespace synod::sequencer
