#include "bench/ordering/bare_fabric.h"

#include <grpcpp/channel.h>

#include <future>
#include <iterator>
#include <utility>

#include "base/files.h"
#include "fabric/orderer.grpc.pb.h"
#include "ordering/fabric_wire/envelope.h"
#include "rpc/channel.h"
#include "rpc/client_bidi.h"

namespace synod::bench {
namespace {

using ordering::fabric_wire::EnvelopeType;
using rpc::ClientBidi;

constexpr std::size_t kWindowBytes = 64u << 20;

std::string read(const std::optional<std::string>& file) { return file ? file_bytes(*file).value_or("") : ""; }

class BareFabric final : public BareClient {
 public:
  BareFabric(BareFabricConfig config, std::shared_ptr<grpc::Channel> channel, std::shared_ptr<EventLoop> loop)
      : BareClient(std::move(loop)),
        config_(std::move(config)),
        stub_(orderer::AtomicBroadcast::NewStub(std::move(channel))) {}
  ~BareFabric() override {
    over_ = true;
    if (broadcast_) broadcast_->cancel();
    if (deliver_) deliver_->cancel();
    for (std::promise<void>* ended : {&broadcast_ended_, &deliver_ended_})
      if (broadcast_) ended->get_future().wait();
  }

  Status join(Duration patience) override {
    using Async = orderer::AtomicBroadcast::Stub::async_interface;
    rpc::StreamHandlers<orderer::BroadcastResponse> answers;
    answers.on_message = [this](const orderer::BroadcastResponse& response, std::size_t bytes) {
      broadcast_->consumed(bytes);
      if (response.status() != common::SUCCESS) refused(response.info());
    };
    answers.on_end = [this](const std::optional<Error>& error) { ended(error, broadcast_ended_); };
    rpc::StreamHandlers<orderer::DeliverResponse> blocks;
    blocks.on_message = [this](const orderer::DeliverResponse& response, std::size_t bytes) {
      deliver_->consumed(bytes);
      take(response);
    };
    blocks.on_end = [this](const std::optional<Error>& error) { ended(error, deliver_ended_); };
    const rpc::CallOptions for_ever{.deadline = {}};
    broadcast_ = rpc::open_bidi(stub_->async(), &Async::Broadcast, for_ever, SIZE_MAX / 4, SIZE_MAX / 4, answers);
    deliver_ = rpc::open_bidi(stub_->async(), &Async::Deliver, for_ever, SIZE_MAX / 4, kWindowBytes, blocks);
    deliver_->write(seek(std::nullopt));
    if (joined_.get_future().wait_for(std::chrono::microseconds(patience.micros)) == std::future_status::ready)
      return {};
    return fail(unavailable("BENCH_ENGINE_NOT_READY", config_.endpoint + " gives no block"));
  }

 private:
  static common::Envelope envelope(const Bytes& bytes) {
    common::Envelope envelope;
    envelope.ParseFromString(bytes);
    return envelope;
  }
  const ordering::fabric_wire::SigningIdentity* identity() const {
    return config_.identity ? &*config_.identity : nullptr;
  }

  // For blocks from there on for ever, or the newest one.
  common::Envelope seek(std::optional<std::uint64_t> from) const {
    namespace wire = ordering::fabric_wire;
    const Bytes certificate = read(config_.tls ? config_.tls->certificate_chain_file : std::nullopt);
    return envelope(wire::make_seek(config_.channel, from, std::nullopt, wire::SeekContent::blocks,
                                    wire::certificate_hash(certificate).value_or(Bytes()), identity()));
  }

  void take(const orderer::DeliverResponse& response) {
    if (!response.has_block()) {
      if (response.status() != common::SUCCESS) refused(common::Status_Name(response.status()));
      return;
    }
    if (!std::exchange(told_, true)) {
      deliver_->write(seek(response.block().header().number()));
      joined_.set_value();
      return;
    }
    for (const Bytes& item : response.block().data().data())
      if (const auto taken = ordering::fabric_wire::parse_envelope(item)) received(taken->data);
  }

  void send(Bytes payload, std::uint64_t) override {
    const EnvelopeType type = config_.bft ? EnvelopeType::endorser_transaction : EnvelopeType::message;
    broadcast_->write(envelope(ordering::fabric_wire::make_envelope(type, config_.channel, payload, identity())));
  }

  void refused(const std::string& why) { failed(unavailable("BENCH_ENGINE_FAILED", config_.endpoint + ": " + why)); }
  void ended(const std::optional<Error>& error, std::promise<void>& promise) {
    if (!over_) refused(error ? error->cause : "the stream has ended");
    promise.set_value();
  }

  const BareFabricConfig config_;
  const std::unique_ptr<orderer::AtomicBroadcast::Stub> stub_;
  std::atomic<bool> over_ = false;
  bool told_ = false;
  std::promise<void> joined_, broadcast_ended_, deliver_ended_;
  std::shared_ptr<ClientBidi<common::Envelope, orderer::BroadcastResponse>> broadcast_;
  std::shared_ptr<ClientBidi<common::Envelope, orderer::DeliverResponse>> deliver_;
};

}  // namespace

Result<std::unique_ptr<BareClient>> make_bare_fabric(BareFabricConfig config, std::shared_ptr<EventLoop> loop) {
  rpc::ChannelConfig channel;
  channel.target = config.endpoint;
  channel.tls = config.tls;
  channel.max_response_bytes = 128u << 20;
  channel.keepalive_interval = Duration::seconds(70);  // Fabric's orderers take it amiss below a minute
  SYNOD_TRY(auto made, rpc::make_channel(channel));
  return std::make_unique<BareFabric>(std::move(config), std::move(made), std::move(loop));
}

}  // namespace synod::bench
