// Updates in both shapes, as one stream and one by one.
#include <google/protobuf/util/message_differencer.h>

#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kUpdates = &api::UpdateService::Stub::GetUpdates;

api::GetUpdatesRequest updates(std::int64_t after, std::int64_t until, const api::UpdateFormat& format) {
  api::GetUpdatesRequest request;
  request.set_begin_exclusive(after);
  request.set_end_inclusive(until);
  *request.mutable_update_format() = format;
  return request;
}

std::vector<api::Transaction> transactions_in(const std::vector<api::GetUpdatesResponse>& responses) {
  std::vector<api::Transaction> out;
  for (const auto& response : responses)
    if (response.has_transaction()) out.push_back(response.transaction());
  return out;
}

// What a case begins with: the payer's IOU for the owner, which a viewer sees, passed on to an heir.
struct Passed {
  std::string payer, owner, heir, viewer;
  std::int64_t before = 0, end = 0;
  api::Transaction issued, transferred;  // as those who submitted them saw them: all effects
};

}  // namespace

class LedgerUpdates : public LedgerRpcs {
 protected:
  static Passed pass_on(const std::string& name) {
    Passed out;
    out.payer = allocate(name + "-payer");
    out.owner = allocate(name + "-owner");
    out.heir = allocate(name + "-heir");
    out.viewer = allocate(name + "-viewer");
    out.before = ledger_end();
    auto issuing = commands(name + " issued", {out.payer}, {create(iou(out.payer, out.owner, "12.5", {out.viewer}))});
    issuing.set_workflow_id(name);
    out.issued = submit(issuing);
    EXPECT_EQ(out.issued.events_size(), 1);
    const std::string contract = out.issued.events_size() == 1 ? out.issued.events(0).created().contract_id() : "";
    out.transferred = submit(transfer(name + " passed on", contract, out.owner, out.heir));
    EXPECT_EQ(out.transferred.events_size(), 2);
    out.end = out.transferred.offset();
    return out;
  }
};

TEST_F(LedgerUpdates, AcsDeltaHasWhatCameAndWhatWent) {
  const auto passed = pass_on("delta");
  const auto seen = transactions_in(
      ask(kUpdates, updates(passed.before, passed.end, transactions_of({passed.payer, passed.owner}, kDelta))));
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].update_id(), passed.issued.update_id());
  EXPECT_EQ(seen[0].offset(), passed.issued.offset());
  EXPECT_EQ(seen[0].command_id(), "delta issued");
  EXPECT_EQ(seen[0].workflow_id(), "delta");
  EXPECT_EQ(seen[0].synchronizer_id(), synchronizer_);
  EXPECT_GT(seen[0].effective_at().seconds(), 0);
  EXPECT_GT(seen[0].record_time().seconds(), 0);
  ASSERT_EQ(seen[0].events_size(), 1);
  const auto& created = seen[0].events(0).created();
  EXPECT_EQ(created.offset(), seen[0].offset());
  EXPECT_EQ(created.node_id(), 0);
  EXPECT_EQ(created.template_id().package_id(), package_);
  EXPECT_EQ(created.template_id().module_name(), "Iou");
  EXPECT_EQ(created.template_id().entity_name(), "Iou");
  EXPECT_EQ(created.package_name(), "synod-example-iou");
  EXPECT_EQ(created.representative_package_id(), package_);
  EXPECT_THAT(created.signatories(), ElementsAre(passed.payer));
  EXPECT_THAT(created.observers(), UnorderedElementsAre(passed.owner, passed.viewer));
  EXPECT_THAT(created.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner));
  EXPECT_TRUE(created.acs_delta());
  EXPECT_FALSE(created.has_contract_key());
  EXPECT_EQ(created.created_event_blob(), "");
  EXPECT_EQ(created.created_at().seconds(), seen[0].effective_at().seconds());
  const auto& arguments = created.create_arguments();
  ASSERT_EQ(arguments.fields_size(), 4);
  EXPECT_FALSE(arguments.has_record_id()) << "it was not to be verbose";
  EXPECT_EQ(arguments.fields(0).label(), "");
  EXPECT_EQ(arguments.fields(0).value().party(), passed.payer);
  EXPECT_EQ(arguments.fields(1).value().party(), passed.owner);
  EXPECT_EQ(arguments.fields(2).value().record().fields(0).value().numeric(), "12.5000000000");
  EXPECT_EQ(arguments.fields(2).value().record().fields(1).value().text(), "USD");
  ASSERT_EQ(arguments.fields(3).value().list().elements_size(), 1);
  EXPECT_EQ(arguments.fields(3).value().list().elements(0).party(), passed.viewer);

  EXPECT_EQ(seen[1].command_id(), "delta passed on");
  ASSERT_EQ(seen[1].events_size(), 2);
  const auto& archived = seen[1].events(0).archived();
  EXPECT_EQ(archived.offset(), passed.end);
  EXPECT_EQ(archived.node_id(), 0);
  EXPECT_EQ(archived.contract_id(), created.contract_id());
  EXPECT_EQ(archived.template_id().entity_name(), "Iou");
  EXPECT_EQ(archived.package_name(), "synod-example-iou");
  EXPECT_THAT(archived.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner));
  EXPECT_THAT(archived.implemented_interfaces(), IsEmpty());
  const auto& heirs = seen[1].events(1).created();
  EXPECT_EQ(heirs.node_id(), 1);
  EXPECT_EQ(heirs.create_arguments().fields(1).value().party(), passed.heir);
  EXPECT_THAT(heirs.witness_parties(), ElementsAre(passed.payer)) << "who gave it away has no stake in it";
}

