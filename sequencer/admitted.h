// What this sequencer has admitted, decoded and checked, until its block comes: the block's entry is the same bytes,
// and need not be decoded and checked once more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/bytes.h"
#include "sequencer/prepared.h"

namespace synod::sequencer {

// Thread rules: any thread.
class AdmittedSubmissions {
 public:
  // Above `max_bytes`, counted as the submissions were sent and unpacked, the oldest are forgotten.
  explicit AdmittedSubmissions(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void remember(const Bytes& signed_request, PreparedSubmission prepared);
  // Once: a request that comes again is decoded like those of others.
  std::optional<PreparedSubmission> take(ByteView signed_request);

 private:
  struct Entry {
    PreparedSubmission prepared;
    std::size_t bytes = 0;
    std::uint64_t age = 0;  // key in by_age_
  };
  using Entries = std::map<Bytes, Entry, std::less<>>;
  void forget(Entries::iterator entry);  // under the lock

  const std::size_t max_bytes_;
  std::mutex mutex_;
  Entries entries_;
  std::map<std::uint64_t, Entries::iterator> by_age_;
  std::uint64_t next_age_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace synod::sequencer
