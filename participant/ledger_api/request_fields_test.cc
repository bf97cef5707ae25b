// Every field of a request counts: it is honoured, or refused with an error that says so.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>

#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/state_service.grpc.pb.h"
#include "ledger/update_service.grpc.pb.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"
#include "participant/ledger_api/ledger_api.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "storage/memory/memory_store.h"

namespace synod::participant {
namespace {

namespace fields_api = ::com::daml::ledger::api::v2;
namespace fields_admin = fields_api::admin;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kHere[] = "here::1220";
constexpr char kElsewhere[] = "elsewhere::1220";

// Remembers what it was asked for, and does it at once.
class PackagesAsked final : public PackageService {
 public:
  void upload(std::string, UploadOptions options, std::function<void(Result<std::string>)> done) override {
    {
      const std::lock_guard lock(mutex_);
      uploads_.push_back(options.vet);
    }
    done(std::string("main"));
  }
  Status validate(const std::string&) const override { return {}; }
  std::vector<PackageDescription> list() const override { return {}; }
  Result<std::optional<std::string>> archive_payload(const std::string&) const override { return std::nullopt; }
  bool is_known(const std::string&) const override { return false; }
  std::vector<std::string> vetted() const override { return {}; }
  void update_vetting(VettingUpdate, std::function<void(Result<VettingOutcome>)> done) override {
    done(VettingOutcome());
  }
  std::vector<VettingState> vetting_states() const override { return {}; }

  // Of each upload, whether the packages shall be vetted.
  std::vector<bool> uploads() const {
    const std::lock_guard lock(mutex_);
    return uploads_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<bool> uploads_;
};

class PartiesAsked final : public PartyService {
 public:
  void allocate(Allocation allocation, std::function<void(Result<PartyDetails>)> done) override {
    ++allocations;
    done(PartyDetails{allocation.hint + "::1220", true, allocation.identity_provider_id, {}});
  }
  std::optional<PartyDetails> find(const std::string& party) const override {
    return PartyDetails{party, true, {}, {}};
  }
  std::vector<PartyDetails> list(const std::string&, std::size_t) const override { return {}; }
  bool is_local(const std::string&) const override { return true; }
  std::optional<topology::Permission> permission(const std::string&, const std::string& participant) const override {
    if (participant.empty()) return topology::Permission::confirmation;
    if (participant == "other::1220") return topology::Permission::observation;
    if (participant == "third::1220") return topology::Permission::submission;
    return std::nullopt;
  }

  std::atomic<int> allocations = 0;
};

class CommandsAsked final : public CommandSink {
 public:
  void submit(CommandSubmission submission, std::function<void(Status)> accepted) override {
    ++submitted;
    accepted({});
  }
  void submit_and_wait(CommandSubmission submission, Duration, std::function<void(Result<Completion>)> done) override {
    ++submitted;
    Completion completion;
    completion.offset = Offset(1);
    completion.act_as = submission.act_as;
    done(completion);
  }
  void interpret(CommandSubmission, std::function<void(Result<lf::InterpretationResult>)> done) override { done({}); }

