// The checks of one submission at its sequencing time, in Canton's order, and the resolution of its groups.
// Facts: SubmissionRequestValidator.scala, InFlightAggregationHandler.scala; canton-protocol §1.5. Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <variant>

#include "base/error.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/event_store.h"
#include "sequencer/prepared.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

// Nobody hears of it. `alarm`: the sender (or the sequencer that ordered it) misbehaves.
struct Dropped {
  std::string reason;
  bool alarm = false;
};
// The sender gets this error.
struct Rejected {
  Error error;
};
struct Accepted {
  ResolvedGroups groups;
  std::set<protocol::Member> recipients;  // members addressed directly or through a group, and the sender
  bool broadcast = false;                 // to ALL::All: every registered member
};
using Validated = std::variant<Dropped, Rejected, Accepted>;

using IsRegistered = std::function<bool(const protocol::Member&)>;  // at the sequencing time

// `snapshot` is the topology at `timestamp`. Whether members of an explicit aggregation rule are registered is not
// asked again for an aggregation that is already in flight.
Validated validate_submission(const PreparedSubmission& submission, Timestamp timestamp,
                              const topology::Snapshot& snapshot, const IsRegistered& is_registered,
                              bool aggregation_in_flight);

// At most one of: mediators, mediator groups, ALL::All.
bool at_most_one_mediator(const protocol::RecipientSet& recipients);

}  // namespace synod::sequencer
