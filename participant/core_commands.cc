#include "base/log.h"
#include "participant/core_state.h"

namespace synod::participant {
namespace {

Error not_sequenced() {
  return Error("NOT_SEQUENCED_TIMEOUT", ErrorCategory::contention_on_shared_resources,
               "Transaction was not sequenced within the pre-defined max sequencing time and has therefore timed out");
}

Completion completion_of(const CommandSubmission& command, Offset deduplicated_since) {
  Completion completion;
  completion.command_id = command.command_id;
  completion.submission_id = command.submission_id;
  completion.user_id = command.user_id;
  completion.act_as = command.act_as;
  completion.deduplication = deduplicated_since;
  completion.traceparent = command.traceparent;
  return completion;
}

}  // namespace

CommandOutcome ParticipantCore::Impl::on_command(CommandSubmission command, Timestamp now) {
  if (command.submission_id.empty()) command.submission_id = random.uuid();
  auto refuse = [&](Error error) { return CommandOutcome{fail(std::move(error)), command.submission_id, {}}; };
  if (!initialized)
    return refuse(
        not_found("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", "This participant is not connected to any synchronizer"));
  if (submissions.size() >= config.max_in_flight_submissions) {
    return refuse(Error("PARTICIPANT_BACKPRESSURE", ErrorCategory::contention_on_shared_resources,
                        "The participant is overloaded: too many commands are in flight (max-in-flight-submissions)"));
  }
  if (command.commands.size() + command.disclosed_contracts.size() > config.max_command_weight) {
    return refuse(invalid_argument("COMMAND_PREPROCESSING_FAILED",
                                   "The submission holds too many commands and disclosed contracts"));
  }
  const auto change = change_id(command.act_as, command.user_id, command.command_id);
  auto since = deduplication.check(change, command.deduplication, command.submission_id, now);
  if (!since) return refuse(std::move(since).error());
  const auto snapshot = current_snapshot();
  const auto context = submission_context(snapshot, now);
  auto interpreted = interpret_command(command, context);
  if (!interpreted) return refuse(std::move(interpreted).error());
  auto prepared = prepare_request(command, std::move(*interpreted), *since, context);
  if (!prepared) return refuse(std::move(prepared).error());

  CommandOutcome outcome{{}, command.submission_id, {}};
  InFlightSubmission submission;
  submission.message_id = prepared->submission.message_id;
  submission.completion = completion_of(command, *since);
  submission.max_sequencing_time = prepared->submission.max_sequencing_time;
  put(outcome.effects.writes, submission);
  outcome.effects.sync = config.sync_submissions;
  deduplication.started(change, command.submission_id);
  log::debug("participant", "command {} goes out as transaction {}", command.command_id, prepared->root_hash.hex());
  submissions.emplace(submission.message_id, std::move(submission));
  outcome.effects.sends.push_back({std::move(prepared->submission), command.traceparent, true});
  return outcome;
}

void ParticipantCore::Impl::end_submission(const std::string& message_id, Effects& effects) {
  const auto found = submissions.find(message_id);
  if (found == submissions.end()) return;
  const auto& completion = found->second.completion;
  deduplication.finished(change_id(completion.act_as, completion.user_id, completion.command_id));
  erase(effects.writes, found->second);
  submissions.erase(found);
}

void ParticipantCore::Impl::reject_submission(const std::string& message_id, Error error, Timestamp record_time,
                                              Effects& effects) {
  auto completion = submissions.at(message_id).completion;
  log::info("participant", "command {} is rejected: {}", completion.command_id, error.to_string());
  completion.rejection = std::move(error);
  completion.record_time = record_time;
  end_submission(message_id, effects);
  publisher.publish_rejection(std::move(completion), effects);
}

void ParticipantCore::Impl::expire_submissions(Timestamp now_sequenced, Effects& effects) {
  std::vector<std::string> expired;
  for (const auto& [message_id, submission] : submissions) {
    if (!submission.sequenced && submission.max_sequencing_time < now_sequenced) expired.push_back(message_id);
  }
  for (const auto& message_id : expired) reject_submission(message_id, not_sequenced(), now_sequenced, effects);
}

}  // namespace synod::participant
