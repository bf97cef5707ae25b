// A member of the synchronizer in the simulator: the client's real cores (event validation, send tracking) and a node's
// logic behind simulated I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/forward_clock.h"
#include "sequencer/client/event_validator.h"
#include "sequencer/client/send_tracker.h"
#include "storage/memory/memory_store.h"
#include "tests/sim/sim_sequencer.h"

namespace synod::sim {

// What a node's logic wants after an input.
struct NodeEffects {
  storage::WriteBatch writes;
  struct Send {
    protocol::Submission submission;
    bool amplify = true;
    bool report_failure = false;
    Duration delay;
  };
  std::vector<Send> sends;
  std::vector<Timestamp> await_times;
  bool sync = false;                   // the writes must survive the machine
  std::function<void()> after_writes;  // may be empty
};

// A node's logic in one life of its process: made from the store, lost with the process.
class NodeLogic {
 public:
  virtual ~NodeLogic() = default;
  virtual NodeEffects on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash) = 0;
  // The fate of a submission; an error: it was refused, rejected, or can no longer be sequenced.
  virtual NodeEffects on_result(const std::string& message_id, const Result<Timestamp>& result) { return {}; }
  virtual topology::Snapshot snapshot_at(Timestamp timestamp) const = 0;
  virtual const topology::TopologyState& topology() const = 0;
  // The event to resume after, as the logic stored it.
  virtual std::optional<sequencer::client::ResumePoint> resume() const = 0;
};

class SimMember : public Process {
 public:
  SimMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
            protocol::Member self, std::vector<storage::Column> columns);

  const protocol::Member& self() const { return self_; }
  storage::MemoryStore& store() { return store_; }
  crypto::KeyStore& keys() const { return *deployment_.keys.at(self_); }
  // For the checks at the end: times of all events that this member holds as processed.
  const std::vector<Timestamp>& processed() const { return processed_; }
  std::size_t unfinished_sends() const { return life_state_ ? life_state_->tracker.size() : 0; }
  std::optional<Timestamp> last_timestamp() const;
  std::size_t machine_losses() const { return machine_losses_; }
  Timestamp time();  // the synchronizer's, as far as it knows
  // It runs, and is not about to stop because its disk is full.
  bool works() const { return up() && !life_state_->stopping; }
  std::size_t full_disks() const { return full_disks_; }  // how often that stopped it
  // Nothing of its own is under way.
  virtual bool idle() const { return true; }
  // Hears every submission of this member that has been sequenced, and when. May be empty.
  std::function<void(const protocol::Submission&, Timestamp)> eavesdropper;

 protected:
  // Makes the logic of a new life from the store. Null after world().violate().
  virtual std::unique_ptr<NodeLogic> make_logic() = 0;
  virtual void begin() {}  // after boot: timers of its own
  virtual void finished(const std::string& message_id, const Result<Timestamp>& result) {}

  NodeLogic& logic() const { return *life_state_->logic; }
  const Deployment& deployment() const { return deployment_; }
  // False: nothing of it has happened, for the disk is full. The process stops then, and comes back with what it has
  // stored when there is space.
  bool carry_out(NodeEffects effects);
  Promises& promises_;

 private:
  using Validator = sequencer::client::EventValidator;
  using Tracker = sequencer::client::SendTracker;
  struct Life {
    std::unique_ptr<NodeLogic> logic;
    std::optional<Validator> validator;
    Tracker tracker;
    ForwardClock forward_clock;
    std::map<std::string, Bytes> signed_requests;
    std::map<std::string, bool> report_failure;
    std::size_t source = 0;  // index of the sequencer subscribed to
    std::uint64_t subscription = 0;
    std::uint64_t next_index = 0;
    Timestamp last_heard;
    std::set<Timestamp> awaited;
    std::optional<std::string> tick_in_flight;
    std::map<std::size_t, std::uint64_t> known_lives;   // of the sequencers
    std::map<std::string, protocol::Submission> heard;  // for the eavesdropper
    bool stopping = false;                              // what is in memory is ahead of what is stored
    explicit Life(Tracker::Limits limits) : tracker(limits) {}
  };

  void boot() final;
  void halt(bool machine) final;
  void stop_until_there_is_space();
  void come_back();
  void send(NodeEffects::Send send);
  void pump_sends();
  void attempt(const std::string& message_id, std::size_t sequencer);
  void complete(std::vector<sequencer::client::Completion> completions);
  void subscribe();
  void watch();
  void notice_lost_connections();
  void received(std::uint64_t subscription, std::uint64_t index, const Bytes& bytes);
  void process(const sequencer::client::ReceivedEvent& received);
  void tick_if_needed();
  std::int64_t mono() const { return const_cast<SimMember*>(this)->world_.now().micros; }

  Network& network_;
  const std::vector<SimSequencer*> sequencers_;
  const protocol::Member self_;
  const Deployment& deployment_;
  const std::vector<storage::Column> columns_;
  storage::MemoryStore store_;
  std::unique_ptr<Life> life_state_;
  std::uint64_t subscriptions_ = 0;  // never the same number twice
  std::vector<Timestamp> processed_;
  std::size_t machine_losses_ = 0;
  std::size_t full_disks_ = 0;
};

}  // namespace synod::sim
