// One server, real sockets: unary, streaming in both directions, back-pressure, health, shutdown.
#include "rpc/server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "canton/sequencer_api_v30.grpc.pb.h"
#include "fabric/orderer.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/client_bidi.h"
#include "rpc/grpc_process.h"
#include "rpc/health_watch.h"
#include "rpc/open_streams.h"
#include "rpc/server_bidi.h"
#include "rpc/stream_reader.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;

constexpr std::chrono::seconds kServerPatience(120);

class TestService final : public api::SequencerService::CallbackService, public EndsStreams {
 public:
  void end_streams() override { open.end(); }
  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context, const api::GetTimeRequest*,
                                    api::GetTimeResponse* response) override {
    return answer(context, response, [&](CallContext& call, Reply<api::GetTimeResponse> reply) {
      seen_header = call.metadata("memberId").value_or("none");
      if (mode == "drop") return;
      if (mode == "wait") {
        entered.set_value();
        go_on.get_future().wait_for(kServerPatience);
      }
      if (mode == "error") {
        call.add_trailer("authErrorCode", "MissingToken");
        return reply(fail(failed_precondition("WRONG", "not now")));
      }
      api::GetTimeResponse time;
      time.set_sequencing_timestamp(17);
      std::thread([reply, time] { reply(time); }).detach();
    });
  }
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest* request) override {
    const auto count = request->timestamp();
    return stream_answer<api::SubscriptionResponse>(
        context, limits, [&](CallContext&, ServerStreamPtr<api::SubscriptionResponse> s) {
          stream = s;
          if (ends_with_the_server) open.add(s);
          s->on_closed([this] { closed.set_value(); });
          std::vector<api::SubscriptionResponse> items(static_cast<std::size_t>(count));
          for (std::size_t i = 0; i < items.size(); ++i)
            items[i].set_signed_sequenced_event(std::to_string(i) + std::string(payload, 'x'));
          if (all_at_once)
            last_outcome = s->write_all(std::move(items));
          else
            for (const auto& item : items) last_outcome = s->write(item);
          if (finish_at_once) s->finish();
        });
  }

  std::string mode, seen_header;
  StreamLimits limits;
  std::size_t payload = 0;
  bool all_at_once = false;
  bool finish_at_once = true;
  bool ends_with_the_server = false;
  OpenStreams<api::SubscriptionResponse> open;
  WriteOutcome last_outcome = WriteOutcome::accepted;
  ServerStreamPtr<api::SubscriptionResponse> stream;
  std::promise<void> closed;
  std::promise<void> entered, go_on;
};

class EchoService final : public orderer::AtomicBroadcast::CallbackService {
 public:
  grpc::ServerBidiReactor<::common::Envelope, orderer::BroadcastResponse>* Broadcast(
      grpc::CallbackServerContext* context) override {
    return bidi_answer<::common::Envelope, orderer::BroadcastResponse>(
        context, {.max_unconsumed_bytes = 64}, [](CallContext&, auto stream) {
          std::weak_ptr weak = stream;
          stream->on_message([weak](::common::Envelope message, std::size_t bytes) {
            auto s = weak.lock();
            orderer::BroadcastResponse response;
            response.set_info(message.payload());
            s->write(response);
            s->consumed(bytes);
          });
          stream->on_half_close([weak] { weak.lock()->finish(); });
        });
  }
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    service = std::make_shared<TestService>();
    auto started = Server::start({}, {service, std::make_shared<EchoService>()});
    ASSERT_TRUE(started) << started.error().to_string();
    server = std::move(*started);
    channel = make_channel({.target = "127.0.0.1:" + std::to_string(server->port())}).value();
    stub = api::SequencerService::NewStub(channel);
  }
  Result<api::GetTimeResponse> get_time(CallOptions options = {}) {
    options.deadline = Duration::seconds(120);
    std::promise<Result<api::GetTimeResponse>> promise;
    unary_call(stub->async(), &api::SequencerService::Stub::async_interface::GetTime, api::GetTimeRequest(),
               std::move(options),
               std::function([&](Result<api::GetTimeResponse> r) { promise.set_value(std::move(r)); }));
    return promise.get_future().get();
  }

  std::shared_ptr<TestService> service;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<api::SequencerService::Stub> stub;
};

