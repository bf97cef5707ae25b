#include "node/founding.h"

namespace synod::node {

Result<GenesisFile> found_synchronizer(const Founders& founders) {
  topology::GenesisConfig config;
  config.name = founders.synchronizer_name;
  if (founders.static_time) config.static_parameters.topology_change_delay = Duration{};
  config.owners = {founders.owner.member.uid().ns()};
  config.identities = {founders.owner.introduction};
  config.participants = {founders.owner.member.uid()};
  for (const topology::MemberIdentity& sequencer : founders.sequencers) {
    config.identities.push_back(sequencer);
    config.sequencers.push_back(sequencer.member);
  }
  for (const Founders::MediatorGroup& founding : founders.mediator_groups) {
    topology::GenesisConfig::Group group{
        static_cast<std::uint32_t>(config.mediator_groups.size()), founding.threshold, {}};
    for (const topology::MemberIdentity& mediator : founding.mediators) {
      config.identities.push_back(mediator);
      group.mediators.push_back(mediator.member);
    }
    config.mediator_groups.push_back(std::move(group));
  }
  SYNOD_TRY(topology::Genesis genesis, topology::make_genesis(config, *founders.owner.keys));
  return GenesisFile{std::move(genesis), config.static_parameters};
}

}  // namespace synod::node
