// What is refused, with which code and error id: the ids are what applications match on.
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

constexpr auto kSubmit = &api::CommandSubmissionService::Stub::Submit;
constexpr auto kWait = &api::CommandService::Stub::SubmitAndWait;
constexpr auto kCompletions = &api::CommandCompletionService::Stub::CompletionStream;
constexpr auto kUpdates = &api::UpdateService::Stub::GetUpdates;
constexpr auto kByOffset = &api::UpdateService::Stub::GetUpdateByOffset;
constexpr auto kById = &api::UpdateService::Stub::GetUpdateById;
constexpr auto kContracts = &api::StateService::Stub::GetActiveContracts;
constexpr auto kEvents = &api::EventQueryService::Stub::GetEventsByContractId;

constexpr std::int64_t kFarAway = 1'000'000'000;

}  // namespace

// Requests that are well but for one thing.
class LedgerRefuses : public LedgerRpcs {
 protected:
  static void SetUpTestSuite() {
    LedgerRpcs::SetUpTestSuite();
    if (!ready_) return;  // SetUp() says so
    payer_ = allocate("payer");
    owner_ = allocate("owner");
    contract_ = issue(payer_, owner_, "1.0");
  }

  static api::SubmitRequest submission(const std::function<void(api::Commands&)>& spoil) {
    api::SubmitRequest request;
    *request.mutable_commands() = commands("spoilt", {payer_}, {create(iou(payer_, owner_, "1.0"))});
    spoil(*request.mutable_commands());
    return request;
  }
  static grpc::Status submitting(const std::function<void(api::Commands&)>& spoil) {
    return end_of(kSubmit, submission(spoil));
  }
  static grpc::Status waiting_for(const api::Commands& commands) {
    api::SubmitAndWaitRequest request;
    *request.mutable_commands() = commands;
    return end_of(kWait, request);
  }
  static api::GetUpdatesRequest updates(std::int64_t after) {
    api::GetUpdatesRequest request;
    request.set_begin_exclusive(after);
    *request.mutable_update_format() = transactions_of({payer_}, kDelta);
    return request;
  }
  static api::GetUpdateByOffsetRequest update_at(std::int64_t offset) {
    api::GetUpdateByOffsetRequest request;
    request.set_offset(offset);
    *request.mutable_update_format() = transactions_of({payer_}, kDelta);
    return request;
  }
  static api::GetUpdateByIdRequest update_by(const std::string& id) {
    api::GetUpdateByIdRequest request;
    request.set_update_id(id);
    *request.mutable_update_format() = transactions_of({payer_}, kDelta);
    return request;
  }
  static api::GetActiveContractsRequest contracts(std::int64_t at, const api::EventFormat& format) {
    api::GetActiveContractsRequest request;
    request.set_active_at_offset(at);
    *request.mutable_event_format() = format;
    return request;
  }
  static api::CompletionStreamRequest completions(std::int64_t after) {
    api::CompletionStreamRequest request;
    request.set_user_id(kUser);
    request.add_parties(payer_);
    request.set_begin_exclusive(after);
    return request;
  }
  static api::GetEventsByContractIdRequest events_of(const std::string& contract, const std::string& reader) {
    api::GetEventsByContractIdRequest request;
    request.set_contract_id(contract);
    *request.mutable_event_format() = everything_of({reader});
    return request;
  }
  static api::EventFormat only(const api::Identifier& id) {
    api::EventFormat format;
    *(*format.mutable_filters_by_party())[payer_].add_cumulative()->mutable_template_filter()->mutable_template_id() =
        id;
    return format;
  }

  static inline std::string payer_, owner_, contract_;
};

TEST_F(LedgerRefuses, CommandsThatLackAField) {
  const auto lacking = [](const std::string& field, const std::function<void(api::Commands&)>& spoil) {
    EXPECT_TRUE(refused(submitting(spoil), StatusCode::INVALID_ARGUMENT, "MISSING_FIELD", field));
  };
  lacking("user_id", [](api::Commands& commands) { commands.clear_user_id(); });
  lacking("command_id", [](api::Commands& commands) { commands.clear_command_id(); });
  lacking("act_as", [](api::Commands& commands) { commands.clear_act_as(); });
  lacking("commands", [](api::Commands& commands) { commands.clear_commands(); });
  lacking("command", [](api::Commands& commands) { commands.mutable_commands(0)->Clear(); });
  lacking("", [](api::Commands& commands) { commands.add_disclosed_contracts(); });
  const auto create = [](api::Commands& commands) { return commands.mutable_commands(0)->mutable_create(); };
  lacking("template_id", [&](api::Commands& commands) { create(commands)->clear_template_id(); });
  lacking("module_name",
          [&](api::Commands& commands) { create(commands)->mutable_template_id()->clear_module_name(); });
  lacking("create_arguments", [&](api::Commands& commands) { create(commands)->clear_create_arguments(); });
}

