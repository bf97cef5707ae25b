#include "lf/ledger/transaction_codec.h"

#include <charconv>
#include <map>

#include "lf/ledger/value_codec.h"
#include "lf/ledger/wire_parts.h"

namespace synod::lf {

namespace {

namespace pt = wire::pt;

Error bad(std::string cause) { return malformed("transaction", std::move(cause)); }

// ---- writing

std::string number(NodeId id) { return std::to_string(id); }

// Fetches, and what exercises have in common with them.
template <typename FetchOrExercise>
void write_fetch(const FetchOrExercise& node, pt::Node::Fetch& out) {
  out.set_contract_id(node.contract_id.bytes());
  out.set_package_name(node.package_name);
  wire::write(node.template_id, *out.mutable_template_id());
  if (node.interface_id) wire::write(*node.interface_id, *out.mutable_interface_id());
  wire::write_stakeholders(node.signatories, node.stakeholders, node.key, *out.mutable_non_maintainer_signatories(),
                           *out.mutable_non_signatory_stakeholders());
  for (const auto& party : node.acting_parties) out.add_actors(party);
  if (node.key) wire::write(*node.key, *out.mutable_key_with_maintainers());
  out.set_by_key(node.by_key);
}

struct NodeWriter {
  const std::string& version;
  pt::Node& out;

