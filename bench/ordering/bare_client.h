// The engine without sequencers: its own driver, each submission a record of its own.
#pragma once

#include <atomic>
#include <memory>

#include "bench/ordering/load_client.h"
#include "ordering/ordering_log.h"

namespace synod::bench {

class BareClient final : public LoadClient {
 public:
  BareClient(std::unique_ptr<ordering::OrderingLog> log, std::shared_ptr<EventLoop> loop);
  ~BareClient() override;
  // Until the engine can be used; follows the log from its end on.
  Status join(Duration patience);

 private:
  struct Sink;
  void send(Bytes payload, std::uint64_t i) override;

  std::unique_ptr<ordering::OrderingLog> log_;
  std::unique_ptr<ordering::Subscription> subscription_;
};

}  // namespace synod::bench