TEST_F(LedgerRefuses, ExercisesThatLackAField) {
  const auto lacking = [](const std::string& field, const std::function<void(api::ExerciseCommand&)>& spoil) {
    auto command = exercise(contract_, "Call");
    spoil(*command.mutable_exercise());
    EXPECT_TRUE(refused(waiting_for(commands("spoilt", {owner_}, {command})), StatusCode::INVALID_ARGUMENT,
                        "MISSING_FIELD", field));
  };
  lacking("template_id", [](api::ExerciseCommand& exercise) { exercise.clear_template_id(); });
  lacking("contract_id", [](api::ExerciseCommand& exercise) { exercise.clear_contract_id(); });
  lacking("choice", [](api::ExerciseCommand& exercise) { exercise.clear_choice(); });
  lacking("value", [](api::ExerciseCommand& exercise) { exercise.clear_choice_argument(); });
  EXPECT_TRUE(refused(waiting_for(commands("spoilt", {owner_}, {exercise("no contract id", "Call")})),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "contract_id"));
}

TEST_F(LedgerRefuses, RequestsThatLackAField) {
  const auto lacks = [](const grpc::Status& status, const std::string& field) {
    EXPECT_TRUE(refused(status, StatusCode::INVALID_ARGUMENT, "MISSING_FIELD", field));
  };
  auto request = updates(0);
  request.mutable_update_format()->mutable_include_transactions()->clear_transaction_shape();
  lacks(end_of(kUpdates, request), "transaction_shape");
  request.mutable_update_format()->mutable_include_transactions()->clear_event_format();
  lacks(end_of(kUpdates, request), "event_format");
  request.clear_update_format();
  lacks(end_of(kUpdates, request), "update_format");
  lacks(end_of(kById, update_by("")), "update_id");
  api::GetUpdateByIdRequest by_id;
  by_id.set_update_id("1220" + std::string(64, '0'));
  lacks(end_of(kById, by_id), "update_format");
  api::GetUpdateByOffsetRequest by_offset;
  by_offset.set_offset(1);
  lacks(end_of(kByOffset, by_offset), "update_format");
  lacks(end_of(kContracts, {}), "event_format");
  lacks(end_of(kContracts, contracts(0, only({}))), "package_id");
  lacks(end_of(kCompletions, {}), "user_id");
  auto of_nobody = completions(0);
  of_nobody.clear_parties();
  lacks(end_of(kCompletions, of_nobody), "parties");
  lacks(end_of(kEvents, {}), "contract_id");
  auto formless = events_of(contract_, payer_);
  formless.clear_event_format();
  lacks(end_of(kEvents, formless), "event_format");
  lacks(end_of(&api::PackageService::Stub::GetPackage, {}), "package_id");
  lacks(end_of(&api::PackageService::Stub::GetPackageStatus, {}), "package_id");
  lacks(end_of(&admin::PackageManagementService::Stub::UploadDarFile, {}), "dar_file");
  lacks(end_of(&admin::PackageManagementService::Stub::ValidateDarFile, {}), "dar_file");
  lacks(end_of(&admin::UserManagementService::Stub::CreateUser, {}), "user");
  lacks(end_of(&admin::UserManagementService::Stub::GetUser, {}), "user_id");
}

TEST_F(LedgerRefuses, FieldsThatAreInvalid) {
  const auto invalid = [](const grpc::Status& status, const std::string& field) {
    EXPECT_TRUE(refused(status, StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field));
  };
  invalid(submitting([](api::Commands& commands) { commands.set_command_id("what?"); }), "command_id");
  invalid(submitting([](api::Commands& commands) { commands.set_command_id(std::string(256, 'x')); }), "command_id");
  invalid(submitting([](api::Commands& commands) { commands.set_user_id("some body"); }), "user_id");
  invalid(submitting([](api::Commands& commands) { commands.set_workflow_id("ü"); }), "workflow_id");
  invalid(submitting([](api::Commands& commands) { commands.set_act_as(0, "a/b"); }), "act_as");
  invalid(submitting([](api::Commands& commands) { commands.add_read_as("a/b"); }), "read_as");
  invalid(submitting([](api::Commands& commands) { commands.mutable_deduplication_duration()->set_seconds(-1); }),
          "deduplication_period");
  invalid(end_of(kContracts, contracts(0, everything_of({"a/b"}))), "filters_by_party");
  invalid(end_of(kEvents, events_of("not hexadecimal", payer_)), "contract_id");
  admin::GetPartiesRequest parties;
  parties.add_parties("a/b");
  invalid(end_of(&admin::PartyManagementService::Stub::GetParties, parties), "parties");
}