  std::atomic<int> submitted = 0;
};

// Its only update archives a contract of alice and one of bob.
class OneUpdate final : public LedgerReader {
 public:
  Offset ledger_end() const override { return Offset(1); }
  Offset pruned_through() const override { return Offset(0); }
  Timestamp record_time() const override { return {}; }
  Status updates(Offset, Offset, bool, const UpdateVisitor&) const override { return {}; }
  Status completions(Offset, Offset, const CompletionVisitor&) const override { return {}; }
  Result<std::optional<Update>> update_at(Offset offset) const override {
    TransactionUpdate transaction;
    for (const char* party : {"alice", "bob"}) {
      ExercisedEvent event;
      event.contract_id = lf::ContractId::local_v1(Bytes(32, party[0]));
      event.choice = "Archive";
      event.stakeholders = event.witnesses = {party};
      event.consuming = event.acs_delta = true;
      transaction.events.push_back(event);
    }
    Update update;
    update.offset = offset;
    update.content = transaction;
    return update;
  }
  Result<std::optional<Update>> update_by_id(const std::string&) const override { return update_at(Offset(1)); }
  Status active_contracts(ContractVisit&, const ContractVisitor&) const override { return {}; }
  Result<std::optional<ContractLifecycle>> contract(const lf::ContractId&) const override { return std::nullopt; }
  Subscription on_new_offsets(std::function<void(Offset)>) override { return {}; }
};

class ConnectedNode final : public ParticipantNode {
 public:
  ConnectedNode()
      : store_(std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{ParticipantCore::columns()})),
        users_(UserStore::open(store_, {.max_rights_per_user = 2}).value()),
        engine_(std::make_shared<lf::Engine>(known)) {}
  void start(std::function<void(Status)>) override {}
  void stop(Duration) override {}
  void set_sequencers(std::vector<SequencerEndpoint>) override {}
  std::string participant_id() const override { return "fake::1220"; }
  ParticipantStatus status() const override {
    ParticipantStatus status;
    status.connected = true;
    status.synchronizer_id = std::string(kHere) + "::35-0";
    return status;
  }
  Status health() const override { return {}; }
  CommandSink& commands() override { return sink; }
  LedgerReader& ledger() override { return ledger_; }
  PackageService& packages() override { return uploaded; }
  PartyService& parties() override { return hosted; }
  UserStore& users() override { return *users_; }
  std::shared_ptr<const lf::Engine> engine() const override { return engine_; }
  const lf::Limits& interpretation_limits() const override { return limits_; }
  std::shared_ptr<const lf::PackageStore> package_store() const override { return known; }
  lf::PackagePreference package_preference(const lf::PartySet&) const override { return {}; }

  std::shared_ptr<lf::PackageStore> known = std::make_shared<lf::PackageStore>();
  PackagesAsked uploaded;
  PartiesAsked hosted;
  CommandsAsked sink;

 private:
  std::shared_ptr<storage::MemoryStore> store_;
  std::unique_ptr<UserStore> users_;
  std::shared_ptr<const lf::Engine> engine_;
  OneUpdate ledger_;
  lf::Limits limits_;
};

lf::PackagePtr claims(const std::string& version) {
  return lf::assemble_package("metadata ('claims' : '" + version + R"(') module M {
    record @serializable Claim = { owner: Party } ;
    record @serializable Other = { owner: Party } ;
    record @serializable Archive = {} ;
    template (this : Claim) = {
      signatories Cons @Party [M:Claim {owner} this] (Nil @Party) ;
      choice Archive (self) (arg : M:Archive) : Unit , controllers Cons @Party [M:Claim {owner} this] (Nil @Party)
        to upure @Unit () ;
    } ;
  })")
      .value()
      .package;
}

class RequestFields : public ::testing::Test {
 protected:
  RequestFields() {
    node_.known->add(first_);
    node_.known->add(second_);
    ledger_api_ = std::make_unique<LedgerApi>(node_, LedgerApiConfig(), system_clock());
    server_ = rpc::Server::start({}, ledger_api_->services()).value();
    channel_ = rpc::make_channel({.target = "127.0.0.1:" + std::to_string(server_->port())}).value();
  }
  ~RequestFields() override {
    server_->stop(Duration::seconds(1));
    ledger_api_->stop();
  }

