#include "node/member.h"

#include "node/stores.h"

namespace synod::node {

Result<Member> open_member(const NodeFile& file, protocol::MemberKind kind, std::vector<storage::Column> columns,
                           Random& random) {
  SYNOD_TRY(Identity identity, open_identity(kind, file.name, file.data_folder, random));
  SYNOD_TRY(std::shared_ptr<storage::Store> store, open_member_store({}, file.data_folder, columns));
  return Member{std::move(identity), std::move(store)};
}

}  // namespace synod::node
