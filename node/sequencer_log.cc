#include "node/sequencer_log.h"

#include "node/node_file.h"
#include "ordering/fabric_wire/fabric_log.h"

namespace synod::node {

Result<std::unique_ptr<ordering::OrderingLog>> connect_log(const SequencerSection& section,
                                                           const std::string& data_folder) {
  if (section.engines.engine != "solo") return connect_engine(section.engines, data_folder);
  ordering::fabric_wire::FabricLogConfig config;
  config.endpoints = section.ordering.addresses;
  config.channel = section.channel;
  config.tls = section.ordering.tls();
  return ordering::fabric_wire::connect_fabric(std::move(config));
}

}  // namespace synod::node
