#include "testnet/ledger_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/env.h"
#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/state_service.grpc.pb.h"
#include "ledger/update_service.grpc.pb.h"
#include "testnet/ledger_channel.h"

namespace synod::testnet {
namespace {

constexpr char kUser[] = "synod-cli";

void set_deadline(grpc::ClientContext& context, Duration deadline) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(deadline.micros));
  context.set_wait_for_ready(true);
}

// The participant's own words; its error id stands at their beginning.
Error call_error(const grpc::Status& status, const std::string& address) {
  const std::string& text = status.error_message();
  std::string id = text.substr(0, text.find('('));
  if (id.size() == text.size() || id.find(' ') != std::string::npos) id = "LEDGER_API_CALL_FAILED";
  return unavailable(id, "participant at " + address + ": " + text);
}

// All contracts that the party sees, as it sees them.
void see_all(api::EventFormat& format, const std::string& party) {
  (*format.mutable_filters_by_party())[party].add_cumulative()->mutable_wildcard_filter();
}

LedgerTransaction summary(const api::Transaction& transaction) {
  LedgerTransaction result{transaction.update_id(),
                           transaction.command_id(),
                           transaction.offset(),
                           transaction.record_time().seconds() * 1'000'000 + transaction.record_time().nanos() / 1000,
                           {}};
  for (const api::Event& event : transaction.events()) {
    if (event.has_created())
      result.events.push_back(
          {LedgerEvent::Kind::created, event.created().contract_id(), event.created().template_id().entity_name(), ""});
    else if (event.has_archived())
      result.events.push_back({LedgerEvent::Kind::archived, event.archived().contract_id(),
                               event.archived().template_id().entity_name(), ""});
    else if (event.has_exercised())
      result.events.push_back({LedgerEvent::Kind::exercised, event.exercised().contract_id(),
                               event.exercised().template_id().entity_name(), event.exercised().choice()});
  }
  return result;
}

}  // namespace

std::string LedgerTransaction::created(const std::string& entity) const {
  for (const LedgerEvent& event : events)
    if (event.kind == LedgerEvent::Kind::created && event.entity == entity) return event.contract_id;
  return "";
}

struct LedgerClient::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : parties(api::admin::PartyManagementService::NewStub(channel)),
        packages(api::admin::PackageManagementService::NewStub(channel)),
        commands(api::CommandService::NewStub(channel)),
        state(api::StateService::NewStub(channel)),
        updates(api::UpdateService::NewStub(channel)) {}
  std::unique_ptr<api::admin::PartyManagementService::Stub> parties;
  std::unique_ptr<api::admin::PackageManagementService::Stub> packages;
  std::unique_ptr<api::CommandService::Stub> commands;
  std::unique_ptr<api::StateService::Stub> state;
  std::unique_ptr<api::UpdateService::Stub> updates;
  std::shared_ptr<Random> random = system_random();
};

LedgerClient::LedgerClient(std::string address, const std::string& ca_file)
    : stubs_(std::make_unique<Stubs>(ledger_channel(address, ca_file))), address_(std::move(address)) {}
LedgerClient::~LedgerClient() = default;

Status LedgerClient::reachable(Duration deadline) {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  context.set_wait_for_ready(false);  // a refused connection is an answer
  api::admin::GetParticipantIdResponse response;
  const grpc::Status status = stubs_->parties->GetParticipantId(&context, {}, &response);
  if (status.ok()) return {};
  return fail(unavailable("LEDGER_API_UNREACHABLE",
                          "no participant answers at " + address_ + " (" + status.error_message() +
                              "); `synod testnet status` shows what runs, `synod testnet up --detach` starts it"));
}

