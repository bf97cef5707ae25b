#include "sequencer/event_signer.h"

#include "protocol/signed_content.h"

namespace synod::sequencer {

SigningHistory::SigningHistory(const topology::TopologyState& topology, const protocol::Member& self,
                               const crypto::KeyStore& keys) {
  for (const topology::StoredTransaction* stored : topology.history()) {
    if (!stored->decided() || stored->transaction.transaction().operation() == topology::Operation::remove) continue;
    const auto* mapping = stored->transaction.transaction().as<topology::OwnerToKey>();
    if (!mapping || mapping->member != self) continue;
    for (const auto& registered : mapping->signing_keys()) {
      if (registered.usages().count(crypto::KeyUsage::protocol) == 0) continue;
      if (auto key = keys.signing_key(registered.fingerprint())) {
        periods_.push_back(Period{stored->valid_from, stored->valid_until, std::move(*key)});
      }
    }
  }
}

std::optional<crypto::SigningKeyPair> SigningHistory::key_at(Timestamp timestamp) const {
  for (auto period = periods_.rbegin(); period != periods_.rend(); ++period) {
    if (period->from < timestamp && (!period->until || timestamp <= *period->until)) return period->key;
  }
  return std::nullopt;
}

void EventSigner::use(SigningHistory history) {
  auto shared = std::make_shared<const SigningHistory>(std::move(history));
  std::lock_guard lock(mutex_);
  history_ = std::move(shared);
}

Result<std::shared_ptr<const Bytes>> EventSigner::sign(MemberNumber member, const MemberEvent& event) {
  const Key id{member, event.timestamp};
  std::shared_ptr<const SigningHistory> history;
  {
    std::lock_guard lock(mutex_);
    if (const auto cached = cache_.find(id); cached != cache_.end()) return cached->second;
    history = history_;
  }
  const auto key = history->key_at(event.timestamp);
  if (!key) {
    return fail(failed_precondition("SEQUENCER_TOMBSTONE", "This sequencer has no key that was valid at " +
                                                               event.timestamp.to_string() +
                                                               ". Read this event from another sequencer."));
  }
  auto bytes = std::make_shared<const Bytes>(
      protocol::sign_content(crypto::HashPurpose::sequenced_event, event.content, *key, std::nullopt).serialize());
  std::lock_guard lock(mutex_);
  if (cache_.emplace(id, bytes).second) {
    order_.push_back(id);
    cached_bytes_ += bytes->size();
  }
  while (cached_bytes_ > cache_bytes_ && !order_.empty()) {
    const auto oldest = cache_.find(order_.front());
    cached_bytes_ -= oldest->second->size();
    cache_.erase(oldest);
    order_.pop_front();
  }
  return bytes;
}

}  // namespace synod::sequencer