  void operator()(const CreateNode& node) const {
    out.set_version(version);
    wire::write(instance_of(node), *out.mutable_create());
  }
  void operator()(const FetchNode& node) const {
    out.set_version(version);
    write_fetch(node, *out.mutable_fetch());
  }
  void operator()(const ExerciseNode& node) const {
    out.set_version(version);
    auto& exercise = *out.mutable_exercise();
    write_fetch(node, *exercise.mutable_fetch());
    if (node.interface_id) wire::write(*node.interface_id, *exercise.mutable_interface_id());
    exercise.set_choice(node.choice);
    exercise.set_arg(encode_value(node.argument));
    exercise.set_consuming(node.consuming);
    for (const auto child : node.children) exercise.add_children(number(child));
    if (node.result) exercise.set_result(encode_value(*node.result));
    for (const auto& party : node.choice_observers) exercise.add_observers(party);
  }
  void operator()(const QueryByKeyNode& node) const {
    out.set_version(version);
    auto& query = *out.mutable_query_by_key();
    query.set_package_name(node.package_name);
    wire::write(node.template_id, *query.mutable_template_id());
    for (const auto& id : node.result) query.add_contract_id(id.bytes());
    query.set_exaustive(node.exhaustive);
    wire::write(node.key, *query.mutable_key_with_maintainers());
  }
  void operator()(const RollbackNode& node) const {
    auto& rollback = *out.mutable_rollback();
    for (const auto child : node.children) rollback.add_children(number(child));
  }
};

// ---- reading

Result<NodeId> node_id(const std::string& text) {
  NodeId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(bad("cannot parse node id '" + text.substr(0, 20) + "'"));
  return id;
}

using NodeIds = google::protobuf::RepeatedPtrField<std::string>;

Result<std::vector<NodeId>> node_ids(const NodeIds& texts) {
  std::vector<NodeId> out;
  for (const auto& text : texts) {
    SYNOD_TRY(const auto id, node_id(text));
    out.push_back(id);
  }
  return out;
}

template <typename FetchOrExercise>
Status read_fetch(const pt::Node::Fetch& in, const std::string& version, FetchOrExercise& out) {
  if (wire::has_unknown(in)) return fail(bad("unknown field"));
  SYNOD_TRY(out.contract_id, ContractId::from_bytes(in.contract_id()));
  if (in.package_name().empty()) return fail(bad("package name must not be empty"));
  out.package_name = in.package_name();
  SYNOD_TRY(out.template_id, wire::read(in.template_id()));
  if (in.has_interface_id()) {
    SYNOD_TRY(out.interface_id, wire::read(in.interface_id()));
  }
  if (in.has_key_with_maintainers()) {
    SYNOD_TRY(out.key, wire::read(in.key_with_maintainers(), out.template_id, out.package_name, version));
    out.signatories = out.key->maintainers;
  }
  SYNOD_TRY(const auto signatories, wire::parties(in.non_maintainer_signatories()));
  out.signatories.insert(signatories.begin(), signatories.end());
  out.stakeholders = out.signatories;
  SYNOD_TRY(const auto others, wire::parties(in.non_signatory_stakeholders()));
  out.stakeholders.insert(others.begin(), others.end());
  SYNOD_TRY(out.acting_parties, wire::parties(in.actors()));
  if (in.by_key() && version == "2.1") return fail(bad("by_key is not supported by version 2.1"));
  out.by_key = in.by_key();
  return {};
}

Result<CreateNode> read_create(const pt::FatContractInstance& in, const std::string& version) {
  SYNOD_TRY(auto contract, wire::read(in, version));
  if (contract.created_at.micros != 0) return fail(bad("unexpected created_at field in create node"));
  if (!contract.authentication_data.empty()) return fail(bad("unexpected authentication data in create node"));
  return CreateNode{std::move(contract.contract_id), std::move(contract.package_name), std::move(contract.template_id),
                    std::move(contract.argument),    std::move(contract.signatories),  std::move(contract.stakeholders),
                    std::move(contract.key)};
}

Result<ExerciseNode> read_exercise(const pt::Node::Exercise& in, const std::string& version) {
  if (wire::has_unknown(in)) return fail(bad("unknown field"));
  if (!in.authorizers().empty() || !in.external_call_results().empty())
    return fail(bad("choice authorizers and external calls are not supported by version " + version));
  ExerciseNode out;
  SYNOD_RETURN_IF_ERROR(read_fetch(in.fetch(), version, out));
  out.interface_id.reset();
  if (in.has_interface_id()) {
    SYNOD_TRY(out.interface_id, wire::read(in.interface_id()));
  }
  if (in.choice().empty()) return fail(bad("an exercise without choice"));
  out.choice = in.choice();
  SYNOD_TRY(out.argument, decode_value(in.arg()));
  out.consuming = in.consuming();
  SYNOD_TRY(out.children, node_ids(in.children()));
  if (!in.result().empty()) {
    SYNOD_TRY(out.result, decode_value(in.result()));
  }
  SYNOD_TRY(out.choice_observers, wire::parties(in.observers()));
  return out;
}

Result<QueryByKeyNode> read_query(const pt::Node::QueryByKey& in, const std::string& version) {
  if (wire::has_unknown(in)) return fail(bad("unknown field"));
  if (!in.exaustive() && in.contract_id().empty())
    return fail(bad("non exhaustive query by key node must have at least one contract id"));
  if (in.package_name().empty()) return fail(bad("package name must not be empty"));
  QueryByKeyNode out;
  out.package_name = in.package_name();
  SYNOD_TRY(out.template_id, wire::read(in.template_id()));
  SYNOD_TRY(out.key, wire::read(in.key_with_maintainers(), out.template_id, out.package_name, version));
  for (const auto& bytes : in.contract_id()) {
    SYNOD_TRY(auto id, ContractId::from_bytes(bytes));
    out.result.push_back(std::move(id));
  }
  out.exhaustive = in.exaustive();
  return out;
}

Result<Node> read_node(const pt::Node& in, const std::string& transaction_version) {
  if (wire::has_unknown(in)) return fail(bad("unknown field"));
  Node out;
  if (in.has_rollback()) {
    if (!in.version().empty()) return fail(bad("unexpected node version for a rollback node"));
    if (wire::has_unknown(in.rollback())) return fail(bad("unknown field"));
    RollbackNode rollback;
    SYNOD_TRY(rollback.children, node_ids(in.rollback().children()));
    out.action = std::move(rollback);
    return out;
  }
  if (!wire::is_version(in.version())) return fail(bad("unsupported serialization version '" + in.version() + "'"));
  if (in.version() > transaction_version)
    return fail(bad("a transaction of version " + transaction_version + " cannot contain a node of newer version " +
                    in.version()));
  out.version = in.version();
  switch (in.node_type_case()) {
    case pt::Node::kCreate: {
      SYNOD_TRY(out.action, read_create(in.create(), in.version()));
      return out;
    }
    case pt::Node::kFetch: {
      FetchNode fetch;
      SYNOD_RETURN_IF_ERROR(read_fetch(in.fetch(), in.version(), fetch));
      out.action = std::move(fetch);
      return out;
    }
    case pt::Node::kExercise: {
      SYNOD_TRY(out.action, read_exercise(in.exercise(), in.version()));
      return out;
    }
    case pt::Node::kQueryByKey: {
      SYNOD_TRY(out.action, read_query(in.query_by_key(), in.version()));
      return out;
    }
    default:
      return fail(bad("a node of no kind"));
  }
}

std::vector<NodeId>* children_of(Node& node) {
  if (auto* exercise = std::get_if<ExerciseNode>(&node.action)) return &exercise->children;
  if (auto* rollback = std::get_if<RollbackNode>(&node.action)) return &rollback->children;
  return nullptr;
}

// Numbers the nodes in execution order, with an explicit stack: depth is what the sender chose.
class Numbering {
 public:
  explicit Numbering(std::map<NodeId, Node> nodes) : nodes_(std::move(nodes)) {}

