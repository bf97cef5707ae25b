#include "participant/ledger_api/command_decoder.h"

#include <map>
#include <set>

#include "ledger/commands.pb.h"
#include "lf/ledger/value_codec.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"

namespace synod::participant {
namespace {

namespace api = com::daml::ledger::api::v2;

Result<DeduplicationPeriod> deduplication_of(const api::Commands& commands, const ServiceContext& context) {
  switch (commands.deduplication_period_case()) {
    case api::Commands::kDeduplicationDuration: {
      SYNOD_TRY(const Duration duration, duration_of(commands.deduplication_duration(), "deduplication_period"));
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
  if (commands.has_min_ledger_time_abs()) {
    SYNOD_TRY(time, timestamp_of(commands.min_ledger_time_abs(), "min_ledger_time_abs"));
  }
  if (commands.has_min_ledger_time_rel()) {
    SYNOD_TRY(const Duration later, duration_of(commands.min_ledger_time_rel(), "min_ledger_time_rel"));
    time = now + later;
  }
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
  if (contract.has_template_id()) {
    const lf::Identifier stated{contract.template_id().package_id(), contract.template_id().module_name(),
                                contract.template_id().entity_name()};
    if (stated != instance->template_id)
      return fail(invalid_request("Mismatch between DisclosedContract.template_id (" + stated.to_string() +
                                  ") and template_id from decoded DisclosedContract.created_event_blob (" +
                                  instance->template_id.to_string() + ")"));
  }
  return instance;
}

// Disclosed contracts are where the command goes. Canton's ids: it looks for a synchronizer that all of them name, and
// that is the prescribed one, if one is.
Status check_synchronizers(const ParticipantNode& node, const api::Commands& commands) {
  const std::string* other = nullptr;
  bool here = false;
  for (const api::DisclosedContract& contract : commands.disclosed_contracts()) {
    if (!check_synchronizer(node, contract.synchronizer_id()))
      other = &contract.synchronizer_id();
    else
      here = here || !contract.synchronizer_id().empty();
  }
  if (!other) return {};
  if (!commands.synchronizer_id().empty())
    return fail(Error("PRESCRIBED_SYNCHRONIZER_ID_MISMATCH", ErrorCategory::invalid_argument,
                      "The target synchronizer=" + commands.synchronizer_id() +
                          " specified in the command submission mismatches the synchronizer id=" + *other +
                          " of some attached disclosed contracts"));
  if (here)
    return fail(Error("DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH", ErrorCategory::invalid_argument,
                      "Some disclosed contracts have mismatching synchronizer ids: " + logical_synchronizer_id(node) +
                          " and " + *other));
  return check_synchronizer(node, *other);
}

// The package ids that the submitter wants for their names.
Status prefer_packages(const api::Commands& commands, const lf::PackageStore& packages, CommandSubmission& submission,
                       lf::PackagePreference& preference) {
  std::map<std::string, std::string> chosen;
  for (const std::string& id : commands.package_id_selection_preference()) {
    const lf::Package* package = packages.find(id);
    if (!package) return fail(invalid_request("user-specified pkg id (" + id + ") could not be found"));
    if (const auto [at, is_new] = chosen.emplace(package->name(), id); !is_new)
      return fail(invalid_request("duplicate preference for package-name " + package->name() + ": " + at->second +
                                  " vs " + id));
    submission.package_preference.push_back(id);
    preference[package->name()] = id;
  }
  return {};
}

Status check_template(const api::Identifier& id) {
  if (id.package_id().empty() && id.module_name().empty() && id.entity_name().empty())
    return fail(missing_field("template_id"));
  if (id.package_id().empty()) return fail(missing_field("package_id"));
  if (id.module_name().empty()) return fail(missing_field("module_name"));
  if (id.entity_name().empty()) return fail(missing_field("entity_name"));
  return {};
}

template <typename Exercise>
Status check_choice(const Exercise& exercise) {
  if (exercise.choice().empty()) return fail(missing_field("choice"));
  if (!exercise.has_choice_argument()) return fail(missing_field("value"));
  return {};
}

// What is there at all; whether it fits the types is the codec's to say.
Status check_fields(const api::Command& command) {
  switch (command.command_case()) {
    case api::Command::kCreate:
      SYNOD_RETURN_IF_ERROR(check_template(command.create().template_id()));
      if (!command.create().has_create_arguments()) return fail(missing_field("create_arguments"));
      return {};
    case api::Command::kExercise: {
      const auto& exercise = command.exercise();
      SYNOD_RETURN_IF_ERROR(check_template(exercise.template_id()));
      if (exercise.contract_id().empty()) return fail(missing_field("contract_id"));
      if (const auto id = lf::ContractId::from_hex(exercise.contract_id()); !id)
        return fail(invalid_field("contract_id", id.error().cause));
      return check_choice(exercise);
    }
    case api::Command::kExerciseByKey:
      SYNOD_RETURN_IF_ERROR(check_template(command.exercise_by_key().template_id()));
      if (!command.exercise_by_key().has_contract_key()) return fail(missing_field("contract_key"));
      return check_choice(command.exercise_by_key());
    case api::Command::kCreateAndExercise:
      SYNOD_RETURN_IF_ERROR(check_template(command.create_and_exercise().template_id()));
      if (!command.create_and_exercise().has_create_arguments()) return fail(missing_field("create_arguments"));
      return check_choice(command.create_and_exercise());
    case api::Command::COMMAND_NOT_SET:
      break;
  }
  return fail(missing_field("command"));
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
  std::set<std::string> disclosed_ids;
  for (int i = 0; i < commands.disclosed_contracts_size(); ++i) {
    SYNOD_TRY(lf::ContractInstance instance, disclosed(commands.disclosed_contracts(i), static_cast<std::size_t>(i)));
    if (!disclosed_ids.insert(instance.contract_id.to_hex()).second)
      return fail(
          invalid_request("Disclosed contracts contain duplicate contract id (" + instance.contract_id.to_hex() + ")"));
    submission.disclosed_contracts.push_back(std::move(instance));
  }
  SYNOD_RETURN_IF_ERROR(check_synchronizers(context.node, commands));
  lf::PackagePreference preference = context.node.package_preference(submission.act_as);
  SYNOD_RETURN_IF_ERROR(prefer_packages(commands, *context.node.package_store(), submission, preference));
  for (const api::Command& command : commands.commands()) {
    SYNOD_RETURN_IF_ERROR(check_fields(command));
    SYNOD_TRY(lf::Command decoded, context.codec.command(command, preference));
    submission.commands.push_back(std::move(decoded));
  }
  submission.traceparent = traceparent.empty() ? fresh_traceparent() : traceparent;
  return submission;
}

}  // namespace synod::participant
