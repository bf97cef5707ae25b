// Proving who a client is: challenge, signature, token. Facts: MemberAuthenticationService.scala, canton-protocol
// §1.2.4.
//
// A member keeps its nonce until it is used or expires, so that nobody can lock it out by asking for challenges, and a
// wrong signature does not use it up. Tokens are random; they end by time, by logout, and when the member is no longer
// active. Thread rules: any method from any thread. Times are given, so that it runs on any clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "protocol/ids.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

struct AuthenticationLimits {
  Duration nonce_lifetime = Duration::seconds(60);
  Duration token_lifetime = Duration::seconds(3600);
  std::uint32_t max_tokens_per_member = 25;  // the oldest goes
  std::uint32_t max_nonces = 10'000;
};

// Why a client was not let in. `code` is what the trailer `authErrorCode` says; `sensitive` texts stay in the log.
struct AuthenticationError {
  enum class Status { permission_denied, invalid_argument, failed_precondition, unauthenticated, resource_exhausted };
  Status status = Status::unauthenticated;
  std::string code;
  std::string reason;
  bool sensitive = false;
};
template <typename T>
using Authenticated = tl::expected<T, AuthenticationError>;

// What a request was made with.
struct Session {
  protocol::Member member;
  Timestamp expires_at;
};

// The topology as an authenticator sees it: a member must be active now and in what is already known of the future.
struct AuthenticationView {
  topology::Snapshot current;
  topology::Snapshot head;
};

class MemberAuthenticator {
 public:
  struct Challenge {
    Bytes nonce;  // 20 bytes
    std::vector<crypto::Fingerprint> fingerprints;
  };
  struct Token {
    Bytes token;  // 20 bytes
    Timestamp expires_at;
  };

  MemberAuthenticator(AuthenticationLimits limits, protocol::PhysicalSynchronizerId synchronizer,
                      std::shared_ptr<Random> random);

  Authenticated<Challenge> challenge(const protocol::Member& member, const AuthenticationView& view, Timestamp now);
  Authenticated<Token> authenticate(const protocol::Member& member, const crypto::Signature& signature, ByteView nonce,
                                    const AuthenticationView& view, Timestamp now);
  // Headers of a call. Codes: MissingToken, NonMatchingSynchronizerId.
  Authenticated<Session> validate(std::string_view synchronizer, std::string_view member, ByteView token,
                                  Timestamp now);
  // Ends all sessions of the token's member; none if there is no such token.
  std::optional<protocol::Member> logout(ByteView token, Timestamp now);
  // Shuts a member out, or lets it in again. Its tokens end.
  void block(const protocol::Member& member, bool blocked);
  // Ends the tokens of members that are no longer active, and tokens made with keys that are no longer registered.
  // Returns the members without any right to be connected.
  std::vector<protocol::Member> revoke_inactive(const AuthenticationView& view);

 private:
  struct Nonce {
    Bytes value;
    Timestamp expires_at;
  };
  struct Issued {
    Timestamp expires_at;
    crypto::Fingerprint key;
  };
  void revoke(const protocol::Member& member);
  bool is_blocked(const protocol::Member& member) const;
  void expire(Timestamp now);

  const AuthenticationLimits limits_;
  const protocol::PhysicalSynchronizerId synchronizer_;
  const std::string synchronizer_text_;
  std::shared_ptr<Random> random_;
  mutable std::mutex mutex_;
  std::set<protocol::Member> blocked_;
  std::map<protocol::Member, Nonce> nonces_;
  std::map<protocol::Member, std::map<Bytes, Issued>> tokens_;
};

}  // namespace synod::sequencer
