#include "sequencer/subscriptions.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/log.h"

namespace synod::sequencer {

struct Subscriptions::Entry {
  protocol::Member member;
  MemberNumber number;
  Timestamp next;  // inclusive
  std::shared_ptr<EventSink> sink;
  TimerId expiry = 0;  // guarded by the mutex while the entry is in the map; whoever took it out has it alone
  bool waiting_for_client = false;
};

// One subscription's share of the events of a block; empty: to be read from the store.
struct Subscriptions::Fresh {
  struct Event {
    std::shared_ptr<const EventRecord> record;
    NewEvent::Reader reader;
  };
  SubscriptionId id;
  std::size_t bytes = 0;  // of the envelopes in it
  std::vector<Event> events;
};

struct Subscriptions::Shared : std::enable_shared_from_this<Subscriptions::Shared> {
  Shared(SubscriptionLimits l, Executor& e, std::shared_ptr<Clock> c, const EventReader& r, EventSigner& s)
      : limits(l), executor(e), clock(std::move(c)), reader(r), signer(s) {}

  const SubscriptionLimits limits;
  Executor& executor;
  std::shared_ptr<Clock> clock;
  const EventReader& reader;
  EventSigner& signer;

  std::atomic<std::size_t> fresh_bytes = 0;  // of the events in tasks of the executor

  mutable std::mutex mutex;  // guards what follows; `next`, `waiting_for_client` of an entry belong to the executor
  bool closed = false;
  SubscriptionId next_id = 1;
  std::map<SubscriptionId, std::shared_ptr<Entry>> entries;
  std::map<protocol::Member, std::vector<SubscriptionId>> by_member;
  std::map<protocol::Member, Delivered> delivered;  // one entry a member that ever subscribed

  std::shared_ptr<Entry> find(SubscriptionId id) const {
    std::lock_guard lock(mutex);
    const auto entry = entries.find(id);
    return entry == entries.end() ? nullptr : entry->second;
  }

  // Takes it out; the caller ends its sink outside of the lock.
  std::shared_ptr<Entry> take(SubscriptionId id) {
    std::lock_guard lock(mutex);
    const auto entry = entries.find(id);
    if (entry == entries.end()) return nullptr;
    auto taken = entry->second;
    entries.erase(entry);
    auto& list = by_member[taken->member];
    std::erase(list, id);
    if (list.empty()) by_member.erase(taken->member);
    return taken;
  }

  void end(SubscriptionId id, std::optional<Error> error) {
    const auto entry = take(id);
    if (!entry) return;
    executor.cancel(entry->expiry);
    entry->sink->end(std::move(error));
  }

  // Sends what there is until the client is full or up to date. One read a turn of the executor, so that a long
  // catch-up does not hold up the others.
  void schedule(SubscriptionId id) {
    executor.post([weak = weak_from_this(), id] {
      const auto shared = weak.lock();
      if (shared && shared->pump(id)) shared->schedule(id);
    });
  }

  // On the executor. True: there may be more.
  bool pump(SubscriptionId id) {
    const auto entry = find(id);
    if (!entry || entry->waiting_for_client) return false;
    const auto events =
        reader.read(entry->number, entry->member, entry->next, limits.events_per_read, limits.bytes_per_read);
    if (!events) {
      log::error("sequencer", "events of {} cannot be read: {}", entry->member.to_string(), events.error().to_string());
      end(id, events.error());
      return false;
    }
    if (!send(id, *entry, *events)) return false;
    std::size_t bytes_read = 0;
    for (const MemberEvent& event : *events) bytes_read += event.content.size();
    return events->size() >= limits.events_per_read || bytes_read >= limits.bytes_per_read;
  }

  // On the executor.
  void hand_on(const Fresh& fresh) {
    const auto entry = find(fresh.id);
    if (!entry || entry->waiting_for_client) return;
    const auto read = [&] {
      if (pump(fresh.id)) schedule(fresh.id);
    };
    if (fresh.events.empty()) return read();
    std::vector<MemberEvent> events;
    std::size_t bytes = 0;
    for (const Fresh::Event& event : fresh.events) {
      if (event.record->timestamp < entry->next) continue;  // read meanwhile, or not asked for
      if (events.empty() && event.reader.previous && *event.reader.previous >= entry->next) return read();
      events.push_back(reader.event(*event.record, entry->member, event.reader.previous, event.reader.envelopes));
      bytes += events.back().content.size();
      if (bytes < limits.bytes_per_read) continue;
      if (!send(fresh.id, *entry, std::exchange(events, {}))) return;
      bytes = 0;
    }
    send(fresh.id, *entry, events);
  }

  // On the executor. False: no more now.
  bool send(SubscriptionId id, Entry& entry, const std::vector<MemberEvent>& events) {
    if (events.empty()) return true;
    std::vector<EventSink::Event> signed_events;
    std::optional<Error> unsigned_because;
    for (const MemberEvent& event : events) {
      auto bytes = signer.sign(entry.number, event);
      if (!bytes) {
        unsigned_because = bytes.error();
        break;
      }
      signed_events.push_back({std::move(*bytes), event.traceparent});
    }
    // Those before one that cannot be signed are good.
    if (!signed_events.empty()) push(entry, signed_events, events[signed_events.size() - 1].timestamp);
    if (!unsigned_because) return !entry.waiting_for_client;
    log::info("sequencer", "events of {} cannot be signed: {}", entry.member.to_string(),
              unsigned_because->to_string());
    end(id, std::move(unsigned_because));
    return false;
  }

