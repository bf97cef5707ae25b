#include "sequencer/member_access.h"

#include "sequencer/event_store.h"

namespace synod::sequencer {

Status MemberAccess::load(const storage::Store& store) {
  Status status;
  std::lock_guard lock(mutex_);
  SYNOD_RETURN_IF_ERROR(store.scan(kStateColumn, storage::KeyRange::prefix(kPrefix), storage::Direction::forward,
                                   [&](ByteView key, ByteView) {
                                     auto member = protocol::Member::parse(key.substr(kPrefix.size()));
                                     if (!member) {
                                       status = fail(member.error());
                                       return false;
                                     }
                                     disabled_.insert(std::move(*member));
                                     return true;
                                   }));
  return status;
}

bool MemberAccess::is_disabled(const protocol::Member& member) const {
  std::lock_guard lock(mutex_);
  return disabled_.contains(member);
}

std::set<protocol::Member> MemberAccess::disabled() const {
  std::lock_guard lock(mutex_);
  return disabled_;
}

Status MemberAccess::set_disabled(storage::Store& store, const protocol::Member& member, bool disabled) {
  storage::WriteBatch writes;
  Bytes key = Bytes(kPrefix) + member.to_string();
  if (disabled) {
    writes.put(kStateColumn, std::move(key), "");
  } else {
    writes.erase(kStateColumn, std::move(key));
  }
  SYNOD_RETURN_IF_ERROR(store.write(writes, storage::Sync::yes));
  std::lock_guard lock(mutex_);
  if (disabled) {
    disabled_.insert(member);
  } else {
    disabled_.erase(member);
  }
  return {};
}

}  // namespace synod::sequencer