  Result<Transaction> run(std::vector<NodeId> roots) {
    Transaction out;
    // A place that holds an id as it was sent, and the new number of the node above it.
    struct Open {
      std::vector<NodeId>* ids;
      std::size_t next;
      NodeId parent;
    };
    out.nodes.reserve(nodes_.size());  // pointers to children stay valid
    std::vector<Open> stack{{&roots, 0, -1}};
    while (!stack.empty()) {
      auto& top = stack.back();
      if (top.next == top.ids->size()) {
        stack.pop_back();
        continue;
      }
      auto& id = (*top.ids)[top.next++];
      const auto found = nodes_.find(id);
      if (found == nodes_.end()) return fail(bad("node " + number(id) + " is missing, or occurs twice"));
      const NodeId parent = top.parent;
      id = static_cast<NodeId>(out.nodes.size());
      out.nodes.push_back(std::move(found->second));
      nodes_.erase(found);
      auto& node = out.nodes.back();
      node.parent = parent;
      if (auto* children = children_of(node)) stack.push_back({children, 0, id});
    }
    if (!nodes_.empty()) return fail(bad("node " + number(nodes_.begin()->first) + " is below no root"));
    out.roots = std::move(roots);
    return out;
  }

 private:
  std::map<NodeId, Node> nodes_;
};

}  // namespace

Bytes encode_transaction(const Transaction& transaction) {
  pt::Transaction out;
  out.set_version(transaction.version());
  for (const auto root : transaction.roots) out.add_roots(number(root));
  for (std::size_t i = 0; i < transaction.nodes.size(); ++i) {
    auto& node = *out.add_nodes();
    node.set_node_id(number(static_cast<NodeId>(i)));
    std::visit(NodeWriter{transaction.nodes[i].version, node}, transaction.nodes[i].action);
  }
  return out.SerializeAsString();
}

Result<Transaction> decode_transaction(ByteView bytes, std::size_t max_nodes) {
  pt::Transaction in;
  if (!wire::parse(in, bytes)) return fail(bad("not a Transaction message"));
  if (wire::has_unknown(in)) return fail(bad("unknown field"));
  if (!wire::is_version(in.version())) return fail(bad("unsupported serialization version '" + in.version() + "'"));
  if (static_cast<std::size_t>(in.nodes_size()) > max_nodes)
    return fail(bad("more than " + std::to_string(max_nodes) + " nodes"));
  std::map<NodeId, Node> nodes;
  for (const auto& node : in.nodes()) {
    SYNOD_TRY(const auto id, node_id(node.node_id()));
    SYNOD_TRY(auto read, read_node(node, in.version()));
    if (!nodes.emplace(id, std::move(read)).second) return fail(bad("node " + number(id) + " occurs twice"));
  }
  SYNOD_TRY(auto roots, node_ids(in.roots()));
  return Numbering(std::move(nodes)).run(std::move(roots));
}

}  // namespace synod::lf
