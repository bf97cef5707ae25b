#include "sequencer/admitted.h"

namespace synod::sequencer {

void AdmittedSubmissions::remember(const Bytes& signed_request, PreparedSubmission prepared) {
  std::size_t bytes = 2 * signed_request.size();  // it is kept as the key, and parsed
  for (const protocol::Envelope& envelope : prepared.envelopes) bytes += envelope.content.size();
  std::lock_guard lock(mutex_);
  const auto [entry, is_new] = entries_.try_emplace(signed_request);
  if (!is_new) return;
  entry->second = {std::move(prepared), bytes, next_age_++};
  by_age_.emplace(entry->second.age, entry);
  bytes_ += bytes;
  while (bytes_ > max_bytes_) forget(by_age_.begin()->second);
}

std::optional<PreparedSubmission> AdmittedSubmissions::take(ByteView signed_request) {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(signed_request);
  if (entry == entries_.end()) return std::nullopt;
  std::optional<PreparedSubmission> prepared = std::move(entry->second.prepared);
  forget(entry);
  return prepared;
}

void AdmittedSubmissions::forget(Entries::iterator entry) {
  bytes_ -= entry->second.bytes;
  by_age_.erase(entry->second.age);
  entries_.erase(entry);
}

}  // namespace synod::sequencer
