// What subscribers may rely on: who asks when, for how much, and leaves when.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

using std::chrono::milliseconds;

// A collector that does something of its own in each call.
class Acting : public Collector {
 public:
  explicit Acting(std::function<void(const Block&)> act) : act_(std::move(act)) {}
  void on_block(Block block) override {
    const Block copy = block;
    Collector::on_block(std::move(block));
    act_(copy);
  }

 private:
  const std::function<void(const Block&)> act_;
};

TEST_P(OrderingConformance, NothingIsDeliveredBeyondWhatWasRequested) {
  submit_apart("r", 6);
  auto seen = std::make_shared<Collector>();
  auto subscription = log_->subscribe(Height(0), seen);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_TRUE(seen->blocks().empty());
  for (int i = 0; i < 4; ++i) {
    subscription->request(1);
    ASSERT_TRUE(seen->wait_for_height(Height(i)));
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_EQ(seen->blocks().size(), static_cast<std::size_t>(i + 1));
  }
}

TEST_P(OrderingConformance, RequestsMadeInsideACallbackAreServed) {
  std::atomic<Subscription*> subscription = nullptr;
  std::promise<void> known;
  auto ready = known.get_future().share();
  auto seen = std::make_shared<Acting>([&, ready](const Block&) {
    ready.wait();
    subscription.load()->request(1);
  });
  auto made = log_->subscribe(Height(0), seen);
  subscription = made.get();
  known.set_value();
  made->request(1);
  submit_all("c", 10);
  EXPECT_TRUE(appears(*seen, "c9"));
  EXPECT_TRUE(seen->chained());
}

TEST_P(OrderingConformance, ASubscriptionDestroyedInsideItsCallbackIsSilentFromThenOn) {
  std::unique_ptr<Subscription> subscription;
  std::promise<void> known;
  auto ready = known.get_future().share();
  std::atomic<bool> left = false;
  auto seen = std::make_shared<Acting>([&, ready](const Block& block) {
    ready.wait();
    if (block.height != Height(2)) return;
    subscription.reset();
    left = true;
  });
  subscription = log_->subscribe(Height(0), seen);
  subscription->request(1'000'000);
  known.set_value();
  submit_apart("d", 8);
  ASSERT_TRUE(eventually([&] { return left.load(); }));
  auto other = std::make_shared<Collector>();
  auto second = follow(*log_, Height(0), other);
  ASSERT_TRUE(other->wait_for_record("d7"));
  EXPECT_EQ(seen->blocks().size(), 3u);
  EXPECT_EQ(seen->ends(), 0);
}

TEST_P(OrderingConformance, ASubscriptionDestroyedInsideOnEndIsFine) {
  class Leaving : public Collector {
   public:
    void on_end(Error error) override {
      subscription.reset();
      Collector::on_end(std::move(error));
    }
    std::unique_ptr<Subscription> subscription;
  };
  auto seen = std::make_shared<Leaving>();
  seen->subscription = follow(*log_, Height(0), seen);
  ASSERT_TRUE(ordered(*log_, *seen, "e"));
  log_->stop(Duration::seconds(5));
  EXPECT_TRUE(seen->wait_for_end());
  EXPECT_EQ(seen->ends(), 1);
}

TEST_P(OrderingConformance, TheDestructorWaitsForARunningCall) {
  std::promise<void> entered, leave;
  auto go = leave.get_future().share();
  std::atomic<bool> first = true, left = false;
  auto seen = std::make_shared<Acting>([&, go](const Block&) {
    if (!first.exchange(false)) return;
    entered.set_value();
    go.wait();
    left = true;
  });
  auto subscription = follow(*log_, Height(0), seen);
  submit_all("w", 1);
  entered.get_future().wait();
  std::thread leaver([&] {
    std::this_thread::sleep_for(milliseconds(50));
    leave.set_value();
  });
  subscription.reset();
  EXPECT_TRUE(left);
  leaver.join();
}

TEST_P(OrderingConformance, NoCallBeginsAfterTheDestructor) {
  std::atomic<bool> over = false;
  std::thread submitter([&] {
    for (int i = 0; !over; ++i) submit_until_accepted(*log_, "n" + std::to_string(i), 1);
  });
  for (int round = 0; round < 5; ++round) {
    auto seen = std::make_shared<Collector>();
    auto subscription = follow(*log_, Height(0), seen);
    EXPECT_TRUE(seen->wait_for_height(Height(round)));
    subscription.reset();
    const std::size_t count = seen->blocks().size();
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_EQ(seen->blocks().size(), count);
  }
  over = true;
  submitter.join();
}

