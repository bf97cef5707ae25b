// A member that sends random messages to random members, and topology changes, and keeps the topology as every node
// does.
#pragma once

#include <map>

#include "tests/sim/sim_member.h"

namespace synod::sim {

class FollowerLogic;

class TrafficMember final : public SimMember {
 public:
  TrafficMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
                protocol::Member self, Timestamp until);

  const topology::TopologyState* topology() const;

 private:
  std::unique_ptr<NodeLogic> make_logic() override;
  void begin() override { next_message(); }
  void finished(const std::string& message_id, const Result<Timestamp>& result) override;

  void next_message();
  void send_payloads();
  void send_topology();
  void acknowledge();
  protocol::Envelope envelope(const protocol::RecipientSet& recipients);
  std::set<protocol::Member> resolved(const protocol::RecipientSet& recipients) const;

  Network& net_;
  const std::vector<SimSequencer*> all_sequencers_;
  const Timestamp until_;
  std::uint64_t counter_ = 0;  // outlives crashes: names are never used twice
  FollowerLogic* current_ = nullptr;
  std::map<std::string, std::vector<Bytes>> payloads_;  // by message id
};

}  // namespace synod::sim
