// Who is subscribed, and getting events to them, signed, as fast as the client reads: from the block that brought them
// to whoever has all before, and read from the store for the others. Nothing is polled, and nothing is kept for a slow
// client but its position.
//
// Thread rules: add(), close() and the like from any thread; the work runs on the executor given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/core.h"
#include "sequencer/event_signer.h"
#include "sequencer/event_store.h"

namespace synod::sequencer {

// The sending side of one Subscribe call.
class EventSink {
 public:
  virtual ~EventSink() = default;
  struct Event {
    std::shared_ptr<const Bytes> signed_bytes;
    std::string traceparent;
  };
  // In order, none missing. False: full, wait for drained(); or closed, then gone() follows.
  virtual bool push(const std::vector<Event>& events) = 0;
  // Ends the stream; no error: with OK.
  virtual void end(std::optional<Error> error) = 0;
};

struct SubscriptionLimits {
  std::uint32_t max_per_member = 5;     // a further one ends the oldest
  std::size_t fresh_bytes = 16u << 20;  // of events on their way from their block; what is more is read from the store
  std::size_t events_per_read = 64;
  std::size_t bytes_per_read = 1u << 20;  // and in one push
};

using SubscriptionId = std::uint64_t;

class Subscriptions {
 public:
  // What one member was sent since the process started, over all its subscriptions.
  struct Delivered {
    std::uint64_t events = 0;  // repeated ones count again
    Timestamp last;
  };

  // `executor` must run until close_all() has been called.
  Subscriptions(SubscriptionLimits limits, Executor& executor, std::shared_ptr<Clock> clock, const EventReader& reader,
                EventSigner& signer);
  ~Subscriptions();

  // Events from `from` on (inclusive); ends at `expires_at`.
  SubscriptionId add(const protocol::Member& member, MemberNumber number, Timestamp from, Timestamp expires_at,
                     std::shared_ptr<EventSink> sink);
  void drained(SubscriptionId id);
  void gone(SubscriptionId id);  // the client left
  // These are new, in order, and the store has them. Whoever gets most is served first: a request goes out before the
  // receipt of it, and its receiver begins with the work while the others get theirs.
  void notify(const std::vector<NewEvent>& events);
  // Ends the member's subscriptions with OK, as Canton does when access ends.
  void close(const protocol::Member& member);
  // Ends all; no callback afterwards.
  void close_all();

  std::map<protocol::Member, Delivered> delivered() const;

 private:
  struct Entry;
  struct Fresh;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace synod::sequencer