TEST_P(OrderingConformance, ManySubscribersSeeTheSame) {
  std::vector<std::shared_ptr<Collector>> all;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_shared<Collector>());
    subscriptions.push_back(follow(*log_, Height(0), all.back()));
  }
  submit_all("m", 10);
  for (const auto& seen : all) {
    ASSERT_TRUE(appears(*seen, "m9"));
    EXPECT_TRUE(seen->chained());
    EXPECT_TRUE(one_log(seen->blocks(), all.front()->blocks()));
  }
}

TEST_P(OrderingConformance, ASubscriberThatAsksForNothingHarmsNobody) {
  auto dead = std::make_shared<Collector>(), slow = std::make_shared<Collector>(),
       quick = std::make_shared<Collector>();
  auto one = log_->subscribe(Height(0), dead);
  auto two = log_->subscribe(Height(0), slow);
  two->request(1);
  auto three = follow(*log_, Height(0), quick);
  const Bytes filling(100'000, 'q');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(submit(*log_, std::to_string(i) + filling));
  EXPECT_TRUE(appears(*quick, "39" + filling));
  EXPECT_TRUE(dead->blocks().empty());
  EXPECT_LE(slow->blocks().size(), 1u);
}

TEST_P(OrderingConformance, AHeightFarBeyondTheHeadIsWaitedFor) {
  submit_all("a", 2);
  auto all = std::make_shared<Collector>(), future = std::make_shared<Collector>();
  auto whole = follow(*log_, Height(0), all);
  auto late = follow(*log_, Height(12), future);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_TRUE(future->blocks().empty());
  submit_apart("b", 14);
  ASSERT_TRUE(all->wait_for_record("b13"));
  ASSERT_TRUE(future->wait_for_record("b13"));
  EXPECT_EQ(future->blocks().front().height, Height(12));
  EXPECT_TRUE(same(future->blocks().front(), all->blocks()[12]));
}

TEST_P(OrderingConformance, ALateSubscriberOfANewDriverSeesTheSameFromTheStart) {
  auto first = std::make_shared<Collector>();
  auto one = follow(*log_, Height(0), first);
  submit_all("s", 40);
  ASSERT_TRUE(appears(*first, "s39"));
  auto other = world().connect();
  auto second = std::make_shared<Collector>();
  auto two = follow(*other, Height(0), second);
  ASSERT_TRUE(second->wait_for_record("s39"));
  EXPECT_TRUE(one_log(first->blocks(), second->blocks()));
}

TEST_P(OrderingConformance, ASubscriptionMayOutliveItsDriver) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  ASSERT_TRUE(ordered(*log_, *seen, "o"));
  log_.reset();
  EXPECT_TRUE(seen->wait_for_end());
  EXPECT_EQ(seen->end()->id, "ORDERING_STOPPED");
  subscription->request(1);
  subscription.reset();
}

TEST_P(OrderingConformance, BlocksBelowAPrunedHeightAreGoneAndTheRestIsAsBefore) {
  if (!world().traits().prunes) return expect_no_pruning();
  auto all = std::make_shared<Collector>();
  auto whole = follow(*log_, Height(0), all);
  const Bytes filling(20'000, 'p');
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(ordered(*log_, *all, std::to_string(i) + filling));
  const auto blocks = all->blocks();
  ASSERT_TRUE(world().prune(*log_, Height(20)));
  ASSERT_TRUE(world().prune(*log_, Height(5))) << "less than what is gone already";
  auto other = world().connect();  // knows nothing of what went before
  auto gone = std::make_shared<Collector>();
  auto one = follow(*other, Height(2), gone);
  ASSERT_TRUE(gone->wait_for_end());
  EXPECT_EQ(gone->end()->id, "ORDERING_HEIGHT_PRUNED");
  for (std::size_t from = 20; from < blocks.size(); from += 3) {
    auto kept = std::make_shared<Collector>();
    auto two = follow(*other, Height(static_cast<std::int64_t>(from)), kept);
    ASSERT_TRUE(kept->wait_for_height(blocks.back().height));
    const auto tail = kept->blocks();
    for (std::size_t i = from; i < blocks.size(); ++i)
      ASSERT_TRUE(same(tail[i - from], blocks[i])) << "at height " << i << " from " << from;
  }
  submit_all("after", 1);
  EXPECT_TRUE(all->wait_for_record("after0")) << "who was there goes on";
  EXPECT_TRUE(all->chained());
}

}  // namespace
}  // namespace synod::ordering::conformance