TEST_F(LedgerRefuses, RequestsThatAreInvalidAsAWhole) {
  const auto invalid = [](const grpc::Status& status, const std::string& about) {
    EXPECT_TRUE(refused(status, StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT", about));
  };
  invalid(end_of(kContracts, contracts(0, {})), "filtersByParty and filtersForAnyParty");
  auto shape = update_at(1);
  shape.mutable_update_format()->mutable_include_transactions()->set_transaction_shape(
      static_cast<api::TransactionShape>(77));
  invalid(end_of(kByOffset, shape), "77");
  invalid(submitting([](api::Commands& commands) {
            commands.mutable_min_ledger_time_abs()->set_seconds(1);
            commands.mutable_min_ledger_time_rel()->set_seconds(1);
          }),
          "min_ledger_time_abs");
  invalid(submitting([](api::Commands& commands) {
            commands.add_disclosed_contracts()->set_created_event_blob("no contract");
          }),
          "disclosed contract");
  admin::ListKnownPartiesRequest parties;
  parties.set_page_size(-1);
  invalid(end_of(&admin::PartyManagementService::Stub::ListKnownParties, parties), "page_size");
  admin::AllocatePartyRequest again;
  again.set_party_id_hint("payer");
  invalid(end_of(&admin::PartyManagementService::Stub::AllocateParty, again), "already");
}

TEST_F(LedgerRefuses, OffsetsBehindTheEnd) {
  const auto behind = [](const grpc::Status& status) {
    EXPECT_TRUE(refused(status, StatusCode::OUT_OF_RANGE, "OFFSET_AFTER_LEDGER_END", std::to_string(kFarAway)));
  };
  behind(end_of(kUpdates, updates(kFarAway)));
  auto end = updates(0);
  end.set_end_inclusive(kFarAway);
  behind(end_of(kUpdates, end));
  behind(end_of(kContracts, contracts(kFarAway, everything_of({payer_}))));
  behind(end_of(kCompletions, completions(kFarAway)));
  behind(submitting([](api::Commands& commands) { commands.set_deduplication_offset(kFarAway); }));
}

TEST_F(LedgerRefuses, OffsetsBeforeTheBeginning) {
  const auto negative = [](const grpc::Status& status) {
    EXPECT_TRUE(refused(status, StatusCode::INVALID_ARGUMENT, "NEGATIVE_OFFSET", "-1"));
  };
  negative(end_of(kUpdates, updates(-1)));
  negative(end_of(kContracts, contracts(-1, everything_of({payer_}))));
  negative(end_of(kCompletions, completions(-1)));
  negative(submitting([](api::Commands& commands) { commands.set_deduplication_offset(-1); }));
  const auto not_positive = [](const grpc::Status& status) {
    EXPECT_TRUE(refused(status, StatusCode::INVALID_ARGUMENT, "NON_POSITIVE_OFFSET"));
  };
  not_positive(end_of(kByOffset, update_at(0)));
  not_positive(end_of(kByOffset, update_at(-1)));
  auto end = updates(0);
  end.set_end_inclusive(0);
  not_positive(end_of(kUpdates, end));
}

TEST_F(LedgerRefuses, WhatIsNotThereOrNotVisible) {
  const auto missing = [](const grpc::Status& status, const std::string& id) {
    EXPECT_TRUE(refused(status, StatusCode::NOT_FOUND, id));
  };
  missing(end_of(kByOffset, update_at(kFarAway)), "UPDATE_NOT_FOUND");
  missing(end_of(kById, update_by("1220" + std::string(64, '0'))), "UPDATE_NOT_FOUND");
  missing(end_of(kEvents, events_of("00" + std::string(64, '0'), payer_)), "CONTRACT_EVENTS_NOT_FOUND");
  const auto stranger = allocate("stranger");
  missing(end_of(kEvents, events_of(contract_, stranger)), "CONTRACT_EVENTS_NOT_FOUND");
  const auto issued = submit(commands("seen by two", {payer_}, {create(iou(payer_, owner_, "1.0"))}));
  auto unseen = update_at(issued.offset());
  *unseen.mutable_update_format() = transactions_of({stranger}, kEffects);
  missing(end_of(kByOffset, unseen), "UPDATE_NOT_FOUND");

  api::GetPackageRequest package;
  package.set_package_id("unknown");
  missing(end_of(&api::PackageService::Stub::GetPackage, package), "PACKAGE_NOT_FOUND");
  admin::GetUserRequest user;
  user.set_user_id("nobody");
  missing(end_of(&admin::UserManagementService::Stub::GetUser, user), "USER_NOT_FOUND");
  missing(submitting([](api::Commands& commands) { commands.set_synchronizer_id("other::1220"); }),
          "SYNCHRONIZER_NOT_FOUND");
}

TEST_F(LedgerRefuses, TypesThatNoPackageHas) {
  const auto unknown = [](const grpc::Status& status, const std::string& id, const std::string& about) {
    EXPECT_TRUE(refused(status, StatusCode::NOT_FOUND, id, about));
  };
  unknown(end_of(kContracts, contracts(0, only(type("Bond")))), "TEMPLATES_OR_INTERFACES_NOT_FOUND", "Bond");
  unknown(end_of(kContracts, contracts(0, only(type("Amount")))), "TEMPLATES_OR_INTERFACES_NOT_FOUND", "Amount");
  api::EventFormat interface;
  *interface.mutable_filters_for_any_party()->add_cumulative()->mutable_interface_filter()->mutable_interface_id() =
      type("Iou");
  unknown(end_of(kContracts, contracts(0, interface)), "TEMPLATES_OR_INTERFACES_NOT_FOUND", "Iou");
  unknown(submitting([](api::Commands& commands) {
            *commands.mutable_commands(0)->mutable_create()->mutable_template_id() = type("Bond");
          }),
          "TEMPLATES_OR_INTERFACES_NOT_FOUND", "Bond");
  auto by_name = type("Bond");
  by_name.set_package_id("#synod-example-iou");
  unknown(end_of(kContracts, contracts(0, only(by_name))), "NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME", "Bond");
  interface.mutable_filters_for_any_party()
      ->mutable_cumulative(0)
      ->mutable_interface_filter()
      ->mutable_interface_id()
      ->set_package_id("#synod-example-iou");
  unknown(end_of(kContracts, contracts(0, interface)), "NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME", "Iou");
  by_name = type("Iou");
  by_name.set_package_id("#no-such-package");
  unknown(end_of(kContracts, contracts(0, only(by_name))), "PACKAGE_NAMES_NOT_FOUND", "no-such-package");
  unknown(submitting([&](api::Commands& commands) {
            *commands.mutable_commands(0)->mutable_create()->mutable_template_id() = by_name;
          }),
          "PACKAGE_NAMES_NOT_FOUND", "no-such-package");
}

TEST_F(LedgerRefuses, WhatThisParticipantCannotDo) {
  auto descending = updates(0);
  descending.set_descending_order(true);
  EXPECT_TRUE(refused(end_of(kUpdates, descending), StatusCode::UNIMPLEMENTED, "UNSUPPORTED_OPERATION"));
  auto continued = contracts(0, everything_of({payer_}));
  continued.set_stream_continuation_token("where we were");
  EXPECT_TRUE(refused(end_of(kContracts, continued), StatusCode::INVALID_ARGUMENT, "INVALID_CONTINUATION_TOKEN"));
}

TEST_F(LedgerRefuses, CommandsThatCannotBeCarriedOut) {
  const auto wrong_type = submitting([](api::Commands& commands) {
    commands.mutable_commands(0)
        ->mutable_create()
        ->mutable_create_arguments()
        ->mutable_fields(0)
        ->mutable_value()
        ->set_text("x");
  });
  EXPECT_TRUE(refused(wrong_type, StatusCode::INVALID_ARGUMENT, "COMMAND_PREPROCESSING_FAILED"));
  EXPECT_TRUE(refused(waiting_for(commands("no such choice", {owner_}, {exercise(contract_, "Burn")})),
                      StatusCode::INVALID_ARGUMENT, "COMMAND_PREPROCESSING_FAILED"));
  const auto gone = issue(payer_, owner_, "2.0");
  submit(commands("archive", {payer_}, {exercise(gone, "Archive")}));
  EXPECT_TRUE(refused(waiting_for(commands("no such contract", {owner_}, {exercise(gone, "Call")})),
                      StatusCode::NOT_FOUND, "CONTRACT_NOT_FOUND"));
  EXPECT_TRUE(refused(waiting_for(commands("not the owner", {payer_}, {exercise(contract_, "Call")})),
                      StatusCode::INVALID_ARGUMENT, "DAML_AUTHORIZATION_ERROR"));
  EXPECT_TRUE(refused(waiting_for(commands("negative", {payer_}, {create(iou(payer_, owner_, "-1.0"))})),
                      StatusCode::INVALID_ARGUMENT, "TEMPLATE_PRECONDITION_VIOLATED"));
  EXPECT_TRUE(refused(waiting_for(commands("to nobody", {payer_}, {create(iou(payer_, "nobody::1220", "1.0"))})),
                      StatusCode::NOT_FOUND, "UNKNOWN_INFORMEES"));
  EXPECT_TRUE(refused(submitting([](api::Commands& commands) { commands.set_act_as(0, "nobody::1220"); }),
                      StatusCode::NOT_FOUND, "NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT"));
}

TEST_F(LedgerRefuses, CommandsThatWereGivenBefore) {
  auto twice = commands("given twice", {payer_}, {create(iou(payer_, owner_, "1.0"))});
  const auto first = submit(twice);
  EXPECT_TRUE(refused(waiting_for(twice), StatusCode::ALREADY_EXISTS, "DUPLICATE_COMMAND"));
  twice.set_deduplication_offset(first.offset());
  EXPECT_TRUE(waiting_for(twice).ok()) << "since then it was not";
  twice.mutable_deduplication_duration()->set_seconds(100 * 24 * 3600);
  EXPECT_TRUE(refused(waiting_for(twice), StatusCode::FAILED_PRECONDITION, "INVALID_DEDUPLICATION_PERIOD"));
}

TEST_F(LedgerRefuses, AdministrationThatDoesNotFit) {
  using Packages = admin::PackageManagementService::Stub;
  using Users = admin::UserManagementService::Stub;
  admin::UploadDarFileRequest upload;
  upload.set_dar_file("no DAR");
  EXPECT_TRUE(refused(end_of(&Packages::UploadDarFile, upload), StatusCode::INVALID_ARGUMENT, "INVALID_DAR"));
  admin::ValidateDarFileRequest validate;
  validate.set_dar_file("no DAR");
  EXPECT_TRUE(refused(end_of(&Packages::ValidateDarFile, validate), StatusCode::INVALID_ARGUMENT, "INVALID_DAR"));
  admin::UpdateVettedPackagesRequest vet;
  vet.add_changes()->mutable_vet()->add_packages()->set_package_id("unknown");
  EXPECT_TRUE(
      refused(end_of(&Packages::UpdateVettedPackages, vet), StatusCode::NOT_FOUND, "UNRESOLVED_VETTING_REFERENCE"));
  vet.mutable_changes(0)->mutable_vet()->mutable_packages(0)->set_package_id(package_);
  vet.mutable_expected_topology_serial()->set_prior(4711);
  EXPECT_TRUE(refused(end_of(&Packages::UpdateVettedPackages, vet), StatusCode::FAILED_PRECONDITION,
                      "TOPOLOGY_SERIAL_MISMATCH"));

  admin::CreateUserRequest create;
  create.mutable_user()->set_id("clerk");
  const auto clerk = ask(&Users::CreateUser, create).user();
  EXPECT_TRUE(refused(end_of(&Users::CreateUser, create), StatusCode::ALREADY_EXISTS, "USER_ALREADY_EXISTS"));
  admin::UpdateUserRequest update;
  *update.mutable_user() = clerk;
  update.mutable_update_mask();
  EXPECT_TRUE(refused(end_of(&Users::UpdateUser, update), StatusCode::INVALID_ARGUMENT, "INVALID_USER_UPDATE_REQUEST"));
  update.mutable_update_mask()->add_paths("is_deactivated");
  ask(&Users::UpdateUser, update);
  EXPECT_TRUE(refused(end_of(&Users::UpdateUser, update), StatusCode::ABORTED, "CONCURRENT_USER_UPDATE_DETECTED"));
}

}  // namespace synod::ledger_rpcs
