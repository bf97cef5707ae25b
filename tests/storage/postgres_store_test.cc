#include "storage/postgres/postgres_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <pqxx/pqxx>
#include <thread>

#include "base/env.h"
#include "base/testing/temporary_folder.h"
#include "ordering/engines/postgres_engine.h"
#include "storage/conformance/store_conformance.h"

namespace synod::storage {
namespace {

namespace engines = ordering::engines;

// One server for all tests of the program.
class Server : public ::testing::Environment {
 public:
  void SetUp() override {
    missing = engines::missing_for_postgres();
    if (!missing.empty()) return;
    engines::PostgresEngineConfig config;
    config.folder = folder_ = synod::testing::new_folder("store");
    config.port = free_port();
    config.dies_with_us = true;
    auto made = engines::PostgresEngine::prepare(config);
    ASSERT_TRUE(made) << made.error().to_string();
    engine = std::make_unique<engines::PostgresEngine>(std::move(*made));
    const Status started = engine->start(Duration::seconds(120));
    ASSERT_TRUE(started) << started.error().to_string();
  }
  void TearDown() override {
    if (engine) engine->kill();
    std::filesystem::remove_all(folder_);
  }

  std::string missing;
  std::unique_ptr<engines::PostgresEngine> engine;

 private:
  std::string folder_;
};

Server* const server = new Server;  // GoogleTest deletes it
const auto* const added = ::testing::AddGlobalTestEnvironment(server);

struct PostgresWorld {
  PostgresStoreOptions options() const {
    PostgresStoreOptions made;
    made.connection = server->engine->connection_string();
    made.schema = schema;
    made.columns = {kLeft, kRight};
    made.scan_rows = 16;
    made.open_patience = Duration::seconds(60);  // the session of the last owner may end later than its socket
    return made;
  }
  std::unique_ptr<Store> open() {
    if (!server->engine) return nullptr;
    auto store = open_postgres(options());
    EXPECT_TRUE(store) << store.error().to_string();
    return store ? std::move(*store) : nullptr;
  }
  static constexpr bool persistent = true;
  static std::string next() {
    static int count = 0;
    return "store " + std::to_string(++count);
  }
  const std::string schema = next();
};

class PostgresStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!server->missing.empty()) GTEST_SKIP() << "SKIPPED: " << server->missing;
    ASSERT_TRUE(server->engine);
    store_ = world_.open();
    ASSERT_TRUE(store_);
  }
  void put(Bytes key, Bytes value, Sync sync) {
    WriteBatch batch;
    batch.put(kLeft, std::move(key), std::move(value));
    const Status written = store_->write(batch, sync);
    ASSERT_TRUE(written) << written.error().to_string();
  }
  PostgresWorld world_;
  std::unique_ptr<Store> store_;
};

TEST_F(PostgresStore, ALongScanIsOfOneMomentAndComplete) {
  WriteBatch batch;
  for (int i = 0; i < 1000; ++i)
    batch.put(kLeft, "k" + std::to_string(1000 + i), Bytes(static_cast<std::size_t>(i), 'v'));
  ASSERT_TRUE(store_->write(batch, Sync::no));
  for (const Direction direction : {Direction::forward, Direction::reverse}) {
    int count = 0;
    ASSERT_TRUE(store_->scan(kLeft, KeyRange::all(), direction, [&](ByteView key, ByteView value) {
      const int i = direction == Direction::forward ? count : 999 - count;
      EXPECT_EQ(key, "k" + std::to_string(1000 + i));
      EXPECT_EQ(value.size(), static_cast<std::size_t>(i));
      if (++count == 10) put(direction == Direction::forward ? "k1999x" : "j", "later", Sync::no);
      return true;
    }));
    EXPECT_EQ(count, 1000) << "what was written meanwhile is not seen";
    WriteBatch back;
    back.erase(kLeft, "k1999x");
    back.erase(kLeft, "j");
    ASSERT_TRUE(store_->write(back, Sync::no));
  }
}

// With the server's defaults a table would grow by a fifth of itself before its space is used again.
TEST_F(PostgresStore, EveryTableSaysThatItsSpaceIsToBeUsedAgain) {
  const auto sql = [](const std::string& text) {
    pqxx::connection session(server->engine->connection_string());
    pqxx::nontransaction work(session);
    return work.exec(text);
  };
  const auto tables = [&] {
    const std::string setting = "'autovacuum_vacuum_scale_factor=0' = ANY";
    return sql("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON "
               "t.oid = c.reltoastrelid WHERE n.nspname = '" +
               world_.schema + "' AND " + setting + "(c.reloptions) AND " + setting + "(t.reloptions)")[0][0]
        .as<int>();
  };
  EXPECT_EQ(tables(), 2);
  store_.reset();
  const std::string left = "ALTER TABLE \"" + world_.schema + "\".\"" + std::string(kLeft.name) + "\" ";
  const std::string all = "autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay";
  sql(left + "RESET (" + all + ")");  // as one that was made before
  sql(left + "RESET (toast.autovacuum_vacuum_scale_factor)");
  EXPECT_EQ(tables(), 1);
  store_ = world_.open();
  EXPECT_EQ(tables(), 2);
  store_.reset();
  sql(left + "SET (autovacuum_vacuum_scale_factor = 0.1)");
  store_ = world_.open();
  EXPECT_EQ(tables(), 1) << "what the operator has set stays";
}

