#include "node/ordering_engines.h"

#include "ordering/fabric/fabric_driver.h"
#include "ordering/kafka/kafka_log.h"
#include "ordering/postgres/postgres_log.h"

namespace synod::node {
namespace {

// What every driver has.
template <typename Section>
void describe_limits(config::Fields& f, Section& s, const char* max_record) {
  f.size("max-record-bytes", s.max_record_bytes, max_record);
  f.size("max-pending-bytes", s.max_pending_bytes, "Submitted and not yet accepted; more is refused.");
  f.size("window-bytes", s.window_bytes, "Blocks received ahead of their processing.");
  f.duration("submit-timeout", s.submit_timeout, "A submission without an answer is given up then.");
}

template <typename Section, typename Config>
void copy_limits(const Section& s, Config& config) {
  config.max_record_bytes = s.max_record_bytes;
  config.max_pending_bytes = s.max_pending_bytes;
  config.window_bytes = s.window_bytes;
  config.submit_timeout = s.submit_timeout;
}

void describe(config::Fields& f, FabricSection& s) {
  f.texts("addresses", s.addresses, "host:port of the orderers; the nearest first. With SmartBFT all of them.");
  f.text("consensus", s.consensus, "etcdraft or smartbft.");
  f.text("channel", s.channel, "Name of the channel.");
  f.text(
      "channel-block", s.channel_block,
      "The channel's first block, as the orderers were joined with it: blocks are then believed only when orderers of "
      "this channel signed them. Required with smartbft.");
  f.text("ca", s.ca, "Authorities of the orderers' TLS certificates (PEM file).");
  f.text("certificate", s.certificate, "Own TLS certificate (PEM file).");
  f.text("private-key", s.private_key, "Its private key (PEM file).");
  f.text("msp-id", s.msp_id, "Name of the own organisation in the channel.");
  f.text("signing-certificate", s.signing_certificate, "What envelopes are signed with, ECDSA P-256 (PEM file).");
  f.text("signing-key", s.signing_key, "Its private key (PEM file).");
  describe_limits(f, s, "Largest record; below the channel's AbsoluteMaxBytes. 0: 16 MiB, or 480 KiB with smartbft.");
  f.duration("keepalive-interval", s.keepalive_interval,
             "A silent connection is tested this often; not below the orderers' Keepalive.ServerMinInterval.");
  f.duration("head-check-interval", s.head_check_interval, "All orderers are asked this often how far the channel is.");
  f.duration("stall-patience", s.stall_patience,
             "When an orderer withholds a block that another has for so long, blocks are read from another.");
}

void describe(config::Fields& f, KafkaSection& s) {
  f.texts("brokers", s.brokers, "host:port of some of the brokers; they tell of the others.");
  f.text("topic", s.topic, "Name of the topic; it must have exactly one partition.");
  f.flag("development", s.development,
         "Take a topic with fewer than 3 replicas or with a retention, which may lose records.");
  f.flag("create-topic", s.create_topic, "Create the topic if it is not there.");
  f.texts("security", s.security, "Settings of librdkafka as name=value: security.protocol, ssl.* and sasl.*.");
  describe_limits(f, s, "Largest record; below the topic's max.message.bytes.");
  f.duration("check-interval", s.check_interval, "The topic's leader, replicas and end are asked for this often.");
}

void describe(config::Fields& f, PostgresSection& s) {
  f.text("connection", s.connection,
         "For libpq: host=... user=... dbname=..., or a postgresql:// address. Keep passwords in a passfile. For "
         "fail-over "
         "list several hosts and target_session_attrs=read-write.");
  f.text("schema", s.schema, "Schema of the log's tables.");
  f.flag("create-schema", s.create_schema, "Create it if it is not there.");
  describe_limits(f, s, "Largest record.");
  f.integer("max-block-records", s.max_block_records, "Most records of a block.");
  f.size("max-block-bytes", s.max_block_bytes, "Size of a block; a larger record has one of its own.");
  f.duration("statement-timeout", s.statement_timeout, "The database gives a statement up then.");
  f.duration("connect-timeout", s.connect_timeout, "An attempt to connect is given up then.");
}

Result<std::unique_ptr<ordering::OrderingLog>> connect_kafka(const KafkaSection& s) {
  ordering::kafka::KafkaLogConfig config;
  for (const std::string& broker : s.brokers) config.brokers += (config.brokers.empty() ? "" : ",") + broker;
  config.topic = s.topic;
  config.development = s.development;
  config.create_topic = s.create_topic;
  config.security = s.security;
  copy_limits(s, config);
  config.check_interval = s.check_interval;
  return ordering::kafka::connect_kafka(std::move(config));
}

Result<std::unique_ptr<ordering::OrderingLog>> connect_postgres(const PostgresSection& s) {
  ordering::postgres::PostgresLogConfig config;
  config.connection = s.connection;
  config.schema = s.schema;
  config.create_schema = s.create_schema;
  copy_limits(s, config);
  config.max_block_records = s.max_block_records;
  config.max_block_bytes = s.max_block_bytes;
  config.statement_timeout = s.statement_timeout;
  config.connect_timeout = s.connect_timeout;
  return ordering::postgres::connect_postgres(std::move(config));
}

}  // namespace

void describe(config::Fields& f, OrderingEngines& engines) {
  f.text("engine", engines.engine, "solo, fabric, kafka or postgres; each but solo has a section of its own here.");
  f.object("fabric", [&](config::Fields& g) { describe(g, engines.fabric); }, "Hyperledger Fabric's ordering service.");
  f.object("kafka", [&](config::Fields& g) { describe(g, engines.kafka); }, "A topic of Apache Kafka.");
  f.object(
      "postgres", [&](config::Fields& g) { describe(g, engines.postgres); }, "A database that the sequencers share.");
}

Result<std::unique_ptr<ordering::OrderingLog>> connect_engine(const OrderingEngines& engines,
                                                              const std::string& data_folder) {
  if (engines.engine == "kafka") return connect_kafka(engines.kafka);
  if (engines.engine == "postgres") return connect_postgres(engines.postgres);
  if (engines.engine != "fabric")
    return fail(invalid_argument("CONFIG_INVALID",
                                 "ordering.engine '" + engines.engine + "' is none of solo, fabric, kafka, postgres"));
  const FabricSection& s = engines.fabric;
  ordering::fabric::FabricDriverConfig config;
  if (s.consensus != "etcdraft" && s.consensus != "smartbft")
    return fail(invalid_argument("CONFIG_INVALID",
                                 "ordering.fabric.consensus '" + s.consensus + "' is none of etcdraft, smartbft"));
  config.bft = s.consensus == "smartbft";
  config.endpoints = s.addresses;
  config.channel = s.channel;
  config.channel_block_file = s.channel_block;
  config.learnt_file = data_folder + "/fabric-channel-configurations";
  config.tls_roots_file = s.ca;
  config.tls_certificate_file = s.certificate;
  config.tls_key_file = s.private_key;
  config.msp_id = s.msp_id;
  config.signing_certificate_file = s.signing_certificate;
  config.signing_key_file = s.signing_key;
  copy_limits(s, config);
  config.keepalive_interval = s.keepalive_interval;
  config.head_check_interval = s.head_check_interval;
  config.stall_patience = s.stall_patience;
  return ordering::fabric::connect(config);
}

}  // namespace synod::node
