// What a topology transaction says: the mappings of protocol version 35 as values, with what authorisation and indexing
// need to know about each. Facts: canton-protocol §4; numbers are those of Enums.TopologyMappingCode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "topology/parameters.h"

namespace synod::topology {

using crypto::Fingerprint;
using Namespace = Fingerprint;  // the fingerprint of a root key, or the hash of a decentralized namespace's owners

enum class MappingCode : int {
  namespace_delegation = 1,
  decentralized_namespace = 3,
  owner_to_key = 4,
  trust_certificate = 5,
  participant_permission = 6,
  party_hosting_limits = 7,
  vetted_packages = 8,
  party_to_participant = 9,
  synchronizer_parameters = 11,
  mediator_state = 12,
  sequencer_state = 13,
  sequencing_parameters = 17,
  party_to_key = 18,
  upgrade_announcement = 19,
  sequencer_successor = 20,
};
std::string_view name_of(MappingCode code);        // Canton's spelling, e.g. "NamespaceDelegation"
std::string_view short_name_of(MappingCode code);  // Canton's three letters, e.g. "nsd"
const std::vector<MappingCode>& all_mapping_codes();

// What a participant may do for a party; a larger value may do more.
enum class Permission : int { observation = 0, confirmation = 1, submission = 2 };

using PublicKey = std::variant<crypto::SigningPublicKey, crypto::EncryptionPublicKey>;
const Fingerprint& fingerprint_of(const PublicKey& key);

struct SigningKeysWithThreshold {
  std::vector<crypto::SigningPublicKey> keys;  // distinct
  std::uint32_t threshold = 1;
  bool operator==(const SigningKeysWithThreshold&) const = default;
};

// `target` may sign for `ns`, except for what the restriction rules out.
struct NamespaceDelegation {
  enum class Restriction { all, all_but_namespace_delegations, only };
  Namespace ns;
  crypto::SigningPublicKey target;
  Restriction restriction = Restriction::all;
  std::vector<MappingCode> only;  // sorted, not empty iff restriction == only
  bool can_sign(MappingCode code) const;
  bool operator==(const NamespaceDelegation&) const = default;
};

struct DecentralizedNamespace {
  Namespace ns;
  std::uint32_t threshold = 1;
  std::vector<Namespace> owners;  // sorted, distinct, at least `threshold`
  bool operator==(const DecentralizedNamespace&) const = default;
};

struct OwnerToKey {
  protocol::Member member;
  std::vector<PublicKey> keys;  // 1 to 20, distinct fingerprints, in the order given
  std::vector<crypto::SigningPublicKey> signing_keys() const;
  std::vector<crypto::EncryptionPublicKey> encryption_keys() const;
  bool operator==(const OwnerToKey&) const = default;
};

struct TrustCertificate {
  protocol::UniqueId participant;
  protocol::UniqueId synchronizer;
  std::vector<int> feature_flags;  // Enums.ParticipantFeatureFlag, unspecified ones dropped
  bool operator==(const TrustCertificate&) const = default;
};

struct ParticipantPermission {
  protocol::UniqueId synchronizer;
  protocol::UniqueId participant;
  Permission permission = Permission::submission;
  std::optional<std::uint32_t> confirmation_requests_max_rate;
  std::optional<Timestamp> login_after;
  bool operator==(const ParticipantPermission&) const = default;
};

struct PartyHostingLimits {
  protocol::UniqueId synchronizer;
  protocol::UniqueId party;
  bool operator==(const PartyHostingLimits&) const = default;
};

struct VettedPackage {
  std::string package_id;
  std::optional<Timestamp> valid_from;   // inclusive
  std::optional<Timestamp> valid_until;  // exclusive
  bool valid_at(Timestamp t) const { return (!valid_from || *valid_from <= t) && (!valid_until || t < *valid_until); }
  bool operator==(const VettedPackage&) const = default;
};
struct VettedPackages {
  protocol::UniqueId participant;
  std::vector<VettedPackage> packages;
  bool operator==(const VettedPackages&) const = default;
};

struct HostingParticipant {
  protocol::UniqueId participant;
  Permission permission = Permission::submission;
  bool onboarding = false;
  bool operator==(const HostingParticipant&) const = default;
};
struct PartyToParticipant {
  protocol::UniqueId party;
  std::uint32_t threshold = 1;
  std::vector<HostingParticipant> participants;  // distinct
  std::optional<SigningKeysWithThreshold> signing_keys;
  bool operator==(const PartyToParticipant&) const = default;
};

struct SynchronizerParametersState {
  protocol::UniqueId synchronizer;
  DynamicParameters parameters;
  bool operator==(const SynchronizerParametersState&) const = default;
};

struct MediatorState {
  protocol::UniqueId synchronizer;
  std::uint32_t group = 0;
  std::uint32_t threshold = 1;
  std::vector<protocol::UniqueId> active;  // at least `threshold`, distinct
  std::vector<protocol::UniqueId> observers;
  bool operator==(const MediatorState&) const = default;
};

struct SequencerState {
  protocol::UniqueId synchronizer;
  std::uint32_t threshold = 1;
  std::vector<protocol::UniqueId> active;  // at least `threshold`, distinct
  std::vector<protocol::UniqueId> observers;
  bool operator==(const SequencerState&) const = default;
};

struct SequencingParametersState {
  protocol::UniqueId synchronizer;
  Bytes payload;  // opaque
  bool operator==(const SequencingParametersState&) const = default;
};

struct PartyToKey {
  protocol::UniqueId party;
  SigningKeysWithThreshold keys;
  bool operator==(const PartyToKey&) const = default;
};

struct UpgradeAnnouncement {
  protocol::PhysicalSynchronizerId successor;
  Timestamp upgrade_time;
  bool operator==(const UpgradeAnnouncement&) const = default;
};

struct SequencerSuccessor {
  protocol::UniqueId sequencer;
  protocol::PhysicalSynchronizerId successor;
  std::vector<std::string> endpoints;
  std::optional<Bytes> trust_certificates;
  bool operator==(const SequencerSuccessor&) const = default;
};

using Mapping =
    std::variant<NamespaceDelegation, DecentralizedNamespace, OwnerToKey, TrustCertificate, ParticipantPermission,
                 PartyHostingLimits, VettedPackages, PartyToParticipant, SynchronizerParametersState, MediatorState,
                 SequencerState, SequencingParametersState, PartyToKey, UpgradeAnnouncement, SequencerSuccessor>;

MappingCode code_of(const Mapping& mapping);
Namespace namespace_of(const Mapping& mapping);
// The entity that the mapping is about; none for the two kinds of namespace mappings.
std::optional<protocol::UniqueId> uid_of(const Mapping& mapping);
// The synchronizer (logical) to which the mapping is restricted, if it names one.
std::optional<protocol::UniqueId> synchronizer_of(const Mapping& mapping);
// Transactions with one unique key replace each other; hash purpose 43.
crypto::Hash unique_key(const Mapping& mapping);
// Signing keys that the mapping itself registers, and that must therefore sign it.
std::vector<crypto::SigningPublicKey> mapped_signing_keys(const Mapping& mapping);
// One line for logs and errors.
std::string describe(const Mapping& mapping);

}  // namespace synod::topology
