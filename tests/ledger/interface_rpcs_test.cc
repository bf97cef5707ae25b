// Interfaces and contract keys, as filters, events and commands show them.
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Things have a number of their owner's, and are labelled; what is labelled "" has no view.
constexpr const char* kThings = R"(
metadata ('synod-test-things' : '1.0.0')
module Things {
  record @serializable Label = { text: Text } ;
  record @serializable Read = {} ;
  interface (this : Labelled) = {
    viewtype Things:Label ;
    method label : Text ;
    method reader : Party ;
    choice @nonConsuming Read (self) (arg : Things:Read) : Text
      , controllers Cons @Party [call_method @Things:Labelled reader this] (Nil @Party)
      to upure @Text (call_method @Things:Labelled label this) ;
  } ;
  record @serializable Number = { owner: Party, number: Int64 } ;
  record @serializable Thing = { owner: Party, number: Int64, label: Text } ;
  record @serializable Archive = {} ;
  val one : Party -> List Party = \(party: Party) -> Cons @Party [party] (Nil @Party) ;
  template (this : Thing) = {
    signatories Things:one (Things:Thing {owner} this) ;
    choice Archive (self) (arg : Things:Archive) : Unit
      , controllers Things:one (Things:Thing {owner} this)
      to upure @Unit () ;
    implements Things:Labelled {
      view = case EQUAL @Text (Things:Thing {label} this) "" of
          True -> ERROR @Things:Label "it has none"
        | False -> Things:Label { text = Things:Thing {label} this } ;
      method label = Things:Thing {label} this ;
      method reader = Things:Thing {owner} this ;
    } ;
    key @Things:Number
        (Things:Number { owner = Things:Thing {owner} this, number = Things:Thing {number} this })
        (\(key: Things:Number) -> Things:one (Things:Number {owner} key)) ;
  } ;
})";

}  // namespace

class LedgerInterfaces : public LedgerRpcs {
 protected:
  static void SetUpTestSuite() {
    LedgerRpcs::SetUpTestSuite();
    if (!ready_) return;  // SetUp() says so
    const auto dar = lf::assemble_dar(kThings, {.version = lf::kLf23});
    ASSERT_TRUE(dar) << dar.error().to_string();
    things_ = lf::decode_dar(*dar)->main().id();
    admin::UploadDarFileRequest upload;
    upload.set_dar_file(*dar);
    ask(&admin::PackageManagementService::Stub::UploadDarFile, upload);
  }
  static api::Identifier thing(const std::string& entity) {
    auto id = type(entity);
    id.set_package_id(things_);
    id.set_module_name("Things");
    return id;
  }
  static api::Value number(const std::string& owner, std::int64_t n) {
    auto value = party(owner);
    value.mutable_record()->add_fields()->mutable_value()->set_int64(n);
    return value;
  }
  static api::Transaction make(const std::string& owner, std::int64_t n, const std::string& label) {
    api::Command command;
    *command.mutable_create()->mutable_template_id() = thing("Thing");
    auto& arguments = *command.mutable_create()->mutable_create_arguments();
    arguments = number(owner, n).record();
    arguments.add_fields()->mutable_value()->set_text(label);
    return submit(commands("thing " + std::to_string(n), {owner}, {command}));
  }
  // As filtered by the interface.
  static std::vector<api::CreatedEvent> labelled(const std::string& owner, bool views, std::int64_t at) {
    api::GetActiveContractsRequest request;
    request.set_active_at_offset(at);
    auto& filter = *(*request.mutable_event_format()->mutable_filters_by_party())[owner]
                        .add_cumulative()
                        ->mutable_interface_filter();
    *filter.mutable_interface_id() = thing("Labelled");
    filter.set_include_interface_view(views);
    request.mutable_event_format()->set_verbose(true);
    std::vector<api::CreatedEvent> out;
    for (const auto& one : ask(&api::StateService::Stub::GetActiveContracts, request))
      out.push_back(one.active_contract().created_event());
    return out;
  }

  static inline std::string things_;
};

TEST_F(LedgerInterfaces, ContractsAreFoundByInterfaceWithTheirViews) {
  const auto owner = allocate("viewed-owner");
  issue(owner, owner, "1.0");
  const auto made = make(owner, 1, "lamp");
  ASSERT_EQ(made.events_size(), 1);
  const auto plain = labelled(owner, false, made.offset());
  ASSERT_THAT(plain, SizeIs(1)) << "and not the IOU";
  EXPECT_EQ(plain[0].contract_id(), made.events(0).created().contract_id());
  EXPECT_THAT(plain[0].interface_views(), IsEmpty());
  const auto viewed = labelled(owner, true, made.offset());
  ASSERT_THAT(viewed, SizeIs(1));
  ASSERT_THAT(viewed[0].interface_views(), SizeIs(1));
  const auto& view = viewed[0].interface_views(0);
  EXPECT_EQ(view.interface_id().entity_name(), "Labelled");
  EXPECT_EQ(view.implementation_package_id(), things_);
  EXPECT_TRUE(view.has_view_status());
  EXPECT_EQ(view.view_status().code(), grpc::StatusCode::OK);
  ASSERT_THAT(view.view_value().fields(), SizeIs(1));
  EXPECT_EQ(view.view_value().fields(0).label(), "text");
  EXPECT_EQ(view.view_value().fields(0).value().text(), "lamp");
}

