// Parties of a participant: allocation and listing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "participant/commands.h"
#include "topology/mapping.h"

namespace synod::participant {

struct PartyDetails {
  std::string party;  // name::namespace
  bool is_local = false;
  std::string identity_provider_id;
  std::map<std::string, std::string> annotations;  // of this participant's own; empty for parties hosted elsewhere
};

// Thread rules: from any thread; callbacks run on the participant's own thread.
class PartyService {
 public:
  virtual ~PartyService() = default;

  struct Allocation {
    std::string hint;  // name part of the id; a generated one when empty
    std::string identity_provider_id;
    std::map<std::string, std::string> annotations;
  };
  // Publishes a PartyToParticipant mapping signed by the participant's namespace and calls `done` when the party can
  // submit here. Errors: INVALID_ARGUMENT (bad hint or the party exists),
  // PARTY_ALLOCATION_WITHOUT_CONNECTED_SYNCHRONIZER.
  virtual void allocate(Allocation allocation, std::function<void(Result<PartyDetails>)> done) = 0;

  virtual std::optional<PartyDetails> find(const std::string& party) const = 0;
  // All parties that the topology knows, sorted by id; at most `limit` with an id greater than `after`.
  virtual std::vector<PartyDetails> list(const std::string& after, std::size_t limit) const = 0;
  virtual bool is_local(const std::string& party) const = 0;
  // What the participant (a uid; empty: this one) may do for the party. None: it does not host it.
  virtual std::optional<topology::Permission> permission(const std::string& party,
                                                         const std::string& participant) const = 0;
};

}  // namespace synod::participant
