// What is wrong with the parts of one message: counted, and the first one kept, so that no message makes more than one
// line in a log, nor a long one, whatever its sender has put into it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace synod::protocol {

// At most `longest` bytes of a text that somebody else wrote, not cut inside a UTF-8 sequence.
std::string shortened(std::string_view text, std::size_t longest = 400);

class Complaints {
 public:
  void add(std::string_view what);
  void add(const Error& error) {
    if (count_ == 0) return add(error.to_string());
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  const std::string& first() const { return first_; }  // shortened; empty if there is none
  // `3 of 7 envelopes, the first: <what>`; only what is wrong where there is one of one.
  std::string of(std::size_t all, std::string_view things) const;

 private:
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace synod::protocol