TEST_F(LedgerInterfaces, AViewThatFailsSaysSoInItsPlace) {
  const auto owner = allocate("unviewed-owner");
  const auto viewed = labelled(owner, true, make(owner, 1, "").offset());
  ASSERT_THAT(viewed, SizeIs(1)) << "the contract is shown all the same";
  ASSERT_THAT(viewed[0].interface_views(), SizeIs(1));
  EXPECT_NE(viewed[0].interface_views(0).view_status().code(), grpc::StatusCode::OK);
  EXPECT_FALSE(viewed[0].interface_views(0).has_view_value());
}

// It changes nothing, and is an effect all the same.
TEST_F(LedgerInterfaces, ChoicesOfInterfacesAreExercised) {
  const auto owner = allocate("choosing-owner");
  const auto contract = make(owner, 1, "chair").events(0).created().contract_id();
  auto read = exercise(contract, "Read");
  *read.mutable_exercise()->mutable_template_id() = thing("Labelled");
  const auto transaction = submit(commands("read", {owner}, {read}));
  ASSERT_EQ(transaction.events_size(), 1);
  const auto& exercised = transaction.events(0).exercised();
  EXPECT_EQ(exercised.template_id().entity_name(), "Thing");
  EXPECT_EQ(exercised.interface_id().entity_name(), "Labelled");
  EXPECT_EQ(exercised.choice(), "Read");
  EXPECT_EQ(exercised.exercise_result().text(), "chair");
  EXPECT_FALSE(exercised.consuming());
  EXPECT_FALSE(exercised.acs_delta());
  EXPECT_EQ(exercised.last_descendant_node_id(), 0);
  EXPECT_THAT(exercised.implemented_interfaces(), IsEmpty());

  api::GetUpdateByOffsetRequest at;
  at.set_offset(transaction.offset());
  *at.mutable_update_format() = transactions_of({owner}, kDelta);
  const auto unchanged = end_of(&api::UpdateService::Stub::GetUpdateByOffset, at);
  EXPECT_THAT(unchanged.error_message(), StartsWith("UPDATE_NOT_FOUND("));

  const auto end = submit(commands("archive", {owner}, {[&] {
                                     auto archive = exercise(contract, "Archive");
                                     *archive.mutable_exercise()->mutable_template_id() = thing("Thing");
                                     return archive;
                                   }()}));
  ASSERT_EQ(end.events_size(), 1);
  ASSERT_THAT(end.events(0).exercised().implemented_interfaces(), SizeIs(1));
  EXPECT_EQ(end.events(0).exercised().implemented_interfaces(0).entity_name(), "Labelled");
}

TEST_F(LedgerInterfaces, ContractsHaveTheirKeysAndAreExercisedByThem) {
  const auto owner = allocate("keyed-owner");
  const auto first = make(owner, 7, "cup"), second = make(owner, 8, "saucer");
  const auto& created = first.events(0).created();
  EXPECT_EQ(created.contract_key().record().fields(0).value().party(), owner);
  EXPECT_EQ(created.contract_key().record().fields(1).value().int64(), 7);
  EXPECT_THAT(created.contract_key_hash(), SizeIs(32));
  EXPECT_NE(created.contract_key_hash(), second.events(0).created().contract_key_hash());

  api::Command archive;
  auto& by_key = *archive.mutable_exercise_by_key();
  *by_key.mutable_template_id() = thing("Thing");
  *by_key.mutable_contract_key() = number(owner, 7);
  by_key.set_choice("Archive");
  *by_key.mutable_choice_argument() = none();
  const auto done = submit(commands("archive by key", {owner}, {archive}));
  ASSERT_EQ(done.events_size(), 1);
  EXPECT_EQ(done.events(0).exercised().contract_id(), created.contract_id());

  api::SubmitRequest again;
  *again.mutable_commands() = commands("archive by key again", {owner}, {archive});
  const auto refused = end_of(&api::CommandSubmissionService::Stub::Submit, again);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(refused.error_message(), StartsWith("CONTRACT_KEY_NOT_FOUND("));
}

}  // namespace synod::ledger_rpcs
