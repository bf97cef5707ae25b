#include "sequencer/member_registry.h"

#include <algorithm>

#include "base/check.h"
#include "protocol/versioned.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {

Status MemberRegistry::load(const storage::Store& store) {
  Status status;
  const auto scanned = store.scan(kStateColumn, storage::KeyRange::prefix(kPrefix), storage::Direction::forward,
                                  [&](ByteView, ByteView value) {
                                    v1::StoredMember proto;
                                    status = protocol::parse_proto(value, proto, "StoredMember");
                                    if (!status) return false;
                                    auto member = protocol::Member::parse(proto.member());
                                    if (!member) {
                                      status = fail(member.error());
                                      return false;
                                    }
                                    MemberStatus& entry = members_[*member];
                                    entry.member = *member;
                                    entry.number = MemberNumber(proto.id());
                                    entry.registered_at = Timestamp{proto.registered_at()};
                                    if (proto.has_last_event()) entry.last_event = Timestamp{proto.last_event()};
                                    if (proto.has_acknowledged()) entry.acknowledged = Timestamp{proto.acknowledged()};
                                    next_ = std::max(next_, proto.id() + 1);
                                    return true;
                                  });
  SYNOD_RETURN_IF_ERROR(scanned);
  return status;
}

void MemberRegistry::add(const protocol::Member& member, Timestamp at) {
  const auto [entry, is_new] = members_.try_emplace(member);
  if (!is_new) return;
  entry->second = MemberStatus{member, MemberNumber(next_++), at, std::nullopt, std::nullopt};
  changed_.insert(member);
}

void MemberRegistry::register_from(const topology::StoredTransaction& stored) {
  if (!stored.decided()) return;
  const Timestamp at = stored.valid_from;
  const auto& transaction = stored.transaction.transaction();
  const auto add_all = [&](const std::vector<protocol::UniqueId>& ids, protocol::MemberKind kind) {
    for (const auto& id : ids) add(protocol::Member(kind, id), at);
  };
  if (const auto* certificate = transaction.as<topology::TrustCertificate>()) {
    add(protocol::Member::participant(certificate->participant), at);
  } else if (const auto* mediators = transaction.as<topology::MediatorState>()) {
    add_all(mediators->active, protocol::MemberKind::mediator);
    add_all(mediators->observers, protocol::MemberKind::mediator);
  } else if (const auto* sequencers = transaction.as<topology::SequencerState>()) {
    add_all(sequencers->active, protocol::MemberKind::sequencer);
    add_all(sequencers->observers, protocol::MemberKind::sequencer);
  }
}

bool MemberRegistry::is_registered(const protocol::Member& member, Timestamp at) const {
  const auto entry = members_.find(member);
  return entry != members_.end() && entry->second.registered_at <= at;
}

std::vector<protocol::Member> MemberRegistry::registered(Timestamp at) const {
  std::vector<protocol::Member> result;
  for (const auto& [member, status] : members_) {
    if (status.registered_at <= at) result.push_back(member);
  }
  return result;
}

const MemberStatus* MemberRegistry::find(const protocol::Member& member) const {
  const auto entry = members_.find(member);
  return entry == members_.end() ? nullptr : &entry->second;
}

std::vector<MemberStatus> MemberRegistry::all() const {
  std::vector<MemberStatus> result;
  for (const auto& [member, status] : members_) result.push_back(status);
  return result;
}

std::optional<Timestamp> MemberRegistry::add_event(const protocol::Member& member, Timestamp at) {
  const auto entry = members_.find(member);
  SYNOD_CHECK(entry != members_.end());
  changed_.insert(member);
  return std::exchange(entry->second.last_event, at);
}

void MemberRegistry::acknowledge(const protocol::Member& member, Timestamp at) {
  const auto entry = members_.find(member);
  if (entry == members_.end() || (entry->second.acknowledged && *entry->second.acknowledged >= at)) return;
  entry->second.acknowledged = at;
  changed_.insert(member);
}

void MemberRegistry::write_changes(storage::WriteBatch& writes) {
  for (const auto& member : changed_) {
    const MemberStatus& status = members_.at(member);
    v1::StoredMember proto;
    proto.set_member(member.to_string());
    proto.set_id(status.number.value);
    proto.set_registered_at(status.registered_at.micros);
    if (status.last_event) proto.set_last_event(status.last_event->micros);
    if (status.acknowledged) proto.set_acknowledged(status.acknowledged->micros);
    writes.put(kStateColumn, Bytes(kPrefix) + member.to_string(), protocol::serialize_proto(proto));
  }
  changed_.clear();
}

}  // namespace synod::sequencer