TEST_F(PostgresStore, HasOneOwner) {
  PostgresStoreOptions impatient = world_.options();
  impatient.open_patience = Duration::milliseconds(300);
  const auto second = open_postgres(impatient);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "STORAGE_LOCKED");
  store_.reset();
  EXPECT_TRUE(open_postgres(world_.options()));
}

// Of two processes that may own it, one that lost its connection unnoticed must not write over what the other has done.
TEST_F(PostgresStore, AnOwnerWhoWasFollowedByAnotherWritesNoMore) {
  put("mine", "1", Sync::no);
  server->engine->kill();
  ASSERT_TRUE(server->engine->start(Duration::seconds(120)));
  auto next = world_.open();
  ASSERT_TRUE(next);
  WriteBatch batch;
  batch.put(kLeft, "mine", "2");
  ASSERT_TRUE(next->write(batch, Sync::no));
  next.reset();  // nobody holds the lock now
  WriteBatch late;
  late.put(kLeft, "mine", "3");
  for (int tries = 0; tries < 2; ++tries) {
    const Status refused = store_->write(late, Sync::no);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().id, "STORAGE_LOCKED") << refused.error().to_string();
  }
  EXPECT_FALSE(store_->health());
  EXPECT_EQ(store_->get(kLeft, "mine").value(), "2");
  store_ = world_.open();
  ASSERT_TRUE(store_);
  put("mine", "4", Sync::no);
  EXPECT_EQ(store_->get(kLeft, "mine").value(), "4");
}

TEST_F(PostgresStore, GoesOnAfterTheServerWasKilledAndHasWhatWasSynced) {
  put("before", "1", Sync::no);
  put("synced", "2", Sync::yes);
  server->engine->kill();
  ASSERT_TRUE(server->engine->start(Duration::seconds(120)));
  EXPECT_EQ(store_->get(kLeft, "synced").value(), "2");
  EXPECT_EQ(store_->get(kLeft, "before").value(), "1") << "what came before a synced write is as safe";
  put("after", "3", Sync::yes);
  EXPECT_EQ(store_->get(kLeft, "after").value(), "3");
}

// The owner goes on from what it has written; a server that forgot the last of it would leave a hole.
TEST_F(PostgresStore, ForgetsNothingThatAnOwnerWhoLivesOnHasWritten) {
  put("last", "1", Sync::no);
  server->engine->kill();
  ASSERT_TRUE(server->engine->start(Duration::seconds(120)));
  put("next", "2", Sync::no);
  EXPECT_EQ(store_->get(kLeft, "last").value(), "1");
}

TEST_F(PostgresStore, SaysWhyItCannotWrite) {
  PostgresStoreOptions nowhere = world_.options();
  nowhere.connection = "host=127.0.0.1 port=1 user=synod dbname=synod";
  nowhere.open_patience = Duration::milliseconds(300);
  EXPECT_EQ(open_postgres(nowhere).error().id, "STORAGE_FAILED");
  WriteBatch batch;
  batch.put(kLeft, system_random()->bytes(9000), "v");  // an index entry cannot be so long
  const Status refused = store_->write(batch, Sync::no);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "STORAGE_FAILED");
  EXPECT_FALSE(store_->health());
  put("short", "v", Sync::no);
  EXPECT_TRUE(store_->health());
}

// Its connections stay open, and nothing comes.
TEST_F(PostgresStore, AFrozenServerIsGivenUpAndTakenUpAgain) {
  put("before", "1", Sync::no);
  store_.reset();
  PostgresStoreOptions impatient = world_.options();
  impatient.answer_timeout = Duration::milliseconds(300);
  impatient.connect_timeout = Duration::seconds(1);
  impatient.patience = Duration::milliseconds(1);
  auto opened = open_postgres(impatient);
  ASSERT_TRUE(opened) << opened.error().to_string();
  store_ = std::move(*opened);
  // So impatient a store may fail of itself on a busy machine.
  const auto in_the_end = [&](ByteView key) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto value = store_->get(kLeft, key);
    while (!value && std::chrono::steady_clock::now() < give_up) value = store_->get(kLeft, key);
    EXPECT_TRUE(value) << value.error().to_string();
    return value ? *value : std::nullopt;
  };
  EXPECT_EQ(in_the_end("before"), "1");
  WriteBatch batch;
  batch.put(kLeft, "during", "2");
  server->engine->signal(SIGSTOP);
  const auto bounded = [](std::future<Status> done) {
    const bool ended = done.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
    EXPECT_TRUE(ended);
    if (!ended) server->engine->signal(SIGCONT);  // or it would wait for ever
    return done.get();
  };
  EXPECT_FALSE(bounded(std::async(std::launch::async, [&] { return store_->write(batch, Sync::no); })));
  EXPECT_FALSE(bounded(std::async(std::launch::async, [&]() -> Status {
    SYNOD_TRY(const auto value, store_->get(kLeft, "before"));
    (void)value;
    return {};
  })));
  server->engine->signal(SIGCONT);
  // The server may still work on the first attempt; until it has done so, nobody else gets the schema.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  Status written = store_->write(batch, Sync::no);
  while (!written && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    written = store_->write(batch, Sync::no);
  }
  EXPECT_TRUE(written) << written.error().to_string();
  EXPECT_EQ(in_the_end("during"), "2");
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(postgres, StoreConformance, PostgresWorld);

}  // namespace synod::storage
