#include "tests/network/test_network.h"

#include <gtest/gtest.h>

#include "base/process.h"
#include "ordering/fabric_wire/fabric_log.h"
#include "topology/broadcast.h"

namespace synod::testing {

namespace client = sequencer::client;

TestMember::TestMember(protocol::Member member, std::shared_ptr<crypto::KeyStore> keys,
                       const topology::Genesis& genesis, client::ClientConfig config)
    : id(std::move(member)),
      keys_(std::move(keys)),
      config_(std::move(config)),
      state_(genesis.synchronizer, topology::StaticParameters{}),
      loop_(std::make_shared<EventLoop>("member")) {
  EXPECT_TRUE(state_.import(genesis.snapshot));
}

TestMember::~TestMember() {
  stop();
  loop_->stop();
}

void TestMember::on_loop(std::function<void()> task) {
  std::promise<void> done;
  loop_->post([&] {
    task();
    done.set_value();
  });
  done.get_future().get();
}

void TestMember::start(std::optional<client::ResumePoint> resume) {
  client::Handlers handlers;
  handlers.snapshot_at = [this](Timestamp t) { return state_.snapshot_at(t); };
  handlers.on_event = [this](client::Delivered delivered) { received(std::move(delivered)); };
  client_ = std::make_unique<client::SequencerClient>(
      config_, client::ClientParts{id, keys_, loop_, system_clock(), system_random()}, std::move(handlers));
  on_loop([&] {
    client_->start();
    client_->subscribe(resume);
  });
}

void TestMember::stop() {
  if (!client_) return;
  on_loop([&] { client_->stop(); });
  client_.reset();
}

void TestMember::received(client::Delivered delivered) {
  const Timestamp timestamp = delivered.event.timestamp;
  if (!delivered.event.error) {
    state_.process(timestamp, topology::broadcasts_in(delivered.event.batch, state_.synchronizer()));
  } else {
    state_.observe(timestamp);
  }
  client_->processed(timestamp);
  std::lock_guard lock(mutex_);
  events_.push_back(std::move(delivered));
  changed_.notify_all();
}

std::shared_future<Result<Timestamp>> TestMember::send(const std::string& message_id, protocol::RecipientSet recipients,
                                                       Bytes content) {
  auto promise = std::make_shared<std::promise<Result<Timestamp>>>();
  loop_->post([this, message_id, recipients = std::move(recipients), content = std::move(content), promise] {
    protocol::Submission submission;
    submission.message_id = message_id;
    submission.envelopes.push_back({content, {}, protocol::Recipients::together(recipients)});
    submission.max_sequencing_time = system_clock()->now() + Duration::seconds(60);
    client_->send(std::move(submission), {}, [promise](Result<Timestamp> r) { promise->set_value(std::move(r)); });
  });
  return promise->get_future().share();
}

bool TestMember::wait_events(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(120), [&] { return events_.size() >= count; });
}

std::vector<client::Delivered> TestMember::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

TestNetwork::TestNetwork(TestNetworkConfig config)
    : config_(config), random_(system_random()), keys_(crypto::memory_key_store()) {
  folder_ = std::filesystem::temp_directory_path() / ("synod-network-" + random_->uuid());
  topology::GenesisConfig founding;
  founding.name = "test";
  const auto identify = [&](protocol::MemberKind kind, const std::string& name) {
    using crypto::KeyUsage;
    const auto ns = crypto::SigningKeyPair::generate({KeyUsage::namespace_}, *random_);
    const auto login =
        crypto::SigningKeyPair::generate({KeyUsage::sequencer_authentication, KeyUsage::proof_of_ownership}, *random_);
    const auto signing = crypto::SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random_);
    for (const auto& key : {ns, login, signing}) EXPECT_TRUE(keys_->add(key, name));
    protocol::Member id(kind, protocol::UniqueId::create(name, ns.fingerprint()).value());
    founding.identities.push_back(
        topology::introduce_member(*keys_, id, {login.public_key(), signing.public_key()}).value());
    if (founding.owners.empty()) founding.owners.push_back(ns.fingerprint());
    return id;
  };
  for (int i = 0; i < config.sequencers; ++i) {
    Sequencer& sequencer = sequencers_.emplace_back();
    sequencer.port = free_port();  // it comes back to the same one
    sequencer.id = identify(protocol::MemberKind::sequencer, "sequencer" + std::to_string(i));
    sequencer.store =
        std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{.columns = sequencer::store_columns()});
    founding.sequencers.push_back(sequencer.id);
  }
  for (int i = 0; i < config.members; ++i) {
    members_.push_back(identify(protocol::MemberKind::mediator, "member" + std::to_string(i)));
  }
  founding.mediator_groups.push_back({0, 1, members_});
  auto made = topology::make_genesis(founding, *keys_);
  EXPECT_TRUE(made) << made.error().to_string();
  genesis_ = *made;

  ordering::solo::OrdererConfig orderer;
  orderer.engine.folder = folder_ / "orderer";
  orderer.engine.sync = config.sync;
  orderer.allow_unsigned = true;
  auto started = ordering::solo::OrdererNode::start(orderer);
  EXPECT_TRUE(started) << started.error().to_string();
  orderer_ = std::move(*started);
  for (int i = 0; i < config.sequencers; ++i) start_sequencer(i);
}

TestNetwork::~TestNetwork() {
  for (std::size_t i = 0; i < sequencers_.size(); ++i) kill_sequencer(static_cast<int>(i));
  orderer_->stop(Duration::seconds(1));
  orderer_.reset();
  std::filesystem::remove_all(folder_);
}

void TestNetwork::start_sequencer(int index) {
  Sequencer& sequencer = sequencers_[index];
  ordering::fabric_wire::FabricLogConfig log;
  log.endpoints = {"127.0.0.1:" + std::to_string(orderer_->port())};
  sequencer.log = ordering::fabric_wire::connect_fabric(log).value();
  sequencer::SequencerParts parts{genesis_.synchronizer,
                                  sequencer.id,
                                  {topology::StaticParameters{}, genesis_.snapshot},
                                  keys_,
                                  sequencer.log,
                                  sequencer.store,
                                  system_clock(),
                                  system_random()};
  auto created = sequencer::SequencerNode::create({}, std::move(parts));
  ASSERT_TRUE(created) << created.error().to_string();
  sequencer.node = std::move(*created);
  auto services = sequencer.node->services();
  if (config_.instead) services = config_.instead(std::move(services));
  auto server = rpc::Server::start({.port = sequencer.port}, std::move(services));
  ASSERT_TRUE(server) << server.error().to_string();
  sequencer.server = std::move(*server);
  sequencer.port = sequencer.server->port();
  sequencer.node->start(&sequencer.server->health());
}

void TestNetwork::kill_sequencer(int index) {
  Sequencer& sequencer = sequencers_[index];
  if (!sequencer.server) return;
  sequencer.server->stop(Duration{});
  sequencer.node->stop();
  sequencer.log->stop(Duration::seconds(1));
  sequencer.server.reset();
  sequencer.node.reset();
  sequencer.log.reset();
}

client::ClientConfig TestNetwork::client_config() const {
  client::ClientConfig config;
  for (const Sequencer& sequencer : sequencers_) {
    config.endpoints.push_back(
        {sequencer.id.uid().name(), "127.0.0.1:" + std::to_string(sequencer.port), std::nullopt});
  }
  return config;
}

std::unique_ptr<TestMember> TestNetwork::member(int index, client::ClientConfig config) const {
  return std::make_unique<TestMember>(members_[index], keys_, genesis_, std::move(config));
}

}  // namespace synod::testing
