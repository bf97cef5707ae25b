// What the streams of one FabricLog share: its channels, its timer thread, and what is known about the engine.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/accusations.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/fabric_log.h"
#include "rpc/client_bidi.h"

namespace synod::ordering::fabric_wire {

// To an orderer: a channel, and the hash of the certificate that it shows under mutual TLS; else empty.
struct Route {
  std::shared_ptr<grpc::Channel> channel;
  Bytes certificate_hash;
};

struct Link {
  explicit Link(FabricLogConfig c) : config(std::move(c)), loop("ordering-client") {}

  const SigningIdentity* identity() const { return config.identity ? &*config.identity : nullptr; }
  // Before the first route(). Error ids: those of rpc::make_channel().
  Status connect();
  // Orderers bind a seek to its connection by the certificate's hash, and connections keep the certificate that they
  // began with: with a new one in our files, all routes from here on are new connections.
  Route route(std::size_t endpoint);
  // A serialised envelope that asks for blocks, for a call on this route; see make_seek().
  Bytes seek(const Route& route, std::optional<std::uint64_t> from, std::optional<std::uint64_t> to,
             SeekContent content) const {
    return make_seek(config.channel, from, to, content, route.certificate_hash, identity());
  }
  void saw_head(Height height) {
    std::lock_guard lock(mutex);
    if (!head || *head < height) head = height;
  }
  void saw_error(std::string text) {
    std::lock_guard lock(mutex);
    last_error = std::move(text);
  }

  // Without a trust everything is believed.
  Status believe(const common::Block& block) const { return config.trust ? config.trust->check(block) : Status(); }

  const FabricLogConfig config;
  const std::shared_ptr<Clock> clock = system_clock();
  EventLoop loop;
  Accusations accusations{config.endpoints};  // for the blocks they give, or do not give

  std::mutex mutex;  // guards what follows
  std::condition_variable calls_over;
  int open_calls = 0;
  std::optional<Height> head;
  std::string last_error;

 private:
  using Channels = std::vector<std::shared_ptr<grpc::Channel>>;  // one per endpoint
  Bytes certificate_hash_now() const;
  Result<Channels> make_channels() const;

  std::mutex routes_mutex_;  // guards what follows
  Channels channels_;
  Bytes certificate_hash_;
};

// Which endpoint to use, and how long to wait before trying again.
class Attempts {
 public:
  // Of all endpoints, or of `only` one.
  explicit Attempts(const FabricLogConfig& config, std::optional<std::size_t> only = std::nullopt)
      : config_(config), only_(only), delay_(config.min_reconnect_delay), endpoint_(only.value_or(0)) {}
  std::size_t endpoint() const { return endpoint_; }
  void succeeded() { delay_ = config_.min_reconnect_delay; }
  Duration failed() {
    if (!only_) endpoint_ = (endpoint_ + 1) % config_.endpoints.size();
    const Duration now = delay_;
    delay_ = std::min(delay_ * 2, config_.max_reconnect_delay);
    return now;
  }

 private:
  const FabricLogConfig& config_;
  const std::optional<std::size_t> only_;
  Duration delay_;
  std::size_t endpoint_;
};

inline grpc::ByteBuffer to_buffer(const Bytes& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Response>
using Call = rpc::ClientBidi<grpc::ByteBuffer, Response>;

// Opens one of AtomicBroadcast's methods; the requests are serialised envelopes. No deadline: zero.
template <typename Response>
std::shared_ptr<Call<Response>> open_call(const std::shared_ptr<Link>& link, const Route& route, const char* method,
                                          std::size_t max_unconsumed_bytes, Duration deadline,
                                          rpc::StreamHandlers<Response> handlers) {
  {
    std::lock_guard lock(link->mutex);
    ++link->open_calls;
  }
  auto on_end = std::move(handlers.on_end);
  handlers.on_end = [link, on_end = std::move(on_end)](std::optional<Error> error) {
    on_end(std::move(error));
    std::lock_guard lock(link->mutex);
    --link->open_calls;
    link->calls_over.notify_all();
  };
  rpc::CallOptions options;
  options.deadline = deadline;
  auto call = std::make_shared<Call<Response>>(options, SIZE_MAX / 4, max_unconsumed_bytes, std::move(handlers));
  grpc::TemplatedGenericStub<grpc::ByteBuffer, Response> stub(route.channel);
  stub.PrepareBidiStreamingCall(call->context(), std::string("/orderer.AtomicBroadcast/") + method, {}, call.get());
  call->start(call);
  return call;
}

// Asks an orderer for its newest block's header, with signatures; one answer at the most.
void ask_for_newest(const std::shared_ptr<Link>& link, std::size_t endpoint,
                    rpc::StreamHandlers<orderer::DeliverResponse> handlers);

}  // namespace synod::ordering::fabric_wire
