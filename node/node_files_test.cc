// The files a node starts from: configuration, keys, genesis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/env.h"
#include "base/testing/temporary_folder.h"
#include "node/founding.h"
#include "node/node_file.h"
#include "node/stores.h"

namespace synod::node {
namespace {

using ::testing::HasSubstr;

class NodeFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = synod::testing::new_folder("node"); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  Identity identity(protocol::MemberKind kind, const std::string& name) {
    auto opened = open_identity(kind, name, path(name), *random_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return std::move(*opened);
  }

  std::string folder_;
  std::shared_ptr<Random> random_ = system_random();
};

TEST_F(NodeFilesTest, AConfigurationReadsBackAsWritten) {
  NodeFile file;
  file.name = "coke-sequencer";
  file.role = "sequencer";
  file.data_folder = "/var/lib/synod";
  file.public_api.port = 7575;
  file.public_api.max_request_bytes = 3u << 20;
  file.sequencer.genesis = "genesis.bin";
  file.sequencer.ordering.addresses = {"a:1", "b:2"};
  const std::string text = write_node_file(file);
  const auto again = read_node_file(write("node.yaml", text));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(write_node_file(*again), text);
  EXPECT_EQ(again->sequencer.ordering.addresses, file.sequencer.ordering.addresses);
  EXPECT_EQ(again->public_api.max_request_bytes, 3u << 20);
}

TEST_F(NodeFilesTest, ASequencersAndAMediatorsStoreHaveTheSameSettingsWithDefaultsOfTheirOwn) {
  const auto read = [&](const std::string& role, const std::string& store) {
    return read_node_file(write("node.yaml", "name: x\ndata-folder: y\nrole: " + role + "\n" + store)).value();
  };
  const NodeFile plain;
  EXPECT_EQ(plain.sequencer.cache.schema, "synod_cache");
  EXPECT_EQ(plain.sequencer.cache.patience, Duration::seconds(1));
  EXPECT_EQ(plain.mediator.store.schema, "synod_mediator");
  EXPECT_EQ(plain.mediator.store.patience, Duration::seconds(5));
  const std::string settings = "engine: postgres, connection: host=db, schema: own, patience: 3s, answer-timeout: 9s";
  const NodeFile sequencer = read("sequencer", "sequencer:\n  cache: {" + settings + ", start-patience: 1m}\n");
  const NodeFile mediator = read("mediator", "mediator:\n  store: {" + settings + ", takeover-interval: 1s}\n");
  for (const StoreSection& store : {StoreSection(sequencer.sequencer.cache), StoreSection(mediator.mediator.store)}) {
    EXPECT_EQ(store.engine, "postgres");
    EXPECT_EQ(store.connection, "host=db");
    EXPECT_EQ(store.schema, "own");
    EXPECT_EQ(store.patience, Duration::seconds(3));
    EXPECT_EQ(store.answer_timeout, Duration::seconds(9));
  }
  EXPECT_EQ(sequencer.sequencer.cache.start_patience, Duration::seconds(60));
  EXPECT_EQ(mediator.mediator.store.takeover_interval, Duration::seconds(1));
}

TEST_F(NodeFilesTest, WhatTheOrdererHoldsUpAndQueuesIsSet) {
  const auto file = read_node_file(write("node.yaml",
                                         "name: x\ndata-folder: y\nrole: orderer\norderer:\n"
                                         "  batch-timeout: 20ms\n  max-queued-records: 7\n  full-disk-retry: 3s\n"
                                         "  max-unanswered-bytes: 2MiB\n  max-unsent-bytes: 3MiB\n"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->orderer.engine.batch_timeout, Duration::milliseconds(20));
  EXPECT_EQ(file->orderer.engine.max_queued_records, 7u);
  EXPECT_EQ(file->orderer.engine.full_disk_retry, Duration::seconds(3));
  EXPECT_EQ(file->orderer.limits.max_unanswered_bytes, 2u << 20);
  EXPECT_EQ(file->orderer.limits.max_unsent_bytes, 3u << 20);
}

TEST_F(NodeFilesTest, AllMembersSayTheSameOfTheirSequencers) {
  const std::string amplification = "amplification: {factor: 3, patience: 7s}";
  const std::string limits = "max-pending-sends: 11, max-unprocessed-bytes: 2MiB";
  const auto read = [&](const std::string& role, const std::string& section) {
    const auto file = read_node_file(write("node.yaml", "name: x\ndata-folder: y\nrole: " + role + "\n" + section));
    EXPECT_TRUE(file) << file.error().to_string();
    return file.value_or(NodeFile());
  };
  const std::string client =
      ":\n  settings: {client: {trust-threshold: 2, liveness-margin: 1, " + amplification + ", " + limits + "}}\n";
  const auto mediator = read("mediator", "mediator" + client).mediator.node.client;
  const auto manager = read("topology-manager", "topology-manager" + client).topology_manager.node.client;
  for (const auto& config : {mediator, manager}) {
    EXPECT_EQ(config.trust_threshold, 2u);
    EXPECT_EQ(config.liveness_margin, 1u);
    EXPECT_EQ(config.amplification.factor, 3u);
    EXPECT_EQ(config.amplification.patience, Duration::seconds(7));
    EXPECT_EQ(config.max_pending_sends, 11u);
    EXPECT_EQ(config.max_unprocessed_bytes, 2u << 20);
  }
  const std::string thresholds = "sequencer-trust-threshold: 2, sequencer-liveness-margin: 1, ";
  const auto participant =
      read("participant", "participant: {" + thresholds + amplification + ", " + limits + "}\n").participant.node;
  EXPECT_EQ(participant.sequencer_trust_threshold, 2);
  EXPECT_EQ(participant.sequencer_liveness_margin, 1u);
  EXPECT_EQ(participant.amplification.factor, 3u);
  EXPECT_EQ(participant.amplification.patience, Duration::seconds(7));
  EXPECT_EQ(participant.max_pending_sends, 11u);
  EXPECT_EQ(participant.max_unprocessed_bytes, 2u << 20);
}

TEST_F(NodeFilesTest, AnUnknownEngineIsNamedWithItsSection) {
  CacheSection cache;
  MemberStoreSection store;
  cache.engine = store.engine = "sqlite";
  EXPECT_THAT(open_cache(cache, path("cache"), {}).error().cause, HasSubstr("cache.engine 'sqlite'"));
  EXPECT_THAT(open_member_store(store, path("store"), {}).error().cause, HasSubstr("store.engine 'sqlite'"));
}

TEST_F(NodeFilesTest, WhatAConfigurationGetsWrongIsNamedWithItsLine) {
  const auto error = [&](const std::string& text) {
    const auto file = read_node_file(write("node.yaml", text));
    return file ? "no error" : file.error().to_string();
  };
  EXPECT_THAT(error("name: x\nrole: sequencer\ncolour: red\n"), HasSubstr("node.yaml:3: unknown key 'colour'"));
  EXPECT_THAT(error("name: x\nrole: barista\n"), HasSubstr("node.yaml:2: role 'barista' is none of"));
  EXPECT_THAT(error("data-folder: y\nrole: orderer\nname: ''\n"), HasSubstr("node.yaml:3: name is missing"));
  EXPECT_THAT(error("role: orderer\ndata-folder: y\n"), HasSubstr("node.yaml:1: name is missing"));
  EXPECT_THAT(error("name: x\nrole: orderer\ndata-folder: y\nlog:\n  format: xml\n"),
              HasSubstr("node.yaml:5: log.format is neither text nor json"));
  EXPECT_THAT(error("name: x\nrole: mediator\npublic:\n  port: many\n"), HasSubstr("node.yaml:4"));
  EXPECT_THAT(error("name: [\n"), HasSubstr("node.yaml"));
  // As an int, which gRPC wants, it would be 0.
  EXPECT_THAT(error("name: x\nrole: orderer\npublic:\n  max-request-bytes: 4GiB\n"),
              HasSubstr("node.yaml:4: public.max-request-bytes is out of range: at least 4KiB, at most 1GiB"));
}

TEST_F(NodeFilesTest, TheReferenceHasEveryRole) {
  const std::string reference = configuration_reference();
  for (const char* key : {"orderer", "sequencer", "mediator", "topology-manager", "participant", "data-folder"})
    EXPECT_THAT(reference, HasSubstr(key));
  for (const char* key : {"orderer.batch-timeout", "orderer.max-queued-records", "orderer.full-disk-retry",
                          "mediator.settings.client.max-pending-sends", "participant.amplification.factor",
                          "participant.sync-submissions"})
    EXPECT_THAT(reference, HasSubstr("`" + std::string(key) + "`"));
  // One spelling for all keys.
  std::istringstream lines(reference);
  for (std::string line; std::getline(lines, line);)
    EXPECT_EQ(line.substr(0, line.find("` |")).find('_'), std::string::npos) << line;
}

TEST_F(NodeFilesTest, AnIdentityIsMadeOnceAndKept) {
  const Identity first = identity(protocol::MemberKind::participant, "coke");
  const Identity again = identity(protocol::MemberKind::participant, "coke");
  EXPECT_EQ(first.member, again.member);
  EXPECT_THAT(first.member.to_string(), HasSubstr("PAR::coke::1220"));
  std::filesystem::remove_all(path("coke"));
  EXPECT_NE(identity(protocol::MemberKind::participant, "coke").member, first.member);
}

TEST_F(NodeFilesTest, AGenesisReadsBackAndADamagedOneIsRefused) {
  const Founders founders{"synod",
                          identity(protocol::MemberKind::participant, "owner"),
                          {identity(protocol::MemberKind::sequencer, "s1").introduction,
                           identity(protocol::MemberKind::sequencer, "s2").introduction},
                          {{2,
                            {identity(protocol::MemberKind::mediator, "m1").introduction,
                             identity(protocol::MemberKind::mediator, "m2").introduction}},
                           {1, {identity(protocol::MemberKind::mediator, "m3").introduction}}}};
  const auto genesis = found_synchronizer(founders);
  ASSERT_TRUE(genesis) << genesis.error().to_string();
  ASSERT_TRUE(write_genesis(path("genesis.bin"), *genesis));
  const auto again = read_genesis(path("genesis.bin"));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(again->genesis.synchronizer, genesis->genesis.synchronizer);
  EXPECT_EQ(topology::encode_snapshot(again->genesis.snapshot), topology::encode_snapshot(genesis->genesis.snapshot));

  EXPECT_EQ(read_genesis(path("absent.bin")).error().id, "GENESIS_NOT_FOUND");
  std::ifstream in(path("genesis.bin"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  // A cut file is never taken for a whole one: the id comes first, the topology last.
  for (const std::size_t length : {std::size_t{0}, bytes.size() / 3, bytes.size() - 1}) {
    const auto cut = read_genesis(write("cut.bin", bytes.substr(0, length)));
    ASSERT_FALSE(cut) << length << " of " << bytes.size() << " bytes";
  }
}

}  // namespace
}  // namespace synod::node
