// What the public services refuse is in the log, once, with its error id.
#include "rpc/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "sequencer/testing/node_fixture.h"

namespace synod::sequencer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RefusalsInTheLog : public testing::NodeTest {
 protected:
  // The only line about a refusal while the call is made again and again.
  std::string line_of(const std::function<grpc::Status(grpc::ClientContext*)>& call,
                      const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    status_when_well();
    rpc::forget_refusals();
    const auto began = std::chrono::steady_clock::now();
    log::set_level(log::Level::info);
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 5; ++i) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + testing::kPatience);
      for (const auto& [key, value] : headers) context.AddMetadata(key, value);
      EXPECT_FALSE(call(&context).ok());
    }
    log::set_level(log::Level::warn);
    const std::string log = ::testing::internal::GetCapturedStderr();
    std::vector<std::string> found;
    for (std::size_t at = 0, end = 0; (end = log.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = log.substr(at, end - at);
      // Also what a handler says of it.
      if (line.find("refuse") != std::string::npos || line.find("Bad ") != std::string::npos) found.push_back(line);
    }
    if (std::chrono::steady_clock::now() - began < std::chrono::seconds(9)) {
      EXPECT_EQ(found.size(), 1u) << log;
    }
    return found.empty() ? "" : found.front();
  }
  std::vector<std::pair<std::string, std::string>> headers(const std::string& synchronizer, const Bytes& token) const {
    return {{"memberid", alpha().to_string()}, {"synchronizerid", synchronizer}, {"authtoken-bin", token}};
  }
  grpc::Status get_time(grpc::ClientContext* context) const {
    testing::api::GetTimeResponse response;
    return sequencer->GetTime(context, {}, &response);
  }
};

TEST_F(RefusalsInTheLog, OfCallsWithoutAGoodToken) {
  const auto call = [&](grpc::ClientContext* context) { return get_time(context); };
  EXPECT_THAT(line_of(call), AllOf(HasSubstr("SequencerService/GetTime refuses ipv4:127.0.0.1:"),
                                   HasSubstr("UNAUTHENTICATED(6,0): Authentication headers are not set")));
  const auto ours = world.genesis.synchronizer.to_string();
  EXPECT_THAT(line_of(call, headers(ours, Bytes(20, 'x'))), HasSubstr("MissingToken(6,0): "));
  const Bytes token = login(alpha());
  EXPECT_THAT(line_of(call, headers("other::1220::35-0", token)), HasSubstr("NonMatchingSynchronizerId(6,0): "));
  EXPECT_THAT(line_of(
                  [&](grpc::ClientContext* context) {
                    const auto reader = sequencer->Subscribe(context, testing::api::SubscriptionRequest());
                    testing::api::SubscriptionResponse response;
                    while (reader->Read(&response)) {
                    }
                    return reader->Finish();
                  },
                  headers("other::1220::35-0", token)),
              AllOf(HasSubstr("SequencerService/Subscribe refuses "), HasSubstr("NonMatchingSynchronizerId(6,0): ")));
}

TEST_F(RefusalsInTheLog, OfBadRequests) {
  const Bytes token = login(alpha());
  EXPECT_THAT(
      line_of(
          [&](grpc::ClientContext* context) {
            testing::api::SendAsyncRequest request;
            request.set_signed_submission_request("rubbish");
            testing::api::SendAsyncResponse response;
            return sequencer->SendAsync(context, request, &response);
          },
          headers(world.genesis.synchronizer.to_string(), token)),
      AllOf(HasSubstr("SequencerService/SendAsync refuses "), HasSubstr("SEQUENCER_SUBMISSION_REQUEST_MALFORMED")));
}

TEST_F(RefusalsInTheLog, OfBadAuthentications) {
  testing::api::SequencerAuthentication::ChallengeRequest request;
  const auto call = [&](grpc::ClientContext* context) {
    testing::api::SequencerAuthentication::ChallengeResponse response;
    return authentication->Challenge(context, request, &response);
  };
  EXPECT_THAT(line_of(call), AllOf(HasSubstr("SequencerAuthenticationService/Challenge refuses "),
                                   HasSubstr("INVALID_ARGUMENT(8,0): The server is running protocol 35")));
  request.add_member_protocol_versions(35);
  request.set_client_version("test");
  request.set_member("nobody");
  EXPECT_THAT(line_of(call), HasSubstr("nobody"));
  // What a stranger does not learn is there.
  const auto stranger = protocol::Member::participant(world.network.new_uid("stranger")).to_string();
  request.set_member(stranger);
  EXPECT_THAT(line_of(call), AllOf(HasSubstr("(7,0): " + stranger), HasSubstr("access is disabled")));
  EXPECT_THAT(line_of([&](grpc::ClientContext* context) {
                testing::api::SequencerAuthentication::AuthenticateRequest bad;
                bad.set_member(alpha().to_string());
                testing::api::SequencerAuthentication::AuthenticateResponse response;
                return authentication->Authenticate(context, bad, &response);
              }),
              HasSubstr("SequencerAuthenticationService/Authenticate refuses "));
}

TEST_F(RefusalsInTheLog, OfBadHandshakes) {
  EXPECT_THAT(line_of([&](grpc::ClientContext* context) {
                testing::api::SequencerConnect::HandshakeRequest hello;
                hello.add_client_protocol_versions(34);
                hello.set_client_version("test");
                testing::api::SequencerConnect::HandshakeResponse response;
                return connect->Handshake(context, hello, &response);
              }),
              AllOf(HasSubstr("SequencerConnectService/Handshake refuses "), HasSubstr("INVALID_ARGUMENT(8,0): ")));
  EXPECT_THAT(line_of([&](grpc::ClientContext* context) {
                testing::api::SequencerConnect::VerifyActiveResponse response;
                return connect->VerifyActive(context, {}, &response);
              }),
              AllOf(HasSubstr("SequencerConnectService/VerifyActive refuses "),
                    HasSubstr("INVALID_ARGUMENT(8,0): Unable to find participant id")));
}

}  // namespace
}  // namespace synod::sequencer
