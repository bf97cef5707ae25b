// Submissions that go to all orderers at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "ordering/fabric_wire/submitter.h"

namespace synod::ordering::fabric_wire {

// Of n orderers up to f may be faulty; when f+1 accept an envelope, one of them is not, and sees to it that it is
// ordered even if the leader ignores it. The same envelope at several orderers is ordered once, as a rule.
//
// Thread rules: as Submitter.
class FanOut {
 public:
  FanOut(const std::shared_ptr<Link>& link, std::size_t accepts_needed);

  void start();
  void submit(grpc::ByteBuffer envelope, std::size_t bytes, std::function<void(SubmitResult)> done);
  void stop();
  void describe(Health& health) const;

 private:
  const std::size_t accepts_needed_;
  const std::shared_ptr<std::atomic<std::size_t>> undecided_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<std::shared_ptr<Submitter>> submitters_;  // one an orderer
};

}  // namespace synod::ordering::fabric_wire
