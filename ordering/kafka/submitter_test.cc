#include "ordering/kafka/submitter.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <thread>

#include "ordering/kafka/consumption.h"

namespace synod::ordering::kafka {
namespace {

constexpr std::int16_t kProduce = 0;  // its API key

// librdkafka's own broker, in this process: it fails as it is told.
class SubmitterTest : public ::testing::Test {
 protected:
  SubmitterTest() {
    char text[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    owner_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
    cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), 1));
    rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
    KafkaLogConfig config;
    config.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    config.topic = "t";
    config.submit_timeout = Duration::seconds(60);
    link_ = std::make_shared<Link>(config);
    link_->topic_checked = true;
    submitter_ = std::make_shared<Submitter>(link_);
    submitter_->start();
  }
  ~SubmitterTest() override {
    {
      std::lock_guard lock(link_->mutex);
      link_->stopping = true;
    }
    submitter_->stop();
    EXPECT_TRUE(link_->threads.wait(Duration::seconds(30)));
    link_->loop.stop();
  }
  // The producer has got an answer that it cannot make sense of, and fails for good.
  void producer_fails() {
    rd_kafka_mock_push_request_errors(cluster_.get(), kProduce, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  }
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 12'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return condition();
  }
  // All records of the topic, in order.
  std::vector<Bytes> records(std::size_t at_least) {
    auto consumption = std::move(*Consumption::open(link_));
    EXPECT_TRUE(consumption->start(0));
    std::vector<Bytes> all;
    Received received;
    for (int quiet = 0; quiet < 600 && all.size() < at_least;) {
      if (consumption->poll(std::chrono::milliseconds(50), received) == Consumption::Event::message)
        all.push_back(received.record.value_or(Bytes()));
      else
        ++quiet;
    }
    return all;
  }

  struct ClusterDestroyer {
    void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
  };
  ClientPtr owner_;
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDestroyer> cluster_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<Submitter> submitter_;
};

TEST_F(SubmitterTest, RecordsGoOnThroughANewProducerEachTimeOneFailsForGood) {
  constexpr int kCount = 60'000, kFailures = 40;
  std::vector<std::atomic<int>> answers(kCount);
  std::atomic<int> answered = 0, abandoned = 0, taken = 0, doubtful = 0;
  std::jthread load([&] {
    for (int i = 0; i < kCount; ++i) {
      while (i - answered > 500) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      submitter_->submit(std::to_string(i), [&, i](const SubmitResult& result) {
        taken += result.outcome == SubmitOutcome::accepted;
        doubtful += result.outcome == SubmitOutcome::unknown;
        abandoned += result.error && result.error->cause == "the producer failed";
        ++answers[static_cast<std::size_t>(i)];
        ++answered;
      });
    }
  });
  // One failure after the other: unlike a real broker this one takes what is sent behind a batch that it has refused.
  for (int i = 1; i <= kFailures; ++i) {
    const int taken_before = taken, doubtful_before = doubtful;
    ASSERT_TRUE(eventually([&] { return taken > taken_before + 200 || answered == kCount; })) << answered;
    if (answered == kCount) break;
    producer_fails();
    ASSERT_TRUE(eventually([&] { return doubtful > doubtful_before || answered == kCount; })) << answered;
  }
  load.join();
  ASSERT_TRUE(eventually([&] { return answered == kCount; })) << answered;
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(answers[static_cast<std::size_t>(i)], 1) << i;
  EXPECT_EQ(abandoned, 0) << "what a new producer was given is not lost with the old one";
  EXPECT_EQ(submitter_->pending(), 0u);
  std::cout << doubtful << " of " << kCount << " are in doubt after " << kFailures << " failures\n";
  EXPECT_GT(taken, kCount / 2);
  // In the order of submission, whatever had to be produced again.
  const auto count = static_cast<std::size_t>(taken);
  const auto all = records(count);
  EXPECT_GE(all.size(), count);
  int last = -1;
  for (const Bytes& record : all) {
    ASSERT_GT(std::stoi(record), last);
    last = std::stoi(record);
  }
}

TEST_F(SubmitterTest, StoppedWhileAProducerFailsEveryoneHearsOnce) {
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> answered = 0;
    constexpr int kCount = 2000;
    auto submitter = std::make_shared<Submitter>(link_);
    submitter->start();
    for (int i = 0; i < kCount; ++i) {
      if (i == kCount / 2) producer_fails();
      submitter->submit("s" + std::to_string(i), [&](const SubmitResult&) { ++answered; });
    }
    submitter->stop();
    EXPECT_TRUE(eventually([&] { return answered == kCount; })) << answered;
  }
}

}  // namespace
}  // namespace synod::ordering::kafka
