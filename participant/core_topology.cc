#include "base/log.h"
#include "participant/core_state.h"
#include "topology/broadcast.h"

namespace synod::participant {
namespace {

constexpr int kRemoved = -1;

std::map<protocol::Member, int> permissions(const topology::PartyToParticipant& mapping) {
  std::map<protocol::Member, int> out;
  for (const auto& hosting : mapping.participants)
    out[protocol::Member::participant(hosting.participant)] = static_cast<int>(hosting.permission);
  return out;
}

// What the mapping changes about its party: the new permission of each participant concerned.
std::map<protocol::Member, int> changes(const topology::StoredTransaction& stored,
                                        const topology::PartyToParticipant& mapping, const topology::Snapshot& before) {
  std::map<protocol::Member, int> after;
  if (stored.transaction.transaction().operation() == topology::Operation::add_replace) after = permissions(mapping);
  for (const auto& [member, hosting] : before.hosting(mapping.party.to_string()).participants) {
    const auto found = after.find(member);
    if (found == after.end())
      after.emplace(member, kRemoved);
    else if (found->second == static_cast<int>(hosting.permission))
      after.erase(found);
  }
  return after;
}

}  // namespace

void ParticipantCore::Impl::handle_topology(const protocol::SequencedEvent& event,
                                            const std::vector<protocol::Envelope>& envelopes, Effects& effects) {
  // What the snapshot at the beginning held already is delivered again by the subscription.
  const auto known = topology.known_sequenced();
  if (known && event.timestamp <= *known) return;
  const auto effective = topology.last_effective_change();
  const bool passed = effective && (!last || last->timestamp <= *effective) && *effective < event.timestamp;
  effects.topology_changed = effects.topology_changed || passed;
  const auto transactions = topology::broadcasts_in(envelopes, config.synchronizer);
  if (transactions.empty()) {
    topology.observe(event.timestamp);
    return;
  }
  const auto before = topology.head();
  auto result = topology.process(event.timestamp, transactions);
  announce_parties(result, before, {}, effects);
  effects.writes.append(std::move(result.writes));
  effects.topology_changed = true;
  effects.await_times.push_back(result.effective.next());
}

std::uint32_t ParticipantCore::Impl::next_announcement(Timestamp effective) const {
  const auto after = requests.lower_bound({effective.next()});
  const auto last = after == requests.begin() ? requests.end() : std::prev(after);
  return last != requests.end() && last->first.time == effective ? last->first.announcement + 1 : 1;
}

void ParticipantCore::Impl::announce_parties(const topology::ProcessResult& result, const topology::Snapshot& before,
                                             const std::string& traceparent, Effects& effects) {
  for (const auto& stored : result.stored) {
    const auto* mapping = stored.transaction.transaction().as<topology::PartyToParticipant>();
    if (!mapping || !stored.decided()) continue;
    for (const auto& [member, permission] : changes(stored, *mapping, before)) {
      PartyUpdate change{crypto::Hasher(crypto::HashPurpose::topology_update_id)
                             .add_hash(stored.transaction.hash())
                             .add_string(member.to_string())
                             .finish()
                             .hex(),
                         mapping->party.to_string(), member.uid().to_string(), permission};
      InFlightRequest announcement;
      announcement.id = result.effective;
      announcement.announcement = next_announcement(result.effective);
      announcement.state = InFlightRequest::State::approved;
      announcement.root_hash = stored.transaction.hash();
      announcement.update =
          Update{Offset(), result.effective, config.synchronizer.logical().to_string(), traceparent, std::move(change)};
      put(effects.writes, announcement);
      const auto key = announcement.key();
      requests.emplace(key, std::move(announcement));
    }
  }
}

}  // namespace synod::participant
