#include "participant/node/identity.h"

#include "topology/genesis.h"
#include "topology/manager.h"
#include "topology/member_keys.h"

namespace synod::participant {

Result<Identity> open_identity(std::shared_ptr<crypto::KeyStore> keys, const std::string& name, Random& random) {
  SYNOD_TRY(const auto root, topology::open_member_keys(*keys, true, random));
  SYNOD_TRY(auto uid, protocol::UniqueId::create(name, root.fingerprint()));
  return Identity{protocol::Member::participant(std::move(uid)), std::move(keys)};
}

Result<std::vector<topology::SignedTransaction>> onboarding_transactions(const Identity& identity,
                                                                         const protocol::SynchronizerId& synchronizer) {
  const auto& keys = *identity.keys;
  SYNOD_TRY(const auto registered, topology::registered_keys(keys));
  SYNOD_TRY(auto introduction, topology::introduce_member(keys, identity.member, registered));
  auto transactions = std::move(introduction.transactions);

  topology::TrustCertificate certificate{identity.member.uid(), synchronizer, {}};
  SYNOD_TRY(auto transaction, topology::Transaction::create(topology::Operation::add_replace, 1, certificate));
  SYNOD_TRY(auto signature, topology::sign_transaction(keys, identity.member.uid().ns(), transaction.hash()));
  SYNOD_TRY(auto trusting, topology::SignedTransaction::create(std::move(transaction), {std::move(signature)}, false));
  transactions.push_back(std::move(trusting));
  return transactions;
}

}  // namespace synod::participant
