// A running sequencer: the core fed from the ordering log, its RocksDB cache, and the public API.
//
// node/ makes the parts (store, keys, log), makes a SequencerNode, registers its services with an rpc::Server and calls
// start(). Shutting down: stop() the node (it ends its streams), stop the rpc::Server, destroy the node, stop the log.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "ordering/ordering_log.h"
#include "protocol/ids.h"
#include "rpc/health.h"
#include "sequencer/core.h"
#include "sequencer/pruning.h"
#include "sequencer/subscriptions.h"
#include "sequencer/writer.h"
#include "storage/store.h"

namespace grpc {
class Service;
}

namespace synod::sequencer {

// Every limit of a sequencer. A node's configuration file holds this under `sequencer:`.
struct SequencerConfig {
  WriterConfig writer;
  PruningConfig pruning;
  Duration nonce_lifetime = Duration::seconds(60);
  Duration token_lifetime = Duration::seconds(3600);
  std::uint32_t max_tokens_per_member = 25;
  std::uint32_t max_subscriptions_per_member = 5;
  std::uint32_t max_downloads_per_member = 1;                // of the topology that a member starts from
  std::uint32_t max_nonces = 10'000;                         // members with an open challenge
  std::uint64_t max_stream_bytes = 1u << 20;                 // queued towards one slow subscriber
  std::uint64_t signed_event_cache_bytes = 32u << 20;        // shared by all subscriptions
  Duration acknowledgement_interval = Duration::seconds(5);  // per member; further ones within it are taken as sent
  std::uint32_t catch_up_threads = 2;                        // check signatures when several blocks wait
  std::uint64_t fresh_event_bytes = 16u << 20;               // new events handed on out of memory
  std::uint64_t admitted_bytes = 16u << 20;                  // submissions kept decoded until their block comes
  std::uint32_t block_window = 64;                           // blocks requested ahead from the log
  Duration tick_interval = Duration::milliseconds(500);      // at most one tick in this time
  // A step that takes longer, as one that waits for a cache which hangs: members are sent to other sequencers.
  Duration stall_patience = Duration::seconds(5);
  Duration stop_patience = Duration::milliseconds(500);  // for what is accepted, but not with the ordering service yet
  std::uint32_t max_requests_per_second = 0;             // per member; 0: only the synchronizer's own parameter applies
};
void describe(config::Fields& f, SequencerConfig& c);

struct SequencerParts {
  protocol::PhysicalSynchronizerId synchronizer;
  protocol::Member self;                   // SEQ::…
  InitialState initial;                    // used if the store is empty
  std::shared_ptr<crypto::KeyStore> keys;  // holds the protocol key that the topology names for `self`
  std::shared_ptr<ordering::OrderingLog> log;
  std::shared_ptr<storage::Store> store;  // opened with store_columns()
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
};

struct SequencerStatus {
  CoreStatus core;
  ordering::Health log;
  std::vector<MemberStatus> members;
  std::map<protocol::Member, Subscriptions::Delivered> delivered;
  std::size_t waiting_bytes = 0;      // accepted requests not sealed yet
  std::size_t unordered_batches = 0;  // sealed, not yet seen in a block
  bool accepting = true;
  std::string reason;                   // why not accepting, in plain words
  std::optional<std::string> catch_up;  // how far, while it reads what it has missed of the log
};

class SequencerNode {
 public:
  // Opens the core. Errors: those of SequencerCore::open; SEQUENCER_KEY_MISSING when no protocol key of `self` is at
  // hand.
  static Result<std::unique_ptr<SequencerNode>> create(SequencerConfig config, SequencerParts parts);
  ~SequencerNode();  // stop()

  // The public API: ApiInfo, Connect, Authentication, Sequencer. Register them, and pass the server's health to
  // start().
  std::vector<std::shared_ptr<grpc::Service>> services();

  // For the admin port: Canton's administration and pruning, and our own operations.
  std::vector<std::shared_ptr<grpc::Service>> admin_services();

  // Subscribes to the log and serves. `health` (may be null) gets "" and `sequencer-health-check-service`.
  void start(rpc::Health* health);
  // Ends subscriptions, leaves the log. Not from a callback. Idempotent.
  void stop();

  // Thread rules: any thread.
  // Ok, or SEQUENCER_UNAVAILABLE with why members should use another sequencer: the source of gRPC's health.
  Status health() const;
  SequencerStatus status() const;

 private:
  struct Impl;
  explicit SequencerNode(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::sequencer
