#include "ordering/kafka/kafka_log.h"

#include "ordering/kafka/keeper.h"
#include "ordering/kafka/reader.h"
#include "ordering/kafka/submitter.h"

namespace synod::ordering::kafka {
namespace {

class KafkaSubscription final : public Subscription {
 public:
  explicit KafkaSubscription(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}
  ~KafkaSubscription() override { reader_->close(); }
  void request(std::size_t blocks) override { reader_->request(blocks); }

 private:
  const std::shared_ptr<Reader> reader_;
};

class KafkaLog final : public OrderingLog {
 public:
  explicit KafkaLog(std::shared_ptr<Link> link)
      : link_(std::move(link)),
        submitter_(std::make_shared<Submitter>(link_)),
        keeper_(std::make_shared<Keeper>(link_, submitter_)) {
    submitter_->start();
    keeper_->start();
  }
  ~KafkaLog() override {
    stop(Duration::seconds(1));
    link_->threads.wait(Duration::seconds(10));
  }

  void submit(Bytes record, std::function<void(SubmitResult)> done) override {
    submitter_->submit(std::move(record), std::move(done));
  }

  std::unique_ptr<Subscription> subscribe(Height from, std::shared_ptr<BlockSink> sink) override {
    auto reader = std::make_shared<Reader>(link_, from, std::move(sink));
    {
      std::lock_guard lock(mutex_);
      std::erase_if(readers_, [](const auto& weak) { return weak.expired(); });
      readers_.push_back(reader);
      if (stopped_) reader->end(stopped_error());
    }
    reader->start();
    return std::make_unique<KafkaSubscription>(std::move(reader));
  }

  // A broker's clock is not monotonic: the next leader's may be behind.
  std::optional<Timestamp> sequencing_time() const override { return std::nullopt; }

  void prune(Height before, std::function<void(Status)> done) override {
    {
      std::lock_guard lock(mutex_);
      if (!stopped_) return keeper_->prune(before, std::move(done));
    }
    done(fail(stopped_error()));
  }

  Health health() const override {
    Health health;
    health.pending_submissions = submitter_->pending();
    std::lock_guard lock(link_->mutex);
    health.head = link_->head;
    health.last_error = link_->last_error;
    if (link_->stopping) {
      health.state = Health::State::stopped;
    } else if (link_->connected && link_->topic_checked && !link_->topic_refusal) {
      health.state = link_->hindrance.empty() ? Health::State::ready : Health::State::read_only;
      health.leader = link_->leader;
      if (!link_->hindrance.empty()) health.last_error = link_->hindrance;
    }
    return health;
  }

  std::size_t max_record_bytes() const override { return link_->config.max_record_bytes; }

  void stop(Duration deadline) override {
    std::vector<std::weak_ptr<Reader>> readers;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      stopped_ = true;
      readers.swap(readers_);
    }
    {
      std::lock_guard lock(link_->mutex);
      link_->stopping = true;
      link_->on_trouble = nullptr;
      link_->changed.notify_all();
    }
    submitter_->stop();
    for (const auto& weak : readers)
      if (const auto reader = weak.lock()) reader->end(stopped_error());
    link_->threads.wait(deadline);
    link_->loop.stop();
  }

 private:
  static Error stopped_error() { return unavailable("ORDERING_STOPPED", "the ordering client has stopped"); }

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Submitter> submitter_;
  const std::shared_ptr<Keeper> keeper_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Reader>> readers_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<OrderingLog>> connect_kafka(KafkaLogConfig config) {
  if (config.brokers.empty()) return fail(invalid_argument("ORDERING_NO_ENDPOINT", "no broker of Kafka is configured"));
  if (config.topic.empty())
    return fail(invalid_argument("ORDERING_KAFKA_CONFIGURATION_INVALID", "no topic is configured"));
  SYNOD_TRY(const ConfPtr consumer, make_conf(config, consumer_settings(config), nullptr));
  SYNOD_TRY(const ConfPtr producer, make_conf(config, producer_settings(config), nullptr));
  return std::make_unique<KafkaLog>(std::make_shared<Link>(std::move(config)));
}

}  // namespace synod::ordering::kafka
