// Names of members, parties and synchronizers. Facts: Identifier.scala, Member.scala.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/keys.h"

namespace synod::protocol {

using crypto::Fingerprint;
using Party = std::string;  // as text: `name::fingerprint`, at most 255 characters

inline constexpr int kProtocolVersion = 35;

// `name::namespace`. The name has 1 to 185 characters of [A-Za-z0-9:_ -] without `::`; the namespace at most 68 of them
// (a fingerprint). Ordered by name, then namespace.
class UniqueId {
 public:
  UniqueId() = default;
  static Result<UniqueId> create(std::string name, std::string ns);
  static Result<UniqueId> parse(std::string_view text);

  const std::string& name() const { return name_; }
  const std::string& ns() const { return namespace_; }
  std::string to_string() const { return name_ + "::" + namespace_; }
  auto operator<=>(const UniqueId&) const = default;

 private:
  std::string name_;
  std::string namespace_;
};

enum class MemberKind { mediator, participant, sequencer };  // in the order of their codes

// Whoever has an inbox at the sequencer: `PAR::uid`, `MED::uid`, `SEQ::uid`. Ordered as its text.
class Member {
 public:
  Member() = default;
  Member(MemberKind kind, UniqueId uid) : kind_(kind), uid_(std::move(uid)) {}
  static Member participant(UniqueId uid) { return {MemberKind::participant, std::move(uid)}; }
  static Member mediator(UniqueId uid) { return {MemberKind::mediator, std::move(uid)}; }
  static Member sequencer(UniqueId uid) { return {MemberKind::sequencer, std::move(uid)}; }
  static Result<Member> parse(std::string_view text);

  MemberKind kind() const { return kind_; }
  const UniqueId& uid() const { return uid_; }
  std::string to_string() const;
  auto operator<=>(const Member&) const = default;

 private:
  MemberKind kind_ = MemberKind::participant;
  UniqueId uid_;
};

using ParticipantId = UniqueId;   // where the kind is known from the field
using SynchronizerId = UniqueId;  // the logical synchronizer: `name::namespace`

// One incarnation of a synchronizer: `name::namespace::35-0` (protocol version, serial).
class PhysicalSynchronizerId {
 public:
  PhysicalSynchronizerId() = default;
  PhysicalSynchronizerId(SynchronizerId logical, int protocol_version, int serial)
      : logical_(std::move(logical)), protocol_version_(protocol_version), serial_(serial) {}
  static Result<PhysicalSynchronizerId> parse(std::string_view text);

  const SynchronizerId& logical() const { return logical_; }
  int protocol_version() const { return protocol_version_; }
  int serial() const { return serial_; }
  std::string to_string() const;
  auto operator<=>(const PhysicalSynchronizerId&) const = default;

 private:
  SynchronizerId logical_;
  int protocol_version_ = 0;
  int serial_ = 0;
};

// A party is hosted under a unique id; this checks its text.
Result<Party> parse_party(std::string_view text);
// The namespace that several owners govern together: hex of H(37, S(owner 1) | S(owner 2) …), owners sorted.
std::string decentralized_namespace(std::vector<Fingerprint> owners);

}  // namespace synod::protocol

template <>
struct std::hash<synod::protocol::UniqueId> {
  std::size_t operator()(const synod::protocol::UniqueId& id) const noexcept {
    return std::hash<std::string>()(id.name()) * 31 + std::hash<std::string>()(id.ns());
  }
};
template <>
struct std::hash<synod::protocol::Member> {
  std::size_t operator()(const synod::protocol::Member& m) const noexcept {
    return std::hash<synod::protocol::UniqueId>()(m.uid()) * 4 + static_cast<std::size_t>(m.kind());
  }
};
