// The receiving half of a stream, apart from gRPC: a new read starts only while the consumer owes less than the limit.
// Pure bookkeeping under the lock of its user.
#pragma once

#include <cstddef>

namespace synod::rpc {

class ReadCredit {
 public:
  explicit ReadCredit(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // True: start a read now. Call after every change.
  bool take_read() {
    if (reading_ || ended_ || owed_ >= max_bytes_) return false;
    return reading_ = true;
  }
  // True: start a read whatever is owed, so that the end of the stream is noticed.
  bool force_read() {
    if (reading_ || ended_) return false;
    return reading_ = true;
  }
  // A message has arrived. The next read starts after read_done(), when its consumer has seen it: order is kept.
  void add(std::size_t bytes) { owed_ += bytes; }
  void read_done() { reading_ = false; }
  void consumed(std::size_t bytes) { owed_ -= bytes < owed_ ? bytes : owed_; }
  void end() {
    reading_ = false;
    ended_ = true;
  }
  bool ended() const { return ended_; }

 private:
  std::size_t max_bytes_;
  std::size_t owed_ = 0;
  bool reading_ = false;
  bool ended_ = false;
};

}  // namespace synod::rpc
