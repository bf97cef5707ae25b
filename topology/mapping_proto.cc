#include "topology/mapping_proto.h"

#include <algorithm>
#include <set>

#include "canton/topology_v30.pb.h"
#include "topology/proto_time.h"
#include "topology/signature_policy.h"

namespace synod::topology {
namespace v30 = ::com::digitalasset::canton::protocol::v30;
namespace {

using protocol::UniqueId;

constexpr std::uint32_t kMaxPositive = 0x7fffffff;
constexpr std::size_t kMaxKeys = 20;

Result<Namespace> parse_namespace(const std::string& text, std::string_view field) {
  auto probe = UniqueId::create("x", text);
  if (!probe) return fail(malformed(field, "is not a fingerprint"));
  return text;
}

Result<UniqueId> parse_uid(const std::string& text, std::string_view field) {
  auto uid = UniqueId::parse(text);
  if (!uid) return fail(malformed(field, uid.error().cause));
  return uid;
}

// Older transactions name participants as members (PAR::name::namespace), newer ones by unique id.
Result<UniqueId> parse_participant(const std::string& text, std::string_view field) {
  if (auto member = protocol::Member::parse(text); member && member->kind() == protocol::MemberKind::participant) {
    return member->uid();
  }
  return parse_uid(text, field);
}

Result<std::uint32_t> positive(std::uint32_t value, std::string_view field) {
  if (value == 0 || value > kMaxPositive) return fail(malformed(field, "must be positive"));
  return value;
}

Result<Permission> parse_permission(int value) {
  switch (value) {
    case v30::Enums::PARTICIPANT_PERMISSION_SUBMISSION:
      return Permission::submission;
    case v30::Enums::PARTICIPANT_PERMISSION_CONFIRMATION:
      return Permission::confirmation;
    case v30::Enums::PARTICIPANT_PERMISSION_OBSERVATION:
      return Permission::observation;
    default:
      return fail(malformed("permission", "not set or unknown"));
  }
}

v30::Enums::ParticipantPermission to_proto(Permission permission) {
  switch (permission) {
    case Permission::submission:
      return v30::Enums::PARTICIPANT_PERMISSION_SUBMISSION;
    case Permission::confirmation:
      return v30::Enums::PARTICIPANT_PERMISSION_CONFIRMATION;
    case Permission::observation:
      return v30::Enums::PARTICIPANT_PERMISSION_OBSERVATION;
  }
  return v30::Enums::PARTICIPANT_PERMISSION_UNSPECIFIED;
}

// Older forms of keys are still topology: Ed25519 as 32 raw bytes, EC keys as "DER", the scheme instead of the key's
// kind. They mean the same SubjectPublicKeyInfo, and have its fingerprint.
Result<crypto::SigningPublicKey> parse_signing_key(crypto::v30::SigningPublicKey proto) {
  namespace v30 = crypto::v30;
  if (proto.key_spec() == v30::SIGNING_KEY_SPEC_UNSPECIFIED) {
    switch (proto.scheme()) {
      case v30::SIGNING_KEY_SCHEME_ED25519:
        proto.set_key_spec(v30::SIGNING_KEY_SPEC_EC_CURVE25519);
        break;
      case v30::SIGNING_KEY_SCHEME_EC_DSA_P256:
        proto.set_key_spec(v30::SIGNING_KEY_SPEC_EC_P256);
        break;
      case v30::SIGNING_KEY_SCHEME_EC_DSA_P384:
        proto.set_key_spec(v30::SIGNING_KEY_SPEC_EC_P384);
        break;
      default:
        return fail(malformed("key_spec", "neither key_spec nor scheme is set"));
    }
  }
  const bool raw =
      proto.format() == v30::CRYPTO_KEY_FORMAT_RAW && proto.key_spec() == v30::SIGNING_KEY_SPEC_EC_CURVE25519;
  const bool der = proto.format() == v30::CRYPTO_KEY_FORMAT_DER && (proto.key_spec() == v30::SIGNING_KEY_SPEC_EC_P256 ||
                                                                    proto.key_spec() == v30::SIGNING_KEY_SPEC_EC_P384);
  if (raw) proto.set_public_key(Bytes("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12) + proto.public_key());
  if (raw || der) proto.set_format(v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO);
  // No usage means every usage.
  auto& listed = *proto.mutable_usage();
  listed.erase(std::remove(listed.begin(), listed.end(), v30::SIGNING_KEY_USAGE_IDENTITY_DELEGATION), listed.end());
  if (listed.empty()) {
    for (const auto usage : {v30::SIGNING_KEY_USAGE_NAMESPACE, v30::SIGNING_KEY_USAGE_SEQUENCER_AUTHENTICATION,
                             v30::SIGNING_KEY_USAGE_PROTOCOL, v30::SIGNING_KEY_USAGE_PROOF_OF_OWNERSHIP}) {
      proto.add_usage(usage);
    }
  }
  SYNOD_TRY(auto key, crypto::SigningPublicKey::from_proto(proto));
  using crypto::KeyUsage;
  const auto& usages = key.usages();
  if (usages == crypto::KeyUsages{KeyUsage::proof_of_ownership} ||
      usages == crypto::KeyUsages{KeyUsage::namespace_, KeyUsage::proof_of_ownership}) {
    return fail(malformed("usage", "a key may not only prove its ownership, and a namespace key does not"));
  }
  return key;
}

template <typename Field>
Result<std::vector<crypto::SigningPublicKey>> parse_signing_keys(const Field& field, bool refuse_duplicates) {
  std::vector<crypto::SigningPublicKey> keys;
  std::set<Fingerprint> seen;
  for (const auto& proto : field) {
    SYNOD_TRY(auto key, parse_signing_key(proto));
    if (!seen.insert(key.fingerprint()).second) {
      if (refuse_duplicates) return fail(malformed("keys", "All signing keys must be unique."));
      continue;
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return fail(malformed("keys", "at least one key is required"));
  if (keys.size() > kMaxKeys) return fail(malformed("keys", "At most 20 keys can be specified."));
  // They are a set: two mappings that list them in another order are equal.
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.fingerprint() < b.fingerprint(); });
  return keys;
}

Result<Mapping> parse(const v30::NamespaceDelegation& proto) {
  SYNOD_TRY(auto ns, parse_namespace(proto.namespace_(), "namespace"));
  if (!proto.has_target_key()) return fail(malformed("target_key", "not set"));
  SYNOD_TRY(auto target, parse_signing_key(proto.target_key()));
  auto restriction = NamespaceDelegation::Restriction::all;
  std::vector<MappingCode> only;
  switch (proto.restriction_case()) {
    case v30::NamespaceDelegation::RESTRICTION_NOT_SET:
      if (!proto.is_root_delegation()) restriction = NamespaceDelegation::Restriction::all_but_namespace_delegations;
      break;
    case v30::NamespaceDelegation::kCanSignAllMappings:
      break;
    case v30::NamespaceDelegation::kCanSignAllButNamespaceDelegations:
      restriction = NamespaceDelegation::Restriction::all_but_namespace_delegations;
      break;
    case v30::NamespaceDelegation::kCanSignSpecificMapings: {
      restriction = NamespaceDelegation::Restriction::only;
      std::set<MappingCode> codes;
      for (int code : proto.can_sign_specific_mapings().mappings()) {
        const auto& all = all_mapping_codes();
        if (std::find(all.begin(), all.end(), static_cast<MappingCode>(code)) == all.end()) {
          return fail(malformed("mappings", "unknown mapping code"));
        }
        codes.insert(static_cast<MappingCode>(code));
      }
      if (codes.empty()) return fail(malformed("mappings", "at least one mapping is required"));
      only.assign(codes.begin(), codes.end());
      break;
    }
  }
  if (proto.is_root_delegation() && proto.restriction_case() != v30::NamespaceDelegation::RESTRICTION_NOT_SET) {
    return fail(malformed("is_root_delegation", "was set together with a restriction"));
  }
  NamespaceDelegation result{std::move(ns), std::move(target), restriction, std::move(only)};
  if (!effective_usages(result.target).contains(crypto::KeyUsage::namespace_)) {
    return fail(malformed("target_key", "The key " + result.target.fingerprint() + " must include a namespace usage."));
  }
  if (!result.can_sign(MappingCode::namespace_delegation) && result.ns == result.target.fingerprint()) {
    return fail(malformed("restriction", "a root certificate must be able to sign other namespace delegations"));
  }
  return result;
}

Result<Mapping> parse(const v30::DecentralizedNamespaceDefinition& proto) {
  DecentralizedNamespace result;
  SYNOD_TRY(result.ns, parse_namespace(proto.decentralized_namespace(), "decentralized_namespace"));
  if (proto.threshold() <= 0) return fail(malformed("threshold", "must be positive"));
  result.threshold = static_cast<std::uint32_t>(proto.threshold());
  std::set<Namespace> owners;
  for (const auto& text : proto.owners()) {
    SYNOD_TRY(auto owner, parse_namespace(text, "owners"));
    owners.insert(std::move(owner));
  }
  if (owners.empty()) return fail(malformed("owners", "cannot be empty"));
  if (owners.size() < result.threshold)
    return fail(malformed("threshold", "Invalid threshold, larger than the number of owners"));
  result.owners.assign(owners.begin(), owners.end());
  return result;
}

Result<Mapping> parse(const v30::OwnerToKeyMapping& proto) {
  auto member = protocol::Member::parse(proto.member());
  if (!member) return fail(malformed("member", member.error().cause));
  OwnerToKey result{*member, {}};
  std::set<Fingerprint> seen;
  for (const auto& key : proto.public_keys()) {
    if (key.has_signing_public_key()) {
      SYNOD_TRY(auto parsed, parse_signing_key(key.signing_public_key()));
      result.keys.emplace_back(std::move(parsed));
    } else if (key.has_encryption_public_key()) {
      SYNOD_TRY(auto parsed, crypto::EncryptionPublicKey::from_proto(key.encryption_public_key()));
      result.keys.emplace_back(std::move(parsed));
    } else {
      return fail(malformed("public_keys", "a key is not set"));
    }
    if (!seen.insert(fingerprint_of(result.keys.back())).second)
      return fail(malformed("public_keys", "All keys must be unique."));
  }
  if (result.keys.empty()) return fail(malformed("public_keys", "at least one key is required"));
  if (result.keys.size() > kMaxKeys) return fail(malformed("public_keys", "At most 20 keys can be specified."));
  return result;
}

Result<Mapping> parse(const v30::SynchronizerTrustCertificate& proto) {
  TrustCertificate result;
  SYNOD_TRY(result.participant, parse_participant(proto.participant_uid(), "participant_uid"));
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  for (int flag : proto.feature_flags()) {
    if (flag != 0) result.feature_flags.push_back(flag);
  }
  return result;
}

Result<Mapping> parse(const v30::ParticipantSynchronizerPermission& proto) {
  ParticipantPermission result;
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  SYNOD_TRY(result.participant, parse_participant(proto.participant_uid(), "participant_uid"));
  SYNOD_TRY(result.permission, parse_permission(proto.permission()));
  if (proto.has_limits()) {
    if (proto.limits().confirmation_requests_max_rate() > kMaxPositive)
      return fail(malformed("limits", "is too large"));
    result.confirmation_requests_max_rate = proto.limits().confirmation_requests_max_rate();
  }
  if (proto.has_login_after()) {
    const Timestamp at{proto.login_after()};
    if (at < Timestamp::min() || at > Timestamp::max()) return fail(malformed("login_after", "is out of range"));
    result.login_after = at;
  }
  return result;
}

Result<Mapping> parse(const v30::PartyHostingLimits& proto) {
  PartyHostingLimits result;
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  SYNOD_TRY(result.party, parse_uid(proto.party(), "party"));
  return result;
}

Status check_package_id(const std::string& id) {
  const bool ok = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == ' ';
  });
  if (!ok) return fail(malformed("package_id", "is not a package id"));
  return {};
}

Result<Mapping> parse(const v30::VettedPackages& proto) {
  VettedPackages result;
  SYNOD_TRY(result.participant, parse_participant(proto.participant_uid(), "participant_uid"));
  std::set<std::string> unbounded;
  for (const auto& id : proto.package_ids()) {
    SYNOD_RETURN_IF_ERROR(check_package_id(id));
    unbounded.insert(id);
    result.packages.push_back({id, {}, {}});
  }
  for (const auto& package : proto.packages()) {
    SYNOD_RETURN_IF_ERROR(check_package_id(package.package_id()));
    if (unbounded.contains(package.package_id())) {
      return fail(malformed("packages", "a package is listed both in package_ids and in packages"));
    }
    VettedPackage parsed{package.package_id(), {}, {}};
    if (package.has_valid_from_inclusive()) {
      SYNOD_TRY(parsed.valid_from, parse_timestamp(package.valid_from_inclusive(), "valid_from_inclusive"));
    }
    if (package.has_valid_until_exclusive()) {
      SYNOD_TRY(parsed.valid_until, parse_timestamp(package.valid_until_exclusive(), "valid_until_exclusive"));
    }
    result.packages.push_back(std::move(parsed));
  }
  return result;
}

Result<Mapping> parse(const v30::PartyToParticipant& proto) {
  PartyToParticipant result;
  SYNOD_TRY(result.party, parse_uid(proto.party(), "party"));
  SYNOD_TRY(result.threshold, positive(proto.threshold(), "threshold"));
  for (const auto& host : proto.participants()) {
    HostingParticipant parsed;
    SYNOD_TRY(parsed.participant, parse_participant(host.participant_uid(), "participant_uid"));
    SYNOD_TRY(parsed.permission, parse_permission(host.permission()));
    parsed.onboarding = host.has_onboarding();
    auto same = std::find_if(result.participants.begin(), result.participants.end(),
                             [&](const auto& h) { return h.participant == parsed.participant; });
    // A participant named twice counts once, with its highest permission.
    if (same == result.participants.end()) {
      result.participants.push_back(std::move(parsed));
    } else if (same->permission < parsed.permission) {
      *same = std::move(parsed);
    }
  }
  if (proto.has_party_signing_keys()) {
    SigningKeysWithThreshold keys;
    SYNOD_TRY(keys.keys, parse_signing_keys(proto.party_signing_keys().keys(), true));
    SYNOD_TRY(keys.threshold, positive(proto.party_signing_keys().threshold(), "threshold"));
    result.signing_keys = std::move(keys);
  }
  return result;
}

Result<Mapping> parse(const v30::SynchronizerParametersState& proto) {
  SynchronizerParametersState result;
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  if (!proto.has_synchronizer_parameters()) return fail(malformed("synchronizer_parameters", "not set"));
  SYNOD_TRY(result.parameters, DynamicParameters::parse(proto.synchronizer_parameters()));
  return result;
}

template <typename Field>
Result<std::vector<UniqueId>> parse_distinct(const Field& field, std::string_view name) {
  std::vector<UniqueId> result;
  std::set<UniqueId> seen;
  for (const auto& text : field) {
    SYNOD_TRY(auto uid, parse_uid(text, name));
    if (seen.insert(uid).second) result.push_back(std::move(uid));
  }
  return result;
}

// Mediator and sequencer groups share their shape and rules.
template <typename State, typename Proto>
Status parse_group(const Proto& proto, State& result) {
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  SYNOD_TRY(result.threshold, positive(proto.threshold(), "threshold"));
  SYNOD_TRY(result.active, parse_distinct(proto.active(), "active"));
  SYNOD_TRY(result.observers, parse_distinct(proto.observers(), "observers"));
  if (result.active.empty()) return fail(malformed("active", "at least one active member is required"));
  if (result.threshold > static_cast<std::uint32_t>(proto.active_size())) {
    return fail(malformed("threshold", "is higher than the number of active members"));
  }
  for (const auto& observer : result.observers) {
    if (std::find(result.active.begin(), result.active.end(), observer) != result.active.end()) {
      return fail(malformed("observers", observer.to_string() + " is both active and observer"));
    }
  }
  return {};
}

Result<Mapping> parse(const v30::MediatorSynchronizerState& proto) {
  MediatorState result;
  SYNOD_RETURN_IF_ERROR(parse_group(proto, result));
  if (proto.group() > kMaxPositive) return fail(malformed("group", "is negative"));
  result.group = proto.group();
  return result;
}

Result<Mapping> parse(const v30::SequencerSynchronizerState& proto) {
  SequencerState result;
  SYNOD_RETURN_IF_ERROR(parse_group(proto, result));
  return result;
}

Result<Mapping> parse(const v30::DynamicSequencingParametersState& proto) {
  SequencingParametersState result;
  SYNOD_TRY(result.synchronizer, parse_uid(proto.synchronizer_id(), "synchronizer_id"));
  result.payload = proto.sequencing_parameters().payload();
  return result;
}

Result<Mapping> parse(const v30::PartyToKeyMapping& proto) {
  PartyToKey result;
  SYNOD_TRY(result.party, parse_uid(proto.party(), "party"));
  SYNOD_TRY(result.keys.keys, parse_signing_keys(proto.signing_keys(), false));
  SYNOD_TRY(result.keys.threshold, positive(proto.threshold(), "threshold"));
  return result;
}

Result<protocol::PhysicalSynchronizerId> parse_physical(const std::string& text) {
  auto id = protocol::PhysicalSynchronizerId::parse(text);
  if (!id) return fail(malformed("successor_physical_synchronizer_id", id.error().cause));
  return id;
}

Result<Mapping> parse(const v30::LsuAnnouncement& proto) {
  UpgradeAnnouncement result;
  SYNOD_TRY(result.successor, parse_physical(proto.successor_physical_synchronizer_id()));
  if (!proto.has_upgrade_time()) return fail(malformed("upgrade_time", "not set"));
  SYNOD_TRY(result.upgrade_time, parse_timestamp(proto.upgrade_time(), "upgrade_time"));
  return result;
}

Result<Mapping> parse(const v30::LsuSequencerConnectionSuccessor& proto) {
  SequencerSuccessor result;
  auto member = protocol::Member::parse(proto.sequencer_id());
  if (!member || member->kind() != protocol::MemberKind::sequencer)
    return fail(malformed("sequencer_id", "is not a sequencer"));
  result.sequencer = member->uid();
  SYNOD_TRY(result.successor, parse_physical(proto.successor_physical_synchronizer_id()));
  if (!proto.has_connection()) return fail(malformed("connection", "not set"));
  if (proto.connection().endpoints().empty()) return fail(malformed("endpoints", "at least one endpoint is required"));
  result.endpoints.assign(proto.connection().endpoints().begin(), proto.connection().endpoints().end());
  if (proto.connection().has_custom_trust_certificates())
    result.trust_certificates = proto.connection().custom_trust_certificates();
  return result;
}

struct Writer {
  v30::TopologyMapping& out;

