// The state of the ledger: active contracts, events of a contract, where the ledger ends.
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kContracts = &api::StateService::Stub::GetActiveContracts;

// Their ids, or what `of` makes of their created events.
template <typename F>
std::vector<std::string> each(const std::vector<api::GetActiveContractsResponse>& contracts, F&& of) {
  std::vector<std::string> out;
  for (const auto& one : contracts) out.push_back(of(one.active_contract().created_event()));
  return out;
}
std::vector<std::string> ids(const std::vector<api::GetActiveContractsResponse>& contracts) {
  return each(contracts, [](const api::CreatedEvent& event) { return event.contract_id(); });
}

api::GetActiveContractsRequest active(std::int64_t at, const api::EventFormat& format) {
  api::GetActiveContractsRequest request;
  request.set_active_at_offset(at);
  *request.mutable_event_format() = format;
  return request;
}

api::GetEventsByContractIdRequest events_of(const std::string& contract, const api::EventFormat& format) {
  api::GetEventsByContractIdRequest request;
  request.set_contract_id(contract);
  *request.mutable_event_format() = format;
  return request;
}

}  // namespace

TEST_F(LedgerRpcs, ActiveContractsAreFilteredByTemplate) {
  const auto payer = allocate("acs-payer"), owner = allocate("acs-owner"), stranger = allocate("acs-stranger");
  const auto kept = issue(payer, owner, "1.0"), called = issue(payer, owner, "2.0");
  const auto before = ledger_end();
  const auto call = submit(commands("called", {owner}, {exercise(called, "Call")}));
  ASSERT_EQ(call.events_size(), 2);
  const auto cash = call.events(1).created().contract_id();
  const auto end = call.offset();

  EXPECT_THAT(ids(ask(kContracts, active(end, everything_of({payer})))), UnorderedElementsAre(kept, cash));
  EXPECT_THAT(ids(ask(kContracts, active(before, everything_of({payer})))), UnorderedElementsAre(kept, called))
      << "as it was then";
  EXPECT_THAT(ids(ask(kContracts, active(0, everything_of({payer})))), IsEmpty()) << "as it was at first";
  EXPECT_THAT(ids(ask(kContracts, active(end, everything_of({stranger})))), IsEmpty());

  const auto only = [&](const std::string& package, const std::string& entity) {
    api::EventFormat format;
    auto& id =
        *(*format.mutable_filters_by_party())[owner].add_cumulative()->mutable_template_filter()->mutable_template_id();
    id = type(entity);
    id.set_package_id(package);
    return ids(ask(kContracts, active(end, format)));
  };
  EXPECT_THAT(only(package_, "Iou"), ElementsAre(kept));
  EXPECT_THAT(only(package_, "GetCash"), ElementsAre(cash));
  EXPECT_THAT(only("#synod-example-iou", "GetCash"), ElementsAre(cash)) << "all versions of a package";
}

TEST_F(LedgerRpcs, ActiveContractsAreShownAsTheyWereCreated) {
  const auto payer = allocate("content-payer"), owner = allocate("content-owner");
  auto issuing = commands("issued", {payer}, {create(iou(payer, owner, "7.25"))});
  issuing.set_workflow_id("lending");
  const auto issued = submit(issuing);
  const auto contracts = ask(kContracts, active(issued.offset(), everything_of({owner})));
  ASSERT_THAT(contracts, SizeIs(1));
  EXPECT_EQ(contracts[0].workflow_id(), "lending");
  EXPECT_EQ(contracts[0].active_contract().synchronizer_id(), synchronizer_);
  EXPECT_EQ(contracts[0].active_contract().reassignment_counter(), 0u);
  const auto& created = contracts[0].active_contract().created_event();
  EXPECT_EQ(created.contract_id(), issued.events(0).created().contract_id());
  EXPECT_EQ(created.offset(), issued.offset());
  EXPECT_EQ(created.node_id(), 0);
  EXPECT_EQ(created.template_id().package_id(), package_);
  EXPECT_EQ(created.package_name(), "synod-example-iou");
  EXPECT_EQ(created.create_arguments().fields(2).value().record().fields(0).value().numeric(), "7.2500000000");
  EXPECT_THAT(created.signatories(), ElementsAre(payer));
  EXPECT_THAT(created.observers(), ElementsAre(owner));
  EXPECT_THAT(created.witness_parties(), ElementsAre(owner));
  EXPECT_EQ(created.created_at().seconds(), issued.effective_at().seconds());
  EXPECT_EQ(created.created_at().nanos(), issued.effective_at().nanos());
  EXPECT_TRUE(created.acs_delta());
}

