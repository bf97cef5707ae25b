// A participant of a small network in this process, called over gRPC as an application calls it, with examples/iou.lf.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/admin_users.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/contract_services.grpc.pb.h"
#include "ledger/package_service.grpc.pb.h"
#include "ledger/state_service.grpc.pb.h"
#include "ledger/time_service.grpc.pb.h"
#include "ledger/update_service.grpc.pb.h"
#include "ledger/version_service.grpc.pb.h"
#include "node/testing/roles_in_one_process.h"

namespace synod::ledger_rpcs {

namespace api = com::daml::ledger::api::v2;
namespace admin = api::admin;

constexpr std::chrono::seconds kPatience(120);
constexpr char kUser[] = "tester";
constexpr api::TransactionShape kDelta = api::TRANSACTION_SHAPE_ACS_DELTA;
constexpr api::TransactionShape kEffects = api::TRANSACTION_SHAPE_LEDGER_EFFECTS;

// One node of each role, unless some are left out; the participant serves its Ledger API.
class Nodes final : public node::testing::RolesInOneProcess {
 public:
  Nodes() { SetUp(); }
  ~Nodes() override { TearDown(); }
  void TestBody() override {}
  struct Setting {
    std::vector<std::string> others = {"orderer", "sequencer", "mediator"};  // none: the participant never connects
    bool static_time = false;
    Duration submit_timeout = Duration::seconds(60);
  };
  // None if it does not come up.
  std::shared_ptr<grpc::Channel> run(const Setting& setting);

 private:
  void found_with_static_time();
};

// A server stream whose messages are waited for one by one.
template <class Stub, class Request, class Response>
class Stream {
 public:
  using Method = std::unique_ptr<grpc::ClientReader<Response>> (Stub::*)(grpc::ClientContext*, const Request&);
  Stream(const std::shared_ptr<grpc::Channel>& channel, Method method, const Request& request) : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    reader_ = (stub_.*method)(&context_, request);
  }
  ~Stream() {
    context_.TryCancel();
    finish();
  }
  // False: it has ended.
  bool next(Response* response) { return reader_->Read(response); }
  // What is left is dropped.
  grpc::Status finish() {
    if (!end_) {
      for (Response rest; reader_->Read(&rest);) continue;
      end_ = reader_->Finish();
    }
    return *end_;
  }

 private:
  Stub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
  std::optional<grpc::Status> end_;
};

// One network for all tests of a suite. Each works with parties of its own and looks at what concerns these only.
class LedgerRpcs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start({}); }
  static void TearDownTestSuite();
  static void start(const Nodes::Setting& setting);
  void SetUp() override;

  // The status, with the response if there is one.
  template <class Stub, class Request, class Response>
  static grpc::Status call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                           const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    context.set_wait_for_ready(true);
    return (Stub(channel_).*method)(&context, request, response);
  }
  template <class Stub, class Request, class Response>
  static Response ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
    Response response;
    const grpc::Status status = call(method, request, &response);
    EXPECT_TRUE(status.ok()) << request.GetTypeName() << ": " << status.error_message();
    return response;
  }
  template <class Stub, class Request, class Response>
  static auto open(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*, const Request&),
                   const Request& request) {
    return std::make_unique<Stream<Stub, Request, Response>>(channel_, method, request);
  }
  // Of a stream that ends by itself.
  template <class Stub, class Request, class Response>
  static std::vector<Response> ask(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*,
                                                                                                 const Request&),
                                   const Request& request) {
    std::vector<Response> all;
    const auto stream = open(method, request);
    for (Response response; stream->next(&response);) all.push_back(std::move(response));
    const grpc::Status status = stream->finish();
    EXPECT_TRUE(status.ok()) << request.GetTypeName() << ": " << status.error_message();
    return all;
  }
  template <class Stub, class Request, class Response>
  static grpc::Status end_of(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                             const Request& request) {
    Response response;
    return call(method, request, &response);
  }
  template <class Stub, class Request, class Response>
  static grpc::Status end_of(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*,
                                                                                           const Request&),
                             const Request& request) {
    return open(method, request)->finish();
  }

  static std::string allocate(const std::string& hint);  // the party's id
  static std::int64_t ledger_end();

  // Of examples/iou.lf.
  static api::Identifier type(const std::string& entity);
  static api::Record iou(const std::string& payer, const std::string& owner, const std::string& amount,
                         const std::vector<std::string>& viewers = {});
  static api::Command create(api::Record iou);
  static api::Command exercise(const std::string& contract_id, const std::string& choice, api::Value argument = none());
  static api::Value none();                          // an argument without fields
  static api::Value party(const std::string& name);  // an argument whose one field is this party

  static api::Commands commands(const std::string& id, const std::vector<std::string>& act_as,
                                std::initializer_list<api::Command> list);
  // Its transaction with all effects that the submitters see.
  static api::Transaction submit(const api::Commands& commands);
  // The contract id.
  static std::string issue(const std::string& payer, const std::string& owner, const std::string& amount,
                           const std::vector<std::string>& viewers = {});
  static api::Commands transfer(const std::string& id, const std::string& contract_id, const std::string& owner,
                                const std::string& heir);

  static api::EventFormat everything_of(const std::vector<std::string>& parties);
  static api::UpdateFormat transactions_of(const std::vector<std::string>& parties, api::TransactionShape shape);

  static inline std::unique_ptr<Nodes> nodes_;
  static inline std::shared_ptr<grpc::Channel> channel_;
  static inline std::string dar_, package_, synchronizer_;
  static inline bool ready_ = false;
};

using grpc::StatusCode;

// With this code, error id, and text somewhere.
inline ::testing::AssertionResult refused(const grpc::Status& status, StatusCode code, const std::string& id,
                                          const std::string& about = "") {
  if (status.error_code() == code && status.error_message().starts_with(id + "(") &&
      status.error_message().find(about) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "not " << id << " " << about << " with code " << code << ", but code "
                                       << status.error_code() << ": " << status.error_message();
}

// By name, for test messages too.
template <typename Repeated>
std::vector<std::string> strings(const Repeated& list) {
  return {list.begin(), list.end()};
}

}  // namespace synod::ledger_rpcs
