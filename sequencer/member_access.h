// Members that this sequencer's operator has shut out: they get no token and no event, and pruning does not wait for
// them. A sequencer's own matter, kept in its store. Fact: Canton's SequencerAdministrationService.DisableMember.
#pragma once

#include <mutex>
#include <set>
#include <string_view>

#include "base/result.h"
#include "protocol/ids.h"
#include "storage/store.h"

namespace synod::sequencer {

// Thread rules: any thread.
class MemberAccess {
 public:
  static constexpr std::string_view kPrefix = "x/";  // in the state column: x/<member> → empty

  Status load(const storage::Store& store);
  bool is_disabled(const protocol::Member& member) const;
  std::set<protocol::Member> disabled() const;
  // Durable when the call returns.
  Status set_disabled(storage::Store& store, const protocol::Member& member, bool disabled);

 private:
  mutable std::mutex mutex_;
  std::set<protocol::Member> disabled_;
};

}  // namespace synod::sequencer
