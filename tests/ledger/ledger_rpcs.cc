#include "tests/ledger/ledger_rpcs.h"

#include <thread>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "rpc/channel.h"

namespace synod::ledger_rpcs {

void Nodes::found_with_static_time() {
  const auto opened = [this](protocol::MemberKind kind, const std::string& role) {
    return node::open_identity(kind, role, folder_ + "/" + role, *system_random()).value();
  };
  node::Founders founders{"synod",
                          opened(protocol::MemberKind::participant, "topology-manager"),
                          {opened(protocol::MemberKind::sequencer, "sequencer").introduction},
                          {{1, {opened(protocol::MemberKind::mediator, "mediator").introduction}}}};
  founders.static_time = true;
  EXPECT_TRUE(node::write_genesis(folder_ + "/genesis.bin", node::found_synchronizer(founders).value()));
}

std::shared_ptr<grpc::Channel> Nodes::run(const Setting& setting) {
  if (setting.static_time) found_with_static_time();
  const int port = free_port();
  auto roles = setting.others;
  roles.push_back("participant");
  for (const std::string& role : roles) {
    node::NodeFile described = file(role);
    if (setting.static_time) described.static_clock = folder_ + "/static-clock";
    if (role == "participant") described.public_api.port = port;
    described.participant.ledger_api.submit_timeout = setting.submit_timeout;
    auto running = node::RunningNode::start(described);
    EXPECT_TRUE(running) << running.error().to_string();
    if (!running) return nullptr;
    nodes_[role] = std::move(*running);
  }
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!setting.others.empty() && !nodes_["participant"]->node().healths()[0]->snapshot()[""].serving) {
    if (std::chrono::steady_clock::now() > until) return nullptr;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return rpc::make_channel({.target = "127.0.0.1:" + std::to_string(port)}).value();
}

void LedgerRpcs::start(const Nodes::Setting& setting) {
  ready_ = false;
  synchronizer_.clear();
  nodes_ = std::make_unique<Nodes>();
  channel_ = nodes_->run(setting);
  ASSERT_TRUE(channel_) << "the network does not come up";
  dar_ = lf::assemble_dar(synod::testing::read_file("examples/iou.lf")).value();
  package_ = lf::decode_dar(dar_)->main().id();
  admin::UploadDarFileRequest upload;
  upload.set_dar_file(dar_);
  ask(&admin::PackageManagementService::Stub::UploadDarFile, upload);
  auto connected = ask(&api::StateService::Stub::GetConnectedSynchronizers, {});
  for (int looks = 0; !setting.others.empty() && connected.connected_synchronizers().empty() && looks < 1200; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a busy machine may have lost it for a moment
    connected = ask(&api::StateService::Stub::GetConnectedSynchronizers, {});
  }
  ASSERT_EQ(connected.connected_synchronizers_size(), setting.others.empty() ? 0 : 1);
  for (const auto& one : connected.connected_synchronizers()) synchronizer_ = one.synchronizer_id();
  ready_ = true;
}

void LedgerRpcs::TearDownTestSuite() {
  channel_.reset();
  nodes_.reset();
}

void LedgerRpcs::SetUp() {
  synod::testing::expect_log("will try again");  // a busy machine's sequencer may not serve within a call's time
  ASSERT_TRUE(ready_) << "there is no network";
}

std::string LedgerRpcs::allocate(const std::string& hint) {
  admin::AllocatePartyRequest request;
  request.set_party_id_hint(hint);
  return ask(&admin::PartyManagementService::Stub::AllocateParty, request).party_details().party();
}

std::int64_t LedgerRpcs::ledger_end() { return ask(&api::StateService::Stub::GetLedgerEnd, {}).offset(); }

api::Identifier LedgerRpcs::type(const std::string& entity) {
  api::Identifier id;
  id.set_package_id(package_);
  id.set_module_name("Iou");
  id.set_entity_name(entity);
  return id;
}

api::Record LedgerRpcs::iou(const std::string& payer, const std::string& owner, const std::string& amount,
                            const std::vector<std::string>& viewers) {
  api::Record record;
  record.add_fields()->mutable_value()->set_party(payer);
  record.add_fields()->mutable_value()->set_party(owner);
  auto& fields = *record.add_fields()->mutable_value()->mutable_record();
  fields.add_fields()->mutable_value()->set_numeric(amount);
  fields.add_fields()->mutable_value()->set_text("USD");
  auto& list = *record.add_fields()->mutable_value()->mutable_list();
  for (const std::string& viewer : viewers) list.add_elements()->set_party(viewer);
  return record;
}

api::Command LedgerRpcs::create(api::Record iou) {
  api::Command command;
  *command.mutable_create()->mutable_template_id() = type("Iou");
  *command.mutable_create()->mutable_create_arguments() = std::move(iou);
  return command;
}

api::Command LedgerRpcs::exercise(const std::string& contract_id, const std::string& choice, api::Value argument) {
  api::Command command;
  auto& exercise = *command.mutable_exercise();
  *exercise.mutable_template_id() = type("Iou");
  exercise.set_contract_id(contract_id);
  exercise.set_choice(choice);
  *exercise.mutable_choice_argument() = std::move(argument);
  return command;
}

api::Value LedgerRpcs::none() {
  api::Value value;
  value.mutable_record();
  return value;
}
api::Value LedgerRpcs::party(const std::string& name) {
  api::Value value;
  value.mutable_record()->add_fields()->mutable_value()->set_party(name);
  return value;
}

api::Commands LedgerRpcs::commands(const std::string& id, const std::vector<std::string>& act_as,
                                   std::initializer_list<api::Command> list) {
  api::Commands commands;
  commands.set_user_id(kUser);
  commands.set_command_id(id);
  for (const std::string& party : act_as) commands.add_act_as(party);
  for (const api::Command& command : list) *commands.add_commands() = command;
  return commands;
}

api::Transaction LedgerRpcs::submit(const api::Commands& commands) {
  api::SubmitAndWaitForTransactionRequest request;
  *request.mutable_commands() = commands;
  auto& format = *request.mutable_transaction_format();
  *format.mutable_event_format() = everything_of(strings(commands.act_as()));
  format.set_transaction_shape(kEffects);
  return ask(&api::CommandService::Stub::SubmitAndWaitForTransaction, request).transaction();
}

std::string LedgerRpcs::issue(const std::string& payer, const std::string& owner, const std::string& amount,
                              const std::vector<std::string>& viewers) {
  const auto transaction =
      submit(commands("issue " + amount + " to " + owner, {payer}, {create(iou(payer, owner, amount, viewers))}));
  EXPECT_EQ(transaction.events_size(), 1);
  return transaction.events_size() == 1 ? transaction.events(0).created().contract_id() : "";
}

api::Commands LedgerRpcs::transfer(const std::string& id, const std::string& contract_id, const std::string& owner,
                                   const std::string& heir) {
  return commands(id, {owner}, {exercise(contract_id, "Transfer", party(heir))});
}

api::EventFormat LedgerRpcs::everything_of(const std::vector<std::string>& parties) {
  api::EventFormat format;
  for (const std::string& party : parties) (*format.mutable_filters_by_party())[party];
  return format;
}

api::UpdateFormat LedgerRpcs::transactions_of(const std::vector<std::string>& parties, api::TransactionShape shape) {
  api::UpdateFormat format;
  *format.mutable_include_transactions()->mutable_event_format() = everything_of(parties);
  format.mutable_include_transactions()->set_transaction_shape(shape);
  return format;
}

}  // namespace synod::ledger_rpcs
