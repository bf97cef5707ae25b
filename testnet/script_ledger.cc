#include "testnet/script_ledger.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/env.h"
#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/admin_users.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/package_service.grpc.pb.h"
#include "ledger/state_service.grpc.pb.h"
#include "ledger/time_service.grpc.pb.h"
#include "lf/ledger/api_codec.h"
#include "lf/package_store.h"
#include "rpc/error_status.h"
#include "testnet/ledger_channel.h"
#include "topology/proto_time.h"

namespace synod::testnet {

namespace api = com::daml::ledger::api::v2;

using lf::ContractId;
using lf::Identifier;
using lf::PartySet;
using lf::Value;
using namespace lf::script;

namespace {

constexpr char kNotImplemented[] = "UNIMPLEMENTED";

Error error_of(const grpc::Status& status, const std::string& call) {
  Error error = rpc::from_grpc_status(status);
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    error.id = kNotImplemented;
    error.category = ErrorCategory::unsupported;
    error.cause = "the participant does not implement " + call + ", which this script needs";
  }
  return error;
}

Result<ContractId> contract_id(const std::string& hex) {
  auto id = ContractId::from_hex(hex);
  if (!id) return fail(malformed("contract id", id.error().cause));
  return id;
}

void to_proto(const UserRight& right, api::admin::Right* out) {
  if (right.kind == "ParticipantAdmin") out->mutable_participant_admin();
  if (right.kind == "IdentityProviderAdmin") out->mutable_identity_provider_admin();
  if (right.kind == "CanActAs") out->mutable_can_act_as()->set_party(right.party);
  if (right.kind == "CanReadAs") out->mutable_can_read_as()->set_party(right.party);
  if (right.kind == "CanExecuteAs") out->mutable_can_execute_as()->set_party(right.party);
  if (right.kind == "CanReadAsAnyParty") out->mutable_can_read_as_any_party();
  if (right.kind == "CanExecuteAsAnyParty") out->mutable_can_execute_as_any_party();
  if (right.kind == "CanActAsAnyParty") out->mutable_can_act_as_any_party();
}
UserRight from_proto(const api::admin::Right& right) {
  using K = api::admin::Right;
  switch (right.kind_case()) {
    case K::kParticipantAdmin:
      return {"ParticipantAdmin", ""};
    case K::kIdentityProviderAdmin:
      return {"IdentityProviderAdmin", ""};
    case K::kCanActAs:
      return {"CanActAs", right.can_act_as().party()};
    case K::kCanReadAs:
      return {"CanReadAs", right.can_read_as().party()};
    case K::kCanExecuteAs:
      return {"CanExecuteAs", right.can_execute_as().party()};
    case K::kCanReadAsAnyParty:
      return {"CanReadAsAnyParty", ""};
    case K::kCanExecuteAsAnyParty:
      return {"CanExecuteAsAnyParty", ""};
    case K::kCanActAsAnyParty:
      return {"CanActAsAnyParty", ""};
    case K::KIND_NOT_SET:
      break;
  }
  return {};
}
template <typename Rights>
std::vector<UserRight> from_proto_list(const Rights& rights) {
  std::vector<UserRight> out;
  for (const auto& r : rights) out.push_back(from_proto(r));
  return out;
}
User from_proto(const api::admin::User& user) {
  return {user.id(), user.primary_party().empty() ? std::nullopt : std::optional(user.primary_party())};
}

}  // namespace

struct ApiScriptLedger::Impl {
  Impl(std::shared_ptr<const lf::PackageStore> p, Options o) : packages(p), options(std::move(o)), codec(std::move(p)) {
    auto channel = ledger_channel(options.address, options.ca_file);
    parties = api::admin::PartyManagementService::NewStub(channel);
    admin_packages = api::admin::PackageManagementService::NewStub(channel);
    users = api::admin::UserManagementService::NewStub(channel);
    commands = api::CommandService::NewStub(channel);
    state = api::StateService::NewStub(channel);
    time = api::testing::TimeService::NewStub(channel);
    package_service = api::PackageService::NewStub(channel);
  }

