#include "bench/ordering/bare_client.h"

#include <chrono>
#include <thread>

#include "bench/ordering/bare_fabric.h"
#include "bench/ordering/bare_kafka.h"
#include "node/node_file.h"
#include "node/sequencer_log.h"
#include "ordering/ordering_log.h"

namespace synod::bench {
namespace {

constexpr std::size_t kWindow = 256;  // blocks asked for ahead

class DriverClient final : public BareClient {
 public:
  DriverClient(std::unique_ptr<ordering::OrderingLog> log, std::shared_ptr<EventLoop> loop)
      : BareClient(std::move(loop)), log_(std::move(log)) {}
  ~DriverClient() override {
    log_->stop(Duration::seconds(5));
    subscription_.reset();
  }

  Status join(Duration patience) override {
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

 private:
  struct Sink final : ordering::BlockSink {
    explicit Sink(DriverClient& c) : client(c) {}
    void on_block(ordering::Block block) override {
      for (const Bytes& record : block.records) client.received(record);
      if (client.subscription_) client.subscription_->request(1);
    }
    void on_end(Error error) override { client.failed(error); }
    DriverClient& client;
  };

  void send(Bytes payload, std::uint64_t) override {
    // A refused one is missing in the end, and the run does not count as sustained.
    log_->submit(std::move(payload), [](const ordering::SubmitResult&) {});
  }

  std::unique_ptr<ordering::OrderingLog> log_;
  std::unique_ptr<ordering::Subscription> subscription_;
};

Result<std::unique_ptr<BareClient>> fabric(const node::SequencerSection& section, std::shared_ptr<EventLoop> loop) {
  BareFabricConfig config;
  if (section.engines.engine == "solo") {
    config.endpoint = section.ordering.addresses.front();
    config.channel = section.channel;
    config.tls = section.ordering.tls();
    return make_bare_fabric(std::move(config), std::move(loop));
  }
  const node::FabricSection& fabric = section.engines.fabric;
  config.endpoint = fabric.addresses.front();
  config.channel = fabric.channel;
  config.tls = rpc::ClientTls{fabric.ca, fabric.certificate, fabric.private_key};
  config.bft = fabric.consensus == "smartbft";
  SYNOD_TRY(config.identity, ordering::fabric_wire::SigningIdentity::from_files(
                                 fabric.msp_id, fabric.signing_certificate, fabric.signing_key));
  return make_bare_fabric(std::move(config), std::move(loop));
}

}  // namespace

Result<std::unique_ptr<BareClient>> make_bare_client(const node::SequencerSection& section,
                                                     const std::string& data_folder, std::shared_ptr<EventLoop> loop) {
  const std::string& engine = section.engines.engine;
  if (engine == "solo" || engine == "fabric") return fabric(section, std::move(loop));
  if (engine == "kafka") {
    std::string brokers;
    for (const std::string& broker : section.engines.kafka.brokers) brokers += (brokers.empty() ? "" : ",") + broker;
    return make_bare_kafka(brokers, section.engines.kafka.topic, std::move(loop));
  }
  SYNOD_TRY(auto log, node::connect_log(section, data_folder));
  return std::make_unique<DriverClient>(std::move(log), std::move(loop));
}

}  // namespace synod::bench
