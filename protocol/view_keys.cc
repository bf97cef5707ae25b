#include "protocol/view_keys.h"

#include <utility>

namespace synod::protocol {
namespace {

// Fingerprints have one length, or differ before their end.
Bytes id_of(const EncryptedSessionKey& encrypted) { return encrypted.encrypted_for + '/' + encrypted.ciphertext; }

}  // namespace

// A clock that was set back makes a key old as well: how long it has been in use is not known then.
bool SentViewKeys::usable(const Entry& entry, Timestamp now) const {
  return entry.made <= now && now < entry.made + limits_.lifetime;
}

const ViewKey* SentViewKeys::find(const Bytes& readers, Timestamp now) const {
  const auto entry = keys_.find(readers);
  return entry != keys_.end() && usable(entry->second, now) ? &entry->second.key : nullptr;
}

void SentViewKeys::add(Bytes readers, ViewKey key, Timestamp now) {
  if (keys_.size() >= limits_.max_keys)
    std::erase_if(keys_, [&](const auto& entry) { return !usable(entry.second, now); });
  if (keys_.size() >= limits_.max_keys) keys_.clear();
  if (limits_.lifetime > Duration{}) keys_.insert_or_assign(std::move(readers), Entry{std::move(key), now});
}

std::optional<Bytes> OpenedViewKeys::find(const EncryptedSessionKey& encrypted) const {
  const Bytes id = id_of(encrypted);
  for (const auto* generation : {&newer_, &older_}) {
    if (const auto found = generation->find(id); found != generation->end()) return found->second;
  }
  return std::nullopt;
}

void OpenedViewKeys::add(const EncryptedSessionKey& encrypted, Bytes key) {
  newer_.insert_or_assign(id_of(encrypted), std::move(key));
  if (newer_.size() < kGeneration) return;
  older_ = std::move(newer_);
  newer_.clear();
}

}  // namespace synod::protocol
