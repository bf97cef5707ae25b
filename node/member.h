// What a node that is a member of a synchronizer opens first: who it is, and its store.
#pragma once

#include <memory>
#include <vector>

#include "node/identity.h"
#include "node/node_file.h"
#include "storage/store.h"

namespace synod::node {

struct Member {
  Identity identity;
  std::shared_ptr<storage::Store> store;  // <data folder>/store, RocksDB
};

// Errors: those of open_identity and of the store.
Result<Member> open_member(const NodeFile& file, protocol::MemberKind kind, std::vector<storage::Column> columns,
                           Random& random);

}  // namespace synod::node