  void operator()(const NamespaceDelegation& m) const {
    auto& p = *out.mutable_namespace_delegation();
    p.set_namespace_(m.ns);
    m.target.to_proto(*p.mutable_target_key());
    switch (m.restriction) {
      case NamespaceDelegation::Restriction::all:
        p.mutable_can_sign_all_mappings();
        break;
      case NamespaceDelegation::Restriction::all_but_namespace_delegations:
        p.mutable_can_sign_all_but_namespace_delegations();
        break;
      case NamespaceDelegation::Restriction::only:
        p.mutable_can_sign_specific_mapings();
        for (auto code : m.only) {
          p.mutable_can_sign_specific_mapings()->add_mappings(static_cast<v30::Enums::TopologyMappingCode>(code));
        }
        break;
    }
  }
  void operator()(const DecentralizedNamespace& m) const {
    auto& p = *out.mutable_decentralized_namespace_definition();
    p.set_decentralized_namespace(m.ns);
    p.set_threshold(static_cast<std::int32_t>(m.threshold));
    for (const auto& owner : m.owners) p.add_owners(owner);
  }
  void operator()(const OwnerToKey& m) const {
    auto& p = *out.mutable_owner_to_key_mapping();
    p.set_member(m.member.to_string());
    for (const auto& key : m.keys) {
      auto& k = *p.add_public_keys();
      if (const auto* signing = std::get_if<crypto::SigningPublicKey>(&key)) {
        signing->to_proto(*k.mutable_signing_public_key());
      } else {
        std::get<crypto::EncryptionPublicKey>(key).to_proto(*k.mutable_encryption_public_key());
      }
    }
  }
  void operator()(const TrustCertificate& m) const {
    auto& p = *out.mutable_synchronizer_trust_certificate();
    p.set_participant_uid(m.participant.to_string());
    p.set_synchronizer_id(m.synchronizer.to_string());
    for (int flag : m.feature_flags) p.add_feature_flags(static_cast<v30::Enums::ParticipantFeatureFlag>(flag));
  }
  void operator()(const ParticipantPermission& m) const {
    auto& p = *out.mutable_participant_permission();
    p.set_synchronizer_id(m.synchronizer.to_string());
    p.set_participant_uid(m.participant.to_string());
    p.set_permission(to_proto(m.permission));
    if (m.confirmation_requests_max_rate)
      p.mutable_limits()->set_confirmation_requests_max_rate(*m.confirmation_requests_max_rate);
    if (m.login_after) p.set_login_after(m.login_after->micros);
  }
  void operator()(const PartyHostingLimits& m) const {
    auto& p = *out.mutable_party_hosting_limits();
    p.set_synchronizer_id(m.synchronizer.to_string());
    p.set_party(m.party.to_string());
  }
  void operator()(const VettedPackages& m) const {
    auto& p = *out.mutable_vetted_packages();
    p.set_participant_uid(m.participant.to_string());
    for (const auto& package : m.packages) {
      auto& v = *p.add_packages();
      v.set_package_id(package.package_id);
      if (package.valid_from) put_timestamp(*package.valid_from, *v.mutable_valid_from_inclusive());
      if (package.valid_until) put_timestamp(*package.valid_until, *v.mutable_valid_until_exclusive());
    }
  }
  void operator()(const PartyToParticipant& m) const {
    auto& p = *out.mutable_party_to_participant();
    p.set_party(m.party.to_string());
    p.set_threshold(m.threshold);
    for (const auto& host : m.participants) {
      auto& h = *p.add_participants();
      h.set_participant_uid(host.participant.to_string());
      h.set_permission(to_proto(host.permission));
      if (host.onboarding) h.mutable_onboarding();
    }
    if (m.signing_keys) {
      for (const auto& key : m.signing_keys->keys) key.to_proto(*p.mutable_party_signing_keys()->add_keys());
      p.mutable_party_signing_keys()->set_threshold(m.signing_keys->threshold);
    }
  }
  void operator()(const SynchronizerParametersState& m) const {
    auto& p = *out.mutable_synchronizer_parameters_state();
    p.set_synchronizer_id(m.synchronizer.to_string());
    m.parameters.to_proto(*p.mutable_synchronizer_parameters());
  }
  template <typename Proto, typename State>
  static void put_group(const State& m, Proto& p) {
    p.set_synchronizer_id(m.synchronizer.to_string());
    p.set_threshold(m.threshold);
    for (const auto& uid : m.active) p.add_active(uid.to_string());
    for (const auto& uid : m.observers) p.add_observers(uid.to_string());
  }
  void operator()(const MediatorState& m) const {
    put_group(m, *out.mutable_mediator_synchronizer_state());
    out.mutable_mediator_synchronizer_state()->set_group(m.group);
  }
  void operator()(const SequencerState& m) const { put_group(m, *out.mutable_sequencer_synchronizer_state()); }
  void operator()(const SequencingParametersState& m) const {
    auto& p = *out.mutable_sequencing_dynamic_parameters_state();
    p.set_synchronizer_id(m.synchronizer.to_string());
    p.mutable_sequencing_parameters()->set_payload(m.payload);
  }
  void operator()(const PartyToKey& m) const {
    auto& p = *out.mutable_party_to_key_mapping();
    p.set_party(m.party.to_string());
    p.set_threshold(m.keys.threshold);
    for (const auto& key : m.keys.keys) key.to_proto(*p.add_signing_keys());
  }
  void operator()(const UpgradeAnnouncement& m) const {
    auto& p = *out.mutable_synchronizer_upgrade_announcement();
    p.set_successor_physical_synchronizer_id(m.successor.to_string());
    put_timestamp(m.upgrade_time, *p.mutable_upgrade_time());
  }
  void operator()(const SequencerSuccessor& m) const {
    auto& p = *out.mutable_sequencer_connection_successor();
    p.set_sequencer_id(protocol::Member::sequencer(m.sequencer).to_string());
    p.set_successor_physical_synchronizer_id(m.successor.to_string());
    for (const auto& endpoint : m.endpoints) p.mutable_connection()->add_endpoints(endpoint);
    if (m.trust_certificates) p.mutable_connection()->set_custom_trust_certificates(*m.trust_certificates);
  }
};

}  // namespace

Result<Mapping> parse_mapping(const v30::TopologyMapping& proto) {
  switch (proto.mapping_case()) {
    case v30::TopologyMapping::kNamespaceDelegation:
      return parse(proto.namespace_delegation());
    case v30::TopologyMapping::kDecentralizedNamespaceDefinition:
      return parse(proto.decentralized_namespace_definition());
    case v30::TopologyMapping::kOwnerToKeyMapping:
      return parse(proto.owner_to_key_mapping());
    case v30::TopologyMapping::kSynchronizerTrustCertificate:
      return parse(proto.synchronizer_trust_certificate());
    case v30::TopologyMapping::kParticipantPermission:
      return parse(proto.participant_permission());
    case v30::TopologyMapping::kPartyHostingLimits:
      return parse(proto.party_hosting_limits());
    case v30::TopologyMapping::kVettedPackages:
      return parse(proto.vetted_packages());
    case v30::TopologyMapping::kPartyToParticipant:
      return parse(proto.party_to_participant());
    case v30::TopologyMapping::kSynchronizerParametersState:
      return parse(proto.synchronizer_parameters_state());
    case v30::TopologyMapping::kMediatorSynchronizerState:
      return parse(proto.mediator_synchronizer_state());
    case v30::TopologyMapping::kSequencerSynchronizerState:
      return parse(proto.sequencer_synchronizer_state());
    case v30::TopologyMapping::kSequencingDynamicParametersState:
      return parse(proto.sequencing_dynamic_parameters_state());
    case v30::TopologyMapping::kPartyToKeyMapping:
      return parse(proto.party_to_key_mapping());
    case v30::TopologyMapping::kSynchronizerUpgradeAnnouncement:
      return parse(proto.synchronizer_upgrade_announcement());
    case v30::TopologyMapping::kSequencerConnectionSuccessor:
      return parse(proto.sequencer_connection_successor());
    case v30::TopologyMapping::MAPPING_NOT_SET:
      break;
  }
  return fail(malformed("mapping", "not set or unknown"));
}

void put_mapping(const Mapping& mapping, v30::TopologyMapping& proto) { std::visit(Writer{proto}, mapping); }

}  // namespace synod::topology
