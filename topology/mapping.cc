#include "topology/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace synod::topology {
namespace {

struct CodeName {
  MappingCode code;
  std::string_view name;
  std::string_view short_name;
};
constexpr std::array<CodeName, 15> kCodes{{
    {MappingCode::namespace_delegation, "NamespaceDelegation", "nsd"},
    {MappingCode::decentralized_namespace, "DecentralizedNamespaceDefinition", "dnd"},
    {MappingCode::owner_to_key, "OwnerToKeyMapping", "otk"},
    {MappingCode::trust_certificate, "SynchronizerTrustCertificate", "dtc"},
    {MappingCode::participant_permission, "ParticipantSynchronizerPermission", "pdp"},
    {MappingCode::party_hosting_limits, "PartyHostingLimits", "phl"},
    {MappingCode::vetted_packages, "VettedPackages", "vtp"},
    {MappingCode::party_to_participant, "PartyToParticipant", "ptp"},
    {MappingCode::synchronizer_parameters, "SynchronizerParametersState", "dop"},
    {MappingCode::mediator_state, "MediatorSynchronizerState", "mds"},
    {MappingCode::sequencer_state, "SequencerSynchronizerState", "sds"},
    {MappingCode::sequencing_parameters, "SequencingParametersState", "sep"},
    {MappingCode::party_to_key, "PartyToKeyMapping", "ptk"},
    {MappingCode::upgrade_announcement, "LsuAnnouncement", "lsu"},
    {MappingCode::sequencer_successor, "LsuSequencerConnectionSuccessor", "scs"},
}};

const CodeName& info(MappingCode code) {
  return *std::find_if(kCodes.begin(), kCodes.end(), [&](const CodeName& c) { return c.code == code; });
}

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

crypto::Hasher& add(crypto::Hasher& hasher, const protocol::UniqueId& uid) {
  return hasher.add_string(uid.to_string());
}

std::string participant_text(const protocol::UniqueId& uid) { return protocol::Member::participant(uid).to_string(); }

std::string shorten(const Fingerprint& fingerprint) {
  return fingerprint.size() <= 12 ? fingerprint : fingerprint.substr(0, 12) + "~";
}

}  // namespace

std::string_view name_of(MappingCode code) { return info(code).name; }
std::string_view short_name_of(MappingCode code) { return info(code).short_name; }

const std::vector<MappingCode>& all_mapping_codes() {
  static const auto* const codes = [] {
    auto* result = new std::vector<MappingCode>;
    for (const auto& c : kCodes) result->push_back(c.code);
    return result;
  }();
  return *codes;
}

const Fingerprint& fingerprint_of(const PublicKey& key) {
  return std::visit([](const auto& k) -> const Fingerprint& { return k.fingerprint(); }, key);
}

bool NamespaceDelegation::can_sign(MappingCode code) const {
  switch (restriction) {
    case Restriction::all:
      return true;
    case Restriction::all_but_namespace_delegations:
      return code != MappingCode::namespace_delegation;
    case Restriction::only:
      return std::find(only.begin(), only.end(), code) != only.end();
  }
  return false;
}

std::vector<crypto::SigningPublicKey> OwnerToKey::signing_keys() const {
  std::vector<crypto::SigningPublicKey> result;
  for (const auto& key : keys) {
    if (const auto* signing = std::get_if<crypto::SigningPublicKey>(&key)) result.push_back(*signing);
  }
  return result;
}

std::vector<crypto::EncryptionPublicKey> OwnerToKey::encryption_keys() const {
  std::vector<crypto::EncryptionPublicKey> result;
  for (const auto& key : keys) {
    if (const auto* encryption = std::get_if<crypto::EncryptionPublicKey>(&key)) result.push_back(*encryption);
  }
  return result;
}

MappingCode code_of(const Mapping& mapping) { return kCodes[mapping.index()].code; }

Namespace namespace_of(const Mapping& mapping) {
  return std::visit(Overloaded{
                        [](const NamespaceDelegation& m) { return m.ns; },
                        [](const DecentralizedNamespace& m) { return m.ns; },
                        [](const OwnerToKey& m) { return m.member.uid().ns(); },
                        [](const TrustCertificate& m) { return m.participant.ns(); },
                        [](const ParticipantPermission& m) { return m.participant.ns(); },
                        [](const PartyHostingLimits& m) { return m.party.ns(); },
                        [](const VettedPackages& m) { return m.participant.ns(); },
                        [](const PartyToParticipant& m) { return m.party.ns(); },
                        [](const PartyToKey& m) { return m.party.ns(); },
                        [](const UpgradeAnnouncement& m) { return m.successor.logical().ns(); },
                        [](const SequencerSuccessor& m) { return m.sequencer.ns(); },
                        [](const auto& m) { return m.synchronizer.ns(); },
                    },
                    mapping);
}

