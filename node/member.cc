#include "node/member.h"

#include "storage/rocksdb/rocksdb_store.h"

namespace synod::node {

Result<Member> open_member(const NodeFile& file, protocol::MemberKind kind, std::vector<storage::Column> columns,
                           Random& random) {
  SYNOD_TRY(Identity identity, open_identity(kind, file.name, file.data_folder, random));
  storage::RocksDbOptions options;
  options.path = file.data_folder + "/store";
  options.columns = std::move(columns);
  SYNOD_TRY(std::shared_ptr<storage::Store> store, storage::open_rocksdb(options));
  return Member{std::move(identity), std::move(store)};
}

}  // namespace synod::node
