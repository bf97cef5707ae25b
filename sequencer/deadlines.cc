#include "sequencer/deadlines.h"

#include "canton/envelope_v30.pb.h"
#include "canton/mediator_v30.pb.h"
#include "protocol/versioned.h"
#include "sequencer/event_store.h"

namespace synod::sequencer {

namespace canton = ::com::digitalasset::canton::protocol::v30;

namespace {

constexpr std::size_t kTimeBytes = 8;

Bytes key_of(Timestamp request) {
  Bytes key(Deadlines::kPrefix);
  append_i64(key, request.micros);
  return key;
}

}  // namespace

Status Deadlines::load(const storage::Store& store) {
  Status status;
  SYNOD_RETURN_IF_ERROR(store.scan(kStateColumn, storage::KeyRange::prefix(kPrefix), storage::Direction::forward,
                                   [&](ByteView key, ByteView value) {
                                     if (key.size() != kPrefix.size() + kTimeBytes || value.size() != 2 * kTimeBytes) {
                                       status = fail(storage::storage_corrupt("a deadline has a wrong length"));
                                       return false;
                                     }
                                     pending_[Timestamp{read_i64(key.substr(kPrefix.size()))}] =
                                         Request{{read_i64(value)}, {read_i64(value.substr(kTimeBytes))}};
                                     return true;
                                   }));
  return status;
}

void Deadlines::add(Timestamp request, const topology::DynamicParameters& parameters, storage::WriteBatch& writes) {
  const Timestamp response = request + parameters.confirmation_response_timeout;
  const Timestamp decision = response + parameters.mediator_reaction_timeout;
  pending_[request] = Request{response, decision};
  Bytes value;
  append_i64(value, response.micros);
  append_i64(value, decision.micros);
  writes.put(kStateColumn, key_of(request), std::move(value));
}

void Deadlines::remove(Timestamp request, storage::WriteBatch& writes) {
  if (pending_.erase(request) > 0) writes.erase(kStateColumn, key_of(request));
}

void Deadlines::expire(Timestamp now, storage::WriteBatch& writes) {
  for (auto entry = pending_.begin(); entry != pending_.end() && entry->first < now;) {
    if (entry->second.decision < now) {
      writes.erase(kStateColumn, key_of(entry->first));
      entry = pending_.erase(entry);
    } else {
      ++entry;
    }
  }
}

std::optional<Timestamp> Deadlines::next_from(Timestamp from) const {
  std::optional<Timestamp> next;
  const auto consider = [&](Timestamp t) {
    if (t >= from && (!next || t < *next)) next = t;
  };
  for (const auto& [request, deadlines] : pending_) {
    if (next && request >= *next) break;  // later requests have later deadlines
    consider(deadlines.response);
    consider(deadlines.decision);
  }
  return next;
}

std::vector<Timestamp> decided_requests(const std::vector<protocol::Envelope>& envelopes) {
  constexpr int kVersion = 30;
  std::vector<Timestamp> requests;
  for (const auto& envelope : envelopes) {
    if (envelope.signatures.empty()) continue;
    const auto typed = protocol::unwrap(envelope.content, kVersion, "TypedSignedProtocolMessageContent");
    if (!typed) continue;
    canton::TypedSignedProtocolMessageContent content;
    if (!content.ParseFromArray(typed->data(), static_cast<int>(typed->size()))) continue;
    if (!content.has_confirmation_result()) continue;
    const auto inner = protocol::unwrap(content.confirmation_result(), kVersion, "ConfirmationResultMessage");
    if (!inner) continue;
    canton::ConfirmationResultMessage result;
    if (!result.ParseFromArray(inner->data(), static_cast<int>(inner->size()))) continue;
    requests.push_back(Timestamp{result.request_id()});
  }
  return requests;
}

}  // namespace synod::sequencer
