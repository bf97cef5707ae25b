// What a tool that knows no .proto files learns from a server.
#include "rpc/reflection_service.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>

#include "canton/sequencer_api_v30.grpc.pb.h"
#include "grpc/reflection.grpc.pb.h"
#include "grpc/reflection_v1alpha.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/client_bidi.h"
#include "rpc/server.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;
namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using Request = v1::ServerReflectionRequest;
using Response = v1::ServerReflectionResponse;
using ::testing::IsSupersetOf;

constexpr std::chrono::seconds kPatience(120);

Request for_file(const std::string& name) {
  Request request;
  request.set_file_by_filename(name);
  return request;
}
Request for_symbol(const std::string& name) {
  Request request;
  request.set_file_containing_symbol(name);
  return request;
}
Request for_services() {
  Request request;
  request.set_list_services("*");
  return request;
}

std::vector<std::string> files_of(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

std::vector<std::string> services_of(const Response& response) {
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  return names;
}

class ReflectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::start({}, {std::make_shared<api::SequencerService::CallbackService>()});
    ASSERT_TRUE(started) << started.error().to_string();
    server = std::move(*started);
    channel = make_channel({.target = "127.0.0.1:" + std::to_string(server->port())}).value();
  }

  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;
};

// A client that writes all it asks and takes answers when it likes.
struct Conversation {
  using Bidi = ClientBidi<Request, Response>;

