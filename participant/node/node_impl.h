// The participant node: everything that is not a pure function runs on one loop.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "participant/node/identity.h"
#include "participant/node/package_registry.h"
#include "participant/participant_node.h"
#include "sequencer/client/membership.h"

namespace synod::participant {

// Thread rules: as ParticipantNode. Members below the line are used on the loop only.
class NodeImpl final : public ParticipantNode, public CommandSink, public PackageService, public PartyService {
 public:
  NodeImpl(ParticipantConfig config, Identity identity, std::shared_ptr<storage::Store> store,
           std::unique_ptr<LedgerStore> ledger, std::shared_ptr<Clock> clock, std::shared_ptr<Random> random);
  ~NodeImpl() override;
  Status load();

  // ParticipantNode
  void start(std::function<void(Status)> on_ready) override;
  void stop(Duration deadline) override;
  void set_sequencers(std::vector<SequencerEndpoint> sequencers) override;
  std::string participant_id() const override { return identity_.member.uid().to_string(); }
  ParticipantStatus status() const override;
  Status health() const override;
  CommandSink& commands() override { return *this; }
  LedgerReader& ledger() override { return *ledger_; }
  PackageService& packages() override { return *this; }
  PartyService& parties() override { return *this; }
  UserStore& users() override { return *users_; }
  std::shared_ptr<const lf::Engine> engine() const override { return engine_; }
  const lf::Limits& interpretation_limits() const override { return config_.interpretation; }
  std::shared_ptr<const lf::PackageStore> package_store() const override { return registry_.packages(); }
  lf::PackagePreference package_preference(const lf::PartySet& parties) const override;

  // CommandSink
  void submit(CommandSubmission command, std::function<void(Status)> accepted) override;
  void submit_and_wait(CommandSubmission command, Duration timeout,
                       std::function<void(Result<Completion>)> done) override;
  void interpret(CommandSubmission command, std::function<void(Result<lf::InterpretationResult>)> done) override;

  // PackageService
  void upload(std::string dar, UploadOptions options, std::function<void(Result<std::string>)> done) override;
  Status validate(const std::string& dar) const override;
  std::vector<PackageDescription> list() const override { return registry_.list(); }
  Result<std::optional<std::string>> archive_payload(const std::string& package_id) const override {
    return registry_.archive_payload(package_id);
  }
  bool is_known(const std::string& package_id) const override {
    return registry_.packages()->find(package_id) != nullptr;
  }
  std::vector<std::string> vetted() const override;
  void update_vetting(VettingUpdate update, std::function<void(Result<VettingOutcome>)> done) override;
  std::vector<VettingState> vetting_states() const override;

  // PartyService
  void allocate(Allocation allocation, std::function<void(Result<PartyDetails>)> done) override;
  std::optional<PartyDetails> find(const std::string& party) const override;
  std::vector<PartyDetails> list(const std::string& after, std::size_t limit) const override;
  bool is_local(const std::string& party) const override;
  std::optional<topology::Permission> permission(const std::string& party,
                                                 const std::string& participant) const override;

 private:
  // Something to be true of the topology before somebody is called back.
  struct TopologyWait {
    std::function<bool(const topology::Snapshot&)> holds;
    std::function<void(Status)> done;
    TimerId timer = 0;
  };
  struct VetRequest {
    std::vector<std::string> package_ids;
    std::function<void(Status)> done;
  };
  struct VettingRequest {
    VettingUpdate update;
    std::function<void(Result<VettingOutcome>)> done;
  };
  struct CommandWait {
    std::function<void(Result<Completion>)> done;
    TimerId timer = 0;
  };

  static std::string wait_key(const std::string& user_id, const std::string& command_id,
                              const std::string& submission_id);
  std::optional<topology::Snapshot> snapshot() const;
  PartyDetails details(const topology::Snapshot& snapshot, const std::string& party) const;

  // node_connection.cc; all on the loop
  std::vector<sequencer::client::Endpoint> endpoints(const std::vector<SequencerEndpoint>& sequencers) const;
  void connect();
  sequencer::client::MembershipHandlers membership_handlers();
  Result<std::optional<protocol::PhysicalSynchronizerId>> joined() const;
  Result<bool> make_core(const protocol::PhysicalSynchronizerId& synchronizer,
                         const topology::StaticParameters& parameters);
  Status take_up_what_was_in_flight();
  void await_active();
  bool connected() const;  // commands and changes of the topology are taken
  sequencer::client::SequencerClient& connection() { return *membership_->client(); }
  Status apply(Effects effects);
  void send(Effects::Send send);
  void fail_waiting(const Error& error);
  void topology_moved();
  void wait_for(std::function<bool(const topology::Snapshot&)> holds, Duration timeout,
                std::function<void(Status)> done);
  void publish_topology(const topology::Mapping& mapping, std::function<void(Status)> sent);
  void become_ready();

  // node_vetting.cc; all on the loop
  static constexpr Duration kTopologyTimeout = Duration::seconds(60);  // until a topology transaction must be sequenced
  void set_vet_pending(std::set<std::string> package_ids);
  void vet_pending();
  void vet(std::vector<std::string> package_ids, std::function<void(Status)> done);
  void vet_next();
  void publish_vetting(const std::set<std::string>& package_ids, std::function<void(Status)> done);
  void change_vetting(const VettingUpdate& update, std::function<void(Result<VettingOutcome>)> done);

  const ParticipantConfig config_;
  const Identity identity_;
  const std::shared_ptr<storage::Store> store_;
  const std::unique_ptr<LedgerStore> ledger_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Random> random_;
  PackageRegistry registry_;
  std::unique_ptr<UserStore> users_;  // since load()
  std::mutex uploading_;              // one upload is checked and added at a time
  std::shared_ptr<const lf::Engine> engine_;
  std::shared_ptr<EventLoop> loop_;

  mutable std::mutex shared_;  // guards what follows up to the line
  std::optional<topology::Snapshot> snapshot_;
  ParticipantStatus status_;

  // ---- loop only
  std::vector<SequencerEndpoint> sequencers_;  // to begin with
  std::unique_ptr<ParticipantCore> core_;
  std::optional<sequencer::client::Membership> membership_;  // since start()
  std::function<void(Status)> on_ready_;
  bool ready_ = false;                                // has been connected and active in this attempt
  std::map<std::string, CommandWait> command_waits_;  // by user, command and submission id
  std::list<TopologyWait> topology_waits_;
  std::set<std::string> vet_pending_;  // uploaded, to be vetted; stored
  std::vector<VetRequest> vet_queue_;
  std::deque<VettingRequest> vetting_updates_;
  bool vetting_ = false;
};

}  // namespace synod::participant
