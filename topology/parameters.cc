#include "topology/parameters.h"

#include <limits>

#include "canton/parameters_v30.pb.h"
#include "canton/sequencing_v30.pb.h"
#include "topology/proto_time.h"

namespace synod::topology {
namespace v30 = ::com::digitalasset::canton::protocol::v30;
namespace {

template <typename Field>
std::vector<int> to_ints(const Field& field) {
  return {field.begin(), field.end()};
}

Result<Duration> non_negative(const google::protobuf::Duration& proto, bool present, std::string_view field) {
  if (!present) return fail(malformed(field, "not set"));
  SYNOD_TRY(auto duration, parse_duration(proto, field));
  if (duration.micros < 0) return fail(malformed(field, "the duration is negative"));
  return duration;
}

Result<TrafficControl> parse_traffic(const v30::TrafficControlParameters& proto) {
  constexpr auto kMaxLong = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  TrafficControl result;
  if (proto.max_base_traffic_amount() > kMaxLong || proto.base_event_cost() > kMaxLong) {
    return fail(malformed("traffic_control", "a traffic amount is too large"));
  }
  if (proto.read_vs_write_scaling_factor() == 0 || proto.read_vs_write_scaling_factor() > 0x7fffffff) {
    return fail(malformed("read_vs_write_scaling_factor", "must be positive"));
  }
  result.max_base_traffic_amount = proto.max_base_traffic_amount();
  SYNOD_TRY(result.max_base_traffic_accumulation,
            non_negative(proto.max_base_traffic_accumulation_duration(),
                         proto.has_max_base_traffic_accumulation_duration(), "max_base_traffic_accumulation_duration"));
  SYNOD_TRY(result.set_balance_window, non_negative(proto.set_balance_request_submission_window_size(),
                                                    proto.has_set_balance_request_submission_window_size(),
                                                    "set_balance_request_submission_window_size"));
  if (result.max_base_traffic_accumulation.micros == 0 || result.set_balance_window.micros == 0) {
    return fail(malformed("traffic_control", "a duration is not positive"));
  }
  result.read_vs_write_scaling_factor = proto.read_vs_write_scaling_factor();
  result.enforce_rate_limiting = proto.enforce_rate_limiting();
  if (proto.has_base_event_cost()) result.base_event_cost = proto.base_event_cost();
  result.free_confirmation_responses = proto.free_confirmation_responses();
  return result;
}

}  // namespace

Result<StaticParameters> StaticParameters::parse(const v30::StaticSynchronizerParameters& proto) {
  StaticParameters result;
  result.signing_algorithms = to_ints(proto.required_signing_specs().algorithms());
  result.signing_keys = to_ints(proto.required_signing_specs().keys());
  result.encryption_algorithms = to_ints(proto.required_encryption_specs().algorithms());
  result.encryption_keys = to_ints(proto.required_encryption_specs().keys());
  result.symmetric_key_schemes = to_ints(proto.required_symmetric_key_schemes());
  result.hash_algorithms = to_ints(proto.required_hash_algorithms());
  result.key_formats = to_ints(proto.required_crypto_key_formats());
  result.signature_formats = to_ints(proto.required_signature_formats());
  result.protocol_version = proto.protocol_version();
  if (proto.serial() < 0) return fail(malformed("serial", "is negative"));
  result.serial = static_cast<std::uint32_t>(proto.serial());
  result.transparency_checks = proto.enable_transparency_checks();
  SYNOD_TRY(result.topology_change_delay,
            non_negative(proto.topology_change_delay(), proto.has_topology_change_delay(), "topology_change_delay"));
  for (const auto* list :
       {&result.signing_algorithms, &result.signing_keys, &result.encryption_algorithms, &result.encryption_keys,
        &result.symmetric_key_schemes, &result.hash_algorithms, &result.key_formats, &result.signature_formats}) {
    if (list->empty()) return fail(malformed("static_synchronizer_parameters", "a list of required schemes is empty"));
  }
  return result;
}

void StaticParameters::to_proto(v30::StaticSynchronizerParameters& proto) const {
  for (int x : signing_algorithms)
    proto.mutable_required_signing_specs()->add_algorithms(
        static_cast<com::digitalasset::canton::crypto::v30::SigningAlgorithmSpec>(x));
  for (int x : signing_keys)
    proto.mutable_required_signing_specs()->add_keys(
        static_cast<com::digitalasset::canton::crypto::v30::SigningKeySpec>(x));
  for (int x : encryption_algorithms)
    proto.mutable_required_encryption_specs()->add_algorithms(
        static_cast<com::digitalasset::canton::crypto::v30::EncryptionAlgorithmSpec>(x));
  for (int x : encryption_keys)
    proto.mutable_required_encryption_specs()->add_keys(
        static_cast<com::digitalasset::canton::crypto::v30::EncryptionKeySpec>(x));
  for (int x : symmetric_key_schemes)
    proto.add_required_symmetric_key_schemes(
        static_cast<com::digitalasset::canton::crypto::v30::SymmetricKeyScheme>(x));
  for (int x : hash_algorithms)
    proto.add_required_hash_algorithms(static_cast<com::digitalasset::canton::crypto::v30::HashAlgorithm>(x));
  for (int x : key_formats)
    proto.add_required_crypto_key_formats(static_cast<com::digitalasset::canton::crypto::v30::CryptoKeyFormat>(x));
  for (int x : signature_formats)
    proto.add_required_signature_formats(static_cast<com::digitalasset::canton::crypto::v30::SignatureFormat>(x));
  proto.set_protocol_version(protocol_version);
  proto.set_serial(static_cast<std::int32_t>(serial));
  proto.set_enable_transparency_checks(transparency_checks);
  put_duration(topology_change_delay, *proto.mutable_topology_change_delay());
}

Result<DynamicParameters> DynamicParameters::parse(const v30::DynamicSynchronizerParameters& proto) {
  DynamicParameters result;
  struct Field {
    Duration& target;
    const google::protobuf::Duration& proto;
    bool present;
    const char* name;
  };
  const Field fields[] = {
      {result.confirmation_response_timeout, proto.confirmation_response_timeout(),
       proto.has_confirmation_response_timeout(), "confirmation_response_timeout"},
      {result.mediator_reaction_timeout, proto.mediator_reaction_timeout(), proto.has_mediator_reaction_timeout(),
       "mediator_reaction_timeout"},
      {result.assignment_exclusivity_timeout, proto.assignment_exclusivity_timeout(),
       proto.has_assignment_exclusivity_timeout(), "assignment_exclusivity_timeout"},
      {result.ledger_time_record_time_tolerance, proto.ledger_time_record_time_tolerance(),
       proto.has_ledger_time_record_time_tolerance(), "ledger_time_record_time_tolerance"},
      {result.reconciliation_interval, proto.reconciliation_interval(), proto.has_reconciliation_interval(),
       "reconciliation_interval"},
      {result.mediator_deduplication_timeout, proto.mediator_deduplication_timeout(),
       proto.has_mediator_deduplication_timeout(), "mediator_deduplication_timeout"},
      {result.sequencer_aggregate_submission_timeout, proto.sequencer_aggregate_submission_timeout(),
       proto.has_sequencer_aggregate_submission_timeout(), "sequencer_aggregate_submission_timeout"},
  };
  for (const auto& field : fields) {
    SYNOD_TRY(field.target, non_negative(field.proto, field.present, field.name));
  }
  if (result.reconciliation_interval.micros == 0 || result.reconciliation_interval.micros % 1'000'000 != 0) {
    return fail(malformed("reconciliation_interval", "must be a positive number of whole seconds"));
  }
  if (proto.max_request_size() > 0x7fffffff) return fail(malformed("max_request_size", "is too large"));
  result.max_request_size = proto.max_request_size();
  if (proto.onboarding_restriction() < 1 || proto.onboarding_restriction() > 4) {
    return fail(malformed("onboarding_restriction", "not set or unknown"));
  }
  result.onboarding_restriction = static_cast<OnboardingRestriction>(proto.onboarding_restriction());
  if (!proto.has_participant_synchronizer_limits())
    return fail(malformed("participant_synchronizer_limits", "not set"));
  result.confirmation_requests_max_rate = proto.participant_synchronizer_limits().confirmation_requests_max_rate();
  if (result.confirmation_requests_max_rate > 0x7fffffff)
    return fail(malformed("confirmation_requests_max_rate", "is too large"));
  result.traffic_control.reset();
  if (proto.has_traffic_control()) {
    SYNOD_TRY(result.traffic_control, parse_traffic(proto.traffic_control()));
  }
  result.commitment_catch_up.reset();
  if (proto.has_acs_commitments_catchup()) {
    const auto& catch_up = proto.acs_commitments_catchup();
    if (catch_up.catchup_interval_skip() - 1 > 0x7ffffffe ||
        catch_up.nr_intervals_to_trigger_catchup() - 1 > 0x7ffffffe) {
      return fail(malformed("acs_commitments_catchup", "must be positive"));
    }
    result.commitment_catch_up =
        CommitmentCatchUp{catch_up.catchup_interval_skip(), catch_up.nr_intervals_to_trigger_catchup()};
  }
  result.preparation_time_record_time_tolerance = result.ledger_time_record_time_tolerance;
  if (proto.has_preparation_time_record_time_tolerance()) {
    SYNOD_TRY(
        result.preparation_time_record_time_tolerance,
        non_negative(proto.preparation_time_record_time_tolerance(), true, "preparation_time_record_time_tolerance"));
  }
  if (result.preparation_time_record_time_tolerance * 2 > result.mediator_deduplication_timeout) {
    return fail(malformed("preparation_time_record_time_tolerance",
                          "must be at most half of the mediator deduplication timeout"));
  }
  return result;
}

void DynamicParameters::to_proto(v30::DynamicSynchronizerParameters& proto) const {
  put_duration(confirmation_response_timeout, *proto.mutable_confirmation_response_timeout());
  put_duration(mediator_reaction_timeout, *proto.mutable_mediator_reaction_timeout());
  put_duration(assignment_exclusivity_timeout, *proto.mutable_assignment_exclusivity_timeout());
  put_duration(ledger_time_record_time_tolerance, *proto.mutable_ledger_time_record_time_tolerance());
  put_duration(reconciliation_interval, *proto.mutable_reconciliation_interval());
  put_duration(mediator_deduplication_timeout, *proto.mutable_mediator_deduplication_timeout());
  proto.set_max_request_size(max_request_size);
  proto.set_onboarding_restriction(static_cast<v30::OnboardingRestriction>(onboarding_restriction));
  proto.mutable_participant_synchronizer_limits()->set_confirmation_requests_max_rate(confirmation_requests_max_rate);
  put_duration(sequencer_aggregate_submission_timeout, *proto.mutable_sequencer_aggregate_submission_timeout());
  if (traffic_control) {
    auto& traffic = *proto.mutable_traffic_control();
    traffic.set_max_base_traffic_amount(traffic_control->max_base_traffic_amount);
    put_duration(traffic_control->max_base_traffic_accumulation,
                 *traffic.mutable_max_base_traffic_accumulation_duration());
    traffic.set_read_vs_write_scaling_factor(traffic_control->read_vs_write_scaling_factor);
    put_duration(traffic_control->set_balance_window, *traffic.mutable_set_balance_request_submission_window_size());
    traffic.set_enforce_rate_limiting(traffic_control->enforce_rate_limiting);
    if (traffic_control->base_event_cost) traffic.set_base_event_cost(*traffic_control->base_event_cost);
    traffic.set_free_confirmation_responses(traffic_control->free_confirmation_responses);
  }
  if (commitment_catch_up) {
    proto.mutable_acs_commitments_catchup()->set_catchup_interval_skip(commitment_catch_up->interval_skip);
    proto.mutable_acs_commitments_catchup()->set_nr_intervals_to_trigger_catchup(
        commitment_catch_up->intervals_to_trigger);
  }
  put_duration(preparation_time_record_time_tolerance, *proto.mutable_preparation_time_record_time_tolerance());
}

}  // namespace synod::topology
