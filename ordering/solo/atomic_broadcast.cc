#include "ordering/solo/atomic_broadcast.h"

#include <map>

#include "fabric/orderer.grpc.pb.h"
#include "ordering/solo/broadcast_stream.h"
#include "ordering/solo/deliver_stream.h"
#include "rpc/open_streams.h"

namespace synod::ordering::solo {
namespace {

using RawService = ::orderer::AtomicBroadcast::WithRawCallbackMethod_Broadcast<
    ::orderer::AtomicBroadcast::WithRawCallbackMethod_Deliver<::orderer::AtomicBroadcast::Service>>;

// The streams to wake at a new block; shared with them, as they may end after the service.
class Waiting {
 public:
  void add(const std::shared_ptr<DeliverStream>& stream) {
    std::lock_guard lock(mutex_);
    streams_[stream.get()] = stream;
  }
  void remove(DeliverStream* stream) {
    std::lock_guard lock(mutex_);
    streams_.erase(stream);
  }
  void wake_all() {
    std::vector<std::shared_ptr<DeliverStream>> streams;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [key, weak] : streams_)
        if (auto stream = weak.lock()) streams.push_back(std::move(stream));
    }
    for (const auto& stream : streams) stream->wake();
  }

 private:
  std::mutex mutex_;
  std::map<DeliverStream*, std::weak_ptr<DeliverStream>> streams_;
};

class AtomicBroadcastService final : public RawService, public rpc::EndsStreams {
 public:
  AtomicBroadcastService(Engine& engine, AccessPolicy policy, BroadcastLimits limits)
      : engine_(engine), policy_(std::make_shared<const AccessPolicy>(std::move(policy))), limits_(limits) {
    listener_ = engine_.add_listener([waiting = waiting_](Height) { waiting->wake_all(); });
  }
  ~AtomicBroadcastService() override { engine_.remove_listener(listener_); }
  void end_streams() override { open_.end(); }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Broadcast(
      grpc::CallbackServerContext* context) override {
    return rpc::bidi_answer<grpc::ByteBuffer, grpc::ByteBuffer>(
        context, limits(), [&](rpc::CallContext&, std::shared_ptr<WireStream> wire) {
          open_.add(wire);
          auto stream = std::make_shared<BroadcastStream>(engine_, policy_, wire);
          wire->on_message(
              [stream](const grpc::ByteBuffer& message, std::size_t bytes) { stream->received(message, bytes); });
          wire->on_half_close([stream] { stream->half_closed(); });
        });
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Deliver(grpc::CallbackServerContext* context) override {
    return rpc::bidi_answer<grpc::ByteBuffer, grpc::ByteBuffer>(
        context, limits(), [&](rpc::CallContext&, std::shared_ptr<WireStream> wire) {
          open_.add(wire);
          auto stream = std::make_shared<DeliverStream>(engine_, policy_, wire);
          waiting_->add(stream);
          wire->on_message(
              [stream](const grpc::ByteBuffer& message, std::size_t bytes) { stream->received(message, bytes); });
          wire->on_half_close([stream] { stream->half_closed(); });
          wire->on_drained([stream] { stream->drained(); });
          wire->on_closed([stream, waiting = waiting_] {
            waiting->remove(stream.get());
            stream->closed();
          });
        });
  }

 private:
  rpc::StreamLimits limits() const { return {limits_.max_unsent_bytes, limits_.max_unanswered_bytes}; }

  Engine& engine_;
  const std::shared_ptr<const AccessPolicy> policy_;
  const BroadcastLimits limits_;
  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  rpc::OpenStreams<grpc::ByteBuffer> open_;
  std::uint64_t listener_ = 0;
};

}  // namespace

std::shared_ptr<grpc::Service> make_atomic_broadcast(Engine& engine, AccessPolicy policy, BroadcastLimits limits) {
  return std::make_shared<AtomicBroadcastService>(engine, std::move(policy), limits);
}

}  // namespace synod::ordering::solo