  // One call; `name` is for the message when the participant does not know it.
  template <typename Stub, typename Request, typename Response>
  Result<Response> call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const char* name, const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(options.deadline.micros));
    context.set_wait_for_ready(true);
    Response response;
    if (const grpc::Status status = (stub.*method)(&context, request, &response); !status.ok())
      return fail(error_of(status, name));
    return response;
  }

  // A package that the scripts know, for what the ledger names by another version of it.
  Identifier known(Identifier id, const std::string& package_name) const {
    if (!packages->find(id.package))
      if (const lf::Package* p = packages->preferred(package_name)) id.package = p->id();
    return id;
  }
  void by_name(const Identifier& id, bool exact, api::Identifier* out) const {
    lf::ApiCodec::identifier(id, out);
    const lf::Package* package = packages->find(id.package);
    if (!exact && package) out->set_package_id("#" + package->name());
  }
  Result<std::vector<api::CreatedEvent>> active(const PartySet& who,
                                                const std::function<void(api::CumulativeFilter&)>& filter);
  Result<ActiveContract> contract(const api::CreatedEvent& created, const Identifier& as) const;
  Status command(const ScriptCommand& command, api::Command* out) const;
  Result<TransactionTree> tree(const api::Transaction& transaction, const Submission& submission) const;
  Result<ContractView> view(const api::CreatedEvent& created, const Identifier& interface_id) const;
  Status change_vetting(const std::vector<PackageNameVersion>& packages, bool vet);

  std::shared_ptr<const lf::PackageStore> packages;
  Options options;
  lf::ApiCodec codec;
  std::shared_ptr<Random> random = system_random();
  std::unique_ptr<api::admin::PartyManagementService::Stub> parties;
  std::unique_ptr<api::admin::PackageManagementService::Stub> admin_packages;
  std::unique_ptr<api::admin::UserManagementService::Stub> users;
  std::unique_ptr<api::CommandService::Stub> commands;
  std::unique_ptr<api::StateService::Stub> state;
  std::unique_ptr<api::testing::TimeService::Stub> time;
  std::unique_ptr<api::PackageService::Stub> package_service;
};

ApiScriptLedger::ApiScriptLedger(std::shared_ptr<const lf::PackageStore> packages, Options options)
    : impl_(std::make_unique<Impl>(std::move(packages), std::move(options))) {}
ApiScriptLedger::~ApiScriptLedger() = default;

Status ApiScriptLedger::upload(const std::string& dar) {
  api::admin::UploadDarFileRequest request;
  request.set_dar_file(dar);
  request.set_vetting_change(api::admin::UploadDarFileRequest::VETTING_CHANGE_VET_ALL_PACKAGES);
  SYNOD_RETURN_IF_ERROR(impl_->call(*impl_->admin_packages, &api::admin::PackageManagementService::Stub::UploadDarFile,
                                    "UploadDarFile", request));
  return {};
}

// ---- submissions
// -----------------------------------------------------------------------------------------------------

Status ApiScriptLedger::Impl::command(const ScriptCommand& c, api::Command* out) const {
  const bool exact = c.exact_package;
  if (auto* create = std::get_if<lf::CreateCommand>(&c.command)) {
    auto* m = out->mutable_create();
    by_name(create->template_id, exact, m->mutable_template_id());
    return codec.template_argument(create->template_id, create->argument, true, m->mutable_create_arguments());
  }
  if (auto* e = std::get_if<lf::ExerciseCommand>(&c.command)) {
    auto* m = out->mutable_exercise();
    by_name(e->type_id, exact, m->mutable_template_id());
    m->set_contract_id(e->contract_id.to_hex());
    m->set_choice(e->choice);
    return codec.choice_argument(e->type_id, e->choice, e->argument, true, m->mutable_choice_argument());
  }
  if (auto* k = std::get_if<lf::ExerciseByKeyCommand>(&c.command)) {
    auto* m = out->mutable_exercise_by_key();
    by_name(k->template_id, exact, m->mutable_template_id());
    m->set_choice(k->choice);
    SYNOD_RETURN_IF_ERROR(codec.contract_key(k->template_id, k->key, true, m->mutable_contract_key()));
    return codec.choice_argument(k->template_id, k->choice, k->argument, true, m->mutable_choice_argument());
  }
  const auto& ce = std::get<lf::CreateAndExerciseCommand>(c.command);
  auto* m = out->mutable_create_and_exercise();
  by_name(ce.template_id, exact, m->mutable_template_id());
  m->set_choice(ce.choice);
  SYNOD_RETURN_IF_ERROR(
      codec.template_argument(ce.template_id, ce.create_argument, true, m->mutable_create_arguments()));
  return codec.choice_argument(ce.template_id, ce.choice, ce.choice_argument, true, m->mutable_choice_argument());
}

