// From the events of one or more subscriptions to one checked stream: complete, in order, signed, and agreed upon by
// enough sequencers. Pure; single-threaded. Facts: canton-protocol §1.2.6, SequencedEventValidator and
// SequencerAggregator.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/ids.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "sequencer/client/client.h"

namespace synod::sequencer::client {

// One event as one sequencer delivered it.
struct ReceivedEvent {
  protocol::SequencedEvent event;
  protocol::SignedContent content;
  crypto::Hash hash;  // of content.content, purpose 1: what the sequencer signed
  std::string traceparent;
  std::size_t bytes = 0;

  static Result<ReceivedEvent> parse(ByteView signed_sequenced_event, const protocol::BatchLimits& limits);
};

class EventValidator {
 public:
  EventValidator(protocol::PhysicalSynchronizerId synchronizer, std::uint32_t trust_threshold,
                 std::optional<ResumePoint> resume);

  // Where a new subscription begins: at the last delivered event, inclusive. None: at the member's first event.
  std::optional<Timestamp> resume_timestamp() const;
  // A subscription to this sequencer begins there now. What was left of its previous one is dropped.
  void subscribed(const protocol::Member& sequencer);
  void unsubscribed(const protocol::Member& sequencer);

  struct Taken {
    // Bytes that need not be kept: an event that was known already.
    std::size_t released = 0;
  };
  // The next event of that subscription. An error ends the subscription: a gap, a wrong order, another synchronizer
  // (SEQUENCED_EVENT_INVALID), or other content than was delivered before (SEQUENCER_FORK_DETECTED).
  Result<Taken> add(const protocol::Member& sequencer, ReceivedEvent event);

  // Is the event signed by this sequencer, as of the topology at its time?
  using CheckSignature = std::function<Status(const protocol::Member& sequencer, const ReceivedEvent& event)>;
  struct Fault {
    protocol::Member sequencer;
    Error error;
  };
  struct Step {
    std::optional<ReceivedEvent> deliver;
    std::vector<std::pair<protocol::Member, std::size_t>> released;  // bytes of each subscription that are dealt with
    std::vector<Fault> faults;                                       // subscriptions to end
  };
  // Call until nothing is delivered. Between calls the topology must have taken in what was delivered.
  Step next(const CheckSignature& check);

 private:
  struct Subscription {
    std::optional<Timestamp> position;  // of its latest event
    std::optional<Timestamp> start;     // asked for; the first event must have this time
    bool begun = false;
    struct Queued {
      ReceivedEvent event;
      bool checked = false;
    };
    std::deque<Queued> queue;  // events after the last delivered one
  };
  Status check_chain(const Subscription& subscription, const protocol::SequencedEvent& event) const;
  void remember(Timestamp timestamp, const crypto::Hash& hash);

  protocol::PhysicalSynchronizerId synchronizer_;
  std::size_t trust_threshold_;
  std::optional<ResumePoint> last_;
  std::deque<ResumePoint> recent_;  // delivered lately, oldest first
  std::map<protocol::Member, Subscription> subscriptions_;
};

}  // namespace synod::sequencer::client
