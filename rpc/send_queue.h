// The sending half of a stream, apart from gRPC: at most one write is under way, the others wait in a queue with a byte
// limit, and the end comes once. Pure bookkeeping under the lock of its user.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace synod::rpc {

enum class WriteOutcome {
  accepted,
  full,    // accepted, but wait for the drained callback before the next one
  closed,  // the stream has ended or is ending; the message is dropped
};

template <typename Message, typename Ending>
class SendQueue {
 public:
  // What the user of the queue must do now, outside its lock.
  enum class Do { nothing, write, finish };

  explicit SendQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  WriteOutcome push(Message message, std::size_t bytes) {
    if (ending_) return WriteOutcome::closed;
    bytes_ += bytes;
    waiting_.emplace_back(std::move(message), bytes);
    if (bytes_ < max_bytes_) return WriteOutcome::accepted;
    reported_full_ = true;
    return WriteOutcome::full;
  }
  // The producer ignored `full`: everything is over twice the limit.
  bool overrun() const { return bytes_ > 2 * max_bytes_ && waiting_.size() > 1; }

  // Ends after what is queued (drain) or at once. The first ending wins, but a later one may still drop the queue.
  void end(Ending ending, bool drain) {
    if (!ending_) ending_ = std::move(ending);
    if (!drain) {
      for (const auto& [message, bytes] : waiting_) bytes_ -= bytes;
      waiting_.clear();
    }
  }

  // The next step. After `write`, send in_flight() and call written(); after `finish`, finish with ending().
  Do next() {
    if (writing_ || finished_) return Do::nothing;
    if (!waiting_.empty()) {
      in_flight_.emplace(std::move(waiting_.front().first));
      in_flight_bytes_ = waiting_.front().second;
      waiting_.pop_front();
      writing_ = true;
      return Do::write;
    }
    if (!ending_) return Do::nothing;
    finished_ = true;
    return Do::finish;
  }
  const Message& in_flight() const { return *in_flight_; }
  // Another message waits behind the one in flight.
  bool more() const { return !waiting_.empty(); }
  const Ending& ending() const { return *ending_; }

  void written() {
    writing_ = false;
    in_flight_.reset();
    bytes_ -= in_flight_bytes_;
    in_flight_bytes_ = 0;
  }
  // True once after a `full`, when half of the limit is free again.
  bool take_drained() {
    if (!reported_full_ || bytes_ > max_bytes_ / 2) return false;
    reported_full_ = false;
    return true;
  }
  std::size_t bytes() const { return bytes_; }
  bool is_ending() const { return ending_.has_value(); }

 private:
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;  // waiting and in flight
  std::deque<std::pair<Message, std::size_t>> waiting_;
  std::optional<Message> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  bool writing_ = false;
  bool finished_ = false;
  bool reported_full_ = false;
  std::optional<Ending> ending_;
};

}  // namespace synod::rpc
