#include "node/identity.h"

#include <filesystem>

#include "crypto/key_file.h"
#include "topology/member_keys.h"

namespace synod::node {

Result<Identity> open_identity(protocol::MemberKind kind, const std::string& name, const std::string& data_folder,
                               Random& random) {
  std::error_code error;
  std::filesystem::create_directories(data_folder, error);
  if (error) return fail(unavailable("NODE_FOLDER_FAILED", data_folder + ": " + error.message()));
  SYNOD_TRY(std::shared_ptr<crypto::KeyStore> keys, crypto::open_key_folder(data_folder + "/keys"));
  // Participants, the topology manager among them, must be able to receive encrypted views.
  const bool encrypts = kind == protocol::MemberKind::participant;
  SYNOD_TRY(const auto root, topology::open_member_keys(*keys, encrypts, random));
  SYNOD_TRY(const auto registered, topology::registered_keys(*keys));
  SYNOD_TRY(protocol::UniqueId uid, protocol::UniqueId::create(name, root.fingerprint()));
  const protocol::Member member(kind, std::move(uid));
  SYNOD_TRY(topology::MemberIdentity introduction, topology::introduce_member(*keys, member, registered));
  return Identity{member, std::move(keys), std::move(introduction)};
}

}  // namespace synod::node
