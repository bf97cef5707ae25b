#include "ordering/fabric_wire/fabric_log.h"

#include <chrono>

#include "ordering/fabric_wire/block_stream.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/fan_out.h"
#include "ordering/fabric_wire/head_watch.h"
#include "ordering/fabric_wire/submitter.h"

namespace synod::ordering::fabric_wire {
namespace {

class FabricSubscription final : public Subscription {
 public:
  explicit FabricSubscription(std::shared_ptr<BlockStream> stream) : stream_(std::move(stream)) {}
  ~FabricSubscription() override { stream_->close(); }
  void request(std::size_t blocks) override { stream_->request(blocks); }

 private:
  const std::shared_ptr<BlockStream> stream_;
};

class FabricLog final : public OrderingLog {
 public:
  explicit FabricLog(std::shared_ptr<Link> link)
      : link_(std::move(link)), submitter_(std::make_shared<Submitter>(link_)) {
    if (link_->config.accepts_needed > 0) fan_out_.emplace(link_, link_->config.accepts_needed);
    if (fan_out_)
      fan_out_->start();
    else
      submitter_->start();
    if (link_->config.endpoints.size() > 1) {
      heads_ = std::make_shared<HeadWatch>(link_, [this](const KnownHead& head) { tell(head); });
      heads_->start();
    }
  }
  ~FabricLog() override { stop(Duration::seconds(1)); }

  void submit(Bytes record, std::function<void(SubmitResult)> done) override {
    const FabricLogConfig& config = link_->config;
    const std::size_t bytes = record.size();
    if (bytes > config.max_record_bytes)
      return done({SubmitOutcome::refused,
                   invalid_argument("ORDERING_RECORD_TOO_LARGE", "a record of " + std::to_string(bytes) +
                                                                     " bytes exceeds the limit of " +
                                                                     std::to_string(config.max_record_bytes))});
    if (bytes == 0)
      return done({SubmitOutcome::refused, invalid_argument("ORDERING_REFUSED", "a record may not be empty")});
    const EnvelopeType type = fan_out_ ? EnvelopeType::endorser_transaction : EnvelopeType::message;
    const grpc::ByteBuffer envelope = to_buffer(make_envelope(type, config.channel, record, link_->identity()));
    if (fan_out_)
      fan_out_->submit(envelope, bytes, std::move(done));
    else
      submitter_->submit(envelope, bytes, std::move(done));
  }

  std::unique_ptr<Subscription> subscribe(Height from, std::shared_ptr<BlockSink> sink) override {
    auto stream = std::make_shared<BlockStream>(link_, from, std::move(sink));
    bool stopped = false;
    {
      std::lock_guard lock(mutex_);
      std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
      streams_.push_back(stream);
      stopped = stopped_;
    }
    if (stopped)
      stream->end(stopped_error());
    else
      stream->start();
    return std::make_unique<FabricSubscription>(std::move(stream));
  }

  // The engine's members order without a clock that clients could rely on.
  std::optional<Timestamp> sequencing_time() const override { return std::nullopt; }

  void prune(Height, std::function<void(Status)> done) override {
    done(fail(Error("ORDERING_PRUNE_UNSUPPORTED", ErrorCategory::unsupported,
                    "pruning is done at the orderer, not through its clients")));
  }

  Health health() const override {
    Health health;
    {
      std::lock_guard lock(link_->mutex);
      health.head = link_->head;
      health.last_error = link_->last_error;
    }
    if (fan_out_)
      fan_out_->describe(health);
    else
      submitter_->describe(health);
    return health;
  }

  std::size_t max_record_bytes() const override { return link_->config.max_record_bytes; }

  void stop(Duration deadline) override {
    std::vector<std::weak_ptr<BlockStream>> streams;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      stopped_ = true;
      streams.swap(streams_);
    }
    if (heads_) heads_->stop();
    if (fan_out_)
      fan_out_->stop();
    else
      submitter_->stop();
    for (const auto& weak : streams)
      if (const auto stream = weak.lock()) stream->end(stopped_error());
    {
      std::unique_lock lock(link_->mutex);
      link_->calls_over.wait_for(lock, std::chrono::microseconds(deadline.micros),
                                 [&] { return link_->open_calls == 0; });
    }
    link_->loop.stop();
  }

 private:
  void tell(const KnownHead& head) {
    std::vector<std::shared_ptr<BlockStream>> streams;
    {
      std::lock_guard lock(mutex_);
      for (const auto& weak : streams_)
        if (auto stream = weak.lock()) streams.push_back(std::move(stream));
    }
    for (const auto& stream : streams) stream->head_seen(head);
  }
  static Error stopped_error() { return unavailable("ORDERING_STOPPED", "the ordering client has stopped"); }

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Submitter> submitter_;
  std::optional<FanOut> fan_out_;
  std::shared_ptr<HeadWatch> heads_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<BlockStream>> streams_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<OrderingLog>> connect_fabric(FabricLogConfig config) {
  if (config.endpoints.empty())
    return fail(invalid_argument("ORDERING_NO_ENDPOINT", "no endpoint of an orderer is configured"));
  if (config.accepts_needed > config.endpoints.size())
    return fail(invalid_argument(
        "ORDERING_NO_ENDPOINT",
        "so many orderers as must accept a submission are not configured: " + std::to_string(config.accepts_needed)));
  auto link = std::make_shared<Link>(std::move(config));
  SYNOD_RETURN_IF_ERROR(link->connect());
  return std::make_unique<FabricLog>(std::move(link));
}

}  // namespace synod::ordering::fabric_wire
