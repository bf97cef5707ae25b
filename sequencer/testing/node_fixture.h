// A sequencer on an ordering log in memory, its services on real sockets, and a client that speaks the generated stubs.
#pragma once

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "canton/sequencer_admin_v30.grpc.pb.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "sequencer/sequencer_node.h"
#include "sequencer/testing/memory_log.h"
#include "sequencer/testing/world.h"
#include "synod/sequencer_operations.grpc.pb.h"

namespace synod::sequencer::testing {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace admin_api = ::com::digitalasset::canton::sequencer::admin::v30;
namespace ops = ::synod::sequencer::operations::v1;

inline constexpr std::chrono::seconds kPatience(120);

class NodeTest : public ::testing::Test {
 protected:
  explicit NodeTest(int sequencers = 2)
      : world({}, sequencers), log(std::make_shared<MemoryLog>()), store(fresh_store()) {
    start();
  }
  ~NodeTest() override { stop(); }

  static std::shared_ptr<storage::MemoryStore> fresh_store() {
    return std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns()});
  }

  void start() {
    SequencerParts parts;
    parts.synchronizer = world.genesis.synchronizer;
    parts.self = world.sequencers[0];
    parts.initial = world.initial();
    parts.keys = std::shared_ptr<crypto::KeyStore>(world.network.keys.get(), [](crypto::KeyStore*) {});
    parts.log = log;
    parts.store = store;
    if (around_store) parts.store = around_store(store);
    parts.clock = system_clock();
    parts.random = system_random();
    auto created = SequencerNode::create(config, std::move(parts));
    ASSERT_TRUE(created) << created.error().to_string();
    node = std::move(*created);
    auto started = rpc::Server::start({}, node->services());
    ASSERT_TRUE(started) << started.error().to_string();
    server = std::move(*started);
    auto admin_started = rpc::Server::start({}, node->admin_services());
    ASSERT_TRUE(admin_started) << admin_started.error().to_string();
    admin_server = std::move(*admin_started);
    node->start(&server->health());
    rpc::ChannelConfig admin_target;
    admin_target.target = "127.0.0.1:" + std::to_string(admin_server->port());
    admin_channel = rpc::make_channel(admin_target).value();
    administration = admin_api::SequencerAdministrationService::NewStub(admin_channel);
    pruning = admin_api::SequencerPruningAdministrationService::NewStub(admin_channel);
    operations = ops::SequencerOperations::NewStub(admin_channel);
    rpc::ChannelConfig target;
    target.target = "127.0.0.1:" + std::to_string(server->port());
    channel = rpc::make_channel(target).value();
    connect = api::SequencerConnectService::NewStub(channel);
    authentication = api::SequencerAuthenticationService::NewStub(channel);
    sequencer = api::SequencerService::NewStub(channel);
  }

  void stop() {
    if (!node) return;
    node->stop();
    server->stop(Duration::seconds(2));
    admin_server->stop(Duration::seconds(2));
    administration.reset();
    pruning.reset();
    operations.reset();
    admin_channel.reset();
    admin_server.reset();
    sequencer.reset();
    authentication.reset();
    connect.reset();
    channel.reset();
    server.reset();
    node.reset();
  }

  // A context with the member's headers and a deadline.
  std::unique_ptr<grpc::ClientContext> context(const protocol::Member& member, const Bytes& token = {}) const {
    auto result = std::make_unique<grpc::ClientContext>();
    result->set_deadline(std::chrono::system_clock::now() + kPatience);
    result->AddMetadata("memberid", member.to_string());
    if (!token.empty()) {
      result->AddMetadata("synchronizerid", world.genesis.synchronizer.to_string());
      result->AddMetadata("authtoken-bin", token);
    }
    return result;
  }

  api::SequencerAuthentication::ChallengeResponse challenge(const protocol::Member& member) {
    api::SequencerAuthentication::ChallengeRequest request;
    request.set_member(member.to_string());
    request.add_member_protocol_versions(35);
    request.set_client_version("test");
    api::SequencerAuthentication::ChallengeResponse response;
    const auto status = authentication->Challenge(context(member).get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  grpc::Status authenticate(const protocol::Member& member, const Bytes& nonce, const crypto::SigningKeyPair& key,
                            Bytes& token) {
    api::SequencerAuthentication::AuthenticateRequest request;
    request.set_member(member.to_string());
    request.set_nonce(nonce);
    crypto::sign(protocol::authentication_hash(nonce, world.genesis.synchronizer), key)
        .to_proto(*request.mutable_signature());
    api::SequencerAuthentication::AuthenticateResponse response;
    auto status = authentication->Authenticate(context(member).get(), request, &response);
    token = response.token();
    return status;
  }

  Bytes login(const protocol::Member& member) {
    Bytes token;
    const auto status = authenticate(member, challenge(member).nonce(),
                                     world.key_of(member, crypto::KeyUsage::sequencer_authentication), token);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return token;
  }

  grpc::Status send(const protocol::Member& member, const Bytes& token, const Bytes& signed_request) {
    api::SendAsyncRequest request;
    request.set_signed_submission_request(signed_request);
    api::SendAsyncResponse response;
    return sequencer->SendAsync(context(member, token).get(), request, &response);
  }

  static RequestOptions soon(std::string message_id = "message") {
    RequestOptions options;
    options.message_id = std::move(message_id);
    options.max_sequencing_time = system_clock()->now() + Duration::seconds(60);
    return options;
  }
  Bytes request_to(const protocol::Member& sender, const protocol::Member& recipient, const RequestOptions& options) {
    return world.sign(world.request(sender, {World::envelope("hello", {{recipient}})}, options));
  }

  // Until the member's acknowledgement has been sequenced.
  void acknowledge(const protocol::Member& member, const Bytes& token, Timestamp at) {
    api::AcknowledgeSignedRequest request;
    request.set_signed_acknowledge_request(world.acknowledgement(member, at));
    api::AcknowledgeSignedResponse response;
    const auto status = sequencer->AcknowledgeSigned(context(member, token).get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    eventually([&] {
      for (const auto& m : node->status().members)
        if (m.member == member) return m.acknowledged == at;
      return false;
    });
  }
  // Not what was known last, which is what a loop that a busy machine holds up lets one see.
  SequencerStatus status_when_well() {
    SequencerStatus now;
    eventually([&] { return (now = node->status()).accepting; });
    return now;
  }
  void eventually(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // One subscription.
  struct Subscribed {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientReader<api::SubscriptionResponse>> reader;
    // How it ended.
    grpc::Status status() {
      api::SubscriptionResponse rest;
      while (reader->Read(&rest)) {
      }
      finished = true;
      return reader->Finish();
    }
    Bytes next() {
      api::SubscriptionResponse response;
      if (!reader->Read(&response)) return {};
      return response.signed_sequenced_event();
    }
    ~Subscribed() {
      context->TryCancel();
      if (!finished) status();
    }
    bool finished = false;
  };
  std::unique_ptr<Subscribed> subscribe(const protocol::Member& member, const Bytes& token,
                                        std::optional<Timestamp> from = {}) {
    auto result = std::make_unique<Subscribed>();
    result->context = context(member, token);
    api::SubscriptionRequest request;
    request.set_member(member.to_string());
    if (from) request.set_timestamp(from->micros);
    result->reader = sequencer->Subscribe(result->context.get(), request);
    return result;
  }
  static protocol::SequencedEvent decode(const Bytes& signed_event) {
    const auto content = protocol::SignedContent::parse(signed_event).value();
    return protocol::SequencedEvent::parse(content.content, batch_limits()).value();
  }

  const protocol::Member& alpha() const { return world.participants[0]; }
  const protocol::Member& beta() const { return world.participants[1]; }

  World world;
  SequencerConfig config;
  std::shared_ptr<MemoryLog> log;
  std::shared_ptr<storage::MemoryStore> store;
  std::function<std::shared_ptr<storage::Store>(std::shared_ptr<storage::Store>)> around_store;  // for the next start()
  std::unique_ptr<SequencerNode> node;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<rpc::Server> admin_server;
  std::shared_ptr<grpc::Channel> channel, admin_channel;
  std::unique_ptr<admin_api::SequencerAdministrationService::Stub> administration;
  std::unique_ptr<admin_api::SequencerPruningAdministrationService::Stub> pruning;
  std::unique_ptr<ops::SequencerOperations::Stub> operations;
  std::unique_ptr<api::SequencerConnectService::Stub> connect;
  std::unique_ptr<api::SequencerAuthenticationService::Stub> authentication;
  std::unique_ptr<api::SequencerService::Stub> sequencer;
};

}  // namespace synod::sequencer::testing
