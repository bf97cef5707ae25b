// A participant in the simulator: the real ParticipantCore, given random commands by its one party.
#pragma once

#include <map>

#include "participant/core.h"
#include "tests/sim/ledger_promises.h"
#include "tests/sim/sim_member.h"

namespace synod::sim {

class ParticipantMember final : public SimMember {
 public:
  ParticipantMember(World& world, Network& network, Promises& promises, LedgerPromises& ledger,
                    std::vector<SimSequencer*> sequencers, protocol::Member self, Timestamp until);

  bool idle() const override;
  std::size_t in_flight_submissions() const;
  std::size_t in_flight_requests() const;
  // How many commands a participant takes that are not finished. Few, so that some are turned away.
  static constexpr std::size_t kMaxInFlight = 4;
  // A ping to everybody else that must be committed; false: it could not even be submitted.
  bool probe();
  bool probe_succeeded() const;
  // Accepted commands of which nothing was heard although no machine was lost since.
  std::vector<std::string> unanswered() const;
  std::unique_ptr<participant::LedgerStore> ledger() const;

 private:
  class Logic;
  struct Given {
    std::size_t machine_losses;  // at the time of acceptance
  };

  std::unique_ptr<NodeLogic> make_logic() override;
  void begin() override;
  Logic& mine() const;
  std::string party() const { return self().uid().to_string(); }
  std::string other_party();

  void vet_packages();
  void next_command();
  void random_command();
  lf::Command create_ping(const std::string& responder) const;
  lf::Command create_iou(const std::string& owner) const;
  std::optional<lf::Command> act_on(const lf::ContractInstance& contract);
  bool submit(lf::Command command, const std::string& command_id);

  LedgerPromises& ledger_promises_;
  const Timestamp until_;
  std::uint64_t counter_ = 0;
  std::map<std::string, Given> given_;  // by command id
  std::string probe_id_;
};

}  // namespace synod::sim
