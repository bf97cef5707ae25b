#include "sequencer/client/pool.h"

namespace synod::sequencer::client {

Pool::Pool(std::size_t connections, std::uint32_t trust_threshold, std::uint32_t liveness_margin,
           std::optional<protocol::PhysicalSynchronizerId> pinned, Random& random)
    : entries_(connections),
      trust_threshold_(trust_threshold == 0 ? 1 : trust_threshold),
      liveness_margin_(liveness_margin),
      pinned_(std::move(pinned)),
      turn_(random.below(1024)) {}

Status Pool::validated(ConnectionIndex index, const Attributes& attributes) {
  Entry& entry = entries_[index];
  const auto refuse = [&](std::string cause) -> Status {
    entry.refused = true;
    entry.up = entry.serving = false;
    return fail(failed_precondition("SEQUENCER_CONNECTION_REFUSED", std::move(cause)));
  };
  if (pinned_ && attributes.synchronizer != *pinned_) {
    return refuse("It serves " + attributes.synchronizer.to_string() + " instead of " + pinned_->to_string());
  }
  if (attributes.synchronizer.protocol_version() != protocol::kProtocolVersion) {
    return refuse("It runs protocol version " + std::to_string(attributes.synchronizer.protocol_version()) +
                  "; only 35 is supported");
  }
  if (entry.attributes && *entry.attributes != attributes) {
    return refuse("It is no longer " + entry.attributes->sequencer.to_string() + " of " +
                  entry.attributes->synchronizer.to_string());
  }
  entry.attributes = attributes;
  if (agreed_ && !agrees(entry)) {
    return refuse("It serves " + attributes.synchronizer.to_string() + " with other parameters than agreed");
  }
  entry.up = true;
  entry.serving = true;
  try_to_agree();
  return {};
}

ConnectionIndex Pool::add() {
  entries_.emplace_back();
  return entries_.size() - 1;
}

void Pool::retire(ConnectionIndex index) {
  Entry& entry = entries_[index];
  entry.retired = entry.refused = true;
  entry.up = entry.serving = false;
}

void Pool::set_serving(ConnectionIndex index, bool serving) { entries_[index].serving = serving; }

void Pool::lost(ConnectionIndex index) { entries_[index].up = entries_[index].serving = false; }

bool Pool::agrees(const Entry& entry) const {
  return entry.attributes && agreed_ && entry.attributes->synchronizer == agreed_->synchronizer &&
         entry.attributes->parameters == agreed_->parameters;
}

void Pool::try_to_agree() {
  if (agreed_) return;
  for (const Entry& candidate : entries_) {
    if (!candidate.up) continue;
    std::set<protocol::Member> supporters;
    for (const Entry& other : entries_) {
      if (other.up && other.attributes->synchronizer == candidate.attributes->synchronizer &&
          other.attributes->parameters == candidate.attributes->parameters) {
        supporters.insert(other.attributes->sequencer);
      }
    }
    if (supporters.size() >= trust_threshold_) {
      agreed_ = candidate.attributes;
      return;
    }
  }
}

bool Pool::usable(ConnectionIndex index) const {
  const Entry& entry = entries_[index];
  return entry.up && entry.serving && !entry.refused && agrees(entry);
}

std::optional<protocol::Member> Pool::sequencer_of(ConnectionIndex index) const {
  const Entry& entry = entries_[index];
  if (!entry.attributes) return std::nullopt;
  return entry.attributes->sequencer;
}

std::vector<ConnectionIndex> Pool::usable() const {
  std::vector<ConnectionIndex> out;
  std::set<protocol::Member> seen;
  for (ConnectionIndex i = 0; i < entries_.size(); ++i) {
    if (usable(i) && seen.insert(entries_[i].attributes->sequencer).second) out.push_back(i);
  }
  return out;
}

std::optional<ConnectionIndex> Pool::pick(const std::set<protocol::Member>& excluded) {
  if (const auto preferred = pick_of(false, excluded)) return preferred;
  return pick_of(true, excluded);
}

std::optional<ConnectionIndex> Pool::pick_preferred(const std::set<protocol::Member>& excluded) {
  return pick_of(false, excluded);
}

std::optional<ConnectionIndex> Pool::pick_of(bool fallback, const std::set<protocol::Member>& excluded) {
  std::map<protocol::Member, std::vector<ConnectionIndex>> candidates;
  for (ConnectionIndex i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.fallback != fallback || !usable(i) || excluded.contains(entry.attributes->sequencer)) continue;
    candidates[entry.attributes->sequencer].push_back(i);
  }
  if (candidates.empty()) return std::nullopt;
  const std::uint64_t turn = turn_++;
  auto it = candidates.begin();
  std::advance(it, turn % candidates.size());
  return it->second[turn / candidates.size() % it->second.size()];
}

PoolHealth Pool::health() const {
  const std::size_t count = usable().size();
  if (count < trust_threshold_) return PoolHealth::failed;
  return count >= trust_threshold_ + liveness_margin_ ? PoolHealth::ok : PoolHealth::degraded;
}

std::string Pool::reason() const {
  return std::to_string(usable().size()) + " of " + std::to_string(trust_threshold_ + liveness_margin_) +
         " wanted sequencers can be used (" + std::to_string(trust_threshold_) + " needed)";
}

}  // namespace synod::sequencer::client
