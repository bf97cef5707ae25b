// A synchronizer with keys at hand, for tests: one owner, one sequencer, one mediator, and whoever joins.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "crypto/keys.h"
#include "topology/genesis.h"
#include "topology/manager.h"
#include "topology/state.h"

namespace synod::topology::testing {

class TestNetwork {
 public:
  explicit TestNetwork(DynamicParameters parameters = {}, std::size_t owners = 1, std::uint32_t owner_threshold = 1);

  // A new namespace key in `keys`; its fingerprint is the namespace.
  Namespace new_namespace();
  crypto::SigningPublicKey new_key(crypto::KeyUsages usages);
  protocol::UniqueId new_uid(const std::string& name) {
    return protocol::UniqueId::create(name, new_namespace()).value();
  }
  // Root certificate and keys of a member with a fresh namespace.
  MemberIdentity new_member(protocol::MemberKind kind, const std::string& name);

  // Signed by exactly these keys, which must be in `keys`.
  SignedTransaction sign(const Mapping& mapping, std::uint32_t serial, const std::vector<Fingerprint>& signers,
                         bool proposal = false, Operation operation = Operation::add_replace) const;
  // Each call is one sequenced event, a second after the last. The empty string: accepted; otherwise the error id.
  std::string submit(const SignedTransaction& transaction);
  std::vector<std::string> submit_all(const std::vector<SignedTransaction>& transactions);
  // Introduces a participant with its trust certificate.
  protocol::Member join_participant(const std::string& name);

  TopologyManager manager() const { return TopologyManager(*state, *keys); }
  Timestamp now() const { return time_; }

  std::shared_ptr<Random> random = seeded_random(7);
  std::unique_ptr<crypto::KeyStore> keys = crypto::memory_key_store();
  std::vector<Namespace> owners;
  protocol::Member sequencer;
  protocol::Member mediator;
  GenesisConfig config;
  Genesis genesis;
  std::unique_ptr<TopologyState> state;

 private:
  Timestamp time_{1'700'000'000'000'000};
};

}  // namespace synod::topology::testing