Result<std::string> LedgerClient::participant_id(Duration deadline) {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  api::admin::GetParticipantIdResponse response;
  const grpc::Status status = stubs_->parties->GetParticipantId(&context, {}, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  return response.participant_id();
}

Result<std::string> LedgerClient::allocate_party(const std::string& hint) {
  grpc::ClientContext context;
  set_deadline(context, Duration::seconds(60));
  api::admin::AllocatePartyRequest request;
  request.set_party_id_hint(hint);
  api::admin::AllocatePartyResponse response;
  const grpc::Status status = stubs_->parties->AllocateParty(&context, request, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  return response.party_details().party();
}

Result<std::vector<std::string>> LedgerClient::known_parties() {
  grpc::ClientContext context;
  set_deadline(context, Duration::seconds(30));
  api::admin::ListKnownPartiesResponse response;
  const grpc::Status status = stubs_->parties->ListKnownParties(&context, {}, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  std::vector<std::string> parties;
  for (const auto& details : response.party_details()) parties.push_back(details.party());
  return parties;
}

Result<std::string> LedgerClient::own_party(const std::string& hint) {
  SYNOD_TRY(const std::string participant, participant_id());
  const std::string party = hint + participant.substr(participant.find("::"));
  SYNOD_TRY(const std::vector<std::string> known, known_parties());
  if (std::find(known.begin(), known.end(), party) != known.end()) return party;
  return allocate_party(hint);
}

Status LedgerClient::await_party(const std::string& party, Duration patience) {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  for (;;) {
    SYNOD_TRY(const std::vector<std::string> known, known_parties());
    if (std::find(known.begin(), known.end(), party) != known.end()) return {};
    if (clock->monotonic_micros() > give_up)
      return fail(unavailable("PARTY_NOT_KNOWN", "the participant at " + address_ + " has not heard of " + party));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Status LedgerClient::upload_dar(const std::string& dar_bytes) {
  grpc::ClientContext context;
  set_deadline(context, Duration::seconds(60));
  api::admin::UploadDarFileRequest request;
  request.set_dar_file(dar_bytes);
  request.set_vetting_change(api::admin::UploadDarFileRequest::VETTING_CHANGE_VET_ALL_PACKAGES);
  api::admin::UploadDarFileResponse response;
  const grpc::Status status = stubs_->packages->UploadDarFile(&context, request, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  return {};
}

Result<std::int64_t> LedgerClient::ledger_end() {
  grpc::ClientContext context;
  set_deadline(context, Duration::seconds(30));
  api::GetLedgerEndResponse response;
  const grpc::Status status = stubs_->state->GetLedgerEnd(&context, {}, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  return response.offset();
}

Result<LedgerTransaction> LedgerClient::submit(const std::string& act_as, const api::Command& command,
                                               Duration deadline, const std::string& command_id) {
  grpc::ClientContext context;
  set_deadline(context, deadline);
  api::SubmitAndWaitForTransactionRequest request;
  api::Commands& commands = *request.mutable_commands();
  commands.set_user_id(kUser);
  commands.set_command_id(command_id.empty() ? stubs_->random->uuid() : command_id);
  commands.add_act_as(act_as);
  *commands.add_commands() = command;
  see_all(*request.mutable_transaction_format()->mutable_event_format(), act_as);
  request.mutable_transaction_format()->set_transaction_shape(api::TRANSACTION_SHAPE_LEDGER_EFFECTS);
  api::SubmitAndWaitForTransactionResponse response;
  const grpc::Status status = stubs_->commands->SubmitAndWaitForTransaction(&context, request, &response);
  if (!status.ok()) return fail(call_error(status, address_));
  return summary(response.transaction());
}

Result<std::vector<std::string>> LedgerClient::active(const std::string& party, const TemplateName& name) {
  SYNOD_TRY(const std::int64_t end, ledger_end());
  grpc::ClientContext context;
  set_deadline(context, Duration::seconds(30));
  api::GetActiveContractsRequest request;
  request.set_active_at_offset(end);
  see_all(*request.mutable_event_format(), party);
  const auto reader = stubs_->state->GetActiveContracts(&context, request);
  std::vector<std::string> contracts;
  for (api::GetActiveContractsResponse response; reader->Read(&response);) {
    const api::CreatedEvent& created = response.active_contract().created_event();
    if (created.template_id().module_name() == name.module && created.template_id().entity_name() == name.entity &&
        created.package_name() == name.package)
      contracts.push_back(created.contract_id());
  }
  if (const grpc::Status status = reader->Finish(); !status.ok()) return fail(call_error(status, address_));
  return contracts;
}

struct LedgerClient::Follower::State {
  std::mutex mutex;
  std::unique_ptr<grpc::ClientContext> call;  // the stream in progress
  bool stopping = false;
  std::thread thread;
};

LedgerClient::Follower::~Follower() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    if (state_->call) state_->call->TryCancel();
  }
  state_->thread.join();
}

std::unique_ptr<LedgerClient::Follower> LedgerClient::follow(
    const std::string& party, std::int64_t offset, std::function<void(const LedgerTransaction&)> on_transaction) {
  auto follower = std::make_unique<Follower>();
  follower->state_ = std::make_shared<Follower::State>();
  auto read = [this, party, offset, on_transaction = std::move(on_transaction), state = follower->state_]() mutable {
    for (;;) {
      grpc::ClientContext* context;
      {
        std::lock_guard lock(state->mutex);
        if (state->stopping) return;
        state->call = std::make_unique<grpc::ClientContext>();
        state->call->set_wait_for_ready(true);
        context = state->call.get();
      }
      api::GetUpdatesRequest request;
      request.set_begin_exclusive(offset);
      api::TransactionFormat& format = *request.mutable_update_format()->mutable_include_transactions();
      see_all(*format.mutable_event_format(), party);
      format.set_transaction_shape(api::TRANSACTION_SHAPE_LEDGER_EFFECTS);
      const auto reader = stubs_->updates->GetUpdates(context, request);
      for (api::GetUpdatesResponse response; reader->Read(&response);) {
        if (!response.has_transaction()) continue;
        offset = response.transaction().offset();
        on_transaction(summary(response.transaction()));
      }
      reader->Finish();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the participant may be restarting
    }
  };
  follower->state_->thread = std::thread(std::move(read));
  return follower;
}

}  // namespace synod::testnet
