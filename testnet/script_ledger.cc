#include "testnet/script_ledger.h"

#include <algorithm>

#include "rpc/error_status.h"
#include "testnet/ledger_channel.h"
#include "testnet/script_ledger_impl.h"

namespace synod::testnet {

using lf::ContractId;
using lf::Identifier;
using lf::PartySet;
using lf::Value;
using namespace lf::script;

namespace {

// "INVALID_ARGUMENT", ...
std::string code_name(const grpc::Status& status) {
  static constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto code = static_cast<std::size_t>(status.error_code());
  return code < std::size(kNames) ? kNames[code] : "UNKNOWN";
}

Result<ContractId> contract_id(const std::string& hex) {
  auto id = ContractId::from_hex(hex);
  if (!id) return fail(malformed("contract id", id.error().cause));
  return id;
}

}  // namespace

Error error_of(const grpc::Status& status, const std::string& call) {
  Error error = rpc::from_grpc_status(status);
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    error.id = kNotImplemented;
    error.category = ErrorCategory::unsupported;
    error.cause = "the participant does not implement " + call + ", which this script needs";
  }
  return error;
}

ApiScriptLedger::Impl::Impl(std::shared_ptr<const lf::PackageStore> p, Options o)
    : packages(p), options(std::move(o)), codec(std::move(p)) {
  auto channel = ledger_channel(options.address, options.ca_file);
  parties = api::admin::PartyManagementService::NewStub(channel);
  admin_packages = api::admin::PackageManagementService::NewStub(channel);
  users = api::admin::UserManagementService::NewStub(channel);
  commands = api::CommandService::NewStub(channel);
  state = api::StateService::NewStub(channel);
  time = api::testing::TimeService::NewStub(channel);
  package_service = api::PackageService::NewStub(channel);
}

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

Result<SubmitResult> ApiScriptLedger::submit(const Submission& submission) {
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
  grpc::Status status;
  auto response = impl_->call(*impl_->commands, &api::CommandService::Stub::SubmitAndWaitForTransaction,
                              "SubmitAndWaitForTransaction", request, &status);
  if (!response)
    return SubmitResult(
        Refusal{std::move(response).error(), std::nullopt, RemoteStatus{code_name(status), status.error_message()}});
  SYNOD_TRY(TransactionTree tree, impl_->tree(response->transaction(), submission));
  return SubmitResult(std::move(tree));
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
  out.template_id = known(lf::ApiCodec::identifier(created.template_id()), created.package_name());
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

}  // namespace synod::testnet