Result<TransactionTree> ApiScriptLedger::Impl::tree(const api::Transaction& transaction,
                                                    const Submission& submission) const {
  std::vector<Identifier> intended;  // by root: the type that the command named
  for (const auto& c : submission.commands)
    std::visit(
        [&](const auto& command) {
          using T = std::decay_t<decltype(command)>;
          if constexpr (std::is_same_v<T, lf::ExerciseCommand>) {
            intended.push_back(command.type_id);
          } else {
            intended.push_back(command.template_id);
            if constexpr (std::is_same_v<T, lf::CreateAndExerciseCommand>) intended.push_back(command.template_id);
          }
        },
        c.command);

  TransactionTree out;
  struct Open {
    int event;
    int last_descendant;
  };
  std::vector<Open> open;
  std::size_t roots = 0;
  for (const auto& event : transaction.events()) {
    const bool is_create = event.has_created();
    if (!is_create && !event.has_exercised()) continue;
    const int node = is_create ? event.created().node_id() : event.exercised().node_id();
    while (!open.empty() && open.back().last_descendant < node) open.pop_back();
    TreeEvent e;
    e.parent = open.empty() ? -1 : open.back().event;
    const Identifier* wanted = e.parent < 0 && roots < intended.size() ? &intended[roots++] : nullptr;
    auto type = [&](const api::Identifier& id, const std::string& package_name) {
      Identifier found = known(lf::ApiCodec::identifier(id), package_name);
      if (wanted && wanted->module == found.module && wanted->entity == found.entity) found.package = wanted->package;
      return found;
    };
    if (is_create) {
      const auto& c = event.created();
      e.created = true;
      e.template_id = type(c.template_id(), c.package_name());
      SYNOD_TRY(e.contract_id, contract_id(c.contract_id()));
      SYNOD_TRY(e.argument, codec.template_argument(e.template_id, c.create_arguments()));
    } else {
      const auto& x = event.exercised();
      e.template_id = type(x.template_id(), x.package_name());
      if (x.has_interface_id()) e.interface_id = lf::ApiCodec::identifier(x.interface_id());
      SYNOD_TRY(e.contract_id, contract_id(x.contract_id()));
      e.choice = x.choice();
      const Identifier& owner = e.interface_id ? *e.interface_id : e.template_id;
      SYNOD_TRY(e.argument, codec.choice_argument(owner, e.choice, x.choice_argument()));
      SYNOD_TRY(e.result, codec.choice_result(owner, e.choice, x.exercise_result()));
      open.push_back({static_cast<int>(out.size()), x.last_descendant_node_id()});
    }
    out.push_back(std::move(e));
  }
  return out;
}

SubmitResult ApiScriptLedger::submit(const Submission& submission) {
  auto run = [&]() -> Result<TransactionTree> {
    api::SubmitAndWaitForTransactionRequest request;
    api::Commands& commands = *request.mutable_commands();
    commands.set_user_id(impl_->options.user_id);
    commands.set_command_id(impl_->random->uuid());
    for (const auto& p : submission.act_as) commands.add_act_as(p);
    for (const auto& p : submission.read_as) commands.add_read_as(p);
    for (const auto& id : submission.package_preference) commands.add_package_id_selection_preference(id);
    for (const auto& d : submission.disclosures) {
      auto* m = commands.add_disclosed_contracts();
      lf::ApiCodec::identifier(d.template_id, m->mutable_template_id());
      m->set_contract_id(d.contract_id.to_hex());
      m->set_created_event_blob(d.blob);
    }
    for (const auto& [type, key] : submission.prefetch_keys) {
      auto* m = commands.add_prefetch_contract_keys();
      impl_->by_name(type, false, m->mutable_template_id());
      SYNOD_RETURN_IF_ERROR(impl_->codec.contract_key(type, key, true, m->mutable_contract_key()));
    }
    for (const auto& c : submission.commands) SYNOD_RETURN_IF_ERROR(impl_->command(c, commands.add_commands()));
    api::TransactionFormat& format = *request.mutable_transaction_format();
    format.set_transaction_shape(api::TRANSACTION_SHAPE_LEDGER_EFFECTS);
    for (const auto& p : lf::parties_union(submission.act_as, submission.read_as))
      (*format.mutable_event_format()->mutable_filters_by_party())[p].add_cumulative()->mutable_wildcard_filter();
    SYNOD_TRY(auto response, impl_->call(*impl_->commands, &api::CommandService::Stub::SubmitAndWaitForTransaction,
                                         "SubmitAndWaitForTransaction", request));
    return impl_->tree(response.transaction(), submission);
  };
  auto tree = run();
  if (!tree) return Refusal{std::move(tree).error(), std::nullopt};
  return std::move(*tree);
}