std::optional<protocol::UniqueId> uid_of(const Mapping& mapping) {
  using R = std::optional<protocol::UniqueId>;
  return std::visit(Overloaded{
                        [](const NamespaceDelegation&) -> R { return std::nullopt; },
                        [](const DecentralizedNamespace&) -> R { return std::nullopt; },
                        [](const OwnerToKey& m) -> R { return m.member.uid(); },
                        [](const TrustCertificate& m) -> R { return m.participant; },
                        [](const ParticipantPermission& m) -> R { return m.participant; },
                        [](const PartyHostingLimits& m) -> R { return m.party; },
                        [](const VettedPackages& m) -> R { return m.participant; },
                        [](const PartyToParticipant& m) -> R { return m.party; },
                        [](const PartyToKey& m) -> R { return m.party; },
                        [](const UpgradeAnnouncement& m) -> R { return m.successor.logical(); },
                        [](const SequencerSuccessor& m) -> R { return m.sequencer; },
                        [](const auto& m) -> R { return m.synchronizer; },
                    },
                    mapping);
}

std::optional<protocol::UniqueId> synchronizer_of(const Mapping& mapping) {
  using R = std::optional<protocol::UniqueId>;
  return std::visit(Overloaded{
                        [](const NamespaceDelegation&) -> R { return std::nullopt; },
                        [](const DecentralizedNamespace&) -> R { return std::nullopt; },
                        [](const OwnerToKey&) -> R { return std::nullopt; },
                        [](const VettedPackages&) -> R { return std::nullopt; },
                        [](const PartyToParticipant&) -> R { return std::nullopt; },
                        [](const PartyToKey&) -> R { return std::nullopt; },
                        [](const UpgradeAnnouncement& m) -> R { return m.successor.logical(); },
                        [](const SequencerSuccessor& m) -> R { return m.successor.logical(); },
                        [](const auto& m) -> R { return m.synchronizer; },
                    },
                    mapping);
}

crypto::Hash unique_key(const Mapping& mapping) {
  crypto::Hasher h(crypto::HashPurpose::topology_mapping_unique_key);
  std::visit(
      Overloaded{
          [&](const NamespaceDelegation& m) { h.add_string(m.ns).add_string(m.target.fingerprint()); },
          [&](const DecentralizedNamespace& m) { h.add_string(m.ns); },
          [&](const OwnerToKey& m) { add(h, m.member.uid()); },
          [&](const TrustCertificate& m) { add(h.add_string(participant_text(m.participant)), m.synchronizer); },
          [&](const ParticipantPermission& m) { add(h, m.synchronizer).add_string(participant_text(m.participant)); },
          [&](const PartyHostingLimits& m) { add(add(h, m.synchronizer), m.party); },
          [&](const VettedPackages& m) { h.add_string(participant_text(m.participant)); },
          [&](const PartyToParticipant& m) { add(h, m.party); },
          [&](const PartyToKey& m) { add(h, m.party); },
          [&](const MediatorState& m) { add(h, m.synchronizer).add_i32(static_cast<std::int32_t>(m.group)); },
          [&](const UpgradeAnnouncement& m) { add(h, m.successor.logical()); },
          [&](const SequencerSuccessor& m) { add(add(h, m.sequencer), m.successor.logical()); },
          [&](const auto& m) { add(h, m.synchronizer); },
      },
      mapping);
  h.add_i32(static_cast<std::int32_t>(code_of(mapping)));
  return h.finish();
}

std::vector<crypto::SigningPublicKey> mapped_signing_keys(const Mapping& mapping) {
  if (const auto* keys = std::get_if<OwnerToKey>(&mapping)) return keys->signing_keys();
  if (const auto* keys = std::get_if<PartyToKey>(&mapping)) return keys->keys.keys;
  if (const auto* party = std::get_if<PartyToParticipant>(&mapping); party && party->signing_keys)
    return party->signing_keys->keys;
  return {};
}

std::string describe(const Mapping& mapping) {
  const auto name = name_of(code_of(mapping));
  if (const auto* m = std::get_if<NamespaceDelegation>(&mapping)) {
    return fmt::format("{}({} to {})", name, shorten(m->ns), shorten(m->target.fingerprint()));
  }
  if (const auto* m = std::get_if<DecentralizedNamespace>(&mapping)) {
    return fmt::format("{}({}, {} of {})", name, shorten(m->ns), m->threshold, m->owners.size());
  }
  if (const auto* m = std::get_if<OwnerToKey>(&mapping)) return fmt::format("{}({})", name, m->member.to_string());
  return fmt::format("{}({})", name, uid_of(mapping)->to_string());
}

}  // namespace synod::topology
