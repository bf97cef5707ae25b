#include "bench/ordering/bare_client.h"

#include <chrono>
#include <thread>

namespace synod::bench {
namespace {

constexpr std::size_t kWindow = 256;  // blocks asked for ahead

}  // namespace

struct BareClient::Sink final : ordering::BlockSink {
  explicit Sink(BareClient& c) : client(c) {}
  void on_block(ordering::Block block) override {
    for (const Bytes& record : block.records) client.received(record);
    if (client.subscription_) client.subscription_->request(1);
  }
  void on_end(Error error) override { client.failed(error); }
  BareClient& client;
};

BareClient::BareClient(std::unique_ptr<ordering::OrderingLog> log, std::shared_ptr<EventLoop> loop)
    : LoadClient(std::move(loop)), log_(std::move(log)) {}

BareClient::~BareClient() {
  log_->stop(Duration::seconds(5));
  subscription_.reset();
}

Status BareClient::join(Duration patience) {
  const std::int64_t give_up = clock_->monotonic_micros() + patience.micros;
  for (;;) {
    const ordering::Health health = log_->health();
    if (health.state == ordering::Health::State::ready && health.head) {
      subscription_ = log_->subscribe(*health.head, std::make_shared<Sink>(*this));
      subscription_->request(kWindow);
      return {};
    }
    if (clock_->monotonic_micros() > give_up) return fail(unavailable("BENCH_ENGINE_NOT_READY", health.last_error));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void BareClient::send(Bytes payload, std::uint64_t) {
  // A refused one is missing in the end, and the run does not count as sustained.
  log_->submit(std::move(payload), [](const ordering::SubmitResult&) {});
}

}  // namespace synod::bench
