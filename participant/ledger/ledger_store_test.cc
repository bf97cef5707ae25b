#include "participant/ledger_store.h"

#include <gtest/gtest.h>

#include "participant/core.h"
#include "participant/state/publisher.h"
#include "storage/memory/memory_store.h"

namespace synod::participant {
namespace {

lf::ContractInstance contract(char which) {
  lf::ContractInstance out;
  out.contract_id = lf::ContractId::local_v1(Bytes(32, which));
  out.package_name = "examples";
  out.template_id = {std::string(64, 'a'), "Iou", "Iou"};
  out.argument = lf::Value::record({lf::Value::text("x")});
  out.signatories = {"Alice::12"};
  out.stakeholders = {"Alice::12"};
  out.created_at = Timestamp{5};
  return out;
}

InFlightRequest request(std::int64_t id, std::vector<lf::ContractInstance> created,
                        std::vector<lf::ContractInstance> archived) {
  InFlightRequest out;
  out.id = Timestamp{id};
  out.root_hash = crypto::hash(crypto::HashPurpose::unicum, std::to_string(id));
  out.state = InFlightRequest::State::approved;
  TransactionUpdate transaction;
  transaction.update_id = out.root_hash.hex();
  std::int32_t node = 0;
  for (const auto& item : created) {
    transaction.events.push_back(CreatedEvent{node++, item, item.stakeholders, true});
    out.created.insert(item.contract_id);
  }
  for (const auto& item : archived) {
    ExercisedEvent event;
    event.node_id = node++;
    event.contract_id = item.contract_id;
    event.template_id = item.template_id;
    event.choice = "Archive";
    event.stakeholders = event.witnesses = item.stakeholders;
    event.consuming = event.acs_delta = true;
    transaction.events.push_back(event);
    out.archived.insert(item.contract_id);
  }
  out.update = Update{Offset(), out.id, "synod::12", "", std::move(transaction)};
  return out;
}

class LedgerStoreTest : public ::testing::Test {
 protected:
  LedgerStoreTest() {
    storage::MemoryStoreOptions options;
    options.columns = ParticipantCore::columns();
    store = std::make_shared<storage::MemoryStore>(options);
    publisher = std::make_unique<Publisher>(*store);
    ledger = LedgerStore::open(store).value();
  }
  void publish(const InFlightRequest& item) {
    publisher->begin_input();
    Effects effects;
    ASSERT_TRUE(publisher->publish(item, effects));
    ASSERT_TRUE(store->write(effects.writes, storage::Sync::no));
    ledger->advance(publisher->ledger_end(), item.id);
  }
  std::vector<std::string> active_at(std::int64_t offset) {
    std::vector<std::string> out;
    EXPECT_TRUE(ledger->active_contracts(Offset(offset), [&](const ActiveContract& c) {
      return out.push_back(c.contract.contract_id.to_hex().substr(2, 2)), true;
    }));
    return out;
  }
  std::shared_ptr<storage::MemoryStore> store;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<LedgerStore> ledger;
};

TEST_F(LedgerStoreTest, ActiveContractsAtEveryOffset) {
  publish(request(10, {contract('a'), contract('b')}, {}));
  publish(request(20, {contract('c')}, {contract('a')}));
  publish(request(30, {}, {contract('c')}));
  EXPECT_EQ(active_at(0), (std::vector<std::string>{}));
  EXPECT_EQ(active_at(1), (std::vector<std::string>{"61", "62"}));
  EXPECT_EQ(active_at(2), (std::vector<std::string>{"62", "63"}));
  EXPECT_EQ(active_at(3), (std::vector<std::string>{"62"}));
  EXPECT_EQ(publisher->stored_status(contract('a').contract_id), ContractStatus::archived);
  EXPECT_EQ(publisher->stored_status(contract('b').contract_id), ContractStatus::active);
  EXPECT_EQ(publisher->stored_status(contract('z').contract_id), ContractStatus::unknown);
}

// How much is read of it.
class CountingStore final : public storage::Store {
 public:
  explicit CountingStore(std::shared_ptr<storage::Store> store) : store_(std::move(store)) {}
  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    ++reads;
    return store_->get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    return store_->scan(column, range, direction, [&](ByteView key, ByteView value) {
      ++reads;
      return visitor(key, value);
    });
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override { return store_->write(batch, sync); }
  Status sync() override { return store_->sync(); }
  Status health() const override { return store_->health(); }

  mutable std::size_t reads = 0;

