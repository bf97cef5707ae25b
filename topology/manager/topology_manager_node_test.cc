// The topology manager against a synchronizer in memory, over real connections.
#include "topology/manager/topology_manager_node.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <thread>

#include "base/testing/expect_log.h"
#include "canton/topology_admin_v30.grpc.pb.h"
#include "rpc/server.h"
#include "sequencer/client/fake_synchronizer.h"
#include "storage/memory/memory_store.h"
#include "topology/mapping_proto.h"

namespace synod::topology {
namespace {

namespace v30 = ::com::digitalasset::canton::topology::admin::v30;
using crypto::KeyUsage;
using sequencer::client::testing::FakeSequencer;
using sequencer::client::testing::FakeSynchronizer;
using ::synod::testing::expect_log;

constexpr std::chrono::seconds kPatience(120);

// A synchronizer whose owner is the manager, a participant of its own.
struct World : FakeSynchronizer {
  World() : FakeSynchronizer(1) {
    const auto ns = add({KeyUsage::namespace_});
    const auto login = add({KeyUsage::sequencer_authentication, KeyUsage::proof_of_ownership});
    const auto signing = add({KeyUsage::protocol, KeyUsage::proof_of_ownership});
    const auto encryption = crypto::EncryptionKeyPair::generate(*random);
    EXPECT_TRUE(keys->add(encryption, "encryption"));
    member = protocol::Member::participant(protocol::UniqueId::create("topology-manager", ns.fingerprint()).value());
    login_key = login.fingerprint();

    GenesisConfig config;
    config.name = "managed";
    config.owners = {ns.fingerprint()};
    for (const auto& stored : genesis.snapshot) {
      const auto code = stored.transaction.transaction().code();
      if (code == MappingCode::namespace_delegation || code == MappingCode::owner_to_key) {
        config.identities.push_back({identities[0].member, {stored.transaction}});
      }
      if (const auto* group = stored.transaction.transaction().as<MediatorState>()) {
        config.mediator_groups = {{0, 1, {protocol::Member::mediator(group->active[0])}}};
      }
    }
    config.identities.push_back(introduce_member(*keys, member, {login, signing, encryption.public_key()}).value());
    config.sequencers = {identities[0].member};
    config.participants = {member.uid()};
    auto made = make_genesis(config, *keys);
    EXPECT_TRUE(made) << made.error().to_string();
    genesis = *made;
  }
  crypto::SigningPublicKey add(crypto::KeyUsages usages) {
    const auto key = crypto::SigningKeyPair::generate(std::move(usages), *random);
    EXPECT_TRUE(keys->add(key, "test"));
    return key.public_key();
  }
};

// The disk under a manager that dies at one of its writes: from then on nothing is written any more.
class DyingDisk final : public storage::Store {
 public:
  // After `writes` more of them; `unnoticed`: the node dies before it knows that the last one is done.
  DyingDisk(std::shared_ptr<storage::MemoryStore> disk, int writes, bool unnoticed)
      : disk_(std::move(disk)), left_(writes), unnoticed_(unnoticed) {}

  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    return disk_->get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    return disk_->scan(column, range, direction, visitor);
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override {
    if (left_ == 0) return fail(storage::storage_failed("the node is dead"));
    SYNOD_RETURN_IF_ERROR(disk_->write(batch, sync));
    if (--left_ == 0 && unnoticed_) return fail(storage::storage_failed("the node dies"));
    return {};
  }
  Status sync() override { return disk_->sync(); }
  Status health() const override { return disk_->health(); }

