#include "topology/mapping_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "protocol/ids.h"

namespace synod::topology {
namespace {

using protocol::Member;
using protocol::MemberKind;
using protocol::UniqueId;
using Ok = std::monostate;
using Check = Decision<Ok>;

tl::unexpected<Rejection> reject(const char* id, ErrorCategory category, std::string text) {
  return tl::unexpected(Rejection{id, category, std::move(text)});
}
tl::unexpected<Rejection> invalid_mapping(std::string text) {
  return reject("TOPOLOGY_INVALID_MAPPING", ErrorCategory::invalid_argument, "Invalid mapping: " + std::move(text));
}

template <typename T>
std::string join(const T& items) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(item.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

class Checker {
 public:
  Checker(const WorkingState& state, const StaticParameters& parameters, Timestamp effective,
          const SignedTransaction& signed_tx, const SignedTransaction* in_force, bool relaxed)
      : state_(state),
        parameters_(parameters),
        effective_(effective),
        signed_(signed_tx),
        tx_(signed_tx.transaction()),
        in_force_(in_force),
        relaxed_(relaxed) {}

  Check run() {
    const bool removes = tx_.operation() == Operation::remove;
    if (removes && !in_force_ && !signed_.is_root_certificate()) {
      return reject("TOPOLOGY_NO_CORRESPONDING_ACTIVE_TX_TO_REVOKE", ErrorCategory::invalid_state_other,
                    "There is no active topology transaction matching the mapping of the revocation request: " +
                        describe(tx_.mapping()));
    }
    if (!removes && tx_.serial() >= kMaxSerial) {
      return invalid_mapping(fmt::format("The serial for a REPLACE must be less than {}.", kMaxSerial));
    }
    // A trust certificate may be removed without repeating its feature flags.
    if (removes && in_force_ && !tx_.as<TrustCertificate>() && in_force_->mapping() != tx_.mapping()) {
      return reject("TOPOLOGY_REMOVE_MUST_NOT_CHANGE_MAPPING", ErrorCategory::invalid_state_other,
                    "Remove operation must not change the mapping to remove.");
    }
    if (auto ok = not_frozen(); !ok) return ok;
    if (removes) {
      if (const auto* m = tx_.as<OwnerToKey>()) return remove_keys(*m);
      if (tx_.as<SynchronizerParametersState>()) {
        return reject("TOPOLOGY_CANNOT_REMOVE_MAPPING", ErrorCategory::invalid_argument,
                      "Removal of SynchronizerParametersState is not supported. Use Replace instead.");
      }
      return Ok{};
    }
    if (const auto* m = tx_.as<TrustCertificate>()) return trust_certificate(*m);
    if (const auto* m = tx_.as<PartyToParticipant>()) return party(*m);
    if (const auto* m = tx_.as<OwnerToKey>()) return keys(*m);
    if (const auto* m = tx_.as<MediatorState>()) return mediators(*m);
    if (const auto* m = tx_.as<SequencerState>()) return sequencers(*m);
    if (const auto* m = tx_.as<DecentralizedNamespace>()) return decentralized(*m);
    if (const auto* m = tx_.as<NamespaceDelegation>()) return delegation(*m);
    if (const auto* m = tx_.as<UpgradeAnnouncement>()) return upgrade(*m);
    if (const auto* m = tx_.as<SequencerSuccessor>()) return successor(*m);
    return Ok{};
  }

 private:
  // The transaction in force if it is not a removal.
  template <typename M>
  const M* replaced() const {
    if (!in_force_ || in_force_->transaction().operation() != Operation::add_replace) return nullptr;
    return in_force_->transaction().as<M>();
  }
  bool was_removed() const { return in_force_ && in_force_->transaction().operation() == Operation::remove; }

  Check not_frozen() const {
    if (tx_.as<UpgradeAnnouncement>() || tx_.as<SequencerSuccessor>()) return Ok{};
    for (const auto* announced : state_.active(MappingCode::upgrade_announcement, state_.synchronizer().logical())) {
      if (announced->transaction().as<UpgradeAnnouncement>()->successor > state_.synchronizer()) {
        return reject(
            "TOPOLOGY_LSU_TOPOLOGY_FREEZE", ErrorCategory::invalid_state_other,
            fmt::format(
                "The topology state of synchronizer {} is frozen due to an announced LSU. No more topology changes "
                "are allowed until upgrade completion.",
                state_.synchronizer().logical().to_string()));
      }
    }
    return Ok{};
  }

  // Explicitly hosting a participant's own party on that participant is the one allowed sharing of a unique id.
  static bool is_admin_party_hosting(const PartyToParticipant& m) {
    return m.participants.size() == 1 && m.participants[0].participant == m.party &&
           m.participants[0].permission == Permission::submission && m.threshold == 1;
  }

  Check members_have_keys(const std::set<Member>& members) const {
    std::set<Member> missing;
    for (const auto& member : members) {
      const auto found = state_.active(MappingCode::owner_to_key, member.uid());
      const bool has = std::any_of(found.begin(), found.end(), [&](const auto* t) {
        return t->transaction().template as<OwnerToKey>()->member == member;
      });
      if (!has) missing.insert(member);
    }
    if (missing.empty()) return Ok{};
    return reject("TOPOLOGY_INSUFFICIENT_KEYS", ErrorCategory::invalid_state_other,
                  fmt::format("Members {} are missing a valid owner to key mapping.", join(missing)));
  }

  Check onboarding_refused(const UniqueId& participant, OnboardingRestriction restriction) const {
    return reject("TOPOLOGY_PARTICIPANT_ONBOARDING_REFUSED", ErrorCategory::invalid_state_other,
                  fmt::format("Participant {} onboarding rejected as restrictions {} are in place.",
                              participant.to_string(), static_cast<int>(restriction)));
  }

  Check trust_certificate(const TrustCertificate& m) const {
    if (was_removed()) {
      return reject("TOPOLOGY_MEMBER_CANNOT_REJOIN_SYNCHRONIZER", ErrorCategory::invalid_state_other,
                    fmt::format("Participant {} tried to rejoin a synchronizer which it had previously left.",
                                m.participant.to_string()));
    }
    const auto parties = state_.active(MappingCode::party_to_participant, m.participant);
    if (!parties.empty() && !is_admin_party_hosting(*parties.front()->transaction().as<PartyToParticipant>())) {
      return reject("TOPOLOGY_PARTICIPANT_ID_CONFLICT_WITH_PARTY", ErrorCategory::invalid_state_exists,
                    fmt::format("Tried to onboard participant {} while party {} with the same UID already exists.",
                                m.participant.to_string(), m.participant.to_string()));
    }
    const auto parameters = state_.active(MappingCode::synchronizer_parameters, m.synchronizer);
    if (parameters.empty()) {
      return reject("TOPOLOGY_MISSING_MAPPING", ErrorCategory::invalid_state_missing,
                    "Missing synchronizer parameters at " + effective_.to_string());
    }
    const auto restriction =
        parameters.front()->transaction().as<SynchronizerParametersState>()->parameters.onboarding_restriction;
    if (is_locked(restriction)) return onboarding_refused(m.participant, restriction);
    if (is_restricted(restriction)) {
      const ParticipantPermission* permission = nullptr;
      for (const auto* found : state_.active(MappingCode::participant_permission, m.participant)) {
        const auto* candidate = found->transaction().as<ParticipantPermission>();
        if (candidate->synchronizer == m.synchronizer) {
          permission = candidate;
          break;
        }
      }
      if (!permission || (permission->login_after && *permission->login_after > effective_)) {
        return onboarding_refused(m.participant, restriction);
      }
    }
    return members_have_keys({Member::participant(m.participant)});
  }

  Check party(const PartyToParticipant& m) const {
    std::set<UniqueId> added;
    for (const auto& host : m.participants) added.insert(host.participant);
    if (const auto* before = replaced<PartyToParticipant>()) {
      for (const auto& host : before->participants) added.erase(host.participant);
    }
    if (!state_.active(MappingCode::trust_certificate, m.party).empty() && !is_admin_party_hosting(m)) {
      return reject("TOPOLOGY_PARTY_ID_CONFLICT_WITH_ADMIN_PARTY", ErrorCategory::invalid_state_exists,
                    fmt::format("The partyId {} is the same as an already existing admin party.", m.party.to_string()));
    }
    std::set<Member> unknown, without_keys;
    for (const auto& uid : added) {
      if (state_.active(MappingCode::trust_certificate, uid).empty()) unknown.insert(Member::participant(uid));
      if (!members_have_keys({Member::participant(uid)})) without_keys.insert(Member::participant(uid));
    }
    if (!unknown.empty()) {
      return reject("TOPOLOGY_UNKNOWN_MEMBERS", ErrorCategory::invalid_state_missing,
                    fmt::format("Members {} are unknown.", join(unknown)));
    }
    if (!without_keys.empty()) return members_have_keys(without_keys);
    const bool self_signed =
        m.signing_keys && std::any_of(m.signing_keys->keys.begin(), m.signing_keys->keys.end(),
                                      [&](const auto& key) { return key.fingerprint() == m.party.ns(); });
    if (self_signed) {
      for (const auto* removed : state_.active(MappingCode::namespace_delegation, m.party.ns(), Operation::remove)) {
        if (removed->is_root_certificate()) return revoked(m.party.ns());
      }
    }
    return Ok{};
  }

  Check keys(const OwnerToKey& m) const {
    if (was_removed()) {
      return reject("TOPOLOGY_MEMBER_CANNOT_REJOIN_SYNCHRONIZER", ErrorCategory::invalid_state_other,
                    fmt::format("Member {} tried to re-register its keys which they have previously removed.",
                                m.member.to_string()));
    }
    const auto allowed = [](const std::vector<int>& list, int spec) {
      return std::find(list.begin(), list.end(), spec) != list.end();
    };
    const auto signing = m.signing_keys();
    const auto encryption = m.encryption_keys();
    const bool can_sign = std::any_of(signing.begin(), signing.end(), [&](const auto& k) {
      return allowed(parameters_.signing_keys, static_cast<int>(k.spec()));
    });
    const bool can_decrypt = std::any_of(encryption.begin(), encryption.end(), [&](const auto& k) {
      return allowed(parameters_.encryption_keys, static_cast<int>(k.spec()));
    });
    if (!can_sign) return keys_missing(m.member, "signing");
    if (m.member.kind() == MemberKind::participant && !can_decrypt) return keys_missing(m.member, "encryption");
    return Ok{};
  }

  Check keys_missing(const Member& member, const char* kind) const {
    return reject("TOPOLOGY_INVALID_OWNER_TO_KEY_MAPPING", ErrorCategory::invalid_argument,
                  fmt::format("No {} keys of a supported scheme provided for {}, at least one is required.", kind,
                              member.to_string()));
  }

  Check remove_keys(const OwnerToKey& m) const {
    bool in_use = false;
    const auto names = [&](const auto& group) {
      const auto is_me = [&](const UniqueId& uid) { return uid == m.member.uid(); };
      return std::any_of(group.active.begin(), group.active.end(), is_me) ||
             std::any_of(group.observers.begin(), group.observers.end(), is_me);
    };
    switch (m.member.kind()) {
      case MemberKind::participant:
        in_use = !state_.active(MappingCode::trust_certificate, m.member.uid()).empty();
        break;
      case MemberKind::mediator:
        for (const auto* t : state_.active(MappingCode::mediator_state, state_.synchronizer().logical())) {
          in_use = in_use || names(*t->transaction().as<MediatorState>());
        }
        break;
      case MemberKind::sequencer:
        for (const auto* t : state_.active(MappingCode::sequencer_state, state_.synchronizer().logical())) {
          in_use = in_use || names(*t->transaction().as<SequencerState>());
        }
        break;
    }
    if (!in_use) return Ok{};
    return reject("TOPOLOGY_INVALID_REMOVAL_OF_OWNER_TO_KEY_MAPPING", ErrorCategory::invalid_argument,
                  fmt::format("Cannot remove owner to key mapping for {} as it is being used", m.member.to_string()));
  }

  template <typename State>
  std::set<UniqueId> newcomers(const State& m) const {
    std::set<UniqueId> result(m.active.begin(), m.active.end());
    result.insert(m.observers.begin(), m.observers.end());
    if (const auto* before = replaced<State>()) {
      for (const auto& uid : before->active) result.erase(uid);
      for (const auto& uid : before->observers) result.erase(uid);
    }
    return result;
  }

  Check mediators(const MediatorState& m) const {
    const auto added = newcomers(m);
    for (const auto* other : state_.active(MappingCode::mediator_state, m.synchronizer)) {
      const auto& group = *other->transaction().as<MediatorState>();
      if (group.group == m.group) continue;
      for (const auto* list : {&group.active, &group.observers}) {
        for (const auto& uid : *list) {
          if (!added.contains(uid)) continue;
          return reject(
              "TOPOLOGY_MEDIATORS_ALREADY_IN_OTHER_GROUPS", ErrorCategory::invalid_state_other,
              fmt::format("Tried to add mediators to group {}, but they are already assigned to other groups: {} -> {}",
                          m.group, uid.to_string(), group.group));
        }
      }
    }
    if (relaxed_) return Ok{};
    std::set<Member> members;
    for (const auto& uid : added) members.insert(Member::mediator(uid));
    return members_have_keys(members);
  }

  Check sequencers(const SequencerState& m) const {
    if (relaxed_) return Ok{};
    std::set<Member> members;
    for (const auto& uid : newcomers(m)) members.insert(Member::sequencer(uid));
    return members_have_keys(members);
  }

  Check decentralized(const DecentralizedNamespace& m) const {
    if (!in_force_ && m.ns != protocol::decentralized_namespace(m.owners)) {
      return invalid_mapping(fmt::format("The decentralized namespace {} is not derived from the owners {}", m.ns,
                                         fmt::join(m.owners, ", ")));
    }
    if (!state_.active(MappingCode::namespace_delegation, m.ns).empty()) return namespace_taken(m.ns);
    std::vector<Namespace> without_root;
    for (const auto& owner : m.owners) {
      const auto delegations = state_.active(MappingCode::namespace_delegation, owner);
      if (std::none_of(delegations.begin(), delegations.end(),
                       [](const auto* t) { return t->is_root_certificate(); })) {
        without_root.push_back(owner);
      }
    }
    if (!without_root.empty())
      return invalid_mapping(fmt::format("No root certificate found for {}", fmt::join(without_root, ", ")));
    return Ok{};
  }

  Check delegation(const NamespaceDelegation& m) const {
    if (!state_.active(MappingCode::decentralized_namespace, m.ns).empty()) return namespace_taken(m.ns);
    if (!relaxed_ && was_removed()) return revoked(m.ns);
    return Ok{};
  }

  static Check namespace_taken(const Namespace& ns) {
    return reject("TOPOLOGY_NAMESPACE_ALREADY_IN_USE", ErrorCategory::invalid_state_exists,
                  fmt::format("The namespace {} is already used by another entity.", ns));
  }
  static Check revoked(const Namespace& ns) {
    return reject("TOPOLOGY_NAMESPACE_HAS_BEEN_REVOKED", ErrorCategory::invalid_state_exists,
                  fmt::format("The namespace {} has previously been revoked.", ns));
  }

  Check upgrade(const UpgradeAnnouncement& m) const {
    if (const auto* before = in_force_ ? in_force_->transaction().as<UpgradeAnnouncement>() : nullptr) {
      const bool unchanged = *before == m && in_force_->transaction().serial() == tx_.serial();
      if (!(m.successor > before->successor) && !unchanged) {
        return reject("TOPOLOGY_INVALID_SUCCESSOR_PHYSICAL_SYNCHRONIZER_ID", ErrorCategory::invalid_state_other,
                      fmt::format("The declared successor {} is not greater than prior synchronizer {}.",
                                  m.successor.to_string(), before->successor.to_string()));
      }
    }
    if (m.upgrade_time <= effective_) {
      return reject(
          "TOPOLOGY_INVALID_UPGRADE_TIME", ErrorCategory::invalid_state_other,
          fmt::format("The upgrade time {} must be after the effective {} of the synchronizer upgrade announcement.",
                      m.upgrade_time.to_string(), effective_.to_string()));
    }
    return Ok{};
  }

  Check successor(const SequencerSuccessor& m) const {
    const auto announced = state_.active(MappingCode::upgrade_announcement, m.successor.logical());
    if (announced.empty()) {
      return reject("TOPOLOGY_NO_LSU_ANNOUNCED", ErrorCategory::invalid_state_other,
                    "The operation cannot be performed because no LSU is announced");
    }
    const auto& expected = announced.front()->transaction().as<UpgradeAnnouncement>()->successor;
    if (expected != m.successor) {
      return reject(
          "LSU_SEQUENCER_SUCCESSOR_INVALID_SUCCESSOR_PSID", ErrorCategory::invalid_state_other,
          fmt::format("Lsu sequencer successor mentions successor {} but the current LSU announcement mentions {}",
                      m.successor.to_string(), expected.to_string()));
    }
    return Ok{};
  }

  const WorkingState& state_;
  const StaticParameters& parameters_;
  Timestamp effective_;
  const SignedTransaction& signed_;
  const Transaction& tx_;
  const SignedTransaction* in_force_;
  bool relaxed_;
};

}  // namespace

Decision<std::monostate> check_mapping(const WorkingState& state, const StaticParameters& parameters,
                                       Timestamp effective, const SignedTransaction& transaction,
                                       const SignedTransaction* in_force, bool relaxed) {
  return Checker(state, parameters, effective, transaction, in_force, relaxed).run();
}

}  // namespace synod::topology