  // The error with its id; empty: it went well.
  template <class Stub, class Request, class Response>
  std::string ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                  Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    const auto status = (Stub(channel_).*method)(&context, request, response);
    return status.ok() ? "" : std::to_string(status.error_code()) + " " + status.error_message();
  }
  template <class Stub, class Request, class Response>
  std::string ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request) {
    Response response;
    return ask(method, request, &response);
  }
  static std::string error(grpc::StatusCode code, const std::string& id) {
    return std::to_string(code) + " " + id + "(";
  }

  fields_api::Commands commands() const {
    fields_api::Commands out;
    out.set_user_id("tester");
    out.set_command_id("c");
    out.add_act_as("alice");
    auto& create = *out.add_commands()->mutable_create();
    create.mutable_template_id()->set_package_id(first_->id());
    create.mutable_template_id()->set_module_name("M");
    create.mutable_template_id()->set_entity_name("Claim");
    create.mutable_create_arguments()->add_fields()->mutable_value()->set_party("alice");
    return out;
  }
  std::string submit(const fields_api::Commands& commands) {
    fields_api::SubmitRequest request;
    *request.mutable_commands() = commands;
    return ask(&fields_api::CommandSubmissionService::Stub::Submit, request);
  }

  const lf::PackagePtr first_ = claims("1.0.0"), second_ = claims("1.1.0");
  ConnectedNode node_;
  std::unique_ptr<LedgerApi> ledger_api_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(RequestFields, APartyIsAllocatedForAUserOnASynchronizer) {
  const auto allocate = &fields_admin::PartyManagementService::Stub::AllocateParty;
  fields_admin::AllocatePartyRequest request;
  request.set_party_id_hint("one");
  request.set_user_id("nobody");
  EXPECT_THAT(ask(allocate, request), StartsWith(error(grpc::NOT_FOUND, "USER_NOT_FOUND")));
  request.set_user_id("what?");
  EXPECT_THAT(ask(allocate, request), StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_FIELD")));
  request.clear_user_id();
  request.set_synchronizer_id(kElsewhere);
  EXPECT_THAT(ask(allocate, request), StartsWith(error(grpc::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND")));
  request.set_synchronizer_id(kHere);
  request.set_identity_provider_id("idp");
  EXPECT_THAT(ask(allocate, request), StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT")));
  EXPECT_EQ(node_.hosted.allocations, 0) << "what is refused has no effect";

  request.clear_identity_provider_id();
  EXPECT_EQ(ask(allocate, request), "");
  ASSERT_TRUE(node_.users().create({.id = "clerk"}, {}));
  EXPECT_THAT(node_.users().rights("clerk", "").value(), IsEmpty());
  request.set_user_id("clerk");
  EXPECT_EQ(ask(allocate, request), "");
  EXPECT_THAT(node_.users().rights("clerk", "").value(),
              ElementsAre(UserRight{UserRight::Kind::can_act_as, "one::1220"}));
  request.set_party_id_hint("two");
  EXPECT_EQ(ask(allocate, request), "");
  request.set_party_id_hint("three");
  EXPECT_THAT(ask(allocate, request), StartsWith(error(grpc::FAILED_PRECONDITION, "TOO_MANY_USER_RIGHTS")));
  EXPECT_EQ(node_.hosted.allocations, 3) << "no party that its user may not act as";
}

TEST_F(RequestFields, PartiesAreOfAnIdentityProvider) {
  fields_admin::GetPartiesRequest get;
  get.add_parties("alice");
  EXPECT_EQ(ask(&fields_admin::PartyManagementService::Stub::GetParties, get), "");
  get.set_identity_provider_id("idp");
  EXPECT_THAT(ask(&fields_admin::PartyManagementService::Stub::GetParties, get),
              StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT")));
  fields_admin::ListKnownPartiesRequest list;
  EXPECT_EQ(ask(&fields_admin::PartyManagementService::Stub::ListKnownParties, list), "");
  list.set_identity_provider_id("idp");
  EXPECT_THAT(ask(&fields_admin::PartyManagementService::Stub::ListKnownParties, list),
              StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT")));
}

TEST_F(RequestFields, ADarIsForASynchronizerAndVettedOrNot) {
  using Change = fields_admin::UploadDarFileRequest;
  const auto upload = &fields_admin::PackageManagementService::Stub::UploadDarFile;
  fields_admin::UploadDarFileRequest request;
  request.set_dar_file("dar");
  request.set_synchronizer_id(kElsewhere);
  EXPECT_THAT(ask(upload, request), StartsWith(error(grpc::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND")));
  request.set_synchronizer_id(kHere);
  request.set_vetting_change(static_cast<Change::VettingChange>(7));
  EXPECT_THAT(ask(upload, request), StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_FIELD")));
  EXPECT_THAT(node_.uploaded.uploads(), IsEmpty());
  for (const auto change : {Change::VETTING_CHANGE_UNSPECIFIED, Change::VETTING_CHANGE_VET_ALL_PACKAGES,
                            Change::VETTING_CHANGE_DONT_VET_ANY_PACKAGES}) {
    request.set_vetting_change(change);
    EXPECT_EQ(ask(upload, request), "");
  }
  EXPECT_THAT(node_.uploaded.uploads(), ElementsAre(true, true, false));

  fields_admin::ValidateDarFileRequest validate;
  validate.set_dar_file("dar");
  validate.set_synchronizer_id(kElsewhere);
  EXPECT_THAT(ask(&fields_admin::PackageManagementService::Stub::ValidateDarFile, validate),
              StartsWith(error(grpc::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND")));
  validate.set_synchronizer_id(kHere);
  EXPECT_EQ(ask(&fields_admin::PackageManagementService::Stub::ValidateDarFile, validate), "");
}

TEST_F(RequestFields, ForceFlagsAreKnownOrRefused) {
  const auto update = &fields_admin::PackageManagementService::Stub::UpdateVettedPackages;
  fields_admin::UpdateVettedPackagesRequest request;
  request.add_update_vetted_packages_force_flags(
      fields_admin::UPDATE_VETTED_PACKAGES_FORCE_FLAG_ALLOW_UNVETTED_DEPENDENCIES);
  EXPECT_EQ(ask(update, request), "");
  request.add_update_vetted_packages_force_flags(static_cast<fields_admin::UpdateVettedPackagesForceFlag>(77));
  EXPECT_THAT(ask(update, request), HasSubstr("77"));
}

TEST_F(RequestFields, ConnectedSynchronizersSayWhatAParticipantMayDo) {
  const auto permission = [&](const std::string& participant) {
    fields_api::GetConnectedSynchronizersRequest request;
    request.set_party("alice");
    request.set_participant_id(participant);
    fields_api::GetConnectedSynchronizersResponse response;
    EXPECT_EQ(ask(&fields_api::StateService::Stub::GetConnectedSynchronizers, request, &response), "");
    return response.connected_synchronizers_size() == 0 ? -1 : int(response.connected_synchronizers(0).permission());
  };
  EXPECT_EQ(permission(""), fields_api::PARTICIPANT_PERMISSION_CONFIRMATION);
  EXPECT_EQ(permission("other::1220"), fields_api::PARTICIPANT_PERMISSION_OBSERVATION);
  EXPECT_EQ(permission("third::1220"), fields_api::PARTICIPANT_PERMISSION_SUBMISSION);
  EXPECT_EQ(permission("fourth::1220"), -1) << "it does not host the party";
  fields_api::GetConnectedSynchronizersRequest request;
  request.set_identity_provider_id("idp");
  EXPECT_THAT(ask(&fields_api::StateService::Stub::GetConnectedSynchronizers, request),
              StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT")));
}

TEST_F(RequestFields, DisclosedContractsAreWhatTheyAreSaidToBe) {
  lf::ContractInstance contract;
  contract.contract_id = lf::ContractId::local_v1(Bytes(32, 'c'));
  contract.package_name = "claims";
  contract.template_id = {first_->id(), "M", "Claim"};
  contract.argument = lf::Value::record({lf::Value::party("alice")});
  contract.signatories = contract.stakeholders = {"alice"};
  auto request = commands();
  auto& disclosed = *request.add_disclosed_contracts();
  disclosed.set_created_event_blob(lf::encode_contract(contract));
  EXPECT_EQ(submit(request), "") << "nothing else is said of it";
  disclosed.set_contract_id(contract.contract_id.to_hex());
  *disclosed.mutable_template_id() = request.commands(0).create().template_id();
  disclosed.set_synchronizer_id(kHere);
  EXPECT_EQ(submit(request), "");
  ASSERT_EQ(node_.sink.submitted, 2);

  disclosed.mutable_template_id()->set_entity_name("Other");
  EXPECT_THAT(submit(request), StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT")));
  disclosed.clear_template_id();
  disclosed.set_synchronizer_id(kElsewhere);
  EXPECT_THAT(submit(request), StartsWith(error(grpc::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND")));
  auto two = request;
  *two.add_disclosed_contracts() = disclosed;
  EXPECT_THAT(submit(two), HasSubstr("duplicate contract id (" + contract.contract_id.to_hex() + ")"));
  contract.contract_id = lf::ContractId::local_v1(Bytes(32, 'd'));
  auto& another = *two.mutable_disclosed_contracts(1);
  another.set_contract_id(contract.contract_id.to_hex());
  another.set_created_event_blob(lf::encode_contract(contract));
  another.set_synchronizer_id(kHere);
  EXPECT_THAT(submit(two), StartsWith(error(grpc::INVALID_ARGUMENT, "DISCLOSED_CONTRACTS_SYNCHRONIZER_ID_MISMATCH")));
  request.set_synchronizer_id(kHere);
  EXPECT_THAT(submit(request), StartsWith(error(grpc::INVALID_ARGUMENT, "PRESCRIBED_SYNCHRONIZER_ID_MISMATCH")));
  EXPECT_EQ(node_.sink.submitted, 2);
}

TEST_F(RequestFields, PreferredPackagesAreKnownAndOneOfEachName) {
  auto request = commands();
  request.add_package_id_selection_preference(second_->id());
  EXPECT_EQ(submit(request), "");
  request.add_package_id_selection_preference(first_->id());
  EXPECT_THAT(submit(request), HasSubstr("duplicate preference for package-name claims"));
  request.set_package_id_selection_preference(1, "unknown");
  EXPECT_THAT(submit(request), HasSubstr("user-specified pkg id (unknown) could not be found"));
  EXPECT_EQ(node_.sink.submitted, 1);
}

TEST_F(RequestFields, TimesAndDurationsFitTheLedger) {
  const auto refused = StartsWith(error(grpc::INVALID_ARGUMENT, "INVALID_FIELD"));
  auto request = commands();
  request.mutable_min_ledger_time_abs()->set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(submit(request), refused);
  request.clear_min_ledger_time_abs();
  request.mutable_min_ledger_time_rel()->set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(submit(request), refused);
  request.clear_min_ledger_time_rel();
  request.mutable_deduplication_duration()->set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(submit(request), refused);
  EXPECT_EQ(node_.sink.submitted, 0);
}

// Without a format it is shown to those who acted and those who read.
TEST_F(RequestFields, ATransactionIsShownToReadersToo) {
  const auto wait = &fields_api::CommandService::Stub::SubmitAndWaitForTransaction;
  fields_api::SubmitAndWaitForTransactionRequest request;
  *request.mutable_commands() = commands();
  fields_api::SubmitAndWaitForTransactionResponse response;
  ASSERT_EQ(ask(wait, request, &response), "");
  EXPECT_EQ(response.transaction().events_size(), 1);
  request.mutable_commands()->add_read_as("bob");
  ASSERT_EQ(ask(wait, request, &response), "");
  EXPECT_EQ(response.transaction().events_size(), 2);
  ASSERT_EQ(node_.sink.submitted, 2);

  request.mutable_transaction_format()->mutable_event_format()->mutable_filters_for_any_party();
  EXPECT_THAT(ask(wait, request), StartsWith(error(grpc::INVALID_ARGUMENT, "MISSING_FIELD")));
  EXPECT_EQ(node_.sink.submitted, 2) << "nothing is carried out whose outcome cannot be shown";
}

TEST_F(RequestFields, UpdatesAreShownInAFormat) {
  fields_api::GetUpdateByOffsetRequest by_offset;
  by_offset.set_offset(1);
  EXPECT_THAT(ask(&fields_api::UpdateService::Stub::GetUpdateByOffset, by_offset),
              StartsWith(error(grpc::INVALID_ARGUMENT, "MISSING_FIELD")));
  fields_api::GetUpdateByIdRequest by_id;
  by_id.set_update_id("1220");
  EXPECT_THAT(ask(&fields_api::UpdateService::Stub::GetUpdateById, by_id),
              StartsWith(error(grpc::INVALID_ARGUMENT, "MISSING_FIELD")));
}

}  // namespace
}  // namespace synod::participant
