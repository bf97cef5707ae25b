#include <filesystem>
#include <sstream>

#include "crypto/key_file.h"
#include "participant/ledger/columns.h"
#include "participant/node/node_impl.h"
#include "storage/memory/memory_store.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::participant {

void describe(config::Fields& fields, ParticipantConfig& config) {
  fields.list(
      "sequencers", config.sequencers,
      [](config::Fields& f, SequencerEndpoint& e) {
        f.text("address", e.address, "host:port of a sequencer's public API.");
        f.flag("fallback", e.fallback, "Use it only while no other sequencer can be used.");
      },
      "Sequencers of the synchronizer; more than one for availability.");
  fields.integer("sequencer-trust-threshold", config.sequencer_trust_threshold,
                 "So many distinct sequencers must agree on every event.");
  fields.integer("sequencer-liveness-margin", config.sequencer_liveness_margin,
                 "Subscriptions beyond the trust threshold, so that a slow or failed sequencer delays nothing.");
  fields.object(
      "amplification", [&](config::Fields& f) { describe(f, config.amplification); },
      "When a submission goes to more than one sequencer.");
  fields.integer("max-pending-sends", config.max_pending_sends,
                 "Submissions that wait for their receipt; beyond: SUBMISSION_QUEUE_FULL.");
  fields.size("max-unprocessed-bytes", config.max_unprocessed_bytes,
              "Events received but not processed, a subscription.");
  fields.text("tls-ca-file", config.tls_ca_file,
              "PEM file with the authority of the sequencers' certificates; empty: plaintext.");
  fields.duration("connect-timeout", config.connect_timeout,
                  "Time for joining and for becoming active; beyond it, the node says so and tries again.");
  fields.duration("min-retry-delay", config.min_retry_delay,
                  "Wait after a failure that may pass, before the next attempt to connect; it doubles.");
  fields.duration("max-retry-delay", config.max_retry_delay, "Longest such wait.");
  fields.duration("max-deduplication", config.max_deduplication, "Longest de-duplication period of a command.");
  fields.duration("acknowledge-interval", config.acknowledge_interval,
                  "How often the sequencers are told what has been processed.");
  fields.duration("quiet-interval", config.quiet_interval,
                  "After so long without an event one is asked for, to be acknowledged: sequencers cannot prune what a "
                  "quiet participant has not acknowledged.");
  fields.duration("tick-delay", config.tick_delay,
                  "How long an awaited sequencing time that has passed waits for other traffic before a tick is sent.");
  fields.integer("max-in-flight-submissions", config.max_in_flight_submissions,
                 "Commands that are handed out and not finished; beyond: PARTICIPANT_BACKPRESSURE.");
  fields.integer("max-command-weight", config.max_command_weight,
                 "Commands and disclosed contracts of one submission.");
  fields.flag(
      "sync-submissions", config.sync_submissions,
      "Sync each accepted command to disk before it is sent; without, a power failure may take the completion of "
      "one that was never sequenced.");
  fields.size("max-dar-size", config.max_dar_bytes, "Largest DAR that may be uploaded.");
  fields.size("max-dar-entry-size", config.dar.max_entry_bytes, "Largest entry of a DAR, unpacked.");
  fields.size("max-dar-unpacked-size", config.dar.max_total_bytes, "Most that all entries of a DAR may unpack to.");
  fields.integer("max-dar-entries", config.dar.max_entries, "Entries that a DAR may have.");
  fields.size("max-envelope-bytes", config.max_envelope_bytes,
              "Largest unpacked envelope of an event, and of the views that are encrypted together.");
  fields.size("max-event-bytes", config.max_event_bytes, "Most that all envelopes of one event may unpack to.");
  fields.size("max-request-views-bytes", config.max_request_views_bytes,
              "Most that all views of one request may unpack to.");
  fields.duration("view-key-lifetime", config.view_keys.lifetime,
                  "So long a key of views serves further requests with the same readers; 0s: one request only.");
  fields.integer("max-view-keys", config.view_keys.max_keys, "Such keys in use at a time.");
  fields.object(
      "users",
      [&](config::Fields& f) {
        f.integer("max-rights-per-user", config.users.max_rights_per_user, "Rights that one user may have.");
        f.size("max-annotation-size", config.users.max_annotation_bytes, "Annotations of one user, keys and values.");
      },
      "Users of the Ledger API.");
  fields.object(
      "interpretation",
      [&](config::Fields& f) {
        lf::Limits& l = config.interpretation;
        f.integer("max-steps", l.max_steps, "Machine steps; some two hundred million a second or less.");
        f.size("max-memory", l.max_bytes, "Memory of the interpreter.");
        f.integer("max-nodes", l.max_nodes, "Nodes of the transaction.");
        f.integer("max-depth", l.max_frames, "Calls that have not returned.");
      },
      "What one command, or one view of somebody else's, may use; beyond: INTERPRETATION_TIME_EXCEEDED.");
}

