// The members that have an inbox: since when, and how far it goes. A member is registered at the effective time of the
// topology transaction that first names it, and stays registered. Fact: SequencerRuntime.scala (topology subscriber).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/core.h"
#include "sequencer/event_store.h"
#include "storage/store.h"
#include "topology/transaction.h"

namespace synod::sequencer {

class MemberRegistry {
 public:
  static constexpr std::string_view kPrefix = "m/";  // in the state column: m/<member> → StoredMember

  Status load(const storage::Store& store);

  // Registers whom an accepted, fully authorised topology transaction introduces; known members stay as they are.
  void register_from(const topology::StoredTransaction& stored);
  bool is_registered(const protocol::Member& member, Timestamp at) const;
  std::vector<protocol::Member> registered(Timestamp at) const;  // sorted
  const MemberStatus* find(const protocol::Member& member) const;
  std::vector<MemberStatus> all() const;

  // The member gets an event at this time; returns the time of its previous one.
  std::optional<Timestamp> add_event(const protocol::Member& member, Timestamp at);
  void acknowledge(const protocol::Member& member, Timestamp at);  // never moves back

  // Everything changed since the last call.
  void write_changes(storage::WriteBatch& writes);

 private:
  void add(const protocol::Member& member, Timestamp at);

  std::map<protocol::Member, MemberStatus> members_;
  std::set<protocol::Member> changed_;
  std::uint32_t next_ = 1;
};

}  // namespace synod::sequencer
