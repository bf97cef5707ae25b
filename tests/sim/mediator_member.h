// The mediator in the simulator: the real MediatorCore.
#pragma once

#include "tests/sim/sim_member.h"

namespace synod::sim {

class MediatorMember final : public SimMember {
 public:
  MediatorMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers);

  bool idle() const override;
  std::size_t pending_requests() const;
  std::size_t unconfirmed_verdicts() const;

 private:
  class Logic;
  std::unique_ptr<NodeLogic> make_logic() override;
  void begin() override;
};

}  // namespace synod::sim
