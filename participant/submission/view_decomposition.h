// Cuts a transaction into views: a node starts a view of its own when participants see it that do not see its parent.
// Facts: TransactionViewDecompositionFactory, ViewConfirmationParameters (names there, own words here).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "lf/transaction.h"
#include "topology/snapshot.h"

namespace synod::participant {

// Confirmers with weight 1 each; all of them are needed (threshold = their number) in what Synod builds.
struct ConfirmationQuorum {
  lf::PartySet confirmers;
  int threshold = 0;
  bool operator==(const ConfirmationQuorum&) const = default;
};

// Where a node stands with regard to rollback nodes: the path of rollbacks above it, and the number that the next
// rollback at this level gets. Empty path and 1: outside of any.
struct RollbackPosition {
  std::vector<int> scope;
  int next_child = 1;
  bool operator==(const RollbackPosition&) const = default;
};

struct ViewPart;

struct DecomposedView {
  lf::NodeId root = 0;
  std::vector<lf::Party> informees;  // without repeats: those of the root node first
  std::vector<ConfirmationQuorum>
      quorums;  // distinct, of the root node first, then of the core nodes in execution order
  std::optional<Bytes> seed;
  RollbackPosition rollback;
  std::vector<ViewPart> tail;  // below the root, in execution order: core nodes, and views of their own
};

struct ViewPart {
  lf::NodeId node = 0;
  RollbackPosition rollback;
  std::optional<DecomposedView> view;  // none: a core node of the view around it
};

// Who hosts a party at the time in question; empty when nobody does.
using PartyHosts = std::function<std::set<protocol::Member>(const lf::Party&)>;
PartyHosts hosts_in(const topology::Snapshot& snapshot);

// `admin_party`, if given, confirms every root node too (the submitting participant's own vouching).
// `outside`: the position of the roots when a single view is rebuilt. Errors: TRANSACTION_TOO_DEEP above
// kMaxActionDepth.
inline constexpr int kMaxActionDepth = 1000;
Result<std::vector<DecomposedView>> decompose(const lf::Transaction& transaction, const PartyHosts& hosts,
                                              const std::optional<lf::Party>& admin_party,
                                              const RollbackPosition& outside = {});

// Who must confirm a node: signatories (maintainers of a query), and actors.
lf::PartySet confirmers_of(const lf::Node& node);

}  // namespace synod::participant
