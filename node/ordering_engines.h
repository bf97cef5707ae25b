// How a sequencer reaches an ordering service that is not `synod orderer`: one section an engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"

namespace synod::ordering {
class OrderingLog;
}

namespace synod::node {

// Hyperledger Fabric's ordering service.
struct FabricSection {
  std::vector<std::string> addresses;
  std::string consensus = "etcdraft";
  std::string channel = "synod";
  std::string channel_block;
  std::string ca;
  std::string certificate;
  std::string private_key;
  std::string msp_id;
  std::string signing_certificate;
  std::string signing_key;
  std::uint64_t max_record_bytes = 0;
  std::uint64_t max_pending_bytes = 64u << 20;
  std::uint64_t window_bytes = 4u << 20;
  Duration submit_timeout = Duration::seconds(10);
  Duration keepalive_interval = Duration::seconds(70);
  Duration head_check_interval = Duration::seconds(2);
  Duration stall_patience = Duration::seconds(5);
};

// One partition of a topic of Apache Kafka.
struct KafkaSection {
  std::vector<std::string> brokers;
  std::string topic = "synod";
  bool development = false;
  bool create_topic = false;
  std::vector<std::string> security;
  std::uint64_t max_record_bytes = (16u << 20) - 16384;
  std::uint64_t max_pending_bytes = 64u << 20;
  std::uint64_t window_bytes = 4u << 20;
  Duration submit_timeout = Duration::seconds(10);
  Duration check_interval = Duration::seconds(2);
};

// A database of PostgreSQL that the sequencers share.
struct PostgresSection {
  std::string connection;
  std::string schema = "synod";
  bool create_schema = true;
  std::uint64_t max_record_bytes = (16u << 20) - 16384;
  std::uint64_t max_pending_bytes = 64u << 20;
  std::uint64_t max_block_records = 500;
  std::uint64_t max_block_bytes = 2u << 20;
  std::uint64_t window_bytes = 4u << 20;
  Duration submit_timeout = Duration::seconds(10);
  Duration statement_timeout = Duration::seconds(10);
  Duration connect_timeout = Duration::seconds(3);
};

struct OrderingEngines {
  std::string engine = "solo";
  FabricSection fabric;
  KafkaSection kafka;
  PostgresSection postgres;
};

void describe(config::Fields& f, OrderingEngines& engines);

// Of the engine that is chosen, unless that is solo. Returns at once, the connection is made in the background. Error
// ids: CONFIG_INVALID, TLS_CONFIGURATION_INVALID, ORDERING_IDENTITY_INVALID, ORDERING_NO_ENDPOINT.
Result<std::unique_ptr<ordering::OrderingLog>> connect_engine(const OrderingEngines& engines,
                                                              const std::string& data_folder);

}  // namespace synod::node
