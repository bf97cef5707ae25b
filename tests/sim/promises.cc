#include "tests/sim/promises.h"

#include <fmt/format.h>

namespace synod::sim {

void Promises::intended(const Bytes& payload, const std::set<protocol::Member>& recipients, Timestamp seen) {
  payloads_[payload] = {recipients, seen, {}, {}, {}, false};
}

void Promises::reported_sequenced(const std::vector<Bytes>& payloads, Timestamp at) {
  for (const Bytes& payload : payloads) payloads_.at(payload).reported_at = at;
}

void Promises::reported_not_sequenced(const std::vector<Bytes>& payloads) {
  for (const Bytes& payload : payloads) payloads_.at(payload).reported_lost = true;
}

void Promises::delivered(const protocol::Member& member, const protocol::SequencedEvent& event,
                         const crypto::Hash& content) {
  const auto [known, fresh] = events_.try_emplace({member, event.timestamp}, content);
  if (!fresh && known->second != content)
    return world_.violate(fmt::format("identical bytes: {} gets two different events at {}", member.to_string(),
                                      event.timestamp.to_string()));
  if (event.previous_timestamp && *event.previous_timestamp >= event.timestamp)
    return world_.violate("increasing time: an event does not follow its predecessor");
  if (fresh) {
    const auto before = events_.lower_bound({member, event.timestamp});
    const bool has_before = before != events_.begin() && std::prev(before)->first.first == member;
    const std::optional<Timestamp> expected =
        has_before ? std::optional(std::prev(before)->first.second) : std::nullopt;
    if (event.previous_timestamp != expected)
      return world_.violate(
          fmt::format("no event lost: {} jumps to {}", member.to_string(), event.timestamp.to_string()));
  }
  const auto envelopes = event.batch.decompress({});
  if (!envelopes) return world_.violate("an event that does not unpack");
  for (const auto& envelope : *envelopes) {
    const auto found = payloads_.find(envelope.content);
    if (found == payloads_.end()) continue;  // a topology broadcast
    Payload& payload = found->second;
    if (!payload.recipients.contains(member))
      return world_.violate(fmt::format("entitled members only: {} sees '{}'", member.to_string(), envelope.content));
    if (payload.sequenced_at && *payload.sequenced_at != event.timestamp)
      return world_.violate(fmt::format("nothing twice: '{}' is sequenced at two times", envelope.content));
    if (event.timestamp <= payload.seen)
      return world_.violate(
          fmt::format("real-time order: '{}' is sequenced before what its sender had seen", envelope.content));
    payload.sequenced_at = event.timestamp;
    payload.got_it.insert(member);
    if (payload.reported_lost)
      return world_.violate(fmt::format("true reports: '{}' was reported as not sequenced", envelope.content));
  }
}

void Promises::applied(std::int64_t height, const std::string& state_hash, Timestamp last_time) {
  const auto [known, fresh] = heights_.try_emplace(height, Applied{state_hash, last_time});
  if (!fresh && (known->second.state_hash != state_hash || known->second.last_time != last_time))
    return world_.violate(fmt::format("identical state: two sequencers differ at height {}", height));
  if (fresh && known != heights_.begin() && std::prev(known)->second.last_time > last_time)
    return world_.violate("increasing time: it went back between two blocks");
}

void Promises::check_reports() {
  for (const auto& [text, payload] : payloads_) {
    if (payload.reported_at && payload.sequenced_at != payload.reported_at)
      return world_.violate(fmt::format("true reports: '{}' was reported as sequenced, but is not there", text));
    if (payload.reported_lost && payload.sequenced_at)
      return world_.violate(fmt::format("true reports: '{}' was reported as not sequenced, but is there", text));
    if (payload.sequenced_at && payload.got_it != payload.recipients)
      return world_.violate(fmt::format("no event lost: '{}' reached {} of {} recipients", text, payload.got_it.size(),
                                        payload.recipients.size()));
  }
}

std::size_t Promises::sequenced() const {
  std::size_t count = 0;
  for (const auto& [text, payload] : payloads_) count += payload.sequenced_at.has_value();
  return count;
}

}  // namespace synod::sim
