#include "sequencer/order.h"

#include <algorithm>
#include <tuple>

namespace synod::sequencer {

int priority_of(protocol::SubmissionKind kind) {
  using Kind = protocol::SubmissionKind;
  switch (kind) {
    case Kind::verdict:
      return 0;
    case Kind::confirmation_response:
      return 1;
    case Kind::confirmation_request:
      return 2;
    case Kind::commitment:
      return 3;
    case Kind::topology:
      return 4;
    case Kind::time_proof:
      return 5;
    case Kind::lsu_test:
      return 5;
    case Kind::top_up:
      return 6;
    case Kind::unexpected:
      return 0;
  }
  return 0;
}

void order_block(std::vector<Ordered>& items) {
  if (items.empty()) return;
  Timestamp next = items.front().time;
  for (const Ordered& item : items) next = std::min(next, item.time);
  std::sort(items.begin(), items.end(), [](const Ordered& a, const Ordered& b) {
    return std::tie(a.priority, a.time, a.index) < std::tie(b.priority, b.time, b.index);
  });
  for (Ordered& item : items) {
    item.time = next;
    next = next.next();
  }
}

}  // namespace synod::sequencer