// ---- queries
// ---------------------------------------------------------------------------------------------------------

Result<std::vector<api::CreatedEvent>> ApiScriptLedger::Impl::active(
    const PartySet& who, const std::function<void(api::CumulativeFilter&)>& filter) {
  SYNOD_TRY(auto end, call(*state, &api::StateService::Stub::GetLedgerEnd, "GetLedgerEnd", api::GetLedgerEndRequest()));
  api::GetActiveContractsRequest request;
  request.set_active_at_offset(end.offset());
  for (const auto& p : who) filter(*(*request.mutable_event_format()->mutable_filters_by_party())[p].add_cumulative());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(options.deadline.micros));
  const auto reader = state->GetActiveContracts(&context, request);
  std::vector<api::CreatedEvent> out;
  for (api::GetActiveContractsResponse response; reader->Read(&response);)
    if (response.has_active_contract())
      out.push_back(std::move(*response.mutable_active_contract()->mutable_created_event()));
  if (const grpc::Status status = reader->Finish(); !status.ok()) return fail(error_of(status, "GetActiveContracts"));
  return out;
}

Result<ActiveContract> ApiScriptLedger::Impl::contract(const api::CreatedEvent& created, const Identifier& as) const {
  ActiveContract out;
  out.template_id = as;
  SYNOD_TRY(out.contract_id, contract_id(created.contract_id()));
  SYNOD_TRY(out.argument, codec.template_argument(as, created.create_arguments()));
  out.blob = created.created_event_blob();
  return out;
}

Result<std::vector<ActiveContract>> ApiScriptLedger::query(const PartySet& parties, const Identifier& template_id) {
  SYNOD_TRY(const auto events, impl_->active(parties, [&](api::CumulativeFilter& f) {
    impl_->by_name(template_id, false, f.mutable_template_filter()->mutable_template_id());
    f.mutable_template_filter()->set_include_created_event_blob(true);
  }));
  std::vector<ActiveContract> out;
  for (const auto& event : events) {
    SYNOD_TRY(auto contract, impl_->contract(event, template_id));
    out.push_back(std::move(contract));
  }
  return out;
}

Result<std::optional<ActiveContract>> ApiScriptLedger::query_contract(const PartySet& parties,
                                                                      const Identifier& template_id,
                                                                      const ContractId& id) {
  SYNOD_TRY(auto contracts, query(parties, template_id));
  for (auto& c : contracts)
    if (c.contract_id == id) return std::optional(std::move(c));
  return std::nullopt;
}

Result<std::vector<ActiveContract>> ApiScriptLedger::query_by_key(const PartySet& parties,
                                                                  const Identifier& template_id, const Value& key,
                                                                  std::int64_t limit) {
  SYNOD_TRY(const auto events, impl_->active(parties, [&](api::CumulativeFilter& f) {
    impl_->by_name(template_id, false, f.mutable_template_filter()->mutable_template_id());
    f.mutable_template_filter()->set_include_created_event_blob(true);
  }));
  std::vector<ActiveContract> out;
  for (auto it = events.rbegin(); it != events.rend() && limit > 0; ++it) {  // newest first
    if (!it->has_contract_key()) continue;
    SYNOD_TRY(const Value found, impl_->codec.contract_key(template_id, it->contract_key()));
    if (!(found == key)) continue;
    SYNOD_TRY(auto contract, impl_->contract(*it, template_id));
    out.push_back(std::move(contract));
    --limit;
  }
  return out;
}

