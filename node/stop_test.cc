// A participant that stops: its clients are told so, and none of them holds it up.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "base/testing/shared_files.h"
#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/update_service.grpc.pb.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "node/testing/roles_in_one_process.h"
#include "rpc/channel.h"
#include "rpc/health_watch.h"
#include "rpc/stream_reader.h"

namespace synod::node {
namespace {

namespace api = com::daml::ledger::api::v2;
using testing::eventually;
using ::testing::HasSubstr;
using testing::kPatience;

// A server stream that is read by a thread of its own until it ends.
template <typename Response>
class Reading {
 public:
  using Open = std::function<std::unique_ptr<grpc::ClientReader<Response>>(grpc::ClientContext*)>;
  explicit Reading(const Open& open) : reader_(open(&context_)), thread_([this] { read(); }) {}
  ~Reading() {
    context_.TryCancel();
    thread_.join();
  }
  std::size_t received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  void cancel() { context_.TryCancel(); }
  // None while it has not ended.
  std::optional<grpc::Status> end() const {
    std::lock_guard lock(mutex_);
    return end_;
  }

 private:
  void read() {
    for (Response response; reader_->Read(&response);) {
      std::lock_guard lock(mutex_);
      ++received_;
    }
    const grpc::Status status = reader_->Finish();
    std::lock_guard lock(mutex_);
    end_ = status;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
  mutable std::mutex mutex_;
  std::size_t received_ = 0;
  std::optional<grpc::Status> end_;
  std::thread thread_;  // last: it uses the rest
};
using Updates = Reading<api::GetUpdatesResponse>;
using Completions = Reading<api::CompletionStreamResponse>;

class ParticipantStops : public testing::RolesInOneProcess {
 protected:
  void SetUp() override {
    RolesInOneProcess::SetUp();
    participant_port_ = free_port();
    for (const char* role : {"orderer", "sequencer", "mediator"}) start(role);
    start_participant();
    channel_ =
        grpc::CreateChannel("127.0.0.1:" + std::to_string(participant_port_), grpc::InsecureChannelCredentials());
  }
  void start_participant() {
    NodeFile participant = file("participant");
    participant.public_api.port = participant_port_;
    auto running = RunningNode::start(participant);
    ASSERT_TRUE(running) << running.error().to_string();
    nodes_["participant"] = std::move(*running);
    ASSERT_TRUE(eventually([&] { return nodes_["participant"]->node().healths()[0]->snapshot()[""].serving; }));
  }
  // Of a participant that has a program and a party.
  void prepare() {
    const auto dar = lf::assemble_dar(synod::testing::read_file("examples/ping.lf")).value();
    package_ = lf::decode_dar(dar)->main().id();
    {
      grpc::ClientContext context;
      api::admin::UploadDarFileRequest request;
      request.set_dar_file(dar);
      api::admin::UploadDarFileResponse response;
      const auto status =
          api::admin::PackageManagementService::NewStub(channel_)->UploadDarFile(&context, request, &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
    grpc::ClientContext context;
    api::admin::AllocatePartyRequest request;
    request.set_party_id_hint("Alice");
    api::admin::AllocatePartyResponse response;
    const auto status =
        api::admin::PartyManagementService::NewStub(channel_)->AllocateParty(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    alice_ = response.party_details().party();
  }
  grpc::Status create(const std::string& id) {
    grpc::ClientContext context;
    api::SubmitAndWaitRequest request;
    auto& commands = *request.mutable_commands();
    commands.set_user_id("tester");
    commands.set_command_id(id);
    commands.add_act_as(alice_);
    auto& create = *commands.add_commands()->mutable_create();
    create.mutable_template_id()->set_package_id(package_);
    create.mutable_template_id()->set_module_name("Ping");
    create.mutable_template_id()->set_entity_name("Ping");
    auto& arguments = *create.mutable_create_arguments();
    arguments.add_fields()->mutable_value()->set_text(id);
    for (int i = 0; i < 2; ++i) arguments.add_fields()->mutable_value()->set_party(alice_);
    api::SubmitAndWaitResponse response;
    return api::CommandService::NewStub(channel_)->SubmitAndWait(&context, request, &response);
  }
  std::unique_ptr<Updates> updates() {
    api::GetUpdatesRequest request;
    auto& format = *request.mutable_update_format()->mutable_include_transactions();
    (*format.mutable_event_format()->mutable_filters_by_party())[alice_];
    format.set_transaction_shape(api::TRANSACTION_SHAPE_ACS_DELTA);
    return std::make_unique<Updates>([&](grpc::ClientContext* context) {
      context->set_wait_for_ready(true);  // the channel may not know yet that the participant is back
      return api::UpdateService::NewStub(channel_)->GetUpdates(context, request);
    });
  }
  std::unique_ptr<Completions> completions() {
    api::CompletionStreamRequest request;
    request.set_user_id("tester");
    request.add_parties(alice_);
    return std::make_unique<Completions>([&](grpc::ClientContext* context) {
      return api::CommandCompletionService::NewStub(channel_)->CompletionStream(context, request);
    });
  }

  int participant_port_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
  std::string package_, alice_;
};

// It would wait ten minutes for them.
TEST_F(ParticipantStops, AndItsStreamsEndCleanlyWithoutHoldingItUp) {
  prepare();
  ASSERT_FALSE(HasFatalFailure());
  const auto following = updates();
  const auto awaiting = completions();
  const auto watched = std::make_shared<std::promise<Error>>();
  const auto heard = std::make_shared<std::atomic<int>>(0);
  const auto watched_channel = rpc::make_channel({.target = "127.0.0.1:" + std::to_string(participant_port_)}).value();
  const auto watch = rpc::watch_health(
      watched_channel, "", {[heard](bool) { ++*heard; }, [watched](const Error& error) { watched->set_value(error); }});
  const auto created = create("one");
  ASSERT_TRUE(created.ok()) << created.error_message();
  ASSERT_TRUE(eventually([&] { return following->received() > 0 && awaiting->received() > 0 && *heard > 0; }));
  EXPECT_FALSE(following->end());
  EXPECT_FALSE(awaiting->end());

  auto stopped = std::async(std::launch::async, [&] { nodes_["participant"]->stop(Duration::seconds(600)); });
  const bool in_time = stopped.wait_for(kPatience) == std::future_status::ready;
  EXPECT_TRUE(in_time) << "somebody holds it up";
  if (!in_time) {
    following->cancel();
    awaiting->cancel();
    watch->cancel();
  }
  stopped.get();
  ASSERT_TRUE(eventually([&] { return following->end() && awaiting->end(); }));
  for (const auto& end : {following->end(), awaiting->end()}) {
    EXPECT_EQ(end->error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(end->error_message(), HasSubstr("shutting down"));
  }
  EXPECT_EQ(watched->get_future().get().category, ErrorCategory::transient_server_failure);

  // And it goes on where it was.
  nodes_.erase("participant");
  start_participant();
  const auto again = updates();
  EXPECT_TRUE(eventually([&] { return again->received() == 1; }));
}

}  // namespace
}  // namespace synod::node
