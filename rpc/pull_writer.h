// A long answer of which only as much is made as the client takes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "rpc/stream_writer.h"

namespace synod::rpc {

// Writes what `next` gives, one message after the other and no faster than the client reads; then ends the stream.
// `next` is called on the caller's thread first and on gRPC's later, one call at a time, and not after the stream has
// closed; none: that was all. It is let go at the end.
template <typename Message>
void write_pulled(const ServerStreamPtr<Message>& stream, std::function<std::optional<Message>()> next) {
  struct Pump {
    Pump(ServerStreamPtr<Message> s, std::function<std::optional<Message>()> n)
        : stream(std::move(s)), next(std::move(n)) {}
    void run() {
      {
        std::lock_guard lock(mutex);
        again = true;
        if (std::exchange(running, true)) return;
      }
      while (more()) {
      }
    }
    // Until the stream is full. True: it was drained meanwhile.
    bool more() {
      {
        std::lock_guard lock(mutex);
        if (!std::exchange(again, false)) {
          running = false;
          return false;
        }
      }
      while (next) {
        std::optional<Message> message = next();
        if (!message) {
          next = nullptr;
          stream->finish();
        } else {
          const WriteOutcome outcome = stream->write(std::move(*message));
          if (outcome == WriteOutcome::closed) next = nullptr;
          if (outcome == WriteOutcome::full) return true;
        }
      }
      return true;
    }
    const ServerStreamPtr<Message> stream;
    std::function<std::optional<Message>()> next;
    std::mutex mutex;
    bool running = false;
    bool again = false;
  };
  const auto pump = std::make_shared<Pump>(stream, std::move(next));
  stream->on_drained([pump] { pump->run(); });
  pump->run();
}

}  // namespace synod::rpc