  template <typename Service>
  static std::unique_ptr<Conversation> open(const std::shared_ptr<grpc::Channel>& channel,
                                            std::size_t max_unconsumed_bytes = 1u << 30) {
    auto self = std::make_unique<Conversation>();
    StreamHandlers<Response> handlers;
    handlers.on_message = [c = self.get()](Response response, std::size_t bytes) {
      std::lock_guard lock(c->mutex);
      c->answers.push_back(std::move(response));
      c->bytes.push_back(bytes);
      c->changed.notify_all();
    };
    handlers.on_end = [c = self.get()](std::optional<Error> error) { c->end.set_value(std::move(error)); };
    const auto stub = Service::NewStub(channel);
    self->bidi = open_bidi(stub->async(), &Service::Stub::async_interface::ServerReflectionInfo, {.deadline = {}},
                           64u << 20, max_unconsumed_bytes, std::move(handlers));
    return self;
  }
  bool has(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, [&] { return answers.size() >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Response> answers;
  std::vector<std::size_t> bytes;
  std::promise<std::optional<Error>> end;
  std::shared_ptr<Bidi> bidi;
};

template <typename Service>
std::vector<Response> ask(const std::shared_ptr<grpc::Channel>& channel, const std::vector<Request>& requests) {
  const auto conversation = Conversation::open<Service>(channel);
  for (const Request& request : requests) conversation->bidi->write(request);
  conversation->bidi->writes_done();
  EXPECT_EQ(conversation->end.get_future().get(), std::nullopt);
  EXPECT_EQ(conversation->answers.size(), requests.size());
  conversation->answers.resize(requests.size());
  return conversation->answers;
}

TEST_F(ReflectionTest, TellsServicesAndFilesWithAllThatTheyNeed) {
  for (const auto& ask_version : {ask<v1::ServerReflection>, ask<v1alpha::ServerReflection>}) {
    const auto answers = ask_version(
        channel, {for_services(), for_symbol("com.digitalasset.canton.sequencer.api.v30.SequencerService.Subscribe"),
                  for_file("canton/sequencer_api_v30.proto")});
    EXPECT_THAT(services_of(answers[0]),
                IsSupersetOf({"com.digitalasset.canton.sequencer.api.v30.SequencerService", "grpc.health.v1.Health",
                              "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}));
    EXPECT_EQ(answers[0].original_request().list_services(), "*");

    const auto files = files_of(answers[1]);
    EXPECT_EQ(files.front(), "canton/sequencer_api_v30.proto");
    EXPECT_EQ(files_of(answers[2]), files);
    // A client can make the descriptors of them: nothing is missing, and nothing comes twice.
    google::protobuf::DescriptorPool pool;
    const auto& protos = answers[1].file_descriptor_response().file_descriptor_proto();
    std::vector<google::protobuf::FileDescriptorProto> left;
    for (const std::string& bytes : protos) EXPECT_TRUE(left.emplace_back().ParseFromString(bytes));
    for (std::size_t rounds = left.size(); rounds > 0; --rounds)
      std::erase_if(left, [&](const auto& file) {
        const auto& needs = file.dependency();
        return std::all_of(needs.begin(), needs.end(), [&](const auto& name) { return pool.FindFileByName(name); }) &&
               pool.BuildFile(file);
      });
    EXPECT_TRUE(left.empty()) << left.front().name();
    EXPECT_TRUE(pool.FindServiceByName("com.digitalasset.canton.sequencer.api.v30.SequencerService"));
  }
}

TEST_F(ReflectionTest, WhatItDoesNotKnowIsAnAnswerAfterWhichTheNextFollows) {
  Request extension;
  extension.mutable_file_containing_extension()->set_containing_type("grpc.health.v1.HealthCheckRequest");
  extension.mutable_file_containing_extension()->set_extension_number(1000);
  Request numbers;
  numbers.set_all_extension_numbers_of_type("grpc.health.v1.HealthCheckRequest");
  Request of_nothing;
  of_nothing.set_all_extension_numbers_of_type("no.such.Message");
  Request empty;
  empty.set_host("a host");
  const auto answers = ask<v1alpha::ServerReflection>(
      channel, {for_symbol("no.such.Symbol"), for_file("no/such/file.proto"), extension, of_nothing, empty, numbers});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(answers[i].error_response().error_code(), grpc::StatusCode::NOT_FOUND) << i;
    EXPECT_NE(answers[i].error_response().error_message(), "") << i;
  }
  EXPECT_EQ(answers[0].original_request().file_containing_symbol(), "no.such.Symbol");
  EXPECT_EQ(answers[4].error_response().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(answers[4].valid_host(), "a host");
  EXPECT_EQ(answers[5].all_extension_numbers_response().base_type_name(), "grpc.health.v1.HealthCheckRequest");
  EXPECT_EQ(answers[5].all_extension_numbers_response().extension_number_size(), 0);
}

// What it asks for stays with gRPC's flow control, not in this process.
TEST_F(ReflectionTest, AClientThatTakesItsAnswersLateGetsThemAll) {
  constexpr std::size_t kRequests = 300;
  const auto conversation = Conversation::open<v1::ServerReflection>(channel, 1);
  for (std::size_t i = 0; i < kRequests; ++i) conversation->bidi->write(for_file("canton/sequencer_api_v30.proto"));
  conversation->bidi->writes_done();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(conversation->has(i + 1));
    bytes += conversation->bytes[i];
    conversation->bidi->consumed(conversation->bytes[i]);
  }
  EXPECT_GT(bytes, 8u << 20) << "more than may be queued";
  EXPECT_EQ(conversation->end.get_future().get(), std::nullopt);
}

TEST_F(ReflectionTest, AHugeNameIsRefused) {
  const auto conversation = Conversation::open<v1::ServerReflection>(channel);
  conversation->bidi->write(for_symbol(std::string(64u << 10, 'x')));
  const auto end = conversation->end.get_future().get();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->category, ErrorCategory::contention_on_shared_resources) << end->to_string();
  EXPECT_TRUE(conversation->answers.empty());
}

// The server would wait ten minutes for it.
TEST_F(ReflectionTest, AClientThatAsksNothingMoreDoesNotHoldUpAStop) {
  const auto v1_client = Conversation::open<v1::ServerReflection>(channel);
  const auto v1alpha_client = Conversation::open<v1alpha::ServerReflection>(channel);
  for (const auto* client : {&v1_client, &v1alpha_client}) {
    (*client)->bidi->write(for_services());
    ASSERT_TRUE((*client)->has(1));
  }
  auto stopped = std::async(std::launch::async, [this] { server->stop(Duration::seconds(600)); });
  const bool in_time = stopped.wait_for(kPatience) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!in_time) {
    v1_client->bidi->cancel();
    v1alpha_client->bidi->cancel();
  }
  stopped.get();
  EXPECT_EQ(v1_client->end.get_future().get()->cause, "The server is shutting down");
  EXPECT_EQ(v1alpha_client->end.get_future().get()->cause, "The server is shutting down");
}

}  // namespace
}  // namespace synod::rpc
