#include "participant/ledger_api/command_decoder.h"

#include "ledger/commands.pb.h"
#include "lf/ledger/value_codec.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"

namespace synod::participant {
namespace {

namespace api = com::daml::ledger::api::v2;

Duration duration_of(const google::protobuf::Duration& duration) {
  return {duration.seconds() * 1'000'000 + duration.nanos() / 1000};
}

Result<DeduplicationPeriod> deduplication_of(const api::Commands& commands, const ServiceContext& context) {
  switch (commands.deduplication_period_case()) {
    case api::Commands::kDeduplicationDuration: {
      const Duration duration = duration_of(commands.deduplication_duration());
      if (duration.micros < 0) return fail(invalid_field("deduplication_period", "Duration must be positive"));
      return DeduplicationPeriod(duration);
    }
    case api::Commands::kDeduplicationOffset: {
      SYNOD_TRY(const Offset offset, non_negative_offset(commands.deduplication_offset(), "deduplication_period"));
      if (offset > context.node.ledger().ledger_end())
        return fail(offset_after_end("Deduplication", offset, context.node.ledger().ledger_end()));
      return DeduplicationPeriod(offset);
    }
    default:
      return DeduplicationPeriod();
  }
}

Result<std::optional<Timestamp>> min_ledger_time(const api::Commands& commands, Timestamp now) {
  if (commands.has_min_ledger_time_abs() && commands.has_min_ledger_time_rel())
    return fail(invalid_request("min_ledger_time_abs cannot be specified at the same time as min_ledger_time_rel"));
  std::optional<Timestamp> time;
  if (commands.has_min_ledger_time_abs())
    time =
        Timestamp{commands.min_ledger_time_abs().seconds() * 1'000'000 + commands.min_ledger_time_abs().nanos() / 1000};
  if (commands.has_min_ledger_time_rel()) time = now + duration_of(commands.min_ledger_time_rel());
  if (time && (*time < Timestamp::min() || *time > Timestamp::max()))
    return fail(invalid_request("the minimal ledger time cannot be represented as a Daml timestamp"));
  return time;
}

Result<lf::ContractInstance> disclosed(const api::DisclosedContract& contract, std::size_t index) {
  const std::string field = "disclosed_contracts[" + std::to_string(index) + "].created_event_blob";
  if (contract.created_event_blob().empty()) return fail(missing_field(field));
  Result<lf::ContractInstance> instance = lf::decode_contract(contract.created_event_blob());
  if (!instance)
    return fail(invalid_request("Unable to decode disclosed contract event payload: " + instance.error().cause));
  if (!contract.contract_id().empty() && contract.contract_id() != instance->contract_id.to_hex())
    return fail(invalid_request("Mismatch between DisclosedContract.contract_id (" + contract.contract_id() +
                                ") and contract_id from decoded DisclosedContract.created_event_blob (" +
                                instance->contract_id.to_hex() + ")"));
  return instance;
}

std::string fresh_traceparent() {
  const auto random = system_random();
  return "00-" + to_hex(random->bytes(16)) + "-" + to_hex(random->bytes(8)) + "-01";
}

}  // namespace

Result<CommandSubmission> decode_commands(const ServiceContext& context, const api::Commands& commands,
                                          const std::string& traceparent) {
  CommandSubmission submission;
  SYNOD_TRY(submission.workflow_id, optional_ledger_string(commands.workflow_id(), "workflow_id"));
  SYNOD_TRY(submission.user_id, user_id(commands.user_id(), "user_id"));
  SYNOD_TRY(submission.command_id, ledger_string(commands.command_id(), "command_id"));
  SYNOD_TRY(submission.submission_id, optional_ledger_string(commands.submission_id(), "submission_id"));
  if (commands.act_as().empty()) return fail(missing_field("party or act_as"));
  SYNOD_TRY(submission.act_as, party_ids(commands.act_as(), "act_as"));
  SYNOD_TRY(submission.read_as, party_ids(commands.read_as(), "read_as"));
  if (commands.commands().empty()) return fail(missing_field("commands"));
  SYNOD_RETURN_IF_ERROR(check_synchronizer(context.node, commands.synchronizer_id()));
  SYNOD_TRY(submission.min_ledger_time, min_ledger_time(commands, context.clock->now()));
  SYNOD_TRY(submission.deduplication, deduplication_of(commands, context));
  for (int i = 0; i < commands.disclosed_contracts_size(); ++i) {
    SYNOD_TRY(lf::ContractInstance instance, disclosed(commands.disclosed_contracts(i), static_cast<std::size_t>(i)));
    submission.disclosed_contracts.push_back(std::move(instance));
  }
  lf::PackagePreference preference = context.node.package_preference(submission.act_as);
  for (const std::string& id : commands.package_id_selection_preference()) {
    submission.package_preference.push_back(id);
    if (const lf::Package* package = context.node.package_store()->find(id)) preference[package->name()] = id;
  }
  for (const api::Command& command : commands.commands()) {
    if (command.command_case() == api::Command::COMMAND_NOT_SET) return fail(missing_field("command"));
    SYNOD_TRY(lf::Command decoded, context.codec.command(command, preference));
    submission.commands.push_back(std::move(decoded));
  }
  submission.traceparent = traceparent.empty() ? fresh_traceparent() : traceparent;
  return submission;
}

}  // namespace synod::participant
