#include "tests/fuzz/targets.h"

namespace synod::fuzz {

std::span<const Target> targets() {
  static constexpr Target all[] = {
      {"dar", dar},
      {"package", package},
      {"interpreter", interpreter},
      {"value", value},
      {"contract", contract},
      {"transaction", transaction},
      {"api_value", api_value},
      {"upgrade", upgrade},
      {"text", text},
      {"event_format", event_format},
      {"batch", batch},
      {"signed_content", signed_content},
      {"topology_transaction", topology_transaction},
      {"sealed_batch", sealed_batch},
      {"submission_request", submission_request},
      {"sequenced_event", sequenced_event},
      {"envelope_content", envelope_content},
      {"light_view_tree", light_view_tree},
      {"signed_message", signed_message},
      {"topology_snapshot", topology_snapshot},
      {"acs_commitment", acs_commitment},
      {"genesis", genesis},
      {"onboarding_state", onboarding_state},
      {"fabric_envelope", fabric_envelope},
      {"fabric_block", fabric_block},
      {"node_file", node_file},
      {"solo_segment", solo_segment},
  };
  return all;
}

}  // namespace synod::fuzz
