// Messages are never inflated, whoever sends them: a few kilobytes would become as much as the sender likes.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/client_call.h"
#include "rpc/server.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;

constexpr std::size_t kBomb = 12u << 20;  // below the limits of both sides; a few kilobytes when compressed

class Service final : public api::SequencerService::CallbackService {
 public:
  grpc::ServerUnaryReactor* SendAsync(grpc::CallbackServerContext* context, const api::SendAsyncRequest*,
                                      api::SendAsyncResponse* response) override {
    ++calls;
    return answer_now(context, response,
                      [](CallContext&) -> Result<api::SendAsyncResponse> { return api::SendAsyncResponse(); });
  }
  grpc::ServerUnaryReactor* DownloadTopologyStateForInitHash(
      grpc::CallbackServerContext* context, const api::DownloadTopologyStateForInitHashRequest*,
      api::DownloadTopologyStateForInitHashResponse* response) override {
    context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    response->set_topology_state_hash(std::string(kBomb, 'x'));
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest*) override {
    ++calls;
    return stream_answer<api::SubscriptionResponse>(context, {}, [](CallContext&, auto stream) { stream->finish(); });
  }
  std::atomic<int> calls = 0;
};

class CompressionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::start({}, {service});
    ASSERT_TRUE(started) << started.error().to_string();
    server = std::move(*started);
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    stub = api::SequencerService::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->port()),
                                                                    grpc::InsecureChannelCredentials(), arguments));
  }
  grpc::Status send(std::size_t bytes, grpc_compression_algorithm algorithm) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    api::SendAsyncRequest request;
    request.set_signed_submission_request(std::string(bytes, 'x'));
    api::SendAsyncResponse response;
    return stub->SendAsync(&context, request, &response);
  }

  std::shared_ptr<Service> service = std::make_shared<Service>();
  std::unique_ptr<Server> server;
  std::unique_ptr<api::SequencerService::Stub> stub;
};

TEST_F(CompressionTest, ACompressedRequestIsRefused) {
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    for (const std::size_t bytes : {std::size_t{4096}, kBomb}) {
      const auto status = send(bytes, algorithm);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
      EXPECT_NE(status.error_message().find("is disabled"), std::string::npos) << status.error_message();
    }
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    api::SubscriptionRequest request;
    request.set_member(std::string(4096, 'x'));
    const auto reader = stub->Subscribe(&context, request);
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_EQ(service->calls, 0);
  EXPECT_TRUE(send(kBomb, GRPC_COMPRESS_NONE).ok());
}

TEST_F(CompressionTest, ALargerRequestThanTheLimitIsRefused) {
  const auto status = send((16u << 20) + 1, GRPC_COMPRESS_NONE);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(service->calls, 0);
}

TEST_F(CompressionTest, ALimitBeyondAnIntIsStillALimit) {
  const auto vast = Server::start({.max_request_bytes = std::size_t{1} << 32}, {std::make_shared<Service>()});
  ASSERT_TRUE(vast);
  stub = api::SequencerService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string((*vast)->port()), grpc::InsecureChannelCredentials()));
  EXPECT_TRUE(send(1000, GRPC_COMPRESS_NONE).ok());  // as an int it would be 0
}

TEST_F(CompressionTest, ACompressedResponseIsNotInflated) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  Service compressing;
  builder.RegisterService(&compressing);
  const auto liar = builder.BuildAndStart();
  const auto channel = make_channel({.target = "127.0.0.1:" + std::to_string(port)}).value();
  const auto client = api::SequencerService::NewStub(channel);
  using Response = api::DownloadTopologyStateForInitHashResponse;
  std::promise<Result<Response>> promise;
  unary_call(client->async(), &api::SequencerService::Stub::async_interface::DownloadTopologyStateForInitHash,
             api::DownloadTopologyStateForInitHashRequest(), CallOptions(),
             std::function([&](Result<Response> result) { promise.set_value(std::move(result)); }));
  const auto result = promise.get_future().get();
  if (result) {
    EXPECT_EQ(result->topology_state_hash().size(), 0u);
  }
}

}  // namespace
}  // namespace synod::rpc
