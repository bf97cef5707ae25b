#include "protocol/recipients.h"

#include <algorithm>
#include <charconv>

#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

// Deeper than any real transaction nests; keeps recursion bounded.
constexpr int kMaxTreeDepth = 90;

Error bad_recipient(std::string_view text, std::string_view why) {
  return malformed("recipient", "`" + std::string(text.substr(0, 300)) + "`: " + std::string(why));
}

Result<RecipientsTree> tree_from(const v30::RecipientsTree& proto, int depth) {
  if (depth > kMaxTreeDepth) return fail(malformed("recipients", "nested too deeply"));
  if (proto.recipients().empty()) return fail(malformed("recipients", "a tree node without recipients"));
  RecipientsTree out;
  for (const std::string& text : proto.recipients()) {
    SYNOD_TRY(Recipient recipient, Recipient::parse(text));
    out.recipients.insert(std::move(recipient));
  }
  out.children.reserve(static_cast<std::size_t>(proto.children_size()));
  for (const v30::RecipientsTree& child : proto.children()) {
    SYNOD_TRY(RecipientsTree tree, tree_from(child, depth + 1));
    out.children.push_back(std::move(tree));
  }
  return out;
}

void tree_to(const RecipientsTree& tree, v30::RecipientsTree& out) {
  std::vector<std::string> texts;
  texts.reserve(tree.recipients.size());
  for (const Recipient& recipient : tree.recipients) texts.push_back(recipient.to_string());
  std::sort(texts.begin(), texts.end());
  for (std::string& text : texts) out.add_recipients(std::move(text));
  for (const RecipientsTree& child : tree.children) tree_to(child, *out.add_children());
}

void collect(const RecipientsTree& tree, RecipientSet& out) {
  out.insert(tree.recipients.begin(), tree.recipients.end());
  for (const RecipientsTree& child : tree.children) collect(child, out);
}

void collect_leaves(const RecipientsTree& tree, RecipientSet& out) {
  if (tree.children.empty()) out.insert(tree.recipients.begin(), tree.recipients.end());
  for (const RecipientsTree& child : tree.children) collect_leaves(child, out);
}

void prune(const RecipientsTree& tree, const AddressedBy& mine, std::vector<RecipientsTree>& out) {
  if (std::any_of(tree.recipients.begin(), tree.recipients.end(), mine)) {
    out.push_back(tree);
    return;
  }
  for (const RecipientsTree& child : tree.children) prune(child, mine, out);
}

}  // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  if (text.size() < 5 || text.substr(3, 2) != "::")
    return fail(bad_recipient(text, "expected a three-letter code and `::`"));
  const std::string_view code = text.substr(0, 3), rest = text.substr(5);
  if (code == "ALL") return all_members();
  if (code == "SOD") return sequencers();
  if (code == "MGR") {
    int group = -1;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), group);
    if (status != std::errc() || end != rest.data() + rest.size() || group < 0)
      return fail(bad_recipient(text, "the mediator group is not a number"));
    return mediator_group(group);
  }
  SYNOD_TRY(Member member, Member::parse(text));
  return Recipient(std::move(member));
}

std::string Recipient::to_string() const {
  switch (kind_) {
    case Kind::member:
      return member_.to_string();
    case Kind::all_members:
      return "ALL::All";
    case Kind::mediator_group:
      return "MGR::" + std::to_string(group_);
    case Kind::sequencers:
      return "SOD::";
  }
  return {};
}

Recipients Recipients::together(RecipientSet recipients) { return {{RecipientsTree{std::move(recipients), {}}}}; }

Recipients Recipients::groups(std::vector<RecipientSet> groups) {
  Recipients out;
  for (RecipientSet& group : groups) out.trees.push_back({std::move(group), {}});
  return out;
}

Result<Recipients> Recipients::from_proto(const v30::Recipients& proto) {
  if (proto.recipients_tree().empty()) return fail(malformed("recipients", "no recipients tree"));
  Recipients out;
  out.trees.reserve(static_cast<std::size_t>(proto.recipients_tree_size()));
  for (const v30::RecipientsTree& tree : proto.recipients_tree()) {
    SYNOD_TRY(RecipientsTree parsed, tree_from(tree, 0));
    out.trees.push_back(std::move(parsed));
  }
  return out;
}

void Recipients::to_proto(v30::Recipients& out) const {
  out.Clear();
  for (const RecipientsTree& tree : trees) tree_to(tree, *out.add_recipients_tree());
}

Bytes Recipients::serialize() const {
  v30::Recipients proto;
  to_proto(proto);
  return serialize_proto(proto);
}

RecipientSet Recipients::all() const {
  RecipientSet out;
  for (const RecipientsTree& tree : trees) collect(tree, out);
  return out;
}

RecipientSet Recipients::leaves() const {
  RecipientSet out;
  for (const RecipientsTree& tree : trees) collect_leaves(tree, out);
  return out;
}

std::optional<Recipients> Recipients::pruned(const AddressedBy& mine) const {
  Recipients out;
  for (const RecipientsTree& tree : trees) prune(tree, mine, out.trees);
  if (out.trees.empty()) return std::nullopt;
  return out;
}

const RecipientSet* Recipients::single_group() const {
  return trees.size() == 1 && trees.front().children.empty() ? &trees.front().recipients : nullptr;
}

}  // namespace synod::protocol
