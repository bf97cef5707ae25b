// Replaces a sequencer's keys while it runs: makes new ones, registers them beside the old ones, goes over to them, and
// takes the old ones out of the topology once nothing on its way is signed with them. The old private keys stay in the
// key store: events of their time are still delivered with their signatures.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "crypto/keys.h"
#include "sequencer/node_state.h"

namespace synod::sequencer {

struct RotatedKeys {
  std::vector<crypto::Fingerprint> added;
  std::vector<crypto::Fingerprint> removed;
};

// One at a time; another call meanwhile fails with KEY_ROTATION_RUNNING. Errors: those of the key store and of
// topology::TopologyManager::propose (the namespace key must be at hand), KEY_ROTATION_TIMED_OUT.
// Thread rules: any thread; `done` comes on the node's loop. It is dropped when the node stops.
class KeyRotation : public std::enable_shared_from_this<KeyRotation> {
 public:
  using Done = std::function<void(Result<RotatedKeys>)>;
  explicit KeyRotation(NodeState& node) : node_(node) {}
  void start(Duration timeout, Done done);

 private:
  enum class Step { idle, registering, draining, removing };
  Status make_keys(const SequencerCore& core);
  // `done` goes with the tasks that wait on the loop, so that it goes with them.
  Status propose(const SequencerCore& core, std::vector<crypto::SigningPublicKey> keys, const Done& done);
  void watch(const Done& done);
  void check(const SequencerCore& core, const Done& done);
  bool registered_are(const SequencerCore& core, bool with_old) const;
  void finish(const Status& status, const Done& done);

  NodeState& node_;
  Step step_ = Step::idle;
  std::uint64_t turn_ = 0;  // which replacement runs, or ran last: tasks of an earlier one may still wait
  std::int64_t deadline_ = 0;
  std::vector<crypto::SigningPublicKey> old_, new_;
  SequenceNumber sealed_with_old_;  // batches below it may be
};

}  // namespace synod::sequencer
