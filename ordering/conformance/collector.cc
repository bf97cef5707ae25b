#include "ordering/conformance/collector.h"

#include <future>
#include <thread>

namespace synod::ordering::conformance {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

SubmitResult submit_and_wait(OrderingLog& log, Bytes record) {
  auto promise = std::make_shared<std::promise<SubmitResult>>();
  auto result = promise->get_future();
  log.submit(std::move(record), [promise](SubmitResult outcome) { promise->set_value(std::move(outcome)); });
  return result.get();
}

bool submit_until_accepted(OrderingLog& log, const Bytes& record, int attempts) {
  for (int i = 0; i < attempts; ++i) {
    if (submit_and_wait(log, record).outcome == SubmitOutcome::accepted) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

Status prune_and_wait(OrderingLog& log, Height before) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto result = promise->get_future();
  log.prune(before, [promise](Status status) { promise->set_value(std::move(status)); });
  return result.get();
}

}  // namespace synod::ordering::conformance