TEST_F(LedgerUpdates, LedgerEffectsHaveTheExercises) {
  const auto passed = pass_on("effects");
  const auto seen = transactions_in(
      ask(kUpdates, updates(passed.before, passed.end, transactions_of({passed.payer, passed.owner}, kEffects))));
  ASSERT_THAT(seen, SizeIs(2));
  ASSERT_EQ(seen[0].events_size(), 1);
  const auto& created = seen[0].events(0).created();
  EXPECT_THAT(created.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner));
  ASSERT_EQ(seen[1].events_size(), 2);
  const auto& exercised = seen[1].events(0).exercised();
  const auto& heirs = seen[1].events(1).created();
  EXPECT_EQ(exercised.offset(), passed.end);
  EXPECT_EQ(exercised.node_id(), 0);
  EXPECT_EQ(exercised.last_descendant_node_id(), 1);
  EXPECT_EQ(exercised.contract_id(), created.contract_id());
  EXPECT_EQ(exercised.template_id().entity_name(), "Iou");
  EXPECT_FALSE(exercised.has_interface_id());
  EXPECT_EQ(exercised.choice(), "Transfer");
  EXPECT_TRUE(exercised.consuming());
  EXPECT_TRUE(exercised.acs_delta());
  EXPECT_THAT(exercised.acting_parties(), ElementsAre(passed.owner));
  EXPECT_THAT(exercised.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner));
  EXPECT_EQ(exercised.choice_argument().record().fields(0).value().party(), passed.heir);
  EXPECT_EQ(exercised.exercise_result().contract_id(), heirs.contract_id());
  EXPECT_EQ(exercised.package_name(), "synod-example-iou");
  EXPECT_EQ(heirs.node_id(), 1);
  EXPECT_TRUE(heirs.acs_delta());
  EXPECT_THAT(heirs.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner))
      << "whoever sees an exercise sees what comes of it";
}

