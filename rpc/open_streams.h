// Streams that nobody ends by himself: subscriptions, watches. A server that stops would wait for them until its
// deadline.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "rpc/stream_writer.h"

namespace synod::rpc {

// A service that has such streams. Server::stop() calls it before it waits.
class EndsStreams {
 public:
  virtual ~EndsStreams() = default;
  // Ends all open streams, and from now on each new one at once. Any thread.
  virtual void end_streams() = 0;
};

inline grpc::Status server_stops() { return {grpc::StatusCode::UNAVAILABLE, "The server is shutting down"}; }

// The open ones among the streams of one method. Thread rules: any thread.
template <typename Message>
class OpenStreams {
 public:
  void add(const ServerStreamPtr<Message>& stream) {
    {
      std::lock_guard lock(mutex_);
      if (!ended_) {
        if (streams_.size() >= sweep_at_) {
          std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
          sweep_at_ = 2 * streams_.size() + 16;
        }
        streams_.push_back(stream);
        return;
      }
    }
    stream->finish(server_stops(), quietly);
  }
  // After what is queued in each.
  void end() {
    std::vector<std::weak_ptr<ServerStream<Message>>> streams;
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      streams.swap(streams_);
    }
    for (const auto& weak : streams) {
      if (const auto stream = weak.lock()) stream->finish(server_stops(), quietly);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<ServerStream<Message>>> streams_;
  std::size_t sweep_at_ = 16;
  bool ended_ = false;
};

}  // namespace synod::rpc
