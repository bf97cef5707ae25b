// To whom an envelope goes: a forest; whoever stands in a node sees that node and all below it, nothing above or
// beside. Facts: Recipient.scala, RecipientsTree.scala.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/ids.h"

namespace com::digitalasset::canton::protocol::v30 {
class Recipients;
}

namespace synod::protocol {

namespace v30 = ::com::digitalasset::canton::protocol::v30;

// A member, or a group that is resolved at sequencing time.
class Recipient {
 public:
  enum class Kind { member, all_members, mediator_group, sequencers };

  Recipient() = default;
  Recipient(Member member) : kind_(Kind::member), member_(std::move(member)) {}  // NOLINT: a member is a recipient
  static Recipient all_members() { return Recipient(Kind::all_members, 0); }
  static Recipient mediator_group(int group) { return Recipient(Kind::mediator_group, group); }
  static Recipient sequencers() { return Recipient(Kind::sequencers, 0); }
  // `PAR::…` `MED::…` `SEQ::…`, `ALL::All`, `MGR::<n>`, `SOD::`
  static Result<Recipient> parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool is_member() const { return kind_ == Kind::member; }
  const Member& member() const { return member_; }  // only if is_member()
  int group() const { return group_; }              // only for mediator_group
  std::string to_string() const;
  auto operator<=>(const Recipient&) const = default;

 private:
  Recipient(Kind kind, int group) : kind_(kind), group_(group) {}
  Kind kind_ = Kind::all_members;
  int group_ = 0;
  Member member_;
};

using RecipientSet = std::set<Recipient>;

struct RecipientsTree {
  RecipientSet recipients;  // never empty
  std::vector<RecipientsTree> children;
  bool operator==(const RecipientsTree&) const = default;
};

// Is this recipient (a member or a group) one under which the reader gets mail? For a member: itself, and the groups it
// is in.
using AddressedBy = std::function<bool(const Recipient&)>;

struct Recipients {
  std::vector<RecipientsTree> trees;  // never empty

  // One group whose members see each other.
  static Recipients together(RecipientSet recipients);
  // Several groups, each on its own.
  static Recipients groups(std::vector<RecipientSet> groups);

  static Result<Recipients> from_proto(const v30::Recipients& proto);  // nesting limited by the protobuf parser
  void to_proto(v30::Recipients& out) const;  // canonical: recipients sorted by text, as the aggregation id needs
  Bytes serialize() const;

  RecipientSet all() const;
  RecipientSet leaves() const;
  // The sub-forest that this reader sees; none if nothing is addressed to it.
  std::optional<Recipients> pruned(const AddressedBy& mine) const;
  // All recipients if this is one tree without children.
  const RecipientSet* single_group() const;
  bool operator==(const Recipients&) const = default;
};

}  // namespace synod::protocol
