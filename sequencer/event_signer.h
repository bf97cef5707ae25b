// Signs events for subscribers, each (member, time) once as long as it stays in the cache, which all subscriptions
// share.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "sequencer/event_store.h"
#include "topology/state.h"

namespace synod::sequencer {

// The protocol keys a sequencer signed with over time: those the topology named for it, as far as it holds them. An
// event must be signed with a key that was valid at the event's own time.
class SigningHistory {
 public:
  SigningHistory() = default;
  SigningHistory(const topology::TopologyState& topology, const protocol::Member& self, const crypto::KeyStore& keys);
  // None: this sequencer was not registered then, or the key is not at hand.
  std::optional<crypto::SigningKeyPair> key_at(Timestamp timestamp) const;

 private:
  struct Period {
    Timestamp from;                  // valid for from < t
    std::optional<Timestamp> until;  // and t <= until
    crypto::SigningKeyPair key;
  };
  std::vector<Period> periods_;
};

// Thread rules: any thread.
class EventSigner {
 public:
  explicit EventSigner(std::uint64_t cache_bytes) : cache_bytes_(cache_bytes) {}

  void use(SigningHistory history);
  // W(30, SignedContent). Error SEQUENCER_TOMBSTONE (FAILED_PRECONDITION): no key for that time.
  Result<std::shared_ptr<const Bytes>> sign(MemberNumber member, const MemberEvent& event);

 private:
  using Key = std::pair<MemberNumber, Timestamp>;
  std::mutex mutex_;
  std::shared_ptr<const SigningHistory> history_ = std::make_shared<SigningHistory>();
  const std::uint64_t cache_bytes_;
  std::uint64_t cached_bytes_ = 0;
  std::map<Key, std::shared_ptr<const Bytes>> cache_;
  std::list<Key> order_;  // oldest first
};

}  // namespace synod::sequencer
