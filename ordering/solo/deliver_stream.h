// One client's Deliver stream at the solo engine.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "ordering/solo/broadcast_stream.h"

namespace synod::ordering::solo {

// Looks up the next block only when there is room for it, so a slow reader costs the engine nothing.
class DeliverStream : public std::enable_shared_from_this<DeliverStream> {
 public:
  DeliverStream(Engine& engine, std::shared_ptr<const AccessPolicy> policy, std::shared_ptr<WireStream> wire)
      : engine_(engine), policy_(std::move(policy)), wire_(std::move(wire)) {}

  void received(const grpc::ByteBuffer& message, std::size_t credit);
  void half_closed();
  void drained();
  void closed();
  void wake();  // there may be new blocks

 private:
  struct Seek {
    std::int64_t next = 0;
    std::int64_t stop = 0;  // inclusive
    bool wait = true;       // for blocks that do not exist yet
    bool headers_only = false;
    std::size_t credit = 0;
  };

  Result<Seek> parse_seek(ByteView envelope) const;
  void pump();
  bool send_next(std::unique_lock<std::mutex>& lock);
  void end_seek(std::unique_lock<std::mutex>& lock, int status);

  Engine& engine_;
  const std::shared_ptr<const AccessPolicy> policy_;
  const std::shared_ptr<WireStream> wire_;

  std::mutex mutex_;
  std::deque<Seek> seeks_;      // the first is being answered
  std::optional<int> refusal_;  // status to send after the seeks before it
  bool input_over_ = false;
  bool full_ = false;     // waits for drained()
  bool pumping_ = false;  // one thread at a time
  bool again_ = false;    // something changed while it pumped
  bool finished_ = false;
};

}  // namespace synod::ordering::solo
