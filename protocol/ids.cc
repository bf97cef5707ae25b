#include "protocol/ids.h"

#include <algorithm>
#include <charconv>

#include "crypto/hash.h"

namespace synod::protocol {
namespace {

constexpr std::size_t kMaxName = 185;
constexpr std::size_t kMaxNamespace = 68;
constexpr std::size_t kMaxParty = 255;

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '-' ||
         c == '_' || c == ' ';
}

Error bad_id(std::string_view what, std::string_view text, std::string_view why) {
  return malformed(what, "`" + std::string(text.substr(0, 300)) + "`: " + std::string(why));
}

Result<int> parse_number(std::string_view digits) {
  int value = 0;
  auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (status != std::errc() || end != digits.data() + digits.size() || value < 0)
    return fail(malformed("number", "`" + std::string(digits.substr(0, 20)) + "` is not a non-negative number"));
  return value;
}

}  // namespace

Result<UniqueId> UniqueId::create(std::string name, std::string ns) {
  if (name.empty()) return fail(bad_id("unique identifier", name, "the name is empty"));
  if (name.size() > kMaxName) return fail(bad_id("unique identifier", name, "the name has more than 185 characters"));
  if (name.find("::") != std::string::npos) return fail(bad_id("unique identifier", name, "the name contains `::`"));
  if (!std::all_of(name.begin(), name.end(), allowed))
    return fail(
        bad_id("unique identifier", name, "the name may contain letters, digits, `:`, `-`, `_` and spaces only"));
  if (ns.empty()) return fail(bad_id("unique identifier", name, "the namespace is missing"));
  if (ns.size() > kMaxNamespace)
    return fail(bad_id("unique identifier", ns, "the namespace has more than 68 characters"));
  if (!std::all_of(ns.begin(), ns.end(), allowed))
    return fail(bad_id("unique identifier", ns, "the namespace contains a character that is not allowed"));
  UniqueId out;
  out.name_ = std::move(name);
  out.namespace_ = std::move(ns);
  return out;
}

Result<UniqueId> UniqueId::parse(std::string_view text) {
  const std::size_t at = text.find("::");
  if (at == std::string_view::npos) return fail(bad_id("unique identifier", text, "no namespace after `::`"));
  return create(std::string(text.substr(0, at)), std::string(text.substr(at + 2)));
}

Result<Member> Member::parse(std::string_view text) {
  if (text.size() < 5 || text.substr(3, 2) != "::")
    return fail(bad_id("member", text, "expected a three-letter code, `::` and a unique identifier"));
  const std::string_view code = text.substr(0, 3);
  MemberKind kind;
  if (code == "PAR")
    kind = MemberKind::participant;
  else if (code == "MED")
    kind = MemberKind::mediator;
  else if (code == "SEQ")
    kind = MemberKind::sequencer;
  else
    return fail(bad_id("member", text, "unknown three-letter code"));
  SYNOD_TRY(UniqueId uid, UniqueId::parse(text.substr(5)));
  return Member(kind, std::move(uid));
}

std::string Member::to_string() const {
  const char* code = kind_ == MemberKind::participant ? "PAR::" : kind_ == MemberKind::mediator ? "MED::" : "SEQ::";
  return code + uid_.to_string();
}

Result<PhysicalSynchronizerId> PhysicalSynchronizerId::parse(std::string_view text) {
  const std::size_t last = text.rfind("::");
  if (last == std::string_view::npos)
    return fail(bad_id("physical synchronizer id", text, "expected name::namespace::version-serial"));
  SYNOD_TRY(SynchronizerId logical, SynchronizerId::parse(text.substr(0, last)));
  if (logical.ns().find("::") != std::string::npos)
    return fail(bad_id("physical synchronizer id", text, "expected name::namespace::version-serial"));
  const std::string_view suffix = text.substr(last + 2);
  const std::size_t dash = suffix.find('-');
  if (dash == std::string_view::npos)
    return fail(bad_id("physical synchronizer id", text, "expected version-serial at the end"));
  SYNOD_TRY(int version, parse_number(suffix.substr(0, dash)));
  SYNOD_TRY(int serial, parse_number(suffix.substr(dash + 1)));
  return PhysicalSynchronizerId(std::move(logical), version, serial);
}

std::string PhysicalSynchronizerId::to_string() const {
  return logical_.to_string() + "::" + std::to_string(protocol_version_) + "-" + std::to_string(serial_);
}

Result<Party> parse_party(std::string_view text) {
  if (text.size() > kMaxParty) return fail(bad_id("party", text, "more than 255 characters"));
  SYNOD_TRY(UniqueId uid, UniqueId::parse(text));
  return uid.to_string();
}

std::string decentralized_namespace(std::vector<Fingerprint> owners) {
  std::sort(owners.begin(), owners.end());
  crypto::Hasher hasher(crypto::HashPurpose::decentralized_namespace);
  for (const Fingerprint& owner : owners) hasher.add_string(owner);
  return hasher.finish().hex();
}

}  // namespace synod::protocol
