#include "topology/onboarding.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace synod::topology {
namespace {

Error bad(std::string cause) { return invalid_argument("INVALID_ARGUMENT", std::move(cause)); }
Error not_now(std::string cause) { return failed_precondition("FAILED_PRECONDITION", std::move(cause)); }

bool allowed(MappingCode code) {
  return code == MappingCode::namespace_delegation || code == MappingCode::owner_to_key ||
         code == MappingCode::trust_certificate;
}

// The shape of what a newcomer may send, whatever the state.
Status check_shape(const protocol::Member& participant, const std::vector<SignedTransaction>& transactions) {
  const auto count = [&](MappingCode code) {
    return std::count_if(transactions.begin(), transactions.end(),
                         [&](const auto& t) { return t.transaction().code() == code; });
  };
  if (const auto n = count(MappingCode::trust_certificate); n != 1) {
    return fail(
        bad(fmt::format("Exactly one SynchronizerTrustCertificate is required for Participants. Found: {}", n)));
  }
  if (const auto n = count(MappingCode::owner_to_key); n != 1) {
    return fail(bad(fmt::format("Exactly one OwnerToKeyMapping is required. Found: {}", n)));
  }
  for (const auto& t : transactions) {
    if (!allowed(t.transaction().code()))
      return fail(bad(fmt::format("Unexpected topology mapping found: {}", name_of(t.transaction().code()))));
  }
  if (count(MappingCode::namespace_delegation) == 0) {
    return fail(
        bad(fmt::format("Missing mappings for onboarding {}. Missing: NamespaceDelegation", participant.to_string())));
  }
  for (const auto& t : transactions) {
    const auto what = describe(t.mapping());
    if (t.proposal())
      return fail(bad(fmt::format("Unexpected proposals for onboarding {}. Found: {}", participant.to_string(), what)));
    if (t.transaction().operation() == Operation::remove) {
      return fail(bad(fmt::format("Unexpected removals for onboarding {}. Found: {}", participant.to_string(), what)));
    }
    if (const auto uid = uid_of(t.mapping()); uid && *uid != participant.uid()) {
      return fail(
          bad(fmt::format("Mappings for unexpected UIDs for onboarding {}: {}", participant.to_string(), what)));
    }
    if (namespace_of(t.mapping()) != participant.uid().ns()) {
      return fail(
          bad(fmt::format("Mappings for unexpected namespaces for onboarding {}: {}", participant.to_string(), what)));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<SignedTransaction>> check_onboarding(const TopologyState& state, const protocol::Member& participant,
                                                        const std::vector<Bytes>& transactions,
                                                        const OnboardingLimits& limits) {
  if (participant.kind() != protocol::MemberKind::participant) {
    return fail(bad("Only participants should use this endpoint, but found " + participant.to_string()));
  }
  const auto head = state.head();
  if (is_locked(head.dynamic_parameters().onboarding_restriction))
    return fail(not_now("Synchronizer is locked for onboarding."));

  // Repeated unique keys count once; the first is taken. The bound on what is parsed at all is a generous multiple.
  if (transactions.size() > limits.max_transactions * 2) {
    return fail(bad(fmt::format("Too many topology transactions. Limit: {}, Found: {}", limits.max_transactions,
                                transactions.size())));
  }
  std::vector<SignedTransaction> parsed;
  std::set<crypto::Hash> seen;
  for (const auto& bytes : transactions) {
    if (bytes.size() > limits.max_bytes)
      return fail(bad(fmt::format("a topology transaction is larger than {} bytes", limits.max_bytes)));
    SYNOD_TRY(auto transaction, SignedTransaction::parse_bare(bytes));
    if (seen.insert(transaction.transaction().unique_key()).second) parsed.push_back(std::move(transaction));
  }
  if (parsed.size() > limits.max_transactions) {
    return fail(bad(
        fmt::format("Too many topology transactions. Limit: {}, Found: {}", limits.max_transactions, parsed.size())));
  }
  SYNOD_RETURN_IF_ERROR(check_shape(participant, parsed));
  if (state.was_ever_onboarded(participant)) {
    return fail(
        not_now(fmt::format("Participant {} is either active on the synchronizer or has previously been offboarded.",
                            participant.to_string())));
  }
  // What is already in force (a registration that was interrupted) need not be decided again.
  std::vector<SignedTransaction> fresh;
  for (auto& transaction : parsed) {
    const auto* current = state.current(transaction.transaction().unique_key(), transaction.mapping());
    if (!current || current->transaction.hash() != transaction.hash()) fresh.push_back(std::move(transaction));
  }
  for (const auto& rejection : state.check(fresh, true)) {
    if (rejection)
      return fail(rejection->category == ErrorCategory::malicious_or_faulty ? rejection->to_error()
                                                                            : not_now(rejection->text));
  }
  return fresh;
}

}  // namespace synod::topology