 private:
  const std::shared_ptr<storage::MemoryStore> disk_;
  std::atomic<int> left_;
  const bool unnoticed_;
};

class ManagerNode : public ::testing::Test {
 protected:
  void start() {
    const auto status = begin(store);
    ASSERT_TRUE(status) << status.error().to_string();
    server = rpc::Server::start({}, node->services()).value();
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials());
  }
  // Until changes can be made, or it has given up.
  Status begin(std::shared_ptr<storage::Store> on) {
    config.client.endpoints = {{"sequencer", sequencer.address(), std::nullopt}};
    node = std::make_unique<TopologyManagerNode>(
        config, TopologyManagerParts{world.member, world.keys, std::move(on), system_clock(), system_random()});
    const auto ready = std::make_shared<std::promise<Status>>();
    node->start([ready](Status status) { ready->set_value(std::move(status)); });
    auto future = ready->get_future();
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    return fail(internal_error("it is not ready: " + node->status().problem));
  }
  void die() {
    node->stop();
    node.reset();
  }
  void stop() {
    if (!server) return die();
    node->stop();
    server->stop(Duration::seconds(1));
    channel.reset();
    server.reset();
    node.reset();
  }
  void TearDown() override {
    if (node) stop();
  }
  // The synchronizer ticks again and again, and so also once the change is effective, whenever that is.
  void start_ticking() {
    ticker = std::thread([this] {
      while (!ticked_enough) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        std::vector<std::function<void()>> wake;
        {
          std::lock_guard lock(world.mutex);
          world.append(std::nullopt, protocol::CompressedBatch::compress({}));
          for (auto& [id, listener] : world.listeners) wake.push_back(listener);
        }
        for (auto& w : wake) w();
      }
    });
  }
  void stop_ticking() {
    ticked_enough = true;
    ticker.join();
  }
  SynchronizerParametersState limit(std::uint32_t bytes) {
    SynchronizerParametersState mapping{world.genesis.synchronizer.logical(), {}};
    mapping.parameters.max_request_size = bytes;
    return mapping;
  }
  Result<SignedTransaction> authorize(const Mapping& mapping, std::optional<Duration> wait) {
    std::promise<Result<SignedTransaction>> done;
    node->authorize(mapping, {}, wait, [&](Result<SignedTransaction> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }

  World world;
  FakeSequencer sequencer{world, 0};
  TopologyManagerConfig config;
  std::shared_ptr<storage::MemoryStore> store =
      std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{.columns = topology_manager_columns()});
  std::unique_ptr<TopologyManagerNode> node;
  std::unique_ptr<rpc::Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::thread ticker;
  std::atomic<bool> ticked_enough = false;
};

TEST_F(ManagerNode, ChangesTheSynchronizerAndRemembers) {
  start();
  EXPECT_TRUE(node->status().connected);
  start_ticking();
  const auto made = authorize(limit(4242), Duration::seconds(120));
  stop_ticking();
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(node->head()->dynamic_parameters().max_request_size, 4242u);
  const auto again = authorize(limit(4242), std::nullopt);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().id, "TOPOLOGY_MAPPING_ALREADY_EXISTS");
  stop();

  start();
  EXPECT_EQ(node->head()->dynamic_parameters().max_request_size, 4242u);
  const auto more = authorize(limit(4243), std::nullopt);
  ASSERT_TRUE(more) << more.error().to_string();
  EXPECT_EQ(more->transaction().serial(), 3u);
}