// They are what a command discloses.
TEST_F(LedgerRpcs, CreatedEventBlobsComeWhereTheyAreAskedFor) {
  const auto payer = allocate("blob-payer"), owner = allocate("blob-owner");
  const auto contract = issue(payer, owner, "1.0");
  const auto blobs = [&](const api::CumulativeFilter& filter) {
    api::EventFormat format;
    *(*format.mutable_filters_by_party())[payer].add_cumulative() = filter;
    return each(ask(kContracts, active(ledger_end(), format)),
                [](const api::CreatedEvent& event) { return event.created_event_blob(); });
  };
  api::CumulativeFilter wildcard, by_template;
  *by_template.mutable_template_filter()->mutable_template_id() = type("Iou");
  wildcard.mutable_wildcard_filter();
  EXPECT_THAT(blobs(wildcard), ElementsAre(""));
  EXPECT_THAT(blobs(by_template), ElementsAre(""));
  wildcard.mutable_wildcard_filter()->set_include_created_event_blob(true);
  by_template.mutable_template_filter()->set_include_created_event_blob(true);
  const auto blob = blobs(wildcard);
  ASSERT_THAT(blob, ElementsAre(::testing::Not(IsEmpty())));
  EXPECT_EQ(blobs(by_template), blob);

  auto disclosing = commands("disclosed", {owner}, {exercise(contract, "Call")});
  auto& disclosed = *disclosing.add_disclosed_contracts();
  disclosed.set_contract_id(contract);
  disclosed.set_created_event_blob(blob[0]);
  const auto refuses = [&](const std::string& id, const std::string& about) {
    api::SubmitRequest request;
    *request.mutable_commands() = disclosing;
    const auto end = end_of(&api::CommandSubmissionService::Stub::Submit, request);
    EXPECT_FALSE(end.ok());
    EXPECT_TRUE(refused(end, end.error_code(), id, about));
  };
  *disclosed.mutable_template_id() = type("Amount");
  refuses("INVALID_ARGUMENT", "template_id");
  *disclosed.mutable_template_id() = type("Iou");
  disclosed.set_synchronizer_id("other::1220");
  refuses("SYNCHRONIZER_NOT_FOUND", "other::1220");
  disclosed.set_synchronizer_id(synchronizer_);
  *disclosing.add_disclosed_contracts() = disclosing.disclosed_contracts(0);
  refuses("INVALID_ARGUMENT", "duplicate contract id");
  disclosing.mutable_disclosed_contracts()->RemoveLast();
  EXPECT_EQ(submit(disclosing).events_size(), 2);
}

TEST_F(LedgerRpcs, TheLedgerEndMovesWithItsUpdates) {
  const auto payer = allocate("end-payer");
  const auto before = ask(&api::StateService::Stub::GetLedgerEnd, {});
  EXPECT_GT(before.offset(), 0) << "the party is on the ledger";
  ASSERT_EQ(before.synchronizer_times_size(), 1);
  EXPECT_EQ(before.synchronizer_times(0).synchronizer_id(), synchronizer_);
  EXPECT_GT(before.synchronizer_times(0).record_time().seconds(), 0);
  const auto offset = submit(commands("one more", {payer}, {create(iou(payer, payer, "1.0"))})).offset();
  EXPECT_GT(offset, before.offset());
  EXPECT_GE(ledger_end(), offset);
}

TEST_F(LedgerRpcs, ConnectedSynchronizersAreThoseOfTheParty) {
  const auto party = allocate("connected");
  const auto all = ask(&api::StateService::Stub::GetConnectedSynchronizers, {});
  ASSERT_EQ(all.connected_synchronizers_size(), 1);
  EXPECT_THAT(all.connected_synchronizers(0).synchronizer_id(),
              ::testing::StartsWith(all.connected_synchronizers(0).synchronizer_alias() + "::"));
  EXPECT_EQ(all.connected_synchronizers(0).permission(), api::PARTICIPANT_PERMISSION_UNSPECIFIED);
  api::GetConnectedSynchronizersRequest request;
  request.set_party(party);
  const auto of_party = ask(&api::StateService::Stub::GetConnectedSynchronizers, request);
  ASSERT_EQ(of_party.connected_synchronizers_size(), 1);
  EXPECT_EQ(of_party.connected_synchronizers(0).synchronizer_id(), synchronizer_);
  EXPECT_EQ(of_party.connected_synchronizers(0).permission(), api::PARTICIPANT_PERMISSION_SUBMISSION);
  request.set_party("nobody::1220");
  EXPECT_EQ(ask(&api::StateService::Stub::GetConnectedSynchronizers, request).connected_synchronizers_size(), 0);
}

TEST_F(LedgerRpcs, NothingIsPrunedYet) {
  const auto pruned = ask(&api::StateService::Stub::GetLatestPrunedOffsets, {});
  EXPECT_EQ(pruned.participant_pruned_up_to_inclusive(), 0);
  EXPECT_EQ(pruned.all_divulged_contracts_pruned_up_to_inclusive(), 0);
}

TEST_F(LedgerRpcs, EventsOfAContractAreItsBeginningAndItsEnd) {
  const auto payer = allocate("events-payer"), owner = allocate("events-owner");
  const auto method = &api::EventQueryService::Stub::GetEventsByContractId;
  const auto contract = issue(payer, owner, "3.0");
  const auto living = ask(method, events_of(contract, everything_of({owner})));
  EXPECT_FALSE(living.has_archived());
  EXPECT_EQ(living.created().synchronizer_id(), synchronizer_);
  const auto& created = living.created().created_event();
  EXPECT_EQ(created.contract_id(), contract);
  EXPECT_EQ(created.create_arguments().fields(0).value().party(), payer);
  EXPECT_THAT(created.witness_parties(), ElementsAre(owner));

  const auto end = submit(commands("archived", {payer}, {exercise(contract, "Archive")})).offset();
  const auto ended = ask(method, events_of(contract, everything_of({payer, owner})));
  EXPECT_EQ(ended.created().created_event().offset(), created.offset());
  EXPECT_EQ(ended.archived().synchronizer_id(), synchronizer_);
  const auto& archived = ended.archived().archived_event();
  EXPECT_EQ(archived.contract_id(), contract);
  EXPECT_EQ(archived.offset(), end);
  EXPECT_EQ(archived.node_id(), 0);
  EXPECT_EQ(archived.template_id().entity_name(), "Iou");
  EXPECT_THAT(archived.witness_parties(), UnorderedElementsAre(payer, owner));
}

}  // namespace synod::ledger_rpcs
