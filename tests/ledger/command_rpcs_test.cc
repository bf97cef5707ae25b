// Commands and their completions.
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

api::CompletionStreamRequest completions_of(const std::string& user, const std::string& party, std::int64_t after) {
  api::CompletionStreamRequest request;
  request.set_user_id(user);
  request.add_parties(party);
  request.set_begin_exclusive(after);
  return request;
}

// Behind the checkpoints, which come when time passes.
template <typename Stream>
api::Completion next_completion(Stream& stream) {
  for (api::CompletionStreamResponse response; stream.next(&response);)
    if (response.has_completion()) return response.completion();
  ADD_FAILURE() << "the stream has ended: " << stream.finish().error_message();
  return {};
}

const auto kCompletions = &api::CommandCompletionService::Stub::CompletionStream;

}  // namespace

TEST_F(LedgerRpcs, ASubmissionIsFollowedByItsCompletion) {
  const auto payer = allocate("completed-payer"), owner = allocate("completed-owner");
  const auto before = ledger_end();
  api::SubmitRequest request;
  *request.mutable_commands() = commands("submitted", {payer}, {create(iou(payer, owner, "1.0"))});
  request.mutable_commands()->set_submission_id("first try");
  request.mutable_commands()->set_workflow_id("paying");
  ask(&api::CommandSubmissionService::Stub::Submit, request);

  const auto stream = open(kCompletions, completions_of(kUser, payer, before));
  const auto completion = next_completion(*stream);
  EXPECT_EQ(completion.command_id(), "submitted");
  EXPECT_EQ(completion.submission_id(), "first try");
  EXPECT_EQ(completion.user_id(), kUser);
  EXPECT_THAT(completion.act_as(), ElementsAre(payer));
  EXPECT_TRUE(completion.has_status());
  EXPECT_EQ(completion.status().code(), grpc::StatusCode::OK) << completion.status().message();
  EXPECT_GT(completion.offset(), before);
  EXPECT_EQ(completion.synchronizer_time().synchronizer_id(), synchronizer_);
  EXPECT_GT(completion.synchronizer_time().record_time().seconds(), 0);
  EXPECT_THAT(completion.trace_context().traceparent(), StartsWith("00-"));

  api::GetUpdateByOffsetRequest at;
  at.set_offset(completion.offset());
  *at.mutable_update_format() = transactions_of({payer}, kDelta);
  const auto transaction = ask(&api::UpdateService::Stub::GetUpdateByOffset, at).transaction();
  EXPECT_EQ(transaction.update_id(), completion.update_id());
  EXPECT_EQ(transaction.command_id(), "submitted");
  EXPECT_EQ(transaction.workflow_id(), "paying");
  EXPECT_EQ(transaction.trace_context().traceparent(), completion.trace_context().traceparent());
}

TEST_F(LedgerRpcs, CompletionsAreShownToTheirUserAndParties) {
  const auto payer = allocate("shown-payer"), owner = allocate("shown-owner");
  const auto before = ledger_end();
  api::SubmitAndWaitRequest of_payer, of_owner, of_user;
  *of_payer.mutable_commands() = commands("of the payer", {payer}, {create(iou(payer, owner, "1.0"))});
  *of_owner.mutable_commands() = commands("of the owner", {owner}, {create(iou(owner, payer, "1.0"))});
  *of_user.mutable_commands() = commands("of another user", {payer}, {create(iou(payer, owner, "2.0"))});
  of_user.mutable_commands()->set_user_id("somebody");
  for (const auto& request : {of_payer, of_owner, of_user}) ask(&api::CommandService::Stub::SubmitAndWait, request);
  const auto first = [&](const std::string& user, const std::string& party) {
    return next_completion(*open(kCompletions, completions_of(user, party, before))).command_id();
  };
  EXPECT_EQ(first(kUser, payer), "of the payer");
  EXPECT_EQ(first(kUser, owner), "of the owner");
  EXPECT_EQ(first("somebody", payer), "of another user");
}

