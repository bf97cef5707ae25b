// What the signatures of a submission cost on this machine: the floor under everything else.
#pragma once

#include <boost/json/object.hpp>

namespace synod::bench {

struct SignatureCost {
  double sign_micros = 0, verify_micros = 0;  // P-256, as protocol keys are

  // A member signs it, each of two sequencers checks that and signs an event for its subscriber, who checks it.
  double per_submission() const { return 3 * sign_micros + 4 * verify_micros; }
  boost::json::object json() const;
};
SignatureCost measure_signatures();

}  // namespace synod::bench
