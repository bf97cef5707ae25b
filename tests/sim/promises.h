// What a synchronizer promises, checked while the simulation runs and at its end. See docs/ and engineering decisions
// §6.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "protocol/ids.h"
#include "protocol/sequenced_event.h"
#include "tests/sim/world.h"

namespace synod::sim {

class Promises {
 public:
  explicit Promises(World& world) : world_(world) {}

  // A payload, known by its bytes, was handed in for these recipients. `seen`: the latest time its sender had seen
  // then.
  void intended(const Bytes& payload, const std::set<protocol::Member>& recipients, Timestamp seen);
  // What the sender's tracker finally said about the submission of these payloads.
  void reported_sequenced(const std::vector<Bytes>& payloads, Timestamp at);
  void reported_not_sequenced(const std::vector<Bytes>& payloads);

  // A member was given this event, for the first time or again.
  void delivered(const protocol::Member& member, const protocol::SequencedEvent& event, const crypto::Hash& content);
  // A sequencer has applied this height.
  void applied(std::int64_t height, const std::string& state_hash, Timestamp last_time);

  // At the end, when all faults are healed and all is quiet: nothing that was reported is missing.
  void check_reports();
  std::size_t deliveries() const { return events_.size(); }
  std::size_t sequenced() const;

 private:
  struct Payload {
    std::set<protocol::Member> recipients;
    Timestamp seen;
    std::optional<Timestamp> sequenced_at;
    std::set<protocol::Member> got_it;
    std::optional<Timestamp> reported_at;
    bool reported_lost = false;
  };
  struct Applied {
    std::string state_hash;
    Timestamp last_time;
  };
  World& world_;
  std::map<Bytes, Payload> payloads_;
  std::map<std::pair<protocol::Member, Timestamp>, crypto::Hash> events_;
  std::map<std::int64_t, Applied> heights_;
};

}  // namespace synod::sim
