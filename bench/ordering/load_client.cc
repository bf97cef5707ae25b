#include "bench/ordering/load_client.h"

#include <cstring>
#include <future>

namespace synod::bench {
namespace {

constexpr std::size_t kHeader = 12;  // run number, submission number

}  // namespace

Latencies LoadClient::take_latencies() {
  std::lock_guard lock(mutex_);
  return std::exchange(latencies_, {});
}

std::optional<Error> LoadClient::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

void LoadClient::failed(const Error& error) {
  std::lock_guard lock(mutex_);
  if (!problem_) problem_ = error;
}

void LoadClient::start(const LoadRun& run, std::uint64_t mine, std::uint64_t of) {
  std::promise<void> set;
  loop_->post([&] {
    {
      std::lock_guard lock(mutex_);
      run_ = run;
    }
    next_ = mine;
    stride_ = of;
    filler_ = random_->bytes(run.payload_bytes);
    delivered_ = 0;
    send_due();
    set.set_value();
  });
  set.get_future().wait();
}

// Runs until the run's last submission is sent; sleeps to the next one that is due.
void LoadClient::send_due() {
  const std::int64_t now = clock_->monotonic_micros();
  // A few at a time, so that events are received in between when the load is ahead of us.
  for (int sent = 0; next_ < run_.submissions && run_.due(next_) <= now && sent < 50; next_ += stride_, ++sent) {
    Bytes payload = filler_;
    std::memcpy(payload.data(), &run_.number, sizeof run_.number);
    std::memcpy(payload.data() + sizeof run_.number, &next_, sizeof next_);
    send(std::move(payload), next_);
  }
  if (next_ >= run_.submissions) return;
  const std::int64_t wait = run_.due(next_) - clock_->monotonic_micros();
  if (wait <= 0)
    loop_->post([this] { send_due(); });
  else
    loop_->after(Duration{wait}, [this] { send_due(); });
}

void LoadClient::received(ByteView payload) {
  if (payload.size() < kHeader) return;
  std::uint32_t number;
  std::uint64_t i;
  std::memcpy(&number, payload.data(), sizeof number);
  std::memcpy(&i, payload.data() + sizeof number, sizeof i);
  std::lock_guard lock(mutex_);
  if (number != run_.number || i >= run_.submissions) return;  // a straggler of an earlier run
  latencies_.add(clock_->monotonic_micros() - run_.due(i));
  ++delivered_;
}

}  // namespace synod::bench
