#include "rpc/error_status.h"

#include <google/protobuf/util/message_differencer.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/bytes.h"
#include "base/testing/shared_files.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace synod::rpc {
namespace {

// Details compared as what they say: the order of a map's entries on the wire means nothing.
std::string readable(const google::rpc::Status& status) {
  std::string out = std::to_string(status.code()) + " " + status.message() + "\n";
  for (const auto& any : status.details()) {
    google::rpc::ErrorInfo info;
    if (any.Is<google::rpc::ErrorInfo>() && any.UnpackTo(&info)) {
      out += "ErrorInfo " + info.reason() + "\n";
      std::map<std::string, std::string> sorted(info.metadata().begin(), info.metadata().end());
      for (const auto& [key, value] : sorted) out += "  " + key + "=" + value + "\n";
    } else {
      out += any.type_url() + " " + to_hex(any.value()) + "\n";
    }
  }
  return out;
}

// Every status with details in a recording must survive status → Error → status unchanged.
std::size_t check_recording(const std::string& file) {
  std::size_t checked = 0;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::string key = "\"status_proto\":\"";
    const std::size_t at = line.find(key);
    if (at == std::string::npos) continue;
    const std::size_t from = at + key.size();
    const auto bytes = from_base64(line.substr(from, line.find('"', from) - from));
    google::rpc::Status recorded;
    if (!bytes || !recorded.ParseFromString(*bytes) || recorded.details_size() == 0) continue;

    const Error error = from_status_proto(recorded);
    RequestIds ids;
    ids.correlation_id = request_id_of(recorded).value();
    google::rpc::ErrorInfo info;
    recorded.details(0).UnpackTo(&info);
    ids.trace_id = info.metadata().at("tid");
    EXPECT_EQ(readable(to_status_proto(error, ids)), readable(recorded));
    ++checked;
  }
  return checked;
}

TEST(ErrorStatus, MatchesRecordedErrorsOfTheRealSystem) {
  SYNOD_NEEDS_SHARED(directory, "recordings/recordings");
  std::size_t checked = 0;
  for (const char* name : {"client-participant1-ledger", "client-participant2-ledger", "console-participant3-admin"}) {
    checked += check_recording(directory + "/" + name + ".ndjson");
  }
  EXPECT_GE(checked, 8u);
}

TEST(ErrorStatus, TextAndCode) {
  const Error error("LOCKED", ErrorCategory::contention_on_shared_resources, "Somebody else has it.");
  EXPECT_EQ(error_text(error, ""), "LOCKED(2,0): Somebody else has it.");
  EXPECT_EQ(error_text(error, "0123456789"), "LOCKED(2,01234567): Somebody else has it.");
  const grpc::Status status = to_grpc_status(error, {"0123456789", ""});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  google::rpc::Status proto;
  ASSERT_TRUE(proto.ParseFromString(status.error_details()));
  ASSERT_EQ(proto.details_size(), 3);
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(proto.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(from_grpc_status(status), error);
}

TEST(ErrorStatus, PlainStatusKeepsItsCode) {
  const Error error = from_grpc_status({grpc::StatusCode::UNAVAILABLE, "failed to connect"});
  EXPECT_EQ(error.id, "UNAVAILABLE");
  EXPECT_EQ(error.category, ErrorCategory::transient_server_failure);
  EXPECT_EQ(error.cause, "failed to connect");
}

TEST(ErrorStatus, TextWithoutDetailsIsTakenApart) {
  const Error error = from_grpc_status({grpc::StatusCode::ABORTED, "SEQUENCER_OVERLOADED(2,deadbeef): Too much: wait"});
  EXPECT_EQ(error.id, "SEQUENCER_OVERLOADED");
  EXPECT_EQ(error.category, ErrorCategory::contention_on_shared_resources);
  EXPECT_EQ(error.cause, "Too much: wait");
}

TEST(ErrorStatus, InternalErrorsAreRedacted) {
  const grpc::Status status = to_grpc_status(internal_error("the secret is 42"), {"corr", "trace"});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(),
            "An error occurred. Please contact the operator and inquire about the request corr with tid trace");
  EXPECT_EQ(status.error_details().find("secret"), std::string::npos);
}

TEST(ErrorStatus, HugeErrorsFitIntoGrpcMetadata) {
  Error error("BIG", ErrorCategory::invalid_argument, std::string(10000, 'c'));
  for (int i = 0; i < 50; ++i) error.context.emplace_back("key" + std::to_string(i), std::string(1000, 'v'));
  for (int i = 0; i < 50; ++i) error.resources.emplace_back("CONTRACT_ID", std::string(138, 'r'));
  const google::rpc::Status status = to_status_proto(error, {std::string(1000, 'i'), std::string(1000, 't')});
  EXPECT_LE(status.ByteSizeLong(), 2 * max_status_bytes);
  EXPECT_EQ(from_status_proto(status).id, "BIG");
}

}  // namespace
}  // namespace synod::rpc
