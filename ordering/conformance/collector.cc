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

int submissions_until_accepted(OrderingLog& log, const Bytes& record, int attempts) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (int i = 1; i <= attempts && std::chrono::steady_clock::now() < give_up; ++i) {
    if (submit_and_wait(log, record).outcome == SubmitOutcome::accepted) return i;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return 0;
}

int order(OrderingLog& log, Collector& seen, const Bytes& record, bool forgetful) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  int submissions = 0;
  do {
    const int more = submissions_until_accepted(log, record);
    if (more == 0) return 0;
    submissions += more;
    if (seen.wait_for_record(record, forgetful ? kForgotten : kPatience)) return submissions;
  } while (forgetful && std::chrono::steady_clock::now() < give_up);
  return 0;
}

std::vector<Bytes> first_of_each(const std::vector<Bytes>& sequence) {
  std::set<Bytes> known;
  std::vector<Bytes> first;
  for (const Bytes& record : sequence)
    if (known.insert(record).second) first.push_back(record);
  return first;
}

Status prune_and_wait(OrderingLog& log, Height before) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto promise = std::make_shared<std::promise<Status>>();
    auto result = promise->get_future();
    log.prune(before, [promise](Status status) { promise->set_value(std::move(status)); });
    Status status = result.get();
    // An engine that did not answer in time, or is just being pruned.
    const bool again = !status && status.error().id == "ORDERING_UNAVAILABLE";
    if (!again || std::chrono::steady_clock::now() > give_up) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace synod::ordering::conformance
