// What the topology admin services need of the node that offers them.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "topology/state.h"

namespace synod::topology {

class AdminBackend {
 public:
  virtual ~AdminBackend() = default;

  // Runs `use` where the state may be read, with the state or with the reason why there is none yet (not connected).
  // Thread rules: from any thread; `use` runs on the owner's thread and must not keep the pointer.
  virtual void with_state(std::function<void(Result<const TopologyState*>)> use) = 0;

  // Broadcasts the transactions and answers when they have been decided: with the error of the first that was rejected.
  // With `wait` it answers when all have also taken effect, or fails with TOPOLOGY_NOT_EFFECTIVE_IN_TIME.
  // Thread rules: as with_state; `done` runs on the owner's thread, once.
  virtual void submit(std::vector<SignedTransaction> transactions, std::optional<Duration> wait,
                      std::function<void(Status)> done) = 0;

  virtual const crypto::KeyStore& keys() const = 0;
};

}  // namespace synod::topology