 private:
  std::shared_ptr<storage::Store> store_;
};

lf::ContractInstance numbered(int number) {
  auto out = contract('n');
  Bytes discriminator(32, '\0');
  for (int i = 0; i < 4; ++i) discriminator[static_cast<std::size_t>(i)] = static_cast<char>(number >> (24 - 8 * i));
  out.contract_id = lf::ContractId::local_v1(discriminator);
  return out;
}

TEST_F(LedgerStoreTest, AVisitWithStopsReadsNothingTwice) {
  constexpr int kContracts = 3'000;
  for (int i = 0; i < kContracts; ++i) publish(request(10 + i, {numbered(i)}, {}));
  const auto counting = std::make_shared<CountingStore>(store);
  const auto reader = LedgerStore::open(counting).value();
  const auto reads_with_stops = [&](int after) {
    counting->reads = 0;
    ContractVisit visit(Offset{kContracts});
    int seen = 0;
    while (!visit.done() && seen <= kContracts) {
      int here = 0;
      EXPECT_TRUE(reader->active_contracts(visit, [&](const ActiveContract& active) {
        EXPECT_EQ(active.created_at_offset.value, ++seen);
        return ++here < after && seen <= kContracts;
      }));
    }
    EXPECT_EQ(seen, kContracts);
    return counting->reads;
  };
  const std::size_t without = reads_with_stops(kContracts + 1);
  EXPECT_LE(reads_with_stops(3), without + 10);
  EXPECT_LE(without, 4u * kContracts);
}

TEST_F(LedgerStoreTest, AVisitIsOfItsOffsetWhateverHappensMeanwhile) {
  constexpr int kContracts = 2'500;  // more than are read ahead
  for (int i = 0; i < kContracts; ++i) publish(request(10 + i, {numbered(i)}, {}));
  publish(request(100'000, {}, {numbered(7), numbered(2'400)}));
  ContractVisit visit(Offset{kContracts});
  std::vector<std::int64_t> seen;
  std::int64_t time = 200'000;
  int archived = 0;
  while (!visit.done() && seen.size() <= kContracts) {
    int here = 0;
    ASSERT_TRUE(ledger->active_contracts(visit, [&](const ActiveContract& active) {
      seen.push_back(active.created_at_offset.value);
      return ++here < 100;
    }));
    // One that has been visited, one that is found already, and one that is not.
    for (const int place : {archived, archived + 300, archived + 1'200}) {
      const int number = place + 3;
      if (number < kContracts && number != 7 && number != 2'400 && archived < 1'000)
        publish(request(++time, {numbered(10'000 + static_cast<int>(time))}, {numbered(number)}));
    }
    archived += 7;
  }
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kContracts));
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<std::int64_t>(i) + 1);
}

// The core writes first, and then readers are told.
TEST_F(LedgerStoreTest, WhatIsArchivedButNotToldYetIsStillThere) {
  publish(request(10, {contract('a'), contract('b')}, {}));
  publisher->begin_input();
  Effects effects;
  ASSERT_TRUE(publisher->publish(request(20, {}, {contract('a')}), effects));
  ASSERT_TRUE(store->write(effects.writes, storage::Sync::no));
  ASSERT_EQ(ledger->ledger_end(), Offset(1));
  EXPECT_EQ(active_at(1), (std::vector<std::string>{"61", "62"}));
}

TEST_F(LedgerStoreTest, UpdatesInBothDirectionsAndById) {
  for (const int id : {10, 20, 30}) publish(request(id, {contract(static_cast<char>('a' + id))}, {}));
  std::vector<std::int64_t> seen;
  const auto visit = [&](const Update& update) { return seen.push_back(update.offset.value), true; };
  ASSERT_TRUE(ledger->updates(Offset(1), Offset(99), false, visit));
  EXPECT_EQ(seen, (std::vector<std::int64_t>{2, 3}));
  seen.clear();
  ASSERT_TRUE(ledger->updates(Offset(0), Offset(2), true, visit));
  EXPECT_EQ(seen, (std::vector<std::int64_t>{2, 1}));
  const auto second = ledger->update_by_id(crypto::hash(crypto::HashPurpose::unicum, "20").hex());
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->offset, Offset(2));
  EXPECT_FALSE(*ledger->update_at(Offset(4)));
  EXPECT_FALSE(*ledger->update_by_id("unknown"));
}

TEST_F(LedgerStoreTest, ReadersHearOfNewOffsetsUntilTheyLeave) {
  std::vector<std::int64_t> heard;
  auto subscription = ledger->on_new_offsets([&](Offset end) { heard.push_back(end.value); });
  publish(request(10, {contract('a')}, {}));
  subscription.reset();
  publish(request(20, {contract('b')}, {}));
  EXPECT_EQ(heard, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(ledger->ledger_end(), Offset(2));
  EXPECT_EQ(LedgerStore::open(store).value()->ledger_end(), Offset(2));
}

TEST_F(LedgerStoreTest, AnArchivalInTheSameBatchAsTheCreation) {
  publisher->begin_input();
  Effects effects;
  ASSERT_TRUE(publisher->publish(request(10, {contract('a')}, {}), effects));
  ASSERT_TRUE(publisher->publish(request(20, {}, {contract('a')}), effects));
  ASSERT_TRUE(store->write(effects.writes, storage::Sync::no));
  ledger->advance(publisher->ledger_end(), Timestamp{20});
  EXPECT_EQ(active_at(1).size(), 1u);
  EXPECT_TRUE(active_at(2).empty());
}

}  // namespace
}  // namespace synod::participant
