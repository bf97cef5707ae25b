// How large a message may be. Messages are never compressed: gRPC 1.51 checks a message's size before it inflates it,
// so that some kilobytes of a stranger could become gigabytes. A server refuses compressed calls with UNIMPLEMENTED. A
// channel says that it takes no compressed answers, and does not inflate one that comes nonetheless: a unary call then
// has an empty answer. Neither Canton's nodes nor Fabric's compress unless they are asked to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace synod::rpc {

// For configurations: a limit outside of these bounds is a mistake.
inline constexpr std::uint64_t kLeastMessageLimit = 4u << 10;
inline constexpr std::uint64_t kGreatestMessageLimit = 1u << 30;

// As gRPC takes it, an int where a negative number means no limit.
inline int message_limit(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, kGreatestMessageLimit));
}

}  // namespace synod::rpc