TEST_F(ManagerNode, OffersTheAdminServices) {
  start();
  auto write = v30::TopologyManagerWriteService::NewStub(channel);
  auto read = v30::TopologyManagerReadService::NewStub(channel);
  {
    grpc::ClientContext context;
    v30::AuthorizeRequest request;
    put_mapping(limit(77), *request.mutable_proposal()->mutable_v30());
    request.mutable_proposal()->set_change(
        com::digitalasset::canton::protocol::v30::Enums::TOPOLOGY_CHANGE_OP_ADD_REPLACE);
    request.mutable_store()->mutable_synchronizer()->set_physical_id(world.genesis.synchronizer.to_string());
    v30::AuthorizeResponse response;
    const auto status = write->Authorize(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_FALSE(response.transaction().proposal());
  }
  {
    grpc::ClientContext context;
    v30::ListSynchronizerParametersStateRequest request;
    request.mutable_base_query()->mutable_head_state();
    v30::ListSynchronizerParametersStateResponse response;
    ASSERT_TRUE(read->ListSynchronizerParametersState(&context, request, &response).ok());
    ASSERT_EQ(response.results_size(), 1);
    EXPECT_EQ(response.results(0).item().max_request_size(), 77u);
    EXPECT_EQ(response.results(0).context().serial(), 2);
  }
  {
    grpc::ClientContext context;
    v30::ListOwnerToKeyMappingRequest request;
    request.set_filter_key_owner_type("PAR");
    v30::ListOwnerToKeyMappingResponse response;
    ASSERT_TRUE(read->ListOwnerToKeyMapping(&context, request, &response).ok());
    ASSERT_EQ(response.results_size(), 1);
    EXPECT_EQ(response.results(0).v30().member(), world.member.to_string());
  }
  {
    grpc::ClientContext context;
    v30::ListAllRequest request;
    request.add_exclude_mappings("otk");
    v30::ListAllResponse response;
    ASSERT_TRUE(read->ListAll(&context, request, &response).ok());
    EXPECT_EQ(response.result().items_size(), 8);  // three roots, owner, parameters, two groups, one certificate
  }
  {
    grpc::ClientContext context;
    v30::ListAllRequest request;
    request.mutable_base_query()->mutable_store()->mutable_temporary()->set_name("none");
    v30::ListAllResponse response;
    EXPECT_EQ(read->ListAll(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  {
    grpc::ClientContext context;
    v30::CreateTemporaryTopologyStoreResponse response;
    EXPECT_EQ(write->CreateTemporaryTopologyStore(&context, {}, &response).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
}

TEST_F(ManagerNode, AddsWhatOthersSigned) {
  start();
  auto write = v30::TopologyManagerWriteService::NewStub(channel);
  const auto stranger = world.add({KeyUsage::namespace_});
  const Mapping root = NamespaceDelegation{stranger.fingerprint(), stranger, NamespaceDelegation::Restriction::all, {}};
  const auto transaction = Transaction::create(Operation::add_replace, 1, root).value();
  const auto good =
      SignedTransaction::create(
          transaction, {sign_transaction(*world.keys, stranger.fingerprint(), transaction.hash()).value()}, false)
          .value();
  const auto bad =
      SignedTransaction::create(
          transaction, {sign_transaction(*world.keys, world.member.uid().ns(), transaction.hash()).value()}, false)
          .value();
  const auto add = [&](const SignedTransaction& t) {
    grpc::ClientContext context;
    v30::AddTransactionsRequest request;
    t.to_proto(*request.add_transactions());
    v30::AddTransactionsResponse response;
    return write->AddTransactions(&context, request, &response);
  };
  EXPECT_EQ(add(bad).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(add(good).ok());
  EXPECT_EQ(node->head()->active(MappingCode::namespace_delegation, stranger.fingerprint()).size(), 1u);
}

TEST_F(ManagerNode, StopsWhileRequestsWait) {
  start();
  sequencer.wrong.swallow_sends = true;
  std::promise<Result<SignedTransaction>> done;
  node->authorize(limit(5), {}, std::nullopt,
                  [&](Result<SignedTransaction> result) { done.set_value(std::move(result)); });
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (sequencer.sends == 0 && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GT(sequencer.sends, 0) << "it waits for the receipt now";
  stop();
  const auto result = done.get_future().get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "NODE_IS_STOPPING");
}

enum class Death { before_the_next_write, after_the_last_write, with_the_machine };

// It dies at each write in turn: of the topology that it has downloaded, and then of each event of a change whose
// three transactions are broadcast one by one.
class ManagerThatDies : public ManagerNode, public ::testing::WithParamInterface<std::tuple<int, Death>> {
 protected:
  static std::shared_ptr<storage::MemoryStore> new_disk() {
    return std::make_shared<storage::MemoryStore>(
        storage::MemoryStoreOptions{.columns = topology_manager_columns(), .track_unsynced = true});
  }
  static std::map<Bytes, Bytes> topology_on(const storage::Store& disk) {
    std::map<Bytes, Bytes> all;
    EXPECT_TRUE(disk.scan(kTopologyColumn, storage::KeyRange::all(), storage::Direction::forward,
                          [&](ByteView key, ByteView value) {
                            all.emplace(key, value);
                            return true;
                          }));
    return all;
  }
  std::vector<SignedTransaction> roots_of_three_strangers() {
    std::vector<SignedTransaction> made;
    for (int i = 0; i < 3; ++i) {
      const auto key = world.add({KeyUsage::namespace_});
      const Mapping root = NamespaceDelegation{key.fingerprint(), key, NamespaceDelegation::Restriction::all, {}};
      const auto transaction = Transaction::create(Operation::add_replace, 1, root).value();
      auto signature = sign_transaction(*world.keys, key.fingerprint(), transaction.hash()).value();
      made.push_back(SignedTransaction::create(transaction, {std::move(signature)}, false).value());
    }
    return made;
  }
  bool add(const std::vector<SignedTransaction>& transactions) {
    server = rpc::Server::start({}, node->services()).value();
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()), grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    v30::AddTransactionsRequest request;
    for (const auto& one : transactions) one.to_proto(*request.add_transactions());
    v30::AddTransactionsResponse response;
    return v30::TopologyManagerWriteService::NewStub(channel)->AddTransactions(&context, request, &response).ok();
  }
};

// What was sequenced counts, nothing counts twice, and the next change builds upon it.
TEST_P(ManagerThatDies, GoesOnWhereItWas) {
  const auto [writes, death] = GetParam();
  expect_log("cannot go on");
  config.max_transactions_per_broadcast = 1;
  const auto disk = new_disk();
  const auto transactions = roots_of_three_strangers();
  const bool unnoticed = death == Death::after_the_last_write;
  const bool joined =
      static_cast<bool>(begin(std::make_shared<DyingDisk>(disk, unnoticed ? writes + 1 : writes, unnoticed)));
  EXPECT_EQ(joined, writes > 0);
  if (joined) {
    EXPECT_FALSE(add(transactions)) << "it died before that";
  }
  stop();
  if (death == Death::with_the_machine) disk->lose_unsynced();

  const auto resumed = begin(disk);
  ASSERT_TRUE(resumed) << resumed.error().to_string();
  add(transactions);  // again; refused, if all had been sequenced
  const auto next = authorize(limit(4242), std::nullopt);
  ASSERT_TRUE(next) << next.error().to_string();
  EXPECT_EQ(next->transaction().serial(), 2u);
  for (const auto& one : transactions) {
    const auto& key = one.transaction().as<NamespaceDelegation>()->target;
    EXPECT_EQ(node->head()->active(MappingCode::namespace_delegation, key.fingerprint()).size(), 1u);
  }

  const auto other_disk = new_disk();
  TopologyManagerNode other(
      config, TopologyManagerParts{world.member, world.keys, other_disk, system_clock(), system_random()});
  other.start();
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (topology_on(*other_disk) != topology_on(*disk) && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(topology_on(*other_disk), topology_on(*disk)) << "as one that never died has it";
  EXPECT_GT(topology_on(*disk).size(), world.genesis.snapshot.size());
  other.stop();
}

INSTANTIATE_TEST_SUITE_P(AtEachWrite, ManagerThatDies,
                         ::testing::Combine(::testing::Range(0, 4),
                                            ::testing::Values(Death::before_the_next_write, Death::after_the_last_write,
                                                              Death::with_the_machine)));

}  // namespace
}  // namespace synod::topology
