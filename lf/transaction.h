// Transactions as the interpreter makes them and the participant cuts them into views; and stored contracts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "lf/identifier.h"
#include "lf/value.h"

namespace synod::lf {

using NodeId = std::int32_t;  // index into Transaction::nodes; numbered in execution order (pre-order)

// A contract key with its hash (32 bytes) and package name; keys exist from LF 2.3 on.
struct GlobalKey {
  Identifier template_id;
  std::string package_name;
  Value key;
  Bytes hash;
  bool operator==(const GlobalKey&) const = default;
};
struct KeyWithMaintainers {
  GlobalKey key;
  PartySet maintainers;
  bool operator==(const KeyWithMaintainers&) const = default;
};

struct CreateNode {
  ContractId contract_id;  // local (not suffixed) when it comes from the engine
  std::string package_name;
  Identifier template_id;
  Value argument;
  PartySet signatories;
  PartySet stakeholders;  // signatories and observers
  std::optional<KeyWithMaintainers> key;
};
struct FetchNode {
  ContractId contract_id;
  std::string package_name;
  Identifier template_id;
  std::optional<Identifier> interface_id;
  PartySet acting_parties;
  PartySet signatories;
  PartySet stakeholders;
  std::optional<KeyWithMaintainers> key;
  bool by_key = false;
};
struct ExerciseNode {
  ContractId contract_id;
  std::string package_name;
  Identifier template_id;
  std::optional<Identifier> interface_id;  // set when the choice is one of an interface
  std::string choice;
  bool consuming = true;
  PartySet acting_parties;  // the controllers
  Value argument;
  PartySet signatories;
  PartySet stakeholders;
  PartySet choice_observers;
  std::vector<NodeId> children;
  std::optional<Value> result;  // empty only below a rollback, when the exercise failed
  std::optional<KeyWithMaintainers> key;
  bool by_key = false;
};
struct QueryByKeyNode {
  std::string package_name;
  Identifier template_id;
  KeyWithMaintainers key;
  std::vector<ContractId> result;
  bool exhaustive = true;
};
struct RollbackNode {
  std::vector<NodeId> children;
};

struct Node {
  std::variant<CreateNode, FetchNode, ExerciseNode, QueryByKeyNode, RollbackNode> action;
  std::string version = "2.1";  // serialisation version: "2.1", or "2.3" with a key
  std::optional<Bytes> seed;    // 32 bytes; creates and exercises only
  NodeId parent = -1;           // -1 at a root

  const CreateNode* create() const { return std::get_if<CreateNode>(&action); }
  const FetchNode* fetch() const { return std::get_if<FetchNode>(&action); }
  const ExerciseNode* exercise() const { return std::get_if<ExerciseNode>(&action); }
  const QueryByKeyNode* query_by_key() const { return std::get_if<QueryByKeyNode>(&action); }
  const RollbackNode* rollback() const { return std::get_if<RollbackNode>(&action); }
  bool is_action() const { return rollback() == nullptr; }

  // Of the ledger model; empty for rollback nodes.
  PartySet informees() const;
  // Template package and interface package.
  std::vector<std::string> packages() const;
  const std::vector<NodeId>& children() const;  // empty for leaves
};

struct Transaction {
  std::vector<Node> nodes;
  std::vector<NodeId> roots;

  const Node& at(NodeId id) const { return nodes.at(static_cast<std::size_t>(id)); }
  // "2.1" unless a node needs more.
  std::string version() const;
};

// A stored or disclosed contract: lf/transaction.proto FatContractInstance, the content of `created_event_blob` and of
// the contracts inside views. Encoded by lf/ledger/value_codec.h.
struct ContractInstance {
  ContractId contract_id;
  std::string version = "2.1";
  std::string package_name;
  Identifier template_id;
  Value argument;
  PartySet signatories;
  PartySet stakeholders;
  std::optional<KeyWithMaintainers> key;
  Timestamp created_at;
  Bytes authentication_data;  // Canton's versioned ContractAuthenticationData, kept as received
};

// What the node creates, in the default version, at no time yet.
ContractInstance instance_of(const CreateNode& node);

PartySet parties_union(const PartySet& a, const PartySet& b);
bool is_subset(const PartySet& inner, const PartySet& outer);

}  // namespace synod::lf
