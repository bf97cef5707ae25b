// The engine without sequencers: its own protocol spoken directly, each submission a record of its own, with nothing of
// our drivers in between. PostgreSQL has no protocol for a log; there the driver's statements are the engine.
#pragma once

#include <memory>

#include "bench/ordering/load_client.h"

namespace synod::node {
struct SequencerSection;
}

namespace synod::bench {

class BareClient : public LoadClient {
 public:
  using LoadClient::LoadClient;
  // Until the engine can be used; follows the log from its end on.
  virtual Status join(Duration patience) = 0;
};

// As the organisation whose sequencer is configured so. `data_folder`: that sequencer's.
Result<std::unique_ptr<BareClient>> make_bare_client(const node::SequencerSection& section,
                                                     const std::string& data_folder, std::shared_ptr<EventLoop> loop);

}  // namespace synod::bench
