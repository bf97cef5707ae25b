#include "sequencer/authentication.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "base/log.h"
#include "protocol/signed_content.h"

namespace synod::sequencer {
namespace {

constexpr std::size_t kNonceBytes = 20;
constexpr std::size_t kTokenBytes = 20;
using Refusal = AuthenticationError::Status;

tl::unexpected<AuthenticationError> refuse(Refusal status, std::string code, std::string reason, bool sensitive) {
  return tl::unexpected(AuthenticationError{status, std::move(code), std::move(reason), sensitive});
}

tl::unexpected<AuthenticationError> disabled(const protocol::Member& member) {
  return refuse(Refusal::permission_denied, "MemberAccessDisabled",
                "Member " + member.to_string() + " access is disabled", false);
}

tl::unexpected<AuthenticationError> missing_nonce(const protocol::Member& member) {
  return refuse(Refusal::unauthenticated, "MissingNonce",
                "Member " + member.to_string() + " has not been previously assigned a handshake nonce", true);
}

tl::unexpected<AuthenticationError> missing_token(std::string_view member) {
  return refuse(Refusal::unauthenticated, "MissingToken",
                "Authentication token for member " + std::string(member) + " has expired. Please reauthenticate.",
                false);
}

bool may_connect(const protocol::Member& member, const AuthenticationView& view) {
  const auto active = [&](const topology::Snapshot& snapshot) {
    return member.kind() == protocol::MemberKind::participant ? snapshot.can_login(member, snapshot.timestamp())
                                                              : snapshot.is_active(member);
  };
  return active(view.current) && active(view.head);
}

bool same_bytes(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool has_key(const topology::Snapshot& snapshot, const protocol::Member& member, const crypto::Fingerprint& key) {
  const auto keys = snapshot.signing_keys(member, crypto::KeyUsage::sequencer_authentication);
  return std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return k.fingerprint() == key; });
}

}  // namespace

MemberAuthenticator::MemberAuthenticator(AuthenticationLimits limits, protocol::PhysicalSynchronizerId synchronizer,
                                         std::shared_ptr<Random> random)
    : limits_(limits),
      synchronizer_(std::move(synchronizer)),
      synchronizer_text_(synchronizer_.to_string()),
      random_(std::move(random)) {}

Authenticated<MemberAuthenticator::Challenge> MemberAuthenticator::challenge(const protocol::Member& member,
                                                                             const AuthenticationView& view,
                                                                             Timestamp now) {
  if (is_blocked(member) || !may_connect(member, view)) return disabled(member);
  Challenge challenge;
  for (const auto& key : view.current.signing_keys(member, crypto::KeyUsage::sequencer_authentication)) {
    challenge.fingerprints.push_back(key.fingerprint());
  }
  if (challenge.fingerprints.empty()) {
    return refuse(Refusal::failed_precondition, "NoKeysWithCorrectUsageRegistered",
                  "Member " + member.to_string() + " has no keys registered with usage SequencerAuthentication", true);
  }
  std::lock_guard lock(mutex_);
  expire(now);
  auto nonce = nonces_.find(member);
  if (nonce == nonces_.end()) {
    if (nonces_.size() >= limits_.max_nonces) {
      return refuse(Refusal::resource_exhausted, "TooManyChallenges", "Too many members have an open challenge", false);
    }
    nonce = nonces_.emplace(member, Nonce{random_->bytes(kNonceBytes), now + limits_.nonce_lifetime}).first;
  }
  challenge.nonce = nonce->second.value;
  return challenge;
}

