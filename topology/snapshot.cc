#include "topology/snapshot.h"

#include <algorithm>

#include "topology/signature_policy.h"
#include "topology/view.h"

namespace synod::topology {
namespace {

using protocol::Member;
using protocol::MemberKind;
using protocol::UniqueId;

Error check_failed(std::string cause) {
  return Error("SIGNATURE_CHECK_FAILED", ErrorCategory::malicious_or_faulty, std::move(cause));
}

const OwnerToKey* keys_of(const Snapshot::View& view, const Member& member) {
  const auto* keys = view.find<OwnerToKey>(MappingCode::owner_to_key, member.uid());
  return keys && keys->member == member ? keys : nullptr;
}

std::vector<Member> to_members(MemberKind kind, const std::vector<UniqueId>& uids) {
  std::vector<Member> result;
  for (const auto& uid : uids) result.emplace_back(kind, uid);
  return result;
}

bool contains(const std::vector<Member>& list, const Member& member) {
  return std::find(list.begin(), list.end(), member) != list.end();
}
bool contains(const std::vector<UniqueId>& list, const UniqueId& uid) {
  return std::find(list.begin(), list.end(), uid) != list.end();
}

MediatorGroup to_group(const MediatorState& state) {
  return {state.group, state.threshold, to_members(MemberKind::mediator, state.active),
          to_members(MemberKind::mediator, state.observers)};
}

}  // namespace

bool MediatorGroup::contains(const Member& mediator) const {
  return topology::contains(active, mediator) || topology::contains(observers, mediator);
}
bool MediatorGroup::is_active(const Member& mediator) const { return topology::contains(active, mediator); }

Snapshot::Snapshot(Timestamp timestamp, std::shared_ptr<const View> view)
    : timestamp_(timestamp), view_(std::move(view)) {}
Snapshot::~Snapshot() = default;

const protocol::PhysicalSynchronizerId& Snapshot::synchronizer() const { return view_->synchronizer; }
const StaticParameters& Snapshot::static_parameters() const { return *view_->static_parameters; }

const DynamicParameters& Snapshot::dynamic_parameters() const {
  static const DynamicParameters defaults;
  const auto* state =
      view_->find<SynchronizerParametersState>(MappingCode::synchronizer_parameters, view_->synchronizer.logical());
  return state ? state->parameters : defaults;
}

bool Snapshot::is_known(const Member& member) const {
  switch (member.kind()) {
    case MemberKind::participant:
      return view_->participants->contains(member.uid());
    case MemberKind::mediator:
      return mediator_group_of(member).has_value();
    case MemberKind::sequencer: {
      const auto* state = view_->find<SequencerState>(MappingCode::sequencer_state, view_->synchronizer.logical());
      return state && (contains(state->active, member.uid()) || contains(state->observers, member.uid()));
    }
  }
  return false;
}

bool Snapshot::is_active(const Member& member) const {
  return member.kind() == MemberKind::participant ? is_participant_active(member) : is_known(member);
}

bool Snapshot::is_participant_active(const Member& member) const { return participant(member).has_value(); }

bool Snapshot::can_login(const Member& member, Timestamp now) const {
  const auto attributes = participant(member);
  return attributes && (!attributes->login_after || *attributes->login_after <= now);
}

std::optional<ParticipantAttributes> Snapshot::participant(const Member& member) const {
  if (member.kind() != MemberKind::participant) return std::nullopt;
  const auto* certificate = view_->find<TrustCertificate>(MappingCode::trust_certificate, member.uid());
  if (!certificate) return std::nullopt;
  const auto* permission = view_->find<ParticipantPermission>(MappingCode::participant_permission, member.uid());
  if (!permission && is_restricted(dynamic_parameters().onboarding_restriction)) return std::nullopt;
  ParticipantAttributes result;
  result.confirmation_requests_max_rate = DynamicParameters{}.confirmation_requests_max_rate;
  result.feature_flags = certificate->feature_flags;
  if (permission) {
    result.permission = permission->permission;
    result.login_after = permission->login_after;
    if (permission->confirmation_requests_max_rate)
      result.confirmation_requests_max_rate = *permission->confirmation_requests_max_rate;
  }
  return result;
}

std::vector<Member> Snapshot::participants() const {
  std::vector<Member> result;
  for (const auto& uid : *view_->participants) result.push_back(Member::participant(uid));
  return result;
}

std::vector<Member> Snapshot::members() const {
  auto result = participants();
  for (const auto& group : mediator_groups()) {
    result.insert(result.end(), group.active.begin(), group.active.end());
    result.insert(result.end(), group.observers.begin(), group.observers.end());
  }
  const auto sequencers = sequencer_group();
  result.insert(result.end(), sequencers.active.begin(), sequencers.active.end());
  result.insert(result.end(), sequencers.observers.begin(), sequencers.observers.end());
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<crypto::SigningPublicKey> Snapshot::signing_keys(const Member& member, crypto::KeyUsage usage) const {
  std::vector<crypto::SigningPublicKey> result;
  if (const auto* keys = keys_of(*view_, member)) {
    for (auto& key : keys->signing_keys()) {
      if (effective_usages(key).contains(usage)) result.push_back(std::move(key));
    }
  }
  return result;
}

std::vector<crypto::EncryptionPublicKey> Snapshot::encryption_keys(const Member& member) const {
  const auto* keys = keys_of(*view_, member);
  return keys ? keys->encryption_keys() : std::vector<crypto::EncryptionPublicKey>{};
}

Status Snapshot::verify(const Member& member, crypto::KeyUsage usage, const crypto::Hash& hash,
                        const crypto::Signature& signature) const {
  const auto* keys = keys_of(*view_, member);
  if (!keys) return fail(check_failed(member.to_string() + " has no registered keys"));
  for (const auto& key : keys->keys) {
    const auto* signing = std::get_if<crypto::SigningPublicKey>(&key);
    if (!signing) continue;
    if (signature.delegation) {
      if (!effective_usages(*signing).contains(usage)) continue;
      if (crypto::verify_delegated(hash, signature, *signing, view_->synchronizer.logical().to_string(), timestamp_))
        return {};
    } else if (signing->fingerprint() == signature.signed_by) {
      return verify_with_policy(*view_->static_parameters, hash, signature, *signing, {usage});
    }
  }
  return fail(check_failed(member.to_string() + " has no key " + signature.signed_by +
                           (signature.delegation ? " that vouches for this session key" : "")));
}

Status Snapshot::verify_quorum(const std::vector<Member>& signers, std::uint32_t threshold, crypto::KeyUsage usage,
                               const crypto::Hash& hash, const std::vector<crypto::Signature>& signatures) const {
  std::set<Member> valid;
  std::string problem = "there are too few signatures";
  for (const auto& signature : signatures) {
    for (const auto& member : signers) {
      if (valid.contains(member)) continue;
      const auto* keys = keys_of(*view_, member);
      const bool mine =
          keys && (signature.delegation || std::any_of(keys->keys.begin(), keys->keys.end(), [&](const auto& key) {
                     return fingerprint_of(key) == signature.signed_by;
                   }));
      if (!mine) continue;
      if (auto ok = verify(member, usage, hash, signature); ok) {
        valid.insert(member);
      } else {
        problem = ok.error().cause;
      }
    }
  }
  if (valid.size() >= threshold) return {};
  return fail(check_failed("signed by " + std::to_string(valid.size()) + " of " + std::to_string(threshold) +
                           " members needed: " + problem));
}

std::vector<MediatorGroup> Snapshot::mediator_groups() const {
  std::vector<MediatorGroup> result;
  for (const auto& transaction : view_->at(state_key(MappingCode::mediator_state, view_->synchronizer.logical()))) {
    result.push_back(to_group(*transaction.as<MediatorState>()));
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return result;
}

std::optional<MediatorGroup> Snapshot::mediator_group(std::uint32_t index) const {
  for (const auto& transaction : view_->at(state_key(MappingCode::mediator_state, view_->synchronizer.logical()))) {
    const auto& state = *transaction.as<MediatorState>();
    if (state.group == index) return to_group(state);
  }
  return std::nullopt;
}

std::optional<MediatorGroup> Snapshot::mediator_group_of(const Member& mediator) const {
  if (mediator.kind() != MemberKind::mediator) return std::nullopt;
  for (const auto& transaction : view_->at(state_key(MappingCode::mediator_state, view_->synchronizer.logical()))) {
    const auto& state = *transaction.as<MediatorState>();
    if (contains(state.active, mediator.uid()) || contains(state.observers, mediator.uid())) return to_group(state);
  }
  return std::nullopt;
}

SequencerGroup Snapshot::sequencer_group() const {
  const auto* state = view_->find<SequencerState>(MappingCode::sequencer_state, view_->synchronizer.logical());
  if (!state) return {};
  return {state->threshold, to_members(MemberKind::sequencer, state->active),
          to_members(MemberKind::sequencer, state->observers)};
}

PartyInfo Snapshot::hosting(const protocol::Party& party) const {
  const auto uid = UniqueId::parse(party);
  if (!uid) return {};
  PartyInfo result;
  // A participant's own party is hosted there and nowhere else.
  if (const auto admin = participant(Member::participant(*uid))) {
    result.participants.emplace(Member::participant(*uid), Hosting{admin->permission, false, admin->login_after});
    return result;
  }
  const auto* mapping = view_->find<PartyToParticipant>(MappingCode::party_to_participant, *uid);
  if (!mapping) return {};
  result.threshold = mapping->threshold;
  for (const auto& host : mapping->participants) {
    const auto member = Member::participant(host.participant);
    if (const auto attributes = participant(member)) {
      result.participants.emplace(
          member, Hosting{std::min(host.permission, attributes->permission), host.onboarding, attributes->login_after});
    }
  }
  return result.participants.empty() ? PartyInfo{} : result;
}

std::vector<protocol::Party> Snapshot::parties_of(const Member& member) const {
  std::vector<protocol::Party> result;
  if (!is_participant_active(member)) return result;
  result.push_back(member.uid().to_string());
  if (const auto* parties = view_->hosted.find(member.uid().to_string())) {
    parties->for_each([&](const std::string& party, bool) { result.push_back(party); });
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<protocol::Party> Snapshot::parties() const {
  std::set<protocol::Party> result;
  for (const auto& uid : *view_->participants) {
    if (is_participant_active(Member::participant(uid))) result.insert(uid.to_string());
  }
  for (const auto* transaction : active(MappingCode::party_to_participant)) {
    const auto party = transaction->as<PartyToParticipant>()->party.to_string();
    if (!hosting(party).participants.empty()) result.insert(party);
  }
  return {result.begin(), result.end()};
}

std::optional<SigningKeysWithThreshold> Snapshot::party_signing_keys(const protocol::Party& party) const {
  const auto uid = UniqueId::parse(party);
  if (!uid) return std::nullopt;
  const auto* hosted = view_->find<PartyToParticipant>(MappingCode::party_to_participant, *uid);
  if (hosted && hosted->signing_keys) return hosted->signing_keys;
  const auto* keys = view_->find<PartyToKey>(MappingCode::party_to_key, *uid);
  return keys ? std::optional(keys->keys) : std::nullopt;
}

const VettedPackages* Snapshot::vetted_packages(const Member& member) const {
  return member.kind() == MemberKind::participant
             ? view_->find<VettedPackages>(MappingCode::vetted_packages, member.uid())
             : nullptr;
}

bool Snapshot::vetted(const Member& member, const std::string& package_id, Timestamp ledger_time) const {
  const auto* vetted = vetted_packages(member);
  if (!vetted) return false;
  // With a package listed twice, the last entry counts (Canton builds a map of them).
  const auto it = std::find_if(vetted->packages.rbegin(), vetted->packages.rend(),
                               [&](const auto& p) { return p.package_id == package_id; });
  return it != vetted->packages.rend() && it->valid_at(ledger_time);
}

std::vector<const Transaction*> Snapshot::active(MappingCode code, const UniqueId& uid) const {
  std::vector<const Transaction*> result;
  for (const auto& transaction : view_->at(state_key(code, uid))) result.push_back(&transaction);
  return result;
}

std::vector<const Transaction*> Snapshot::active(MappingCode code, const Namespace& ns) const {
  std::vector<const Transaction*> result;
  for (const auto& transaction : view_->at(state_key(code, ns))) result.push_back(&transaction);
  return result;
}

std::vector<const Transaction*> Snapshot::active(MappingCode code) const {
  std::vector<const Transaction*> result;
  view_->active.for_each([&](const std::string& key, const ActiveTransactions& list) {
    if (key[0] != static_cast<char>(code)) return;
    for (const auto& transaction : *list) result.push_back(&transaction);
  });
  return result;
}

}  // namespace synod::topology
