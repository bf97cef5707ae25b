#include "rpc/pull_writer.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/server.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;

constexpr int kMessages = 1000;
constexpr std::size_t kBytes = 100'000;

bool eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class PullService final : public api::SequencerService::CallbackService {
 public:
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest*) override {
    StreamLimits limits;
    limits.max_queued_bytes = 1u << 20;
    return stream_answer<api::SubscriptionResponse>(
        context, limits, [&](CallContext&, ServerStreamPtr<api::SubscriptionResponse> stream) {
          // What the maker holds lives until the stream has ended, and no longer.
          auto held = std::make_shared<int>(0);
          holds = held;
          write_pulled<api::SubscriptionResponse>(stream, [this, held]() -> std::optional<api::SubscriptionResponse> {
            if (*held == kMessages) return std::nullopt;
            api::SubscriptionResponse response;
            response.set_signed_sequenced_event(std::to_string((*held)++) + std::string(kBytes, 'x'));
            made = *held;
            return response;
          });
        });
  }
  std::atomic<int> made = 0;
  std::weak_ptr<int> holds;
};

class PullWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::start({}, {service});
    ASSERT_TRUE(started) << started.error().to_string();
    server = std::move(*started);
    stub = api::SequencerService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials()));
    reader = stub->Subscribe(&context, {});
  }
  std::shared_ptr<PullService> service = std::make_shared<PullService>();
  std::unique_ptr<Server> server;
  std::unique_ptr<api::SequencerService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<api::SubscriptionResponse>> reader;
};

TEST_F(PullWriterTest, MakesNoMoreThanTheClientTakes) {
  api::SubscriptionResponse response;
  ASSERT_TRUE(reader->Read(&response));
  // 100 MB in all; a connection, and our queue, hold a small part of it.
  int before = -1;
  ASSERT_TRUE(eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return std::exchange(before, service->made.load()) == service->made;
  }));
  EXPECT_LT(service->made, kMessages / 2);
  for (int i = 1; i < kMessages; ++i) {
    ASSERT_TRUE(reader->Read(&response)) << i;
    ASSERT_TRUE(response.signed_sequenced_event().starts_with(std::to_string(i) + "x"));
  }
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_TRUE(eventually([&] { return service->holds.expired(); }));
}

TEST_F(PullWriterTest, LetsGoWhenTheClientGoes) {
  api::SubscriptionResponse response;
  ASSERT_TRUE(reader->Read(&response));
  context.TryCancel();
  while (reader->Read(&response)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
  EXPECT_TRUE(eventually([&] { return service->holds.expired(); }));
  EXPECT_LT(service->made, kMessages);
}

}  // namespace
}  // namespace synod::rpc