namespace {

Result<std::shared_ptr<storage::Store>> open_store(const ParticipantConfig& config) {
  if (config.store_in_memory)
    return std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{ParticipantCore::columns()});
  storage::RocksDbOptions options;
  options.path = config.data_folder + "/store";
  options.columns = ParticipantCore::columns();
  SYNOD_TRY(std::shared_ptr<storage::Store> store, storage::open_rocksdb(options));
  return store;
}

}  // namespace

Result<std::unique_ptr<ParticipantNode>> ParticipantNode::open(ParticipantConfig config, std::shared_ptr<Clock> clock,
                                                               std::shared_ptr<Random> random) {
  std::shared_ptr<crypto::KeyStore> keys;
  if (config.store_in_memory) {
    keys = crypto::memory_key_store();
  } else {
    std::error_code error;
    std::filesystem::create_directories(config.data_folder, error);
    if (error) return fail(unavailable("NODE_FOLDER_FAILED", config.data_folder + ": " + error.message()));
    SYNOD_TRY(keys, crypto::open_key_folder(config.data_folder + "/keys"));
  }
  SYNOD_TRY(auto store, open_store(config));
  return open(std::move(config), Parts{std::move(keys), std::move(store), std::move(clock), std::move(random)});
}

Result<std::unique_ptr<ParticipantNode>> ParticipantNode::open(ParticipantConfig config, Parts parts) {
  SYNOD_TRY(auto identity, open_identity(std::move(parts.keys), config.name, *parts.random));
  SYNOD_TRY(auto ledger, LedgerStore::open(parts.store));
  auto node = std::make_unique<NodeImpl>(std::move(config), std::move(identity), std::move(parts.store),
                                         std::move(ledger), std::move(parts.clock), std::move(parts.random));
  SYNOD_RETURN_IF_ERROR(node->load());
  return node;
}

NodeImpl::NodeImpl(ParticipantConfig config, Identity identity, std::shared_ptr<storage::Store> store,
                   std::unique_ptr<LedgerStore> ledger, std::shared_ptr<Clock> clock, std::shared_ptr<Random> random)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      store_(std::move(store)),
      ledger_(std::move(ledger)),
      clock_(std::move(clock)),
      random_(std::move(random)),
      registry_(store_, config_.dar),
      loop_(std::make_shared<EventLoop>("participant")),
      sequencers_(config_.sequencers) {}

NodeImpl::~NodeImpl() { stop(Duration{}); }

Status NodeImpl::load() {
  SYNOD_RETURN_IF_ERROR(registry_.load());
  SYNOD_TRY(users_, UserStore::open(store_, config_.users));
  SYNOD_TRY(const auto pending, store_->get(kMetaColumn, kVetPendingKey));
  std::istringstream lines(pending.value_or(Bytes()));
  for (std::string id; std::getline(lines, id);) vet_pending_.insert(id);
  engine_ = std::make_shared<lf::Engine>(registry_.packages());
  status_.participant_id = participant_id();
  status_.ledger_end = ledger_->ledger_end();
  return {};
}

void NodeImpl::start(std::function<void(Status)> on_ready) {
  loop_->post([this, on_ready = std::move(on_ready)]() mutable {
    on_ready_ = std::move(on_ready);
    connect();
  });
}

void NodeImpl::stop(Duration) {
  // The loop first: after that nothing of the node runs, and its parts can go in any order.
  loop_->stop();
  membership_.reset();
  core_.reset();
}

ParticipantStatus NodeImpl::status() const {
  const std::lock_guard lock(shared_);
  return status_;
}

Status NodeImpl::health() const {
  const auto current = status();
  if (current.problem) return fail(*current.problem);
  if (!current.connected)
    return fail(
        unavailable("NOT_CONNECTED_TO_ANY_SYNCHRONIZER", "This participant is not connected to any synchronizer"));
  return store_->health();
}

std::optional<topology::Snapshot> NodeImpl::snapshot() const {
  const std::lock_guard lock(shared_);
  return snapshot_;
}

lf::PackagePreference NodeImpl::package_preference(const lf::PartySet& parties) const {
  const auto now = snapshot();
  if (!now) return {};
  std::set<protocol::Member> members{identity_.member};
  for (const auto& party : parties) {
    for (const auto& [member, hosting] : now->hosting(party).participants) members.insert(member);
  }
  lf::PackagePreference out;
  const auto at = clock_->now();
  for (const auto* package : registry_.packages()->all()) {
    const bool everywhere = std::all_of(members.begin(), members.end(),
                                        [&](const auto& member) { return now->vetted(member, package->id(), at); });
    if (!everywhere) continue;
    auto& best = out[package->name()];
    const auto* other = best.empty() ? nullptr : registry_.packages()->find(best);
    if (!other || lf::version_less(other->version(), package->version())) best = package->id();
  }
  return out;
}

}  // namespace synod::participant
