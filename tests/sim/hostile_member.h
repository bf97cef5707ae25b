// A member that obeys nobody: it repeats what others have sent, changes it, speaks in their names, and sends garbage,
// with everything that a colluding sequencer could have told it.
#pragma once

#include <deque>

#include "tests/sim/sim_member.h"

namespace synod::sim {

class FollowerLogic;

class HostileMember final : public SimMember {
 public:
  HostileMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
                Timestamp until);

  // Learns of a submission after it has been sequenced: before that, whoever repeats it faster is its sender.
  void overhear(const protocol::Submission& submission, Timestamp sequenced);
  std::size_t misdeeds() const { return misdeeds_; }

 private:
  struct Overheard {
    std::vector<protocol::Envelope> envelopes;
    Timestamp sequenced;
  };
  struct Request {
    Timestamp id;
    crypto::Hash root_hash;
  };

  std::unique_ptr<NodeLogic> make_logic() override;
  void begin() override { next_misdeed(); }

  void next_misdeed();
  void misbehave();
  void send_garbage();
  void replay(bool in_part);
  void tamper();
  void answer_for_another();
  void decide_for_the_mediator();
  void change_the_topology_of_another();
  void send_what_no_member_sends();

  void send(std::vector<protocol::Envelope> envelopes);
  protocol::Recipients somebody();
  const protocol::Member& participant();
  const Overheard* overheard();
  std::optional<Request> request();
  crypto::SigningKeyPair own_key();

  Network& net_;
  const std::vector<SimSequencer*> all_sequencers_;
  const Timestamp until_;
  std::uint64_t counter_ = 0;
  std::size_t misdeeds_ = 0;
  std::deque<Overheard> overheard_;  // the latest
  std::deque<Request> requests_;
  FollowerLogic* current_ = nullptr;
};

}  // namespace synod::sim