Authenticated<MemberAuthenticator::Token> MemberAuthenticator::authenticate(const protocol::Member& member,
                                                                            const crypto::Signature& signature,
                                                                            ByteView nonce,
                                                                            const AuthenticationView& view,
                                                                            Timestamp now) {
  if (is_blocked(member) || !may_connect(member, view)) return disabled(member);
  {
    std::lock_guard lock(mutex_);
    expire(now);
    const auto known = nonces_.find(member);
    if (known == nonces_.end() || !same_bytes(known->second.value, nonce)) return missing_nonce(member);
  }
  const auto hash = protocol::authentication_hash(nonce, synchronizer_);
  const auto verified = view.current.verify(member, crypto::KeyUsage::sequencer_authentication, hash, signature);
  if (!verified || !has_key(view.head, member, signature.signed_by)) {
    return refuse(Refusal::invalid_argument, "InvalidSignature",
                  "Given signature for member " + member.to_string() + " is invalid", true);
  }
  std::lock_guard lock(mutex_);
  const auto known = nonces_.find(member);
  if (known == nonces_.end() || !same_bytes(known->second.value, nonce)) return missing_nonce(member);
  nonces_.erase(known);
  Token token{random_->bytes(kTokenBytes), now + limits_.token_lifetime};
  auto& tokens = tokens_[member];
  while (!tokens.empty() && tokens.size() >= limits_.max_tokens_per_member) {
    tokens.erase(std::min_element(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
      return a.second.expires_at < b.second.expires_at;
    }));
  }
  tokens[token.token] = Issued{token.expires_at, signature.signed_by};
  return token;
}

Authenticated<Session> MemberAuthenticator::validate(std::string_view synchronizer, std::string_view member,
                                                     ByteView token, Timestamp now) {
  auto parsed = protocol::Member::parse(member);
  if (!parsed) {
    return refuse(Refusal::unauthenticated, "MissingToken", "Failed to deserialize member id: " + parsed.error().cause,
                  false);
  }
  if (synchronizer != synchronizer_text_) {
    return refuse(Refusal::unauthenticated, "NonMatchingSynchronizerId",
                  "Synchronizer id " + std::string(synchronizer) + " provided by member " + std::string(member) +
                      " does not match the synchronizer id of the synchronizer the member is trying to connect to",
                  false);
  }
  std::lock_guard lock(mutex_);
  const auto tokens = tokens_.find(*parsed);
  if (tokens == tokens_.end()) return missing_token(member);
  const auto issued = tokens->second.find(Bytes(token));
  if (issued == tokens->second.end() || issued->second.expires_at <= now) return missing_token(member);
  return Session{std::move(*parsed), issued->second.expires_at};
}

std::optional<protocol::Member> MemberAuthenticator::logout(ByteView token, Timestamp now) {
  std::lock_guard lock(mutex_);
  for (const auto& [member, tokens] : tokens_) {
    const auto issued = tokens.find(Bytes(token));
    if (issued == tokens.end() || issued->second.expires_at <= now) continue;
    const protocol::Member leaving = member;
    revoke(leaving);
    return leaving;
  }
  return std::nullopt;
}

std::vector<protocol::Member> MemberAuthenticator::revoke_inactive(const AuthenticationView& view) {
  std::vector<protocol::Member> leaving;
  std::lock_guard lock(mutex_);
  for (auto& [member, tokens] : tokens_) {
    if (!may_connect(member, view)) {
      leaving.push_back(member);
      continue;
    }
    std::erase_if(tokens, [&](const auto& entry) { return !has_key(view.head, member, entry.second.key); });
  }
  for (const auto& member : leaving) {
    log::info("sequencer", "expiring all tokens of {}", member.to_string());
    revoke(member);
  }
  return leaving;
}

void MemberAuthenticator::block(const protocol::Member& member, bool blocked) {
  std::lock_guard lock(mutex_);
  if (!blocked) {
    blocked_.erase(member);
    return;
  }
  blocked_.insert(member);
  revoke(member);
}

bool MemberAuthenticator::is_blocked(const protocol::Member& member) const {
  std::lock_guard lock(mutex_);
  return blocked_.contains(member);
}

void MemberAuthenticator::revoke(const protocol::Member& member) {
  nonces_.erase(member);
  tokens_.erase(member);
}

void MemberAuthenticator::expire(Timestamp now) {
  std::erase_if(nonces_, [&](const auto& entry) { return entry.second.expires_at <= now; });
  for (auto& [member, tokens] : tokens_) {
    std::erase_if(tokens, [&](const auto& entry) { return entry.second.expires_at <= now; });
  }
  std::erase_if(tokens_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace synod::sequencer
