// The service as a Fabric client sees it, spoken to with the blocking stubs of generated code.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/testing/temporary_folder.h"
#include "fabric/orderer.grpc.pb.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/testing/test_identity.h"
#include "ordering/solo/orderer_node.h"

namespace synod::ordering::solo {
namespace {

using fabric_wire::EnvelopeType;
using fabric_wire::SigningIdentity;

class AtomicBroadcastTest : public ::testing::Test {
 protected:
  AtomicBroadcastTest() {
    folder_ = synod::testing::new_folder("broadcast");
    config_.engine.folder = folder_ + "/log";
    config_.engine.channel = "ch";
    config_.engine.max_record_bytes = 100'000;
    config_.allow_unsigned = true;
  }
  ~AtomicBroadcastTest() override {
    stub_.reset();
    node_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    auto node = OrdererNode::start(config_);
    ASSERT_TRUE(node) << node.error().to_string();
    node_ = std::move(*node);
    stub_ = orderer::AtomicBroadcast::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(node_->port()), grpc::InsecureChannelCredentials()));
  }
  static common::Envelope message(const Bytes& bytes) {
    common::Envelope envelope;
    envelope.ParseFromString(bytes);
    return envelope;
  }
  // The statuses of the answers until the server ends the stream or all are answered.
  std::vector<int> broadcast(const std::vector<Bytes>& envelopes) {
    grpc::ClientContext context;
    auto stream = stub_->Broadcast(&context);
    for (const Bytes& envelope : envelopes) stream->Write(message(envelope));
    stream->WritesDone();
    std::vector<int> statuses;
    orderer::BroadcastResponse response;
    while (stream->Read(&response)) statuses.push_back(response.status());
    EXPECT_TRUE(stream->Finish().ok());
    return statuses;
  }
  struct Delivered {
    std::vector<std::uint64_t> numbers;
    std::vector<int> data_counts;
    std::optional<int> status;
  };
  Delivered deliver(const orderer::SeekInfo& seek, std::size_t stop_after = 1000, const std::string& channel = "ch",
                    const SigningIdentity* signer = nullptr) {
    grpc::ClientContext context;
    auto stream = stub_->Deliver(&context);
    stream->Write(message(
        fabric_wire::make_envelope(EnvelopeType::deliver_seek_info, channel, seek.SerializeAsString(), signer)));
    Delivered result;
    orderer::DeliverResponse response;
    while (result.numbers.size() < stop_after && !result.status && stream->Read(&response)) {
      if (response.has_block()) {
        result.numbers.push_back(response.block().header().number());
        result.data_counts.push_back(response.block().data().data_size());
      } else {
        result.status = response.status();
      }
    }
    context.TryCancel();
    return result;
  }
  static orderer::SeekInfo seek(std::uint64_t from, std::uint64_t to, bool wait) {
    orderer::SeekInfo info;
    info.mutable_start()->mutable_specified()->set_number(from);
    info.mutable_stop()->mutable_specified()->set_number(to);
    info.set_behavior(wait ? orderer::SeekInfo::BLOCK_UNTIL_READY : orderer::SeekInfo::FAIL_IF_NOT_READY);
    return info;
  }
  static Bytes envelope(const Bytes& data, const SigningIdentity* signer = nullptr) {
    return fabric_wire::make_envelope(EnvelopeType::message, "ch", data, signer);
  }
  std::string write_file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
  OrdererConfig config_;
  std::unique_ptr<OrdererNode> node_;
  std::unique_ptr<orderer::AtomicBroadcast::Stub> stub_;
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(AtomicBroadcastTest, AnswersInOrderAndEndsAtTheFirstRefusal) {
  start();
  EXPECT_EQ(broadcast({envelope("a"), envelope("b")}), (std::vector<int>{200, 200}));
  const auto other_channel = fabric_wire::make_envelope(EnvelopeType::message, "other", "x", nullptr);
  EXPECT_EQ(broadcast({envelope("c"), other_channel, envelope("never")}), (std::vector<int>{200, 404}));
  EXPECT_EQ(broadcast({envelope(Bytes(100'001, 'x'))}), (std::vector<int>{413}));
  EXPECT_EQ(broadcast({envelope("")}), (std::vector<int>{400}));
  EXPECT_EQ(broadcast({fabric_wire::make_envelope(EnvelopeType::config, "ch", "x", nullptr)}), (std::vector<int>{400}));
  common::Envelope rubbish;
  rubbish.set_payload("\xff\xff rubbish");
  EXPECT_EQ(broadcast({rubbish.SerializeAsString()}), (std::vector<int>{400}));
  EXPECT_EQ(broadcast({envelope("still fine")}), (std::vector<int>{200}));
}

TEST_F(AtomicBroadcastTest, SeeksByNumberOldestAndNewest) {
  start();
  for (int i = 0; i < 5; ++i) broadcast({envelope("r" + std::to_string(i))});  // blocks 1..5
  const auto range = deliver(seek(1, 3, true));
  EXPECT_EQ(range.numbers, (Numbers{1, 2, 3}));
  EXPECT_EQ(range.status, 200);
  orderer::SeekInfo all;
  all.mutable_start()->mutable_oldest();
  all.mutable_stop()->mutable_newest();
  EXPECT_EQ(deliver(all).numbers, (Numbers{0, 1, 2, 3, 4, 5}));
  orderer::SeekInfo newest;
  newest.mutable_start()->mutable_newest();
  newest.mutable_stop()->mutable_newest();
  EXPECT_EQ(deliver(newest).numbers, Numbers{5});
  newest.set_content_type(orderer::SeekInfo::HEADER_WITH_SIG);
  EXPECT_EQ(deliver(newest).data_counts, std::vector<int>{0});
}

TEST_F(AtomicBroadcastTest, WaitsForABlockOrFailsAsTold) {
  start();
  broadcast({envelope("a")});
  const auto not_ready = deliver(seek(0, 3, false));
  EXPECT_EQ(not_ready.numbers, (Numbers{0, 1}));
  EXPECT_EQ(not_ready.status, 404);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    broadcast({envelope("b")});
  });
  EXPECT_EQ(deliver(seek(2, UINT64_MAX, true), 1).numbers, Numbers{2});
  later.join();
}

TEST_F(AtomicBroadcastTest, RefusesBadSeeks) {
  start();
  EXPECT_EQ(deliver(seek(5, 2, true)).status, 400);
  EXPECT_EQ(deliver(orderer::SeekInfo()).status, 400);
  EXPECT_EQ(deliver(seek(0, 0, true), 10, "other").status, 404);
  grpc::ClientContext context;
  auto stream = stub_->Deliver(&context);
  stream->Write(message(envelope("not a seek")));
  orderer::DeliverResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), 400);
  EXPECT_FALSE(stream->Read(&response));
}

TEST_F(AtomicBroadcastTest, WithConfiguredClientsOnlyTheirSignaturesCount) {
  const auto member = fabric_wire::testing::make_identity("member"),
             stranger = fabric_wire::testing::make_identity("stranger");
  config_.allow_unsigned = false;
  EXPECT_EQ(OrdererNode::start(config_).error().id, "ORDERING_NOBODY_ALLOWED");
  config_.client_certificate_files = {write_file("member.pem", member.certificate_pem)};
  start();
  EXPECT_EQ(broadcast({envelope("a", &member.signer)}), (std::vector<int>{200}));
  EXPECT_EQ(broadcast({envelope("a", &stranger.signer)}), (std::vector<int>{403}));
  EXPECT_EQ(broadcast({envelope("a")}), (std::vector<int>{403}));
  EXPECT_EQ(deliver(seek(0, 1, true), 10, "ch", &member.signer).numbers, (Numbers{0, 1}));
  EXPECT_EQ(deliver(seek(0, 1, true), 10, "ch", &stranger.signer).status, 403);
  EXPECT_EQ(deliver(seek(0, 1, true)).status, 403);
}

TEST_F(AtomicBroadcastTest, ALogBelongsToItsChannel) {
  start();
  node_.reset();
  config_.engine.channel = "another";
  EXPECT_EQ(OrdererNode::start(config_).error().id, "ORDERING_WRONG_CHANNEL");
}

// As every sequencer is; it would be waited for for ten minutes.
TEST_F(AtomicBroadcastTest, AReaderThatWaitsForBlocksDoesNotHoldItUp) {
  start();
  grpc::ClientContext context;
  auto stream = stub_->Deliver(&context);
  stream->Write(message(fabric_wire::make_envelope(EnvelopeType::deliver_seek_info, "ch",
                                                   seek(0, 1'000'000, true).SerializeAsString(), nullptr)));
  orderer::DeliverResponse response;
  ASSERT_TRUE(stream->Read(&response));
  auto stopped = std::async(std::launch::async, [this] { node_->stop(Duration::seconds(600)); });
  const bool in_time = stopped.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!in_time) context.TryCancel();
  stopped.get();
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace synod::ordering::solo