Result<ContractView> ApiScriptLedger::Impl::view(const api::CreatedEvent& created,
                                                 const Identifier& interface_id) const {
  ContractView out;
  SYNOD_TRY(out.contract_id, contract_id(created.contract_id()));
  for (const auto& v : created.interface_views()) {
    if (v.interface_id().module_name() != interface_id.module ||
        v.interface_id().entity_name() != interface_id.entity || v.view_status().code() != 0)
      continue;
    SYNOD_TRY(Value value, codec.interface_view(interface_id, v.view_value()));
    out.view = std::move(value);
  }
  return out;
}

Result<std::vector<ContractView>> ApiScriptLedger::query_interface(const PartySet& parties,
                                                                   const Identifier& interface_id) {
  SYNOD_TRY(const auto events, impl_->active(parties, [&](api::CumulativeFilter& f) {
    impl_->by_name(interface_id, false, f.mutable_interface_filter()->mutable_interface_id());
    f.mutable_interface_filter()->set_include_interface_view(true);
  }));
  std::vector<ContractView> out;
  for (const auto& event : events) {
    SYNOD_TRY(auto view, impl_->view(event, interface_id));
    out.push_back(std::move(view));
  }
  return out;
}

Result<std::optional<ContractView>> ApiScriptLedger::query_interface_contract(const PartySet& parties,
                                                                              const Identifier& interface_id,
                                                                              const ContractId& id) {
  SYNOD_TRY(auto views, query_interface(parties, interface_id));
  for (auto& v : views)
    if (v.contract_id == id) return std::optional(std::move(v));
  return std::nullopt;
}

// ---- parties and time
// ------------------------------------------------------------------------------------------------

std::string ApiScriptLedger::unique_suffix() { return impl_->random->uuid().substr(0, 8); }

Result<lf::Party> ApiScriptLedger::allocate_party(const std::string& hint,
                                                  const std::vector<std::string>& participants) {
  if (participants.size() > 1)
    return fail(Error(kNotImplemented, ErrorCategory::unsupported,
                      "a party on several participants needs a connection to each of them; this runner has one"));
  api::admin::AllocatePartyRequest request;
  request.set_party_id_hint(hint);
  SYNOD_TRY(auto response, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::AllocateParty,
                                       "AllocateParty", request));
  return response.party_details().party();
}

Result<std::vector<PartyInfo>> ApiScriptLedger::known_parties() {
  std::vector<PartyInfo> out;
  api::admin::ListKnownPartiesRequest request;
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::ListKnownParties,
                                         "ListKnownParties", request));
    for (const auto& p : response.party_details()) out.push_back({p.party(), p.is_local()});
    if (response.next_page_token().empty()) return out;
    request.set_page_token(response.next_page_token());
  }
}

Result<Timestamp> ApiScriptLedger::time() {
  auto response = impl_->call(*impl_->time, &api::testing::TimeService::Stub::GetTime, "TimeService.GetTime",
                              api::testing::GetTimeRequest());
  if (response) return topology::parse_timestamp(response->current_time(), "current_time");
  if (response.error().id != kNotImplemented) return fail(std::move(response).error());
  return system_clock()->now();
}

Status ApiScriptLedger::set_time(Timestamp time) {
  api::testing::SetTimeRequest request;
  auto now = impl_->call(*impl_->time, &api::testing::TimeService::Stub::GetTime, "TimeService.GetTime",
                         api::testing::GetTimeRequest());
  if (!now && now.error().id == kNotImplemented)
    return fail(Error(kNotImplemented, ErrorCategory::unsupported,
                      "setTime is not supported in wallclock mode, and the participant has no time service"));
  if (!now) return fail(std::move(now).error());
  *request.mutable_current_time() = now->current_time();
  topology::put_timestamp(time, *request.mutable_new_time());
  SYNOD_RETURN_IF_ERROR(
      impl_->call(*impl_->time, &api::testing::TimeService::Stub::SetTime, "TimeService.SetTime", request));
  return {};
}

Status ApiScriptLedger::sleep(Duration duration) {
  if (duration.micros > 0) std::this_thread::sleep_for(std::chrono::microseconds(duration.micros));
  return {};
}

// ---- users
// -----------------------------------------------------------------------------------------------------------

namespace {

// The answer, or none when the participant says that there is one already or none at all.
template <typename Response, typename F>
auto unless(ErrorCategory category, Result<Response> response, F&& answer)
    -> Result<std::optional<decltype(answer(*response))>> {
  if (response) return std::optional(answer(*response));
  if (response.error().category == category) return std::nullopt;
  return fail(std::move(response).error());
}

}  // namespace

