// The order of the requests of one block, and their proposed times. Fact: BlockReorderer.scala (protocol version 35).
#pragma once

#include <cstddef>
#include <vector>

#include "base/time.h"
#include "protocol/submission.h"

namespace synod::sequencer {

// 0 verdict (and what has no known form), 1 response, 2 confirmation request, 3 commitment, 4 topology, 5 time proof
// and upgrade test, 6 top-up, 7 acknowledgement.
int priority_of(protocol::SubmissionKind kind);
inline constexpr int kAcknowledgementPriority = 7;

struct Ordered {
  std::size_t index = 0;  // in the input
  int priority = 0;
  Timestamp time;  // proposed time in, assigned time out
};

// Sorts by (priority, time, index); then the first gets the smallest of all times, and each next one a microsecond
// more.
void order_block(std::vector<Ordered>& items);

}  // namespace synod::sequencer
