// One client's Broadcast stream at the solo engine.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "ordering/solo/access.h"
#include "ordering/solo/engine.h"
#include "rpc/server_bidi.h"

namespace synod::ordering::solo {

using WireStream = rpc::ServerBidi<grpc::ByteBuffer, grpc::ByteBuffer>;

// Lives as long as the stream's callbacks and the engine's outstanding answers refer to it.
class BroadcastStream : public std::enable_shared_from_this<BroadcastStream> {
 public:
  BroadcastStream(Engine& engine, std::shared_ptr<const AccessPolicy> policy, std::shared_ptr<WireStream> wire)
      : engine_(engine), policy_(std::move(policy)), wire_(std::move(wire)) {}

  void received(const grpc::ByteBuffer& message, std::size_t credit);
  void half_closed();

 private:
  // The answer to one envelope; they leave in the order in which the envelopes came.
  struct Answer {
    std::size_t credit = 0;
    std::optional<int> status;
    std::string info;
  };
  void answer(std::uint64_t number, int status, std::string info);
  void send_answers(std::unique_lock<std::mutex>& lock);

  Engine& engine_;
  const std::shared_ptr<const AccessPolicy> policy_;
  const std::shared_ptr<WireStream> wire_;

  std::mutex mutex_;
  std::deque<Answer> answers_;
  std::uint64_t first_ = 0;  // number of answers_.front()
  bool input_over_ = false;  // the client sends no more
  bool refused_ = false;     // a status other than SUCCESS was given: nothing after it is taken
  bool sending_ = false;     // one thread at a time sends, so that the order is kept
  bool finished_ = false;
};

Bytes flatten(const grpc::ByteBuffer& buffer);

}  // namespace synod::ordering::solo