// gRPC's threads fill it.
class Received {
 public:
  void add(std::string item) {
    std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kServerPatience, [&] { return items_.size() >= count; });
  }
  std::vector<std::string> items() const {
    std::lock_guard lock(mutex_);
    return items_;
  }
  std::promise<std::optional<Error>> end;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> items_;
};

std::shared_ptr<ClientStream> subscribe(api::SequencerService::Stub& stub, std::int64_t count, Received& received,
                                        std::size_t limit = 1 << 20) {
  api::SubscriptionRequest request;
  request.set_timestamp(count);
  StreamHandlers<api::SubscriptionResponse> handlers;
  handlers.on_message = [&received](api::SubscriptionResponse item, std::size_t) {
    received.add(item.signed_sequenced_event());
  };
  handlers.on_end = [&received](std::optional<Error> error) { received.end.set_value(std::move(error)); };
  return read_stream(stub.async(), &api::SequencerService::Stub::async_interface::Subscribe, request, {.deadline = {}},
                     limit, std::move(handlers));
}

TEST_F(ServerTest, UnaryAnswersFromAnotherThread) {
  const auto result = get_time({.metadata = {{"memberId", "PAR::x"}}});
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->sequencing_timestamp(), 17);
  EXPECT_EQ(service->seen_header, "PAR::x");
}

