// What only PostgreSQL's driver can do wrong, against a real server.
#include <gtest/gtest.h>

#include <thread>

#include "ordering/conformance/conformance.h"
#include "ordering/conformance/relay.h"
#include "ordering/conformance/temporary_engines.h"
#include "ordering/postgres/postgres_log.h"
#include "ordering/postgres/schema.h"

namespace synod::ordering::conformance {
namespace {

class PostgresDriver : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { engine_.reset(); }
  void SetUp() override {
    if (const std::string missing = engines::missing_for_postgres(); !missing.empty())
      GTEST_SKIP() << "SKIPPED: " << missing;
    schema_ = "log" + std::to_string(++tests_);
    if (engine_) return;
    auto engine = temporary_postgres();
    ASSERT_TRUE(engine) << engine.error().to_string();
    engine_ = std::move(*engine);
  }

  postgres::PostgresLogConfig configuration() const {
    postgres::PostgresLogConfig config;
    config.connection = (*engine_)->connection_string();
    config.schema = schema_;
    config.max_reconnect_delay = Duration::milliseconds(100);
    config.submit_timeout = Duration::seconds(30);
    return config;
  }
  static std::unique_ptr<OrderingLog> connect(const postgres::PostgresLogConfig& config) {
    return std::move(*postgres::connect_postgres(config));
  }
  void execute(const std::string& statement) const {
    auto connection = postgres::Connection::open(configuration());
    ASSERT_TRUE(connection) << connection.error().to_string();
    const Status done = postgres::guarded([&] {
      pqxx::nontransaction work((*connection)->session());
      work.exec(statement);
    });
    ASSERT_TRUE(done) << done.error().to_string();
  }
  static TemporaryPostgres engine_;
  static int tests_;
  std::string schema_;
};

TemporaryPostgres PostgresDriver::engine_;
int PostgresDriver::tests_ = 0;

// The outcome of a batch that was under way when the connection broke is found out, and it is ordered once.
TEST_F(PostgresDriver, WhatWasInDoubtIsOrderedExactlyOnce) {
  Relay relay((*engine_)->port());
  postgres::PostgresLogConfig config = configuration();
  config.connection = (*engine_)->connection_string(relay.port());
  config.submit_timeout = Duration::seconds(300);
  std::atomic<int> accepted = 0;
  auto log = connect(config);
  const int count = 2000;
  std::thread cutter([&] {
    for (int i = 0; i < 12; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
      relay.set(Relay::Mode::cut);
      relay.set(Relay::Mode::pass);
    }
  });
  for (int i = 0; i < count; ++i) {
    log->submit("d" + std::to_string(i), [&](SubmitResult r) { accepted += r.outcome == SubmitOutcome::accepted; });
    if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  cutter.join();
  EXPECT_TRUE(eventually([&] { return accepted == count; })) << accepted;
  auto seen = std::make_shared<Collector>();
  auto subscription = log->subscribe(Height(0), seen);
  subscription->request(1'000'000);
  ASSERT_TRUE(seen->wait_for_record("d" + std::to_string(count - 1)));
  const auto sequence = seen->sequence();
  ASSERT_EQ(sequence.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(sequence[static_cast<std::size_t>(i)], "d" + std::to_string(i));
}

TEST_F(PostgresDriver, ManyMayCreateTheLogAtTheSameTime) {
  std::vector<std::unique_ptr<OrderingLog>> logs;
  for (int i = 0; i < 6; ++i) logs.push_back(connect(configuration()));
  std::vector<std::shared_ptr<Collector>> seen;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    seen.push_back(std::make_shared<Collector>());
    subscriptions.push_back(logs[i]->subscribe(Height(0), seen.back()));
    subscriptions.back()->request(1000);
    ASSERT_TRUE(submit_until_accepted(*logs[i], "from" + std::to_string(i)));
  }
  for (const auto& one : seen) {
    ASSERT_TRUE(one->wait_for_record("from5"));
    EXPECT_TRUE(one_log(one->blocks(), seen.front()->blocks()));
  }
}

TEST_F(PostgresDriver, ALogThatIsMissingOrOfAnotherVersionIsNotTouched) {
  postgres::PostgresLogConfig config = configuration();
  config.create_schema = false;
  auto missing = connect(config);
  EXPECT_TRUE(eventually([&] {
    return missing->health().last_error.find("has no log in schema") != std::string::npos;
  })) << missing->health().last_error;
  EXPECT_TRUE(submit_until_accepted(*connect(configuration()), "makes it"));
  EXPECT_TRUE(submit_until_accepted(*missing, "now it is there"));
  execute("UPDATE " + schema_ + ".log_state SET version = 99");
  auto newer = connect(configuration());
  EXPECT_TRUE(eventually([&] { return newer->health().last_error.find("has version 99") != std::string::npos; }))
      << newer->health().last_error;
}

// Who asks for blocks while there is no connection must not make the driver try again each time.
TEST_F(PostgresDriver, ADatabaseThatIsAwayIsNotBesieged) {
  Relay relay((*engine_)->port());
  relay.set(Relay::Mode::cut);
  postgres::PostgresLogConfig config = configuration();
  config.connection = (*engine_)->connection_string(relay.port()) + " sslmode=disable gssencmode=disable";
  config.min_reconnect_delay = config.max_reconnect_delay = Duration::seconds(3600);
  auto log = connect(config);
  auto seen = std::make_shared<Collector>();
  auto subscription = log->subscribe(Height(0), seen);
  ASSERT_TRUE(eventually([&] { return relay.attempts() > 0; }));
  for (int i = 0; i < 500; ++i) {
    subscription->request(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(relay.attempts(), 1) << "the next one is due in an hour";
  log->stop(Duration::seconds(60));  // which does not wait for that
  EXPECT_TRUE(seen->wait_for_end(std::chrono::milliseconds(0)));
}

TEST_F(PostgresDriver, AReadOnlyDatabaseServesBlocksAndRefusesSubmissions) {
  ASSERT_TRUE(submit_until_accepted(*connect(configuration()), "before"));
  execute("ALTER DATABASE synod SET default_transaction_read_only = on");
  auto log = connect(configuration());
  auto seen = std::make_shared<Collector>();
  auto subscription = log->subscribe(Height(0), seen);
  subscription->request(1000);
  EXPECT_TRUE(seen->wait_for_record("before"));
  const auto refused = submit_and_wait(*log, "no");
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_UNAVAILABLE");
  EXPECT_TRUE(eventually([&] { return log->health().state == Health::State::read_only; }));
  execute("BEGIN READ WRITE; ALTER DATABASE synod SET default_transaction_read_only = off; COMMIT");
  EXPECT_TRUE(submit_until_accepted(*log, "again"));
  EXPECT_TRUE(eventually([&] { return log->health().state == Health::State::ready; }));
  EXPECT_TRUE(eventually([&] { return log->health().last_error.empty(); })) << log->health().last_error;
}

TEST_F(PostgresDriver, ATamperedBlockIsNotDelivered) {
  auto log = connect(configuration());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(submit_until_accepted(*log, "t" + std::to_string(i)));
  execute("UPDATE " + schema_ + ".blocks SET content = int4send(3) || 'bad'::bytea WHERE height = 2");
  auto seen = std::make_shared<Collector>();
  auto subscription = log->subscribe(Height(0), seen);
  subscription->request(1000);
  ASSERT_TRUE(seen->wait_for_end());
  EXPECT_EQ(seen->end()->id, "ORDERING_MALFORMED_BLOCK");
  EXPECT_EQ(seen->blocks().size(), 2u);
}

TEST_F(PostgresDriver, AnUnusableConfigurationIsRefused) {
  postgres::PostgresLogConfig config = configuration();
  config.connection.clear();
  EXPECT_EQ(postgres::connect_postgres(config).error().id, "ORDERING_NO_ENDPOINT");
  config = configuration();
  config.schema = std::string(80, 's');
  EXPECT_EQ(postgres::connect_postgres(config).error().id, "ORDERING_POSTGRES_CONFIGURATION_INVALID");
}

}  // namespace
}  // namespace synod::ordering::conformance
