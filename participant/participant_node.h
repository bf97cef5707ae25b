// A participant as a running node: keys, storage, connection to the synchronizer, the core on its own thread, and the
// services that the Ledger API is built from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/result.h"
#include "lf/archive/dar.h"
#include "participant/commands.h"
#include "participant/core.h"
#include "participant/ledger_store.h"
#include "participant/package_service.h"
#include "participant/party_service.h"
#include "participant/user_store.h"
#include "sequencer/client/config.h"

namespace synod::participant {

struct SequencerEndpoint {
  std::string address;    // host:port
  bool fallback = false;  // only while no other can be used
};

struct ParticipantConfig {
  std::string name;         // of a new participant: PAR::<name>::<namespace>; ignored once the keys exist
  std::string data_folder;  // keys/ and store/ below it; created when missing
  std::vector<SequencerEndpoint> sequencers;
  int sequencer_trust_threshold = 1;
  std::uint32_t sequencer_liveness_margin = sequencer::client::ClientConfig().liveness_margin;
  sequencer::client::Amplification amplification;
  std::uint64_t max_pending_sends = sequencer::client::ClientConfig().max_pending_sends;
  std::uint64_t max_unprocessed_bytes = sequencer::client::ClientConfig().max_unprocessed_bytes;
  std::string tls_ca_file;  // PEM; plaintext to the sequencers when empty
  Duration connect_timeout = Duration::seconds(60);
  // Between attempts to connect, after failures that may pass by themselves: doubled from the first to the second.
  Duration min_retry_delay = Duration::seconds(1);
  Duration max_retry_delay = Duration::seconds(30);
  Duration max_deduplication = Duration::seconds(7 * 24 * 3600);
  Duration acknowledge_interval = Duration::seconds(60);
  Duration quiet_interval = Duration::seconds(3600);
  Duration tick_delay =
      Duration::milliseconds(50);  // an awaited sequencing time that passed waits so long for other traffic
  std::uint64_t max_in_flight_submissions = 5'000;
  std::uint64_t max_command_weight = 100'000;  // commands and disclosed contracts of one submission
  bool sync_submissions = false;
  std::uint64_t max_dar_bytes = 100u << 20;
  lf::DarLimits dar;
  std::uint64_t max_envelope_bytes = 10u << 20;  // one unpacked envelope of an event, and the views encrypted together
  std::uint64_t max_event_bytes = 64u << 20;     // all envelopes of an event, unpacked
  protocol::SentViewKeys::Limits view_keys;
  std::uint64_t max_request_views_bytes = 64u << 20;  // all views of a request that can be read here, unpacked
  lf::Limits interpretation;
  UserLimits users;
  bool store_in_memory = false;  // tests: nothing survives
};
void describe(config::Fields& fields, ParticipantConfig& config);

struct ParticipantStatus {
  bool connected = false;
  std::string participant_id;   // uid
  std::string synchronizer_id;  // physical; empty before the first connection
  Offset ledger_end;
  std::optional<Timestamp> record_time;
  std::size_t in_flight_submissions = 0;
  std::size_t in_flight_requests = 0;
  std::optional<Error> problem;  // why the node does not make progress
};

// Thread rules: every method from any thread, except that stop() may not be called from a callback of the node.
class ParticipantNode {
 public:
  // What a node works with, for those who bring it along.
  struct Parts {
    std::shared_ptr<crypto::KeyStore> keys;
    std::shared_ptr<storage::Store> store;  // opened with ParticipantCore::columns()
    std::shared_ptr<Clock> clock = system_clock();
    std::shared_ptr<Random> random = system_random();
  };
  // Makes the keys that are missing. Does not connect yet; ParticipantConfig::data_folder is not used.
  static Result<std::unique_ptr<ParticipantNode>> open(ParticipantConfig config, Parts parts);
  // Creates or opens folder, keys and store, and goes on as above.
  static Result<std::unique_ptr<ParticipantNode>> open(ParticipantConfig config,
                                                       std::shared_ptr<Clock> clock = system_clock(),
                                                       std::shared_ptr<Random> random = system_random());
  virtual ~ParticipantNode() = default;

  // Connects, onboards when this participant is new there, and subscribes; returns at once. on_ready (may be null) runs
  // when commands can be submitted, or with the error that ended the attempt for good: after failures that may pass, a
  // full disk among them, the node begins again by itself; status() tells of them.
  virtual void start(std::function<void(Status)> on_ready) = 0;
  virtual void stop(Duration deadline) = 0;
  // The sequencers to use from now on, instead of ParticipantConfig::sequencers.
  virtual void set_sequencers(std::vector<SequencerEndpoint> sequencers) = 0;

  virtual std::string participant_id() const = 0;  // uid: name::namespace
  virtual ParticipantStatus status() const = 0;
  virtual Status health() const = 0;

  virtual CommandSink& commands() = 0;
  virtual LedgerReader& ledger() = 0;
  virtual PackageService& packages() = 0;
  virtual PartyService& parties() = 0;
  virtual UserStore& users() = 0;
  virtual std::shared_ptr<const lf::Engine> engine() const = 0;
  virtual const lf::Limits& interpretation_limits() const = 0;
  virtual std::shared_ptr<const lf::PackageStore> package_store() const = 0;
  // package name -> id to use in commands of these parties: newest version vetted by all of them.
  virtual lf::PackagePreference package_preference(const lf::PartySet& parties) const = 0;
};

}  // namespace synod::participant