TEST_F(ServerTest, UnaryErrorCarriesIdAndTrailers) {
  service->mode = "error";
  const auto result = get_time({.error_trailers = {"autherrorcode"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "WRONG");
  EXPECT_EQ(result.error().category, ErrorCategory::invalid_state_other);
  EXPECT_EQ(result.error().context.back(), std::make_pair(std::string("autherrorcode"), std::string("MissingToken")));
}

TEST_F(ServerTest, DroppedReplyIsUnavailable) {
  service->mode = "drop";
  const auto result = get_time();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "UNAVAILABLE");
}

TEST_F(ServerTest, StreamDeliversAllInOrder) {
  Received received;
  const auto stream = subscribe(*stub, 1000, received);
  EXPECT_EQ(received.end.get_future().get(), std::nullopt);
  const auto items = received.items();
  ASSERT_EQ(items.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(items[i], std::to_string(i));
  service->closed.get_future().get();
}

// Neither does the last one stay behind in a buffer, nor is the call cancelled for being given more than its limit.
TEST_F(ServerTest, MessagesGivenTogetherArriveWhileTheStreamStaysOpen) {
  for (const std::size_t payload : {0, 100'000}) {
    service->finish_at_once = false;
    service->all_at_once = true;
    service->payload = payload;
    service->limits.max_queued_bytes = 250'000;
    Received received;
    const auto stream = subscribe(*stub, 20, received, 64 << 20);
    ASSERT_TRUE(received.wait_for(20)) << payload;
    for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(received.items()[i].starts_with(std::to_string(i)));
    EXPECT_EQ(service->last_outcome, payload == 0 ? WriteOutcome::accepted : WriteOutcome::full);
    stream->cancel();
    service->closed.get_future().get();
    EXPECT_TRUE(received.end.get_future().get());
    service->closed = {};
  }
}

// The first message goes with the initial metadata: said to be followed by another, both would stay in gRPC's buffer.
TEST(ServerStreamTest, OnlyMessagesBetweenTheFirstAndTheLastOfAGroupMayWait) {
  ServerStream<grpc::ByteBuffer> stream({});
  std::vector<bool> may_wait;
  stream.open(
      {[&](const grpc::ByteBuffer&, grpc::WriteOptions options) { may_wait.push_back(options.get_buffer_hint()); },
       [](const grpc::Status&) {}, [] {}});
  stream.write_all(std::vector<grpc::ByteBuffer>(3));
  for (int i = 0; i < 3; ++i) stream.written(true);
  stream.write_all(std::vector<grpc::ByteBuffer>(3));
  for (int i = 0; i < 3; ++i) stream.written(true);
  stream.write({});
  stream.written(true);
  EXPECT_EQ(may_wait, (std::vector<bool>{false, true, false, true, true, false, false}));
}

TEST_F(ServerTest, ClientCancelClosesTheStream) {
  service->finish_at_once = false;
  Received received;
  const auto stream = subscribe(*stub, 1, received);
  ASSERT_TRUE(received.wait_for(1));
  stream->cancel();
  service->closed.get_future().get();
  EXPECT_EQ(received.end.get_future().get()->cause, "CANCELLED");
  EXPECT_EQ(service->stream->write({}), WriteOutcome::closed);
}

TEST_F(ServerTest, SlowClientIsReportedThenCutOff) {
  service->finish_at_once = false;
  service->payload = 100000;
  service->limits.max_queued_bytes = 250000;
  Received received;
  const auto stream = subscribe(*stub, 200, received, 1000);  // takes one message and no more
  service->closed.get_future().get();                         // without the client's help
  EXPECT_EQ(service->stream->write({}), WriteOutcome::closed);
  stream->cancel();
  EXPECT_TRUE(received.end.get_future().get());
}

TEST_F(ServerTest, BidirectionalEcho) {
  auto echo = orderer::AtomicBroadcast::NewStub(channel);
  std::vector<std::string> answers;
  std::promise<std::optional<Error>> end;
  std::shared_ptr<ClientBidi<::common::Envelope, orderer::BroadcastResponse>> bidi;
  StreamHandlers<orderer::BroadcastResponse> handlers;
  handlers.on_message = [&](orderer::BroadcastResponse r, std::size_t) { answers.push_back(r.info()); };
  handlers.on_end = [&](std::optional<Error> error) { end.set_value(std::move(error)); };
  bidi = open_bidi(echo->async(), &orderer::AtomicBroadcast::Stub::async_interface::Broadcast, {.deadline = {}},
                   1 << 20, 1 << 20, handlers);
  for (int i = 0; i < 500; ++i) {
    ::common::Envelope envelope;
    envelope.set_payload(std::to_string(i));
    bidi->write(envelope);
  }
  bidi->writes_done();
  EXPECT_EQ(end.get_future().get(), std::nullopt);
  ASSERT_EQ(answers.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(answers[i], std::to_string(i));
}

TEST_F(ServerTest, ShutdownEndsOpenStreamsAtTheDeadline) {
  service->finish_at_once = false;
  Received received;
  const auto stream = subscribe(*stub, 1, received);
  ASSERT_TRUE(received.wait_for(1));
  server->stop(Duration::milliseconds(50));
  EXPECT_TRUE(received.end.get_future().get().has_value());
}

// It would wait ten minutes for them.
TEST_F(ServerTest, HealthWatchesAndSubscriptionsDoNotHoldItUp) {
  service->finish_at_once = false;
  service->ends_with_the_server = true;
  Received received;
  const auto stream = subscribe(*stub, 1, received);
  ASSERT_TRUE(received.wait_for(1));
  server->health().set_serving("");
  Received heard;
  const auto watch = watch_health(channel, "",
                                  {[&heard](bool serving) { heard.add(serving ? "serves" : "does not"); },
                                   [&heard](const Error& error) { heard.end.set_value(error); }});
  ASSERT_TRUE(heard.wait_for(1));
  auto stopped = std::async(std::launch::async, [this] { server->stop(Duration::seconds(600)); });
  const bool in_time = stopped.wait_for(kServerPatience) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!in_time) {
    stream->cancel();
    watch->cancel();
  }
  stopped.get();
  EXPECT_EQ(heard.end.get_future().get()->category, ErrorCategory::transient_server_failure);
  EXPECT_EQ(heard.items(), (std::vector<std::string>{"serves", "does not"}));
  EXPECT_EQ(received.end.get_future().get()->cause, "The server is shutting down");
}

TEST_F(ServerTest, AHealthWatchHearsEveryChangeOfItsService) {
  Received heard;
  const auto watch = watch_health(channel, "part",
                                  {[&heard](bool serving) { heard.add(serving ? "serves" : "does not"); },
                                   [&heard](const Error& error) { heard.end.set_value(error); }});
  ASSERT_TRUE(heard.wait_for(1));  // a service that nobody knows
  server->health().set_serving("other");
  server->health().set_serving("part");
  ASSERT_TRUE(heard.wait_for(2));
  server->health().set_serving("part");
  server->health().set_not_serving("part", "the disk is full");
  ASSERT_TRUE(heard.wait_for(3));
  server->health().set_not_serving("part", "the disk is still full");
  server->health().set_serving("part");
  ASSERT_TRUE(heard.wait_for(4));
  EXPECT_EQ(heard.items(), (std::vector<std::string>{"does not", "serves", "does not", "serves"}));
  watch->cancel();
  heard.end.get_future().get();
}

// The linker prefers our functions to gRPC's of the same names (callback_threads.cc).
TEST_F(ServerTest, CallbacksHaveAsManyThreadsAsWeSay) {
  const auto count = [] {
    unsigned ours = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::getline(std::ifstream(task.path() / "comm"), name);
      EXPECT_NE(name, "nexting_thread") << "gRPC's own";
      if (name == "grpc-callback") ++ours;
    }
    return ours;
  };
  // One of an earlier test may be listed for a moment after its end.
  for (int looks = 0; looks < 1000 && count() > callback_threads(); ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(count(), callback_threads());
}

// Of the callback threads, of which there may be one only.
TEST_F(ServerTest, ACallbackThatWaitsDoesNotHoldUpOthers) {
  service->mode = "wait";
  std::thread waiting([this] { EXPECT_TRUE(get_time()); });
  service->entered.get_future().get();
  service->mode = "";
  EXPECT_TRUE(get_time());
  service->go_on.set_value();
  waiting.join();
}

TEST_F(ServerTest, PortInUseIsAClearError) {
  const auto second = Server::start({.port = server->port()}, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "ADDRESS_IN_USE");
}

// grpc.health.v1 without its generated code: HealthCheckRequest{service=1 string}, HealthCheckResponse{status=1 enum}.
grpc::Status raw_call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const std::string& request, std::string* response) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::Slice slice(request);
  grpc::ByteBuffer in(&slice, 1), out;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &in, &out, [&](grpc::Status status) { done.set_value(status); });
  grpc::Status status = done.get_future().get();
  std::vector<grpc::Slice> slices;
  if (status.ok() && out.Dump(&slices).ok()) {
    for (const auto& s : slices) response->append(reinterpret_cast<const char*>(s.begin()), s.size());
  }
  return status;
}

TEST_F(ServerTest, HealthByName) {
  const std::string name = "sequencer-health-check-service";
  const std::string request = std::string("\x0a\x1e", 2) + name;
  std::string response;
  EXPECT_EQ(raw_call(channel, "/grpc.health.v1.Health/Check", request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  server->health().set_serving(name);
  EXPECT_TRUE(raw_call(channel, "/grpc.health.v1.Health/Check", request, &response).ok());
  EXPECT_EQ(response, std::string("\x08\x01", 2));
  server->health().set_not_serving(name, "the orderer is away");
  response.clear();
  EXPECT_TRUE(raw_call(channel, "/grpc.health.v1.Health/Check", request, &response).ok());
  EXPECT_EQ(response, std::string("\x08\x02", 2));
  EXPECT_EQ(server->health().snapshot().at(name).reason, "the orderer is away");
  EXPECT_FALSE(server->health().all_serving());
}

}  // namespace
}  // namespace synod::rpc
