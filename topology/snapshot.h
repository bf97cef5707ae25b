// The topology as it is at one point of sequencing time: who the members are, which keys they sign with, who hosts
// whom.
//
// A Snapshot is a cheap handle (a few pointers) on immutable data that snapshots of neighbouring times share. Copy it
// freely; any thread may use it, also after the TopologyState that gave it has changed or is gone. References and
// pointers that a query returns live as long as any copy of the snapshot.
//
// Which snapshot to use: what is decided about an event with sequencing time T uses state.snapshot_at(T), taken before
// the topology transactions of that same event are processed (they become effective later anyway).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "crypto/sign.h"
#include "protocol/ids.h"
#include "topology/mapping.h"
#include "topology/parameters.h"
#include "topology/transaction.h"

namespace synod::topology {

struct MediatorGroup {
  std::uint32_t index = 0;
  std::uint32_t threshold = 1;
  std::vector<protocol::Member> active;
  std::vector<protocol::Member> observers;  // receive everything, do not count
  bool contains(const protocol::Member& mediator) const;
  bool is_active(const protocol::Member& mediator) const;
};

struct SequencerGroup {
  std::uint32_t threshold = 1;
  std::vector<protocol::Member> active;
  std::vector<protocol::Member> observers;
};

// What one participant does for one party, after the limits of the participant itself.
struct Hosting {
  Permission permission = Permission::submission;
  bool onboarding = false;  // sees everything, does not confirm yet
  std::optional<Timestamp> login_after;
  bool can_confirm() const { return permission != Permission::observation && !onboarding; }
};

struct PartyInfo {
  std::uint32_t threshold = 1;
  std::map<protocol::Member, Hosting> participants;  // only active participants; empty: the party is unknown
};

struct ParticipantAttributes {
  Permission permission = Permission::submission;
  std::uint32_t confirmation_requests_max_rate = 0;
  std::optional<Timestamp> login_after;
  std::vector<int> feature_flags;
};

class Snapshot {
 public:
  struct View;  // the data behind it, see view.h

  Snapshot(Timestamp timestamp, std::shared_ptr<const View> view);
  Snapshot(const Snapshot&) = default;
  Snapshot& operator=(const Snapshot&) = default;
  ~Snapshot();

  Timestamp timestamp() const { return timestamp_; }
  const protocol::PhysicalSynchronizerId& synchronizer() const;
  const StaticParameters& static_parameters() const;
  // The defaults if none are set, which happens only before a genesis state is loaded.
  const DynamicParameters& dynamic_parameters() const;

  // Members. A participant is known with a trust certificate, whether or not it may log in; mediators and sequencers
  // are known when a group names them, also as observers.
  bool is_known(const protocol::Member& member) const;
  // Known and, for participants, permitted (onboarding restriction); for mediators and sequencers: active or observing.
  // loginAfter is not considered, see participant().
  bool is_active(const protocol::Member& member) const;
  bool is_participant_active(const protocol::Member& participant) const;
  bool can_login(const protocol::Member& participant, Timestamp now) const;  // active, and login_after has passed
  // None unless the participant is active.
  std::optional<ParticipantAttributes> participant(const protocol::Member& participant) const;
  // Every known member, sorted: what ALL::All means.
  std::vector<protocol::Member> members() const;
  std::vector<protocol::Member> participants() const;  // with a trust certificate, sorted

  // Keys.
  std::vector<crypto::SigningPublicKey> signing_keys(const protocol::Member& member, crypto::KeyUsage usage) const;
  std::vector<crypto::EncryptionPublicKey> encryption_keys(const protocol::Member& member) const;
  // Whether `signature` is by `member`: a registered key with the usage, and algorithm, format and key that the static
  // parameters allow. `hash` is the 34-byte multihash that was signed. Signatures with a session key are verified
  // through their delegation, which must be valid at this snapshot's time. Errors: SIGNATURE_CHECK_FAILED
  // (malicious_or_faulty).
  Status verify(const protocol::Member& member, crypto::KeyUsage usage, const crypto::Hash& hash,
                const crypto::Signature& signature) const;
  // At least `threshold` distinct members of `signers` have signed.
  Status verify_quorum(const std::vector<protocol::Member>& signers, std::uint32_t threshold, crypto::KeyUsage usage,
                       const crypto::Hash& hash, const std::vector<crypto::Signature>& signatures) const;

  // Groups.
  std::optional<MediatorGroup> mediator_group(std::uint32_t index) const;
  std::vector<MediatorGroup> mediator_groups() const;  // by index
  std::optional<MediatorGroup> mediator_group_of(const protocol::Member& mediator) const;
  SequencerGroup sequencer_group() const;  // empty before genesis

  // Parties. A participant with a trust certificate hosts its admin party (same unique id) without further mapping.
  PartyInfo hosting(const protocol::Party& party) const;
  std::vector<protocol::Party> parties_of(const protocol::Member& participant) const;  // sorted, with the admin party
  std::vector<protocol::Party> parties() const;                                        // all, sorted
  std::optional<SigningKeysWithThreshold> party_signing_keys(const protocol::Party& party) const;

  // Packages.
  bool vetted(const protocol::Member& participant, const std::string& package_id, Timestamp ledger_time) const;
  const VettedPackages* vetted_packages(const protocol::Member& participant) const;  // none: null

  // The raw state, for managers, exports and checks: the active transactions with this code about this unique id (all
  // of the namespace for the two namespace mappings). Removals are not active.
  std::vector<const Transaction*> active(MappingCode code, const protocol::UniqueId& uid) const;
  std::vector<const Transaction*> active(MappingCode code, const Namespace& ns) const;
  // Everything active with this code, in no particular order. Linear in the number of such transactions.
  std::vector<const Transaction*> active(MappingCode code) const;

 private:
  Timestamp timestamp_;
  std::shared_ptr<const View> view_;
};

}  // namespace synod::topology
