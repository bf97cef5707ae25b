// How a node becomes a member of its synchronizer and stays one, for every kind of member:
//
//   what is stored is loaded; connections come up; the first time the member introduces itself, unless others do, and
//   downloads the topology; then it subscribes, and follows the synchronizer event by event
//
// After a failure that may pass by itself - sequencers out of reach or behind, a full disk - everything begins again
// with what is stored, after a delay that doubles while failures follow upon each other. After any other the node stops
// where it is: what is in memory may be ahead of the store, so nothing may be built upon it.
//
// Thread rules: all methods on the executor's thread, where all handlers run; the destructor there too, or when the
// executor has stopped.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sequencer/client/client.h"

namespace synod::sequencer::client {

struct MembershipConfig {
  std::string log_component;
  ClientConfig client;
  Duration onboarding_timeout = Duration::seconds(60);  // from the introduction until the member is active
  Duration min_retry_delay = Duration::seconds(1);
  Duration max_retry_delay = Duration::seconds(1);
  // What the sequencers refuse while it joins may be allowed later, by others who change the topology: then it goes on
  // asking, and says so without a warning.
  bool refusals_are_final = true;
};

// What the node adds. An error that a handler returns ends the attempt, as fail_with() does.
struct MembershipHandlers {
  // Takes up what is stored. The synchronizer that was joined; none before the first time.
  std::function<Result<std::optional<protocol::PhysicalSynchronizerId>>()> load;
  // The synchronizer and its parameters are known. True: its topology is stored, so that the member only subscribes.
  std::function<Result<bool>(const protocol::PhysicalSynchronizerId&, const topology::StaticParameters&)> connected;
  // What the member says of itself when it is not active yet. Null: others put it into the topology.
  std::function<Result<std::vector<topology::SignedTransaction>>(const protocol::PhysicalSynchronizerId&)> introduce;
  // Takes up the topology to begin with, and stores it together with the synchronizer.
  std::function<Status(const protocol::PhysicalSynchronizerId&, const topology::StaticParameters&,
                       const std::vector<topology::StoredTransaction>&)>
      import;
  std::function<std::optional<ResumePoint>()> resume;        // the last event that is stored
  std::function<Status()> following;                         // subscribed: messages can be sent, events will come
  std::function<topology::Snapshot(Timestamp)> snapshot_at;  // as Handlers::snapshot_at
  // Each event once, in order, with the resume point stored. It is acknowledged when this has returned.
  std::function<Status(Delivered)> on_event;
  // Why the member does not follow at the moment; none: it does.
  std::function<void(const std::optional<Error>&)> on_problem;
  // The attempt has ended: whoever waits is to be told. `again`: another one follows by itself.
  std::function<void(const Error&, bool again)> on_failed;
  // Of an error after which no other attempt follows: whoever runs the node deals with it, and says so, so that here it
  // is not worth a line of the log. Null: none is.
  std::function<bool(const Error&)> others_deal_with;
  // The client has gone; what is in memory must not be used any more. The next attempt begins with load().
  std::function<void()> forget;
  // Writes something harmless: as long as the disk is full there is no use in asking anybody for more.
  std::function<Status()> probe_store;
};

// Whether the same may work a little later, without anybody doing anything to this node.
bool may_pass(const Error& error);

// Doubles from the first to the second limit while failures follow upon each other (pure).
class RetryDelay {
 public:
  RetryDelay(Duration shortest, Duration longest) : shortest_(shortest), longest_(std::max(shortest, longest)) {}
  void well(std::int64_t monotonic_micros) { well_since_ = monotonic_micros; }
  // After a failure now. From the beginning if all was well for longer than the longest delay.
  Duration next(std::int64_t monotonic_micros);

 private:
  Duration shortest_, longest_;
  Duration last_;
  std::optional<std::int64_t> well_since_;
};

class Membership {
 public:
  Membership(MembershipConfig config, ClientParts parts, MembershipHandlers handlers);
  ~Membership();

  void start();
  void stop();  // no handler runs any more
  // Ends the attempt because of something that the node met outside of the handlers.
  void fail_with(const Error& error);
  // The attempt has failed: until the next one begins, nothing may follow.
  bool failed() const;
  // Between attempts there is none.
  SequencerClient* client() const;
  // Of this attempt and all later ones.
  void set_endpoints(std::vector<Endpoint> endpoints);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::sequencer::client
