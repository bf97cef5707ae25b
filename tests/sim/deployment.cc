#include "tests/sim/deployment.h"

#include "base/check.h"

namespace synod::sim {
namespace {

using crypto::KeyUsage;

constexpr int kSequencers = 3;
constexpr int kParticipants = 3;
// Short, so that deadlines run out within a simulation.
constexpr Duration kResponseTimeout = Duration::seconds(4);
constexpr Duration kTolerance = Duration::seconds(8);

struct Founder {
  std::shared_ptr<Random> random = seeded_random(20260101);
  std::shared_ptr<crypto::KeyStore> all = crypto::memory_key_store();
  topology::GenesisConfig config;
  Deployment deployment;

  crypto::SigningPublicKey signing_key(crypto::KeyUsages usages, crypto::KeyStore& also) {
    const auto key = crypto::SigningKeyPair::generate(std::move(usages), *random);
    SYNOD_CHECK(all->add(key, "sim") && also.add(key, "sim"));
    return key.public_key();
  }

  protocol::Member member(protocol::MemberKind kind, const std::string& name) {
    const std::shared_ptr<crypto::KeyStore> own = crypto::memory_key_store();
    const auto root = signing_key({KeyUsage::namespace_}, *own);
    std::vector<topology::PublicKey> registered{
        signing_key({KeyUsage::sequencer_authentication, KeyUsage::proof_of_ownership}, *own),
        signing_key({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *own)};
    if (kind == protocol::MemberKind::participant) {
      const auto encryption = crypto::EncryptionKeyPair::generate(*random);
      SYNOD_CHECK(all->add(encryption, "sim") && own->add(encryption, "sim"));
      registered.emplace_back(encryption.public_key());
    }
    const protocol::Member made(kind, protocol::UniqueId::create(name, root.fingerprint()).value());
    config.identities.push_back(topology::introduce_member(*all, made, registered).value());
    deployment.keys[made] = own;
    return made;
  }
};

Deployment found() {
  Founder founder;
  Deployment& deployment = founder.deployment;
  topology::GenesisConfig& config = founder.config;
  deployment.owner_keys = crypto::memory_key_store();
  config.name = "sim";
  config.owners = {founder.signing_key({KeyUsage::namespace_}, *deployment.owner_keys).fingerprint()};
  config.dynamic_parameters.confirmation_response_timeout = kResponseTimeout;
  config.dynamic_parameters.mediator_reaction_timeout = kResponseTimeout;
  config.dynamic_parameters.ledger_time_record_time_tolerance =
      kTolerance;  // also how long a command may take to be sequenced
  for (int i = 0; i < kSequencers; ++i)
    deployment.sequencers.push_back(founder.member(protocol::MemberKind::sequencer, "sequencer" + std::to_string(i)));
  deployment.mediator = founder.member(protocol::MemberKind::mediator, "mediator");
  for (int i = 0; i < kParticipants; ++i) {
    deployment.participants.push_back(
        founder.member(protocol::MemberKind::participant, "participant" + std::to_string(i)));
    config.participants.push_back(deployment.participants.back().uid());
  }
  deployment.hostile = founder.member(protocol::MemberKind::participant, "hostile");
  config.participants.push_back(deployment.hostile.uid());
  config.sequencers = deployment.sequencers;
  config.mediator_groups = {{0, 1, {deployment.mediator}}};
  auto genesis = topology::make_genesis(config, *founder.all);
  if (!genesis) std::fprintf(stderr, "genesis: %s\n", genesis.error().to_string().c_str());
  SYNOD_CHECK(genesis);
  deployment.genesis = std::move(*genesis);
  deployment.static_parameters = config.static_parameters;
  return std::move(founder.deployment);
}

}  // namespace

const Deployment& Deployment::instance() {
  static const Deployment deployment = found();
  return deployment;
}

}  // namespace synod::sim
