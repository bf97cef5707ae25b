// What is refused goes into the log, once, and a flood of it does not flood the log.
#include "rpc/refusals.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <sstream>

#include "base/log.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/stream_reader.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"

namespace synod::rpc {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RefusalLimit, PassesOverWhatIsAskedAgainAndTellsHowOften) {
  RefusalLimit limit({.interval = Duration::seconds(10)});
  constexpr std::int64_t kSecond = 1'000'000;
  EXPECT_EQ(limit.add("get WRONG", 0), 0u);
  EXPECT_EQ(limit.add("get WORSE", 0), 0u) << "another kind";
  for (int i = 1; i < 10; ++i) EXPECT_EQ(limit.add("get WRONG", i * kSecond), std::nullopt);
  EXPECT_EQ(limit.add("get WRONG", 10 * kSecond), 9u);
  EXPECT_EQ(limit.add("get WRONG", 19 * kSecond), std::nullopt);
  EXPECT_EQ(limit.add("get WRONG", 20 * kSecond), 1u);
  EXPECT_EQ(limit.add("get WRONG", 40 * kSecond), 0u) << "told already";
}

TEST(RefusalLimit, KeepsSoManyKindsApartAndForgetsThem) {
  RefusalLimit limit({.interval = Duration::seconds(10), .max_kinds = 3});
  const auto lines = [&](std::int64_t now) {
    int count = 0;
    for (int i = 0; i < 1000; ++i) count += limit.add("kind " + std::to_string(i), now) ? 1 : 0;
    return count;
  };
  EXPECT_LE(lines(1), 4);
  EXPECT_EQ(lines(2), 0);
  EXPECT_GE(lines(20'000'000), 3) << "new ones when the old ones are forgotten";
}

TEST(RefusedMethods, AreToldByTheirAnswer) {
  EXPECT_EQ(methods_that_answer(descriptor_of<api::GetTimeResponse>()),
            "com.digitalasset.canton.sequencer.api.v30.SequencerService/GetTime");
  EXPECT_EQ(methods_that_answer(descriptor_of<api::GetTimeRequest>()),
            "what answers with com.digitalasset.canton.sequencer.api.v30.GetTimeRequest");
  EXPECT_EQ(methods_that_answer(descriptor_of<grpc::ByteBuffer>()), "a method of raw bytes");
}

// Answers everything with `error`, in several ways.
class RefusingService final : public api::SequencerService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context, const api::GetTimeRequest*,
                                    api::GetTimeResponse* response) override {
    return answer(context, response, [&](CallContext&, const Reply<api::GetTimeResponse>& reply) {
      if (how == "error") return reply.error(error);
      if (how == "quietly") return reply.error(error, quietly);
      if (how == "result") return reply(fail(error));
      if (how == "status") return reply.status({grpc::StatusCode::UNAUTHENTICATED, "no token"});
      if (how == "reason") return reply.status({grpc::StatusCode::UNAUTHENTICATED, "no"}, error);
      reply(api::GetTimeResponse());
    });
  }
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                                 const api::SubscriptionRequest*) override {
    return stream_answer<api::SubscriptionResponse>(
        context, {}, [&](CallContext&, const ServerStreamPtr<api::SubscriptionResponse>& stream) {
          if (how == "error") stream->abort(error);
          if (how == "status") stream->finish(to_grpc_status(error));
          if (how == "reason") stream->finish({grpc::StatusCode::UNAUTHENTICATED, "no"}, error);
          stream->abort(Error("LATER", ErrorCategory::internal, "the first end counts"));
        });
  }

  std::string how;
  Error error;
};

class RefusalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    service_ = std::make_shared<RefusingService>();
    auto started = Server::start({}, {service_});
    ASSERT_TRUE(started) << started.error().to_string();
    server_ = std::move(*started);
    channel_ = make_channel({.target = "127.0.0.1:" + std::to_string(server_->port())}).value();
    stub_ = api::SequencerService::NewStub(channel_);
  }
  // What the log says while `times` calls are refused with this error.
  std::string log_of(const std::string& how, const Error& error, bool stream = false, int times = 1) {
    forget_refusals();
    service_->how = how;
    service_->error = error;
    log::set_level(log::Level::info);
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < times; ++i) {
      grpc::ClientContext context;
      context.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
      if (stream) {
        const auto reader = stub_->Subscribe(&context, api::SubscriptionRequest());
        api::SubscriptionResponse response;
        EXPECT_FALSE(reader->Read(&response));
        EXPECT_FALSE(reader->Finish().ok());
      } else {
        api::GetTimeResponse response;
        EXPECT_EQ(stub_->GetTime(&context, api::GetTimeRequest(), &response).ok(), how == "answer");
      }
    }
    log::set_level(log::Level::warn);
    return ::testing::internal::GetCapturedStderr();
  }
  // Of refusals; gRPC may have something to say as well.
  static std::ptrdiff_t lines(const std::string& text) {
    std::istringstream in(text);
    std::ptrdiff_t count = 0;
    for (std::string line; std::getline(in, line);) count += line.find(" refuses ") != std::string::npos;
    return count;
  }

  std::shared_ptr<RefusingService> service_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<api::SequencerService::Stub> stub_;
};

const Error kNoTime("NO_TIME", ErrorCategory::invalid_argument, "there is no time");

TEST_F(RefusalsTest, ARefusalMakesOneLine) {
  for (const char* how : {"error", "result", "reason"}) {
    const std::string log = log_of(how, kNoTime);
    EXPECT_EQ(lines(log), 1) << log;
    EXPECT_THAT(log, HasSubstr("INFO  rpc"));
    EXPECT_THAT(log, HasSubstr("com.digitalasset.canton.sequencer.api.v30.SequencerService/GetTime refuses ipv4:127"));
    EXPECT_THAT(log, HasSubstr("NO_TIME(8,"));
    EXPECT_THAT(log, HasSubstr("there is no time"));
  }
  EXPECT_THAT(log_of("error", kNoTime), HasSubstr("0af7651916cd43dd8448eb211c80319c"));
  EXPECT_THAT(log_of("status", kNoTime), HasSubstr("UNAUTHENTICATED(6,0): no token"));
}

TEST_F(RefusalsTest, AStreamThatIsRefusedMakesOneLine) {
  for (const char* how : {"error", "status", "reason"}) {
    const std::string log = log_of(how, kNoTime, true);
    EXPECT_EQ(lines(log), 1) << log;
    EXPECT_THAT(log, HasSubstr("SequencerService/Subscribe refuses ipv4:127.0.0.1:"));
    EXPECT_THAT(log, HasSubstr("NO_TIME(8,"));
  }
}

// A client must not learn of it, whoever reads the log must.
TEST_F(RefusalsTest, WhatIsWithheldFromClientsIsInTheLog) {
  const Error secret("SECRET", ErrorCategory::permission, "Mallory is not Alice");
  EXPECT_THAT(log_of("error", secret), HasSubstr("Mallory is not Alice"));
  EXPECT_THAT(log_of("error", secret, true), HasSubstr("Mallory is not Alice"));
}

TEST_F(RefusalsTest, AnswersAndWhatIsRefusedQuietlyMakeNoLine) {
  EXPECT_EQ(lines(log_of("answer", kNoTime)), 0);
  EXPECT_EQ(lines(log_of("quietly", kNoTime)), 0);
}

TEST_F(RefusalsTest, AFloodMakesFewLines) {
  const std::string log = log_of("error", kNoTime, false, 300) + log_of("error", kNoTime, true, 300);
  EXPECT_GE(lines(log), 2);
  EXPECT_LE(lines(log), 20) << "a machine on which this takes a minute and a half";
}

TEST_F(RefusalsTest, NobodyWritesMoreThanALineIntoTheLog) {
  const std::string log =
      log_of("error", Error("LONG", ErrorCategory::invalid_argument, std::string(100'000, 'x') + "\nINFO forged"));
  EXPECT_EQ(lines(log), 1);
  EXPECT_LT(log.size(), 1500u);
  EXPECT_THAT(log, Not(HasSubstr("forged")));
}

}  // namespace
}  // namespace synod::rpc
