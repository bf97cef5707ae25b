// Static parameters (fixed when a synchronizer is created) and dynamic parameters (mapping 11).
// Facts: canton-protocol §1.4 and §4, recordings/parameters.json.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace com::digitalasset::canton::protocol::v30 {
class DynamicSynchronizerParameters;
class StaticSynchronizerParameters;
}  // namespace com::digitalasset::canton::protocol::v30

namespace synod::topology {

// The numbers in the lists are those of crypto_v30.proto. Defaults: what Canton writes for protocol version 35.
struct StaticParameters {
  std::vector<int> signing_algorithms{1, 2, 3};  // Ed25519, ECDSA SHA-256, ECDSA SHA-384
  std::vector<int> signing_keys{4, 3, 1, 2};     // secp256k1, P-384, Curve25519, P-256
  std::vector<int> encryption_algorithms{1, 2};  // ECIES HKDF, RSA OAEP
  std::vector<int> encryption_keys{1, 2};        // P-256, RSA 2048
  std::vector<int> symmetric_key_schemes{1};     // AES-128-GCM
  std::vector<int> hash_algorithms{1};           // SHA-256
  std::vector<int> key_formats{3, 4, 5};         // raw, SPKI, PKCS#8
  std::vector<int> signature_formats{2, 3};      // DER, concatenated
  int protocol_version = 35;
  std::uint32_t serial = 0;
  bool transparency_checks = false;
  Duration topology_change_delay = Duration::milliseconds(250);  // effective time = sequenced + this
  bool operator==(const StaticParameters&) const = default;

  static Result<StaticParameters> parse(
      const com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters& proto);
  void to_proto(com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters& proto) const;
};

enum class OnboardingRestriction : int {
  unrestricted_open = 1,
  unrestricted_locked = 2,
  restricted_open = 3,
  restricted_locked = 4
};
inline bool is_restricted(OnboardingRestriction r) {
  return r == OnboardingRestriction::restricted_open || r == OnboardingRestriction::restricted_locked;
}
inline bool is_locked(OnboardingRestriction r) {
  return r == OnboardingRestriction::unrestricted_locked || r == OnboardingRestriction::restricted_locked;
}

struct TrafficControl {
  std::uint64_t max_base_traffic_amount = 0;
  Duration max_base_traffic_accumulation;
  std::uint32_t read_vs_write_scaling_factor = 0;
  Duration set_balance_window;
  bool enforce_rate_limiting = false;
  std::optional<std::uint64_t> base_event_cost;
  bool free_confirmation_responses = false;
  bool operator==(const TrafficControl&) const = default;
};

struct CommitmentCatchUp {
  std::uint32_t interval_skip = 5;
  std::uint32_t intervals_to_trigger = 2;
  bool operator==(const CommitmentCatchUp&) const = default;
};

struct DynamicParameters {
  Duration confirmation_response_timeout = Duration::seconds(30);
  Duration mediator_reaction_timeout = Duration::seconds(30);
  Duration assignment_exclusivity_timeout = Duration::seconds(60);
  Duration ledger_time_record_time_tolerance = Duration::seconds(60);
  Duration reconciliation_interval = Duration::seconds(60);  // whole seconds, positive
  Duration mediator_deduplication_timeout = Duration::seconds(48 * 3600);
  std::uint32_t max_request_size = 10 * 1024 * 1024;  // bytes
  OnboardingRestriction onboarding_restriction = OnboardingRestriction::unrestricted_open;
  std::uint32_t confirmation_requests_max_rate = 1'000'000;
  Duration sequencer_aggregate_submission_timeout = Duration::seconds(360);
  std::optional<TrafficControl> traffic_control;
  std::optional<CommitmentCatchUp> commitment_catch_up = CommitmentCatchUp{};
  Duration preparation_time_record_time_tolerance = Duration::seconds(24 * 3600);
  bool operator==(const DynamicParameters&) const = default;

  static Result<DynamicParameters> parse(
      const com::digitalasset::canton::protocol::v30::DynamicSynchronizerParameters& proto);
  void to_proto(com::digitalasset::canton::protocol::v30::DynamicSynchronizerParameters& proto) const;
};

}  // namespace synod::topology
