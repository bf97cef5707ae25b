#include "topology/testing/test_network.h"

#include "base/check.h"

namespace synod::topology::testing {

using crypto::KeyUsage;

TestNetwork::TestNetwork(DynamicParameters parameters, std::size_t owner_count, std::uint32_t owner_threshold) {
  const auto sequencer_identity = new_member(protocol::MemberKind::sequencer, "sequencer1");
  const auto mediator_identity = new_member(protocol::MemberKind::mediator, "mediator1");
  sequencer = sequencer_identity.member;
  mediator = mediator_identity.member;
  for (std::size_t i = 0; i < owner_count; ++i) owners.push_back(new_namespace());
  config.name = "test";
  config.owners = owners;
  config.decentralized_threshold = owner_threshold;
  config.dynamic_parameters = std::move(parameters);
  config.identities = {sequencer_identity, mediator_identity};
  config.sequencers = {sequencer};
  config.mediator_groups = {{0, 1, {mediator}}};
  auto made = make_genesis(config, *keys);
  SYNOD_CHECK(made.has_value());
  genesis = std::move(*made);
  state = std::make_unique<TopologyState>(genesis.synchronizer, config.static_parameters);
  SYNOD_CHECK(state->import(genesis.snapshot).has_value());
}

crypto::SigningPublicKey TestNetwork::new_key(crypto::KeyUsages usages) {
  const auto key = crypto::SigningKeyPair::generate(std::move(usages), *random);
  SYNOD_CHECK(keys->add(key, "test").has_value());
  return key.public_key();
}

Namespace TestNetwork::new_namespace() { return new_key({KeyUsage::namespace_}).fingerprint(); }

MemberIdentity TestNetwork::new_member(protocol::MemberKind kind, const std::string& name) {
  std::vector<PublicKey> registered{new_key({KeyUsage::sequencer_authentication, KeyUsage::proof_of_ownership}),
                                    new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership})};
  if (kind == protocol::MemberKind::participant) {
    const auto encryption = crypto::EncryptionKeyPair::generate(*random);
    SYNOD_CHECK(keys->add(encryption, "test").has_value());
    registered.emplace_back(encryption.public_key());
  }
  return introduce_member(*keys, {kind, new_uid(name)}, registered).value();
}

SignedTransaction TestNetwork::sign(const Mapping& mapping, std::uint32_t serial,
                                    const std::vector<Fingerprint>& signers, bool proposal, Operation operation) const {
  auto transaction = Transaction::create(operation, serial, mapping).value();
  std::vector<TransactionSignature> signatures;
  for (const auto& signer : signers) signatures.push_back(sign_transaction(*keys, signer, transaction.hash()).value());
  return SignedTransaction::create(std::move(transaction), std::move(signatures), proposal).value();
}

std::string TestNetwork::submit(const SignedTransaction& transaction) { return submit_all({transaction}).front(); }

std::vector<std::string> TestNetwork::submit_all(const std::vector<SignedTransaction>& transactions) {
  time_ = time_ + Duration::seconds(1);
  std::vector<std::string> result;
  for (const auto& rejection : state->process(time_, transactions).rejections) {
    result.push_back(rejection ? rejection->error_id : std::string());
  }
  return result;
}

protocol::Member TestNetwork::join_participant(const std::string& name) {
  const auto identity = new_member(protocol::MemberKind::participant, name);
  auto transactions = identity.transactions;
  const auto& uid = identity.member.uid();
  transactions.push_back(sign(TrustCertificate{uid, genesis.synchronizer.logical(), {}}, 1, {uid.ns()}));
  for (const auto& outcome : submit_all(transactions)) SYNOD_CHECK(outcome.empty());
  return identity.member;
}

}  // namespace synod::topology::testing
