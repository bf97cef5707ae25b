#include "ordering/postgres/postgres_log.h"

#include "ordering/postgres/follower.h"
#include "ordering/postgres/writer.h"

namespace synod::ordering::postgres {
namespace {

constexpr int kPrunedAtOnce = 10'000;

class PostgresSubscription final : public Subscription {
 public:
  PostgresSubscription(std::shared_ptr<Feed> feed, std::shared_ptr<Follower> follower)
      : feed_(std::move(feed)), follower_(std::move(follower)) {}
  ~PostgresSubscription() override {
    feed_->close();
    follower_->wake();
  }
  void request(std::size_t blocks) override {
    {
      std::lock_guard lock(feed_->mutex);
      feed_->requested = feed_->requested + blocks < blocks ? SIZE_MAX : feed_->requested + blocks;
    }
    follower_->wake();
  }

 private:
  const std::shared_ptr<Feed> feed_;
  const std::shared_ptr<Follower> follower_;
};

// Readers see the new oldest height first; then the blocks go, in portions that do not hold up others.
Status prune_now(const Link& link, Height before) {
  SYNOD_TRY(const auto connection, Connection::open(link.config));
  SYNOD_TRY(const LogState state, open_schema(*connection, link.config));
  const std::string schema = quoted(link.config.schema);
  const std::string limit = std::to_string(std::min(before, state.head).value);
  SYNOD_RETURN_IF_ERROR(guarded([&] {
    pqxx::nontransaction work(connection->session());
    work.exec("UPDATE " + schema + ".log_state SET oldest = greatest(oldest, " + limit + ")");
  }));
  for (bool more = true; more && !link.is_stopping();)
    SYNOD_RETURN_IF_ERROR(guarded([&] {
      pqxx::nontransaction work(connection->session());
      const auto gone = work.exec("DELETE FROM " + schema + ".blocks WHERE height IN (SELECT height FROM " + schema +
                                  ".blocks WHERE height < " + limit + " ORDER BY height LIMIT " +
                                  std::to_string(kPrunedAtOnce) + ")");
      more = gone.affected_rows() == kPrunedAtOnce;
    }));
  return {};
}

class PostgresLog final : public OrderingLog {
 public:
  explicit PostgresLog(std::shared_ptr<Link> link)
      : link_(std::move(link)), writer_(std::make_shared<Writer>(link_)), follower_(std::make_shared<Follower>(link_)) {
    writer_->start();
    follower_->start();
  }
  ~PostgresLog() override {
    stop(Duration::seconds(1));
    link_->threads.wait(Duration::seconds(10));
  }

  void submit(Bytes record, std::function<void(SubmitResult)> done) override {
    writer_->submit(std::move(record), std::move(done));
  }

  std::unique_ptr<Subscription> subscribe(Height from, std::shared_ptr<BlockSink> sink) override {
    auto feed = std::make_shared<Feed>(from, std::move(sink));
    follower_->add(feed);
    return std::make_unique<PostgresSubscription>(std::move(feed), follower_);
  }

  // The database's clock may be set back, and another server may take over.
  std::optional<Timestamp> sequencing_time() const override { return std::nullopt; }

  void prune(Height before, std::function<void(Status)> done) override {
    if (link_->is_stopping()) return done(fail(stopped_error()));
    link_->threads.spawn([link = link_, before, done = std::move(done)] { done(prune_now(*link, before)); });
  }

  Health health() const override {
    Health health;
    health.pending_submissions = writer_->pending();
    std::lock_guard lock(link_->mutex);
    health.head = link_->head;
    health.last_error = link_->last_error;
    if (link_->stopping) {
      health.state = Health::State::stopped;
    } else if (link_->connected) {
      health.state = link_->read_only.empty() ? Health::State::ready : Health::State::read_only;
      health.leader = link_->leader;
    }
    return health;
  }

  std::size_t max_record_bytes() const override { return link_->config.max_record_bytes; }

  void stop(Duration deadline) override {
    {
      std::lock_guard lock(link_->mutex);
      if (link_->stopping) return;
      link_->stopping = true;
    }
    writer_->stop();
    follower_->stop(stopped_error());
    link_->threads.wait(deadline);
    link_->loop.stop();
  }

 private:
  static Error stopped_error() { return unavailable("ORDERING_STOPPED", "the ordering client has stopped"); }

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Writer> writer_;
  const std::shared_ptr<Follower> follower_;
};

}  // namespace

Result<std::unique_ptr<OrderingLog>> connect_postgres(PostgresLogConfig config) {
  if (config.connection.empty())
    return fail(
        invalid_argument("ORDERING_NO_ENDPOINT", "no connection string of a PostgreSQL database is configured"));
  // The schema's name is part of the channel's, which PostgreSQL limits to 63 bytes.
  if (config.schema.empty() || config.schema.size() > 50 || config.schema.find('\0') != std::string::npos)
    return fail(
        invalid_argument("ORDERING_POSTGRES_CONFIGURATION_INVALID", "the schema's name must have 1 to 50 bytes"));
  return std::make_unique<PostgresLog>(std::make_shared<Link>(std::move(config)));
}

}  // namespace synod::ordering::postgres