TEST_F(LedgerRpcs, ARejectedCommandsCompletionSaysWhy) {
  const auto payer = allocate("rejected-payer"), owner = allocate("rejected-owner");
  const auto contract = issue(payer, owner, "1.0");
  api::GetActiveContractsRequest active;
  *active.mutable_event_format() = everything_of({payer});
  (*active.mutable_event_format()->mutable_filters_by_party())[payer]
      .add_cumulative()
      ->mutable_wildcard_filter()
      ->set_include_created_event_blob(true);
  active.set_active_at_offset(ledger_end());
  const auto found = ask(&api::StateService::Stub::GetActiveContracts, active);
  ASSERT_EQ(found.size(), 1u);
  submit(commands("archive it", {payer}, {exercise(contract, "Archive")}));
  const auto before = ledger_end();

  // With the contract disclosed the submitting participant takes the command; those who confirm know better.
  auto late = transfer("too late", contract, owner, owner);
  late.add_disclosed_contracts()->set_created_event_blob(
      found[0].active_contract().created_event().created_event_blob());
  api::SubmitRequest request;
  *request.mutable_commands() = late;
  ask(&api::CommandSubmissionService::Stub::Submit, request);
  const auto stream = open(kCompletions, completions_of(kUser, owner, before));
  const auto completion = next_completion(*stream);
  EXPECT_EQ(completion.command_id(), "too late");
  EXPECT_EQ(completion.status().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(completion.status().message(), StartsWith("LOCAL_VERDICT_INACTIVE_CONTRACTS("));
  EXPECT_GT(completion.status().details_size(), 0);
  EXPECT_EQ(completion.update_id(), "");
  EXPECT_GT(completion.offset(), before);

  // Whoever waits is told the same.
  late.set_command_id("again too late");
  api::SubmitAndWaitRequest waiting;
  *waiting.mutable_commands() = late;
  const auto refused = end_of(&api::CommandService::Stub::SubmitAndWait, waiting);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(refused.error_message(), StartsWith("LOCAL_VERDICT_INACTIVE_CONTRACTS("));
}

TEST_F(LedgerRpcs, SubmitAndWaitNamesTheUpdate) {
  const auto payer = allocate("waiting-payer"), owner = allocate("waiting-owner");
  const auto before = ledger_end();
  api::SubmitAndWaitRequest request;
  *request.mutable_commands() = commands("waited for", {payer}, {create(iou(payer, owner, "1.0"))});
  const auto done = ask(&api::CommandService::Stub::SubmitAndWait, request);
  EXPECT_GT(done.completion_offset(), before);
  EXPECT_GE(ledger_end(), done.completion_offset());
  api::GetUpdateByIdRequest by_id;
  by_id.set_update_id(done.update_id());
  *by_id.mutable_update_format() = transactions_of({payer}, kDelta);
  const auto transaction = ask(&api::UpdateService::Stub::GetUpdateById, by_id).transaction();
  EXPECT_EQ(transaction.offset(), done.completion_offset());
  EXPECT_EQ(transaction.command_id(), "waited for");
}

TEST_F(LedgerRpcs, SubmitAndWaitForTransactionShowsItInTheShapeAskedFor) {
  const auto payer = allocate("shape-payer"), owner = allocate("shape-owner"), heir = allocate("shape-heir");
  const auto contract = issue(payer, owner, "1.0");
  api::SubmitAndWaitForTransactionRequest request;
  *request.mutable_commands() = transfer("to the heir", contract, owner, heir);
  // Without a format: what changes for the submitters' active contracts, with labels. The new contract is the heir's.
  const auto delta = ask(&api::CommandService::Stub::SubmitAndWaitForTransaction, request).transaction();
  EXPECT_EQ(delta.command_id(), "to the heir");
  EXPECT_EQ(delta.synchronizer_id(), synchronizer_);
  ASSERT_EQ(delta.events_size(), 1);
  EXPECT_EQ(delta.events(0).archived().contract_id(), contract);
  EXPECT_THAT(delta.events(0).archived().witness_parties(), ElementsAre(owner));

  const auto other = issue(payer, owner, "2.0");
  const auto effects = submit(transfer("to the heir as well", other, owner, heir));
  ASSERT_EQ(effects.events_size(), 2);
  EXPECT_EQ(effects.events(0).exercised().contract_id(), other);
  EXPECT_EQ(effects.events(0).exercised().exercise_result().contract_id(), effects.events(1).created().contract_id());

  // Who sees no event of it still learns that it happened.
  *request.mutable_commands() = transfer("unseen", issue(payer, owner, "3.0"), owner, heir);
  *request.mutable_transaction_format()->mutable_event_format() = everything_of({allocate("shape-stranger")});
  request.mutable_transaction_format()->set_transaction_shape(kEffects);
  const auto unseen = ask(&api::CommandService::Stub::SubmitAndWaitForTransaction, request).transaction();
  EXPECT_EQ(unseen.events_size(), 0);
  EXPECT_EQ(unseen.command_id(), "");
  EXPECT_GT(unseen.offset(), effects.offset());
  EXPECT_THAT(unseen.update_id(), ::testing::SizeIs(68));
}

// Commands of one submission are one transaction; a command may create and exercise at once.
TEST_F(LedgerRpcs, SeveralCommandsAreOneTransaction) {
  const auto payer = allocate("several-payer"), owner = allocate("several-owner");
  api::Command both;
  auto& at_once = *both.mutable_create_and_exercise();
  *at_once.mutable_template_id() = type("Iou");
  at_once.mutable_template_id()->set_package_id("#synod-example-iou");
  *at_once.mutable_create_arguments() = iou(payer, owner, "1.0");
  at_once.set_choice("Call");
  *at_once.mutable_choice_argument() = none();
  const auto transaction = submit(commands("several", {payer, owner}, {both, create(iou(payer, owner, "2.0"))}));
  ASSERT_EQ(transaction.events_size(), 4);
  EXPECT_EQ(transaction.events(0).created().template_id().entity_name(), "Iou");
  EXPECT_EQ(transaction.events(0).created().template_id().package_id(), package_);
  EXPECT_EQ(transaction.events(1).exercised().choice(), "Call");
  EXPECT_EQ(transaction.events(2).created().template_id().entity_name(), "GetCash");
  EXPECT_EQ(transaction.events(3).created().create_arguments().fields(2).value().record().fields(0).value().numeric(),
            "2.0000000000");
}

}  // namespace synod::ledger_rpcs