// A contract that its own transaction ends never was an active one.
TEST_F(LedgerUpdates, TransientContractsAreEffectsOnly) {
  const auto payer = allocate("transient-payer"), owner = allocate("transient-owner");
  const auto before = ledger_end();
  api::Command both;
  auto& at_once = *both.mutable_create_and_exercise();
  *at_once.mutable_template_id() = type("Iou");
  *at_once.mutable_create_arguments() = iou(payer, owner, "1.0");
  at_once.set_choice("Call");
  *at_once.mutable_choice_argument() = none();
  const auto end = submit(commands("called at once", {payer, owner}, {both})).offset();

  const auto effects = transactions_in(ask(kUpdates, updates(before, end, transactions_of({payer}, kEffects))));
  ASSERT_THAT(effects, SizeIs(1));
  ASSERT_EQ(effects[0].events_size(), 3);
  const auto& iou = effects[0].events(0).created();
  const auto& call = effects[0].events(1).exercised();
  EXPECT_FALSE(iou.acs_delta());
  EXPECT_EQ(call.contract_id(), iou.contract_id());
  EXPECT_EQ(call.node_id(), 1);
  EXPECT_EQ(call.last_descendant_node_id(), 2);
  EXPECT_TRUE(call.consuming());
  EXPECT_FALSE(call.acs_delta());
  EXPECT_TRUE(effects[0].events(2).created().acs_delta());

  const auto delta = transactions_in(ask(kUpdates, updates(before, end, transactions_of({payer}, kDelta))));
  ASSERT_THAT(delta, SizeIs(1));
  ASSERT_EQ(delta[0].events_size(), 1);
  EXPECT_EQ(delta[0].events(0).created().template_id().entity_name(), "GetCash");
  EXPECT_EQ(delta[0].events(0).created().node_id(), 2) << "node ids are those of the whole transaction";
  EXPECT_THAT(delta[0].events(0).created().signatories(), UnorderedElementsAre(payer, owner));
}

TEST_F(LedgerUpdates, EverybodySeesTheirOwnPart) {
  const auto passed = pass_on("own");
  const auto seen_by = [&](const std::string& party, api::TransactionShape shape) {
    return transactions_in(ask(kUpdates, updates(passed.before, passed.end, transactions_of({party}, shape))));
  };
  for (const auto shape : {kDelta, kEffects}) {
    const auto heirs = seen_by(passed.heir, shape);
    ASSERT_THAT(heirs, SizeIs(1));
    EXPECT_EQ(heirs[0].command_id(), "") << "that is between the submitter and its participant";
    ASSERT_EQ(heirs[0].events_size(), 1);
    EXPECT_EQ(heirs[0].events(0).created().node_id(), 1);
    EXPECT_THAT(heirs[0].events(0).created().witness_parties(), ElementsAre(passed.heir));
  }
  // Observers are told that their contract is gone; of all effects they see how, and what came of it.
  const auto delta = seen_by(passed.viewer, kDelta), effects = seen_by(passed.viewer, kEffects);
  ASSERT_THAT(delta, SizeIs(2));
  ASSERT_EQ(delta[1].events_size(), 1);
  EXPECT_THAT(delta[1].events(0).archived().witness_parties(), ElementsAre(passed.viewer));
  ASSERT_THAT(effects, SizeIs(2));
  ASSERT_EQ(effects[1].events_size(), 2);
  EXPECT_THAT(effects[1].events(0).exercised().witness_parties(), ElementsAre(passed.viewer));
  EXPECT_THAT(effects[1].events(1).created().witness_parties(), ElementsAre(passed.viewer));
  EXPECT_THAT(seen_by(allocate("own-stranger"), kEffects), IsEmpty());
}

TEST_F(LedgerUpdates, FiltersApplyToTransactionsToo) {
  const auto passed = pass_on("filtered");
  const auto& heirs = passed.transferred.events(1).created();
  const auto called = submit(commands("called", {passed.heir}, {exercise(heirs.contract_id(), "Call")}));
  auto format = transactions_of({}, kDelta);
  auto& events = *format.mutable_include_transactions()->mutable_event_format();
  *(*events.mutable_filters_by_party())[passed.heir]
       .add_cumulative()
       ->mutable_template_filter()
       ->mutable_template_id() = type("GetCash");
  const auto cash = transactions_in(ask(kUpdates, updates(passed.before, called.offset(), format)));
  ASSERT_THAT(cash, SizeIs(1));
  ASSERT_EQ(cash[0].events_size(), 1);
  EXPECT_EQ(cash[0].events(0).created().template_id().entity_name(), "GetCash");

  // For any party: all who have to do with it are witnesses.
  events.clear_filters_by_party();
  events.mutable_filters_for_any_party()->add_cumulative()->mutable_wildcard_filter();
  events.set_verbose(true);
  const auto all = transactions_in(ask(kUpdates, updates(passed.before, called.offset(), format)));
  ASSERT_THAT(all, SizeIs(3));
  const auto& created = all[0].events(0).created();
  EXPECT_THAT(created.witness_parties(), UnorderedElementsAre(passed.payer, passed.owner, passed.viewer));
  EXPECT_EQ(created.create_arguments().record_id().entity_name(), "Iou") << "it is verbose";
  EXPECT_EQ(created.create_arguments().fields(2).label(), "amount");
  EXPECT_EQ(created.create_arguments().fields(2).value().record().fields(1).label(), "currency");
}

