// A sequencer that is held up says so: members go to others, and nothing piles up.
#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "sequencer/testing/blocking_store.h"
#include "sequencer/testing/node_fixture.h"

namespace synod::sequencer::testing {
namespace {

using ::testing::HasSubstr;

class StallTest : public NodeTest {
 protected:
  StallTest() {
    stop();
    around_store = [this](std::shared_ptr<storage::Store> inner) {
      return blocking = std::make_shared<BlockingStore>(std::move(inner));
    };
  }
  ~StallTest() override {
    blocking->block(false);
    log->hold(false);
    stop();
  }
  std::future<grpc::Status> send_aside(const Bytes& token, const std::string& id) {
    return std::async(std::launch::async, [this, token, request = request_to(alpha(), beta(), soon(id))] {
      return send(alpha(), token, request);
    });
  }
  // A thread that a busy machine keeps waiting is a stall as well, and may be told of before the one that is meant.
  bool says(const std::string& reason) const {
    return !node->status().accepting && node->status().reason.find(reason) != std::string::npos;
  }
  // Neither a block of its earlier life nor the tick with which it begins is on its way any more.
  void comes_to_rest() {
    eventually([&] {
      const auto now = node->status();
      return now.core.height >= ordering::Height(0) && now.unordered_batches == 0 &&
             now.core.height == log->health().head;
    });
  }
  std::shared_ptr<BlockingStore> blocking;
};

TEST_F(StallTest, ACacheThatHangsSendsMembersElsewhere) {
  config.stall_patience = Duration::milliseconds(300);
  start();
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  eventually([&] { return server->health().all_serving(); });
  comes_to_rest();
  blocking->block(true);
  // Taken, and ordered; but the block does not get into the cache.
  eventually([&] { return send(alpha(), token, request_to(alpha(), beta(), soon("waits"))).ok(); });
  eventually([&] { return says("cache has not answered for"); });
  const Status health = node->health();
  ASSERT_FALSE(health);
  EXPECT_THAT(health.error().cause, HasSubstr("cache has not answered for"));
  eventually([&] {
    const auto told = server->health().snapshot();
    return !told.at("sequencer-health-check-service").serving &&
           told.at("").reason.find("cache has not answered for") != std::string::npos;
  });
  const auto refused = send(alpha(), token, request_to(alpha(), beta(), soon("refused")));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("SEQUENCER_UNAVAILABLE(1,"));

  blocking->block(false);
  EXPECT_FALSE(events->next().empty());  // what waited comes
  eventually([&] { return server->health().all_serving(); });
  eventually([&] { return send(alpha(), token, request_to(alpha(), beta(), soon("after"))).ok(); });
  EXPECT_FALSE(events->next().empty());
}

TEST_F(StallTest, TheStatusComesWhateverHoldsTheSequencerUp) {
  config.stall_patience = Duration::seconds(1);
  start();
  const Bytes token = login(alpha());
  eventually([&] { return server->health().all_serving(); });
  comes_to_rest();
  const auto before = node->status();
  log->hold(true);
  auto sent = send_aside(token, "held");
  eventually([&] { return log->waiting() >= 1; });
  eventually([&] { return says("has been at one step for"); });
  // As far as was known last.
  const auto held = node->status();
  EXPECT_GE(held.core.height, before.core.height);
  EXPECT_EQ(node->status().core.height, held.core.height);
  eventually([&] { return !server->health().all_serving(); });
  log->hold(false);
  EXPECT_TRUE(sent.get().ok());
  eventually([&] { return node->status().accepting && server->health().all_serving(); });
}

TEST_F(StallTest, WhatWaitsForASequencerThatIsHeldUpIsBounded) {
  config.stall_patience = Duration::seconds(600);
  config.writer.max_waiting_bytes = 100'000;
  start();
  const Bytes token = login(alpha());
  eventually([&] { return server->health().all_serving(); });
  comes_to_rest();
  log->hold(true);
  auto first = send_aside(token, "held");
  eventually([&] { return log->waiting() == 1; });
  // Nobody takes these from the queue, and three of them fit; incompressible, so that their size counts.
  const Bytes content = seeded_random(3)->bytes(30'000);
  std::vector<std::future<grpc::Status>> sent;
  for (int i = 0; i < 6; ++i) {
    const Bytes request =
        world.sign(world.request(alpha(), {World::envelope(content, {{beta()}})}, soon("m" + std::to_string(i))));
    sent.push_back(std::async(std::launch::async, [this, token, request] { return send(alpha(), token, request); }));
  }
  const auto answered = [&] {
    return std::count_if(sent.begin(), sent.end(), [](const auto& status) {
      return status.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
  };
  eventually([&] { return answered() == 3; });
  log->hold(false);
  EXPECT_TRUE(first.get().ok());
  int taken = 0;
  for (auto& future : sent) {
    const grpc::Status status = future.get();
    if (status.ok()) {
      ++taken;
      continue;
    }
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
    EXPECT_THAT(status.error_message(), HasSubstr("SEQUENCER_OVERLOADED(2,"));
  }
  EXPECT_EQ(taken, 3);
}

}  // namespace
}  // namespace synod::sequencer::testing
