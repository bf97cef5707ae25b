#include "topology/genesis.h"

#include <algorithm>
#include <set>

#include "topology/manager.h"
#include "topology/state.h"

namespace synod::topology {
namespace {

Result<SignedTransaction> signed_by(const crypto::KeyStore& keys, const Mapping& mapping,
                                    const std::vector<Fingerprint>& signers) {
  SYNOD_TRY(auto transaction, Transaction::create(Operation::add_replace, 1, mapping));
  std::vector<TransactionSignature> signatures;
  for (const auto& signer : signers) {
    SYNOD_TRY(auto signature, sign_transaction(keys, signer, transaction.hash()));
    signatures.push_back(std::move(signature));
  }
  return SignedTransaction::create(std::move(transaction), std::move(signatures), false);
}

Result<SignedTransaction> root_certificate(const crypto::KeyStore& keys, const Namespace& ns) {
  const auto key = keys.signing_key(ns);
  if (!key)
    return fail(not_found("TOPOLOGY_SECRET_KEY_NOT_IN_STORE",
                          "the private key of namespace " + ns + " is not in the key store"));
  return signed_by(keys, NamespaceDelegation{ns, key->public_key(), NamespaceDelegation::Restriction::all, {}}, {ns});
}

// Collects the transactions of a genesis; what several members share (a root certificate) goes in once.
class Collector {
 public:
  void add(const SignedTransaction& transaction) {
    if (seen_.insert(transaction.transaction().unique_key()).second) {
      snapshot.push_back({kGenesisTime, kGenesisTime, std::nullopt, transaction, std::nullopt});
    }
  }
  bool has(const Mapping& mapping) const { return seen_.contains(unique_key(mapping)); }
  bool has_root(const Namespace& ns) const {
    return std::any_of(snapshot.begin(), snapshot.end(), [&](const auto& s) {
      return s.transaction.is_root_certificate() && namespace_of(s.transaction.mapping()) == ns;
    });
  }
  std::vector<StoredTransaction> snapshot;

 private:
  std::set<crypto::Hash> seen_;
};

}  // namespace

Result<MemberIdentity> introduce_member(const crypto::KeyStore& keys, const protocol::Member& member,
                                        const std::vector<PublicKey>& registered) {
  MemberIdentity result{member, {}};
  const auto& ns = member.uid().ns();
  SYNOD_TRY(auto root, root_certificate(keys, ns));
  result.transactions.push_back(std::move(root));
  OwnerToKey mapping{member, registered};
  std::vector<Fingerprint> signers{ns};
  for (const auto& key : mapping.signing_keys()) signers.push_back(key.fingerprint());
  SYNOD_TRY(auto registration, signed_by(keys, mapping, signers));
  result.transactions.push_back(std::move(registration));
  return result;
}

protocol::UniqueId synchronizer_id(const std::string& name, const std::vector<Fingerprint>& owners) {
  return protocol::UniqueId::create(name, protocol::decentralized_namespace(owners)).value();
}

Result<Genesis> make_genesis(const GenesisConfig& config, const crypto::KeyStore& keys) {
  if (config.owners.empty())
    return fail(invalid_argument("INVALID_ARGUMENT", "a synchronizer needs at least one owner"));
  SYNOD_TRY(const auto uid, protocol::UniqueId::create(config.name, protocol::decentralized_namespace(config.owners)));
  Genesis result{protocol::PhysicalSynchronizerId(uid, config.static_parameters.protocol_version,
                                                  static_cast<int>(config.static_parameters.serial)),
                 {}};

  Collector collected;
  for (const auto& identity : config.identities) {
    for (const auto& transaction : identity.transactions) collected.add(transaction);
  }
  for (const auto& owner : config.owners) {
    if (collected.has_root(owner)) continue;
    SYNOD_TRY(auto root, root_certificate(keys, owner));
    collected.add(root);
  }
  const auto add = [&](const Mapping& mapping, const std::vector<Fingerprint>& signers) -> Status {
    SYNOD_TRY(auto transaction, signed_by(keys, mapping, signers));
    collected.add(transaction);
    return {};
  };
  std::vector<Fingerprint> owners = config.owners;
  std::sort(owners.begin(), owners.end());
  SYNOD_RETURN_IF_ERROR(add(DecentralizedNamespace{uid.ns(), config.decentralized_threshold, owners}, config.owners));
  SYNOD_RETURN_IF_ERROR(add(SynchronizerParametersState{uid, config.dynamic_parameters}, config.owners));
  for (const auto& group : config.mediator_groups) {
    MediatorState mapping{uid, group.index, group.threshold, {}, {}};
    for (const auto& mediator : group.mediators) mapping.active.push_back(mediator.uid());
    SYNOD_RETURN_IF_ERROR(add(mapping, config.owners));
  }
  SequencerState sequencers{uid, config.sequencer_threshold, {}, {}};
  for (const auto& sequencer : config.sequencers) sequencers.active.push_back(sequencer.uid());
  SYNOD_RETURN_IF_ERROR(add(sequencers, config.owners));
  for (const auto& participant : config.participants) {
    SYNOD_RETURN_IF_ERROR(add(TrustCertificate{participant, uid, {}}, {participant.ns()}));
  }

  result.snapshot = std::move(collected.snapshot);
  TopologyState state(result.synchronizer, config.static_parameters);
  SYNOD_TRY(auto writes, state.import(result.snapshot));
  result.snapshot = state.export_at(Timestamp::max());
  return result;
}

}  // namespace synod::topology