TEST_F(LedgerUpdates, OneUpdateIsFoundByOffsetAndById) {
  const auto passed = pass_on("found");
  for (const auto shape : {kDelta, kEffects}) {
    const auto format = transactions_of({passed.payer, passed.owner}, shape);
    const auto streamed = transactions_in(ask(kUpdates, updates(passed.issued.offset(), passed.end, format)));
    ASSERT_THAT(streamed, SizeIs(1));
    api::GetUpdateByOffsetRequest by_offset;
    by_offset.set_offset(passed.end);
    *by_offset.mutable_update_format() = format;
    api::GetUpdateByIdRequest by_id;
    by_id.set_update_id(passed.transferred.update_id());
    *by_id.mutable_update_format() = format;
    for (const auto& found : {ask(&api::UpdateService::Stub::GetUpdateByOffset, by_offset),
                              ask(&api::UpdateService::Stub::GetUpdateById, by_id)})
      EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(found.transaction(), streamed[0]))
          << found.ShortDebugString() << "\ninstead of\n"
          << streamed[0].ShortDebugString();
  }
}

TEST_F(LedgerUpdates, AStreamWithoutEndGoesOn) {
  const auto payer = allocate("endless-payer"), owner = allocate("endless-owner");
  const auto stream = [&] {
    auto request = updates(ledger_end(), 0, transactions_of({owner}, kDelta));
    request.clear_end_inclusive();
    return open(kUpdates, request);
  }();
  for (const std::string amount : {"1.0000000000", "2.0000000000"}) {
    const auto contract = issue(payer, owner, amount);
    api::GetUpdatesResponse response;
    do {
      ASSERT_TRUE(stream->next(&response)) << stream->finish().error_message();
    } while (!response.has_transaction());  // checkpoints come when time passes
    ASSERT_EQ(response.transaction().events_size(), 1);
    EXPECT_EQ(response.transaction().events(0).created().contract_id(), contract);
  }
}

TEST_F(LedgerUpdates, TopologyEventsTellOfParties) {
  auto request = updates(ledger_end(), 0, {});
  request.clear_end_inclusive();
  const auto party = allocate("announced");
  request.mutable_update_format()
      ->mutable_include_topology_events()
      ->mutable_include_participant_authorization_events()
      ->add_parties(party);
  const auto stream = open(kUpdates, request);
  api::GetUpdatesResponse response;
  do {
    ASSERT_TRUE(stream->next(&response)) << stream->finish().error_message();
  } while (!response.has_topology_transaction());
  const auto& change = response.topology_transaction();
  EXPECT_EQ(change.synchronizer_id(), synchronizer_);
  EXPECT_GT(change.record_time().seconds(), 0);
  ASSERT_EQ(change.events_size(), 1);
  const auto& added = change.events(0).participant_authorization_added();
  EXPECT_EQ(added.party_id(), party);
  EXPECT_EQ(added.participant_id(), ask(&admin::PartyManagementService::Stub::GetParticipantId, {}).participant_id());
  EXPECT_EQ(added.participant_permission(), api::PARTICIPANT_PERMISSION_SUBMISSION);

  api::GetUpdateByOffsetRequest at;
  at.set_offset(change.offset());
  *at.mutable_update_format() = request.update_format();
  EXPECT_EQ(ask(&api::UpdateService::Stub::GetUpdateByOffset, at).topology_transaction().update_id(),
            change.update_id());
}

}  // namespace synod::ledger_rpcs
