// How far the log is, according to all orderers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/link.h"

namespace synod::ordering::fabric_wire {

struct KnownHead {
  std::size_t endpoint = 0;  // which told it
  Height height;
  Bytes hash;
};

// Asks every orderer for its newest header each head_check_interval, one after the other, and tells what is signed as
// it must be. It asks rather than subscribes: orderers before Fabric 3 answer with whole blocks, and the patience with
// a stream that falls behind is counted in seconds anyway.
//
// Thread rules: any thread. `seen` is called on gRPC's threads, and not once stop() has returned.
class HeadWatch : public std::enable_shared_from_this<HeadWatch> {
 public:
  HeadWatch(std::shared_ptr<Link> link, std::function<void(const KnownHead&)> seen);
  void start() { round(); }
  void stop();

 private:
  void round();
  void ask(std::size_t endpoint);
  void answered(std::size_t endpoint, const orderer::DeliverResponse& response);

  const std::shared_ptr<Link> link_;
  Accusations accusations_;
  std::mutex mutex_;  // held while `seen` runs
  std::function<void(const KnownHead&)> seen_;
  std::vector<bool> asking_;  // by endpoint
  std::size_t next_ = 0;      // endpoint to ask
};

}  // namespace synod::ordering::fabric_wire