  void push(Entry& entry, const std::vector<EventSink::Event>& events, Timestamp last) {
    entry.waiting_for_client = !entry.sink->push(events);
    entry.next = last.next();
    std::lock_guard lock(mutex);
    Delivered& told = delivered[entry.member];
    told.events += events.size();
    told.last = last;
  }

  // Each subscription's share, the largest first. With the mutex held.
  std::vector<Fresh> shares(const std::vector<NewEvent>& events) const {
    std::map<SubscriptionId, Fresh> found;
    for (const NewEvent& event : events) {
      const auto* delivery = std::get_if<Delivery>(&event.record->outcome);
      for (const NewEvent::Reader& reader : event.readers) {
        const auto list = by_member.find(reader.member);
        if (list == by_member.end()) continue;
        std::size_t bytes = 0;
        for (const std::uint32_t position : reader.envelopes) bytes += delivery->batch.envelopes[position].size();
        for (const SubscriptionId id : list->second) {
          Fresh& fresh = found[id];
          fresh.id = id;
          fresh.bytes += bytes;
          fresh.events.push_back({event.record, reader});
        }
      }
    }
    std::vector<Fresh> out;
    for (auto& [id, fresh] : found) out.push_back(std::move(fresh));
    std::stable_sort(out.begin(), out.end(), [](const Fresh& a, const Fresh& b) { return a.bytes > b.bytes; });
    return out;
  }
};

Subscriptions::Subscriptions(SubscriptionLimits limits, Executor& executor, std::shared_ptr<Clock> clock,
                             const EventReader& reader, EventSigner& signer)
    : shared_(std::make_shared<Shared>(limits, executor, std::move(clock), reader, signer)) {}

Subscriptions::~Subscriptions() { close_all(); }

SubscriptionId Subscriptions::add(const protocol::Member& member, MemberNumber number, Timestamp from,
                                  Timestamp expires_at, std::shared_ptr<EventSink> sink) {
  auto entry = std::make_shared<Entry>();
  entry->member = member;
  entry->number = number;
  entry->next = from;
  entry->sink = std::move(sink);
  SubscriptionId id = 0;
  std::optional<SubscriptionId> surplus;
  {
    std::lock_guard lock(shared_->mutex);
    if (!shared_->closed) {
      id = shared_->next_id++;
      shared_->entries[id] = entry;
      auto& list = shared_->by_member[member];
      list.push_back(id);
      if (list.size() > shared_->limits.max_per_member) surplus = list.front();
    }
  }
  if (id == 0) {
    entry->sink->end(unavailable("SEQUENCER_UNAVAILABLE", "Subscription pool is closed."));
    return id;
  }
  if (surplus) {
    log::info("sequencer", "{} has too many subscriptions; its oldest ends", member.to_string());
    shared_->end(*surplus, std::nullopt);
  }
  const Duration lifetime = std::max(expires_at - shared_->clock->now(), Duration{});
  const TimerId expiry = shared_->executor.after(lifetime, [weak = std::weak_ptr<Shared>(shared_), id] {
    if (const auto shared = weak.lock()) shared->end(id, std::nullopt);
  });
  bool ended = false;
  {
    std::lock_guard lock(shared_->mutex);
    ended = !shared_->entries.contains(id);
    if (!ended) entry->expiry = expiry;
  }
  if (ended) {  // meanwhile, without its timer
    shared_->executor.cancel(expiry);
    return id;
  }
  shared_->schedule(id);
  return id;
}

void Subscriptions::drained(SubscriptionId id) {
  shared_->executor.post([weak = std::weak_ptr<Shared>(shared_), id] {
    const auto shared = weak.lock();
    const auto entry = shared ? shared->find(id) : nullptr;
    if (!entry) return;
    entry->waiting_for_client = false;
    shared->schedule(id);
  });
}

void Subscriptions::gone(SubscriptionId id) {
  if (const auto entry = shared_->take(id)) shared_->executor.cancel(entry->expiry);
}

void Subscriptions::notify(const std::vector<NewEvent>& events) {
  std::size_t bytes = 0;
  for (const NewEvent& event : events) bytes += event.bytes;
  std::vector<Fresh> shares;
  {
    std::lock_guard lock(shared_->mutex);
    if (shared_->by_member.empty()) return;
    shares = shared_->shares(events);
  }
  if (shares.empty()) return;
  // Whoever falls behind here has the store, which is not held in memory.
  if (shared_->fresh_bytes.fetch_add(bytes) + bytes > shared_->limits.fresh_bytes) {
    shared_->fresh_bytes -= bytes;
    bytes = 0;
    for (Fresh& fresh : shares) fresh.events = {};
  }
  shared_->executor.post([weak = std::weak_ptr<Shared>(shared_), bytes, shares = std::move(shares)] {
    const auto shared = weak.lock();
    if (!shared) return;
    for (const Fresh& fresh : shares) shared->hand_on(fresh);
    shared->fresh_bytes -= bytes;
  });
}

void Subscriptions::close(const protocol::Member& member) {
  std::vector<SubscriptionId> ids;
  {
    std::lock_guard lock(shared_->mutex);
    const auto list = shared_->by_member.find(member);
    if (list != shared_->by_member.end()) ids = list->second;
  }
  for (const SubscriptionId id : ids) shared_->end(id, std::nullopt);
}

void Subscriptions::close_all() {
  std::vector<SubscriptionId> ids;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->closed = true;
    for (const auto& [id, entry] : shared_->entries) ids.push_back(id);
  }
  for (const SubscriptionId id : ids) {
    shared_->end(id, unavailable("SEQUENCER_UNAVAILABLE", "Sequencer is being shutdown."));
  }
}

std::map<protocol::Member, Subscriptions::Delivered> Subscriptions::delivered() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->delivered;
}

}  // namespace synod::sequencer