using UserStub = api::admin::UserManagementService::Stub;

Result<std::optional<lf::Unit>> ApiScriptLedger::create_user(const User& user, const std::vector<UserRight>& rights) {
  api::admin::CreateUserRequest request;
  request.mutable_user()->set_id(user.id);
  if (user.primary_party) request.mutable_user()->set_primary_party(*user.primary_party);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_exists,
                impl_->call(*impl_->users, &UserStub::CreateUser, "CreateUser", request),
                [](auto&) { return lf::Unit{}; });
}

Result<std::optional<User>> ApiScriptLedger::user(const std::string& id) {
  api::admin::GetUserRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::GetUser, "GetUser", request),
                [](auto& r) { return from_proto(r.user()); });
}

Result<std::optional<lf::Unit>> ApiScriptLedger::delete_user(const std::string& id) {
  api::admin::DeleteUserRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::DeleteUser, "DeleteUser", request),
                [](auto&) { return lf::Unit{}; });
}

Result<std::vector<User>> ApiScriptLedger::users() {
  std::vector<User> out;
  api::admin::ListUsersRequest request;
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->users, &UserStub::ListUsers, "ListUsers", request));
    for (const auto& u : response.users()) out.push_back(from_proto(u));
    if (response.next_page_token().empty()) return out;
    request.set_page_token(response.next_page_token());
  }
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::grant_rights(const std::string& id,
                                                                            const std::vector<UserRight>& rights) {
  api::admin::GrantUserRightsRequest request;
  request.set_user_id(id);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::GrantUserRights, "GrantUserRights", request),
                [](auto& r) { return from_proto_list(r.newly_granted_rights()); });
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::revoke_rights(const std::string& id,
                                                                             const std::vector<UserRight>& rights) {
  api::admin::RevokeUserRightsRequest request;
  request.set_user_id(id);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::RevokeUserRights, "RevokeUserRights", request),
                [](auto& r) { return from_proto_list(r.newly_revoked_rights()); });
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::rights(const std::string& id) {
  api::admin::ListUserRightsRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::ListUserRights, "ListUserRights", request),
                [](auto& r) { return from_proto_list(r.rights()); });
}

// ---- packages
// --------------------------------------------------------------------------------------------------------

Status ApiScriptLedger::Impl::change_vetting(const std::vector<PackageNameVersion>& changed, bool vet) {
  api::admin::UpdateVettedPackagesRequest request;
  auto* change = request.add_changes();
  for (const auto& p : changed) {
    auto* ref = vet ? change->mutable_vet()->add_packages() : change->mutable_unvet()->add_packages();
    ref->set_package_name(p.name);
    ref->set_package_version(p.version);
  }
  SYNOD_RETURN_IF_ERROR(call(*admin_packages, &api::admin::PackageManagementService::Stub::UpdateVettedPackages,
                             "UpdateVettedPackages", request));
  return {};
}

Status ApiScriptLedger::vet(const std::vector<PackageNameVersion>& packages) {
  return impl_->change_vetting(packages, true);
}
Status ApiScriptLedger::unvet(const std::vector<PackageNameVersion>& packages) {
  return impl_->change_vetting(packages, false);
}

Result<std::vector<PackageNameVersion>> ApiScriptLedger::vetted_packages() {
  SYNOD_TRY(const auto own, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::GetParticipantId,
                                        "GetParticipantId", api::admin::GetParticipantIdRequest()));
  std::vector<PackageNameVersion> out;
  api::ListVettedPackagesRequest request;
  request.mutable_topology_state_filter()->add_participant_ids(own.participant_id());
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->package_service, &api::PackageService::Stub::ListVettedPackages,
                                         "ListVettedPackages", request));
    for (const auto& by_participant : response.vetted_packages())
      for (const auto& p : by_participant.packages()) out.push_back({p.package_name(), p.package_version()});
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::vector<PackageNameVersion>> ApiScriptLedger::all_packages() {
  SYNOD_TRY(auto response,
            impl_->call(*impl_->admin_packages, &api::admin::PackageManagementService::Stub::ListKnownPackages,
                        "ListKnownPackages", api::admin::ListKnownPackagesRequest()));
  std::vector<PackageNameVersion> out;
  for (const auto& p : response.package_details()) out.push_back({p.name(), p.version()});
  return out;
}

}  // namespace synod::testnet
