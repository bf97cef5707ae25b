// The transaction while it is being interpreted: nodes in order, the open exercises and try blocks, authorisation,
// activeness of contracts, node seeds. Single-threaded; throws eval::Fatal for refusals.
//
// Node numbers grow in execution order and count try blocks too, as in Canton's messages; finish() renumbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lf/ledger/contract_ids.h"
#include "lf/transaction.h"

namespace synod::lf {

// What is known of a contract under the package that the transaction uses for it.
struct ContractFacts {
  Identifier template_id;
  std::string package_name;
  Value argument;
  PartySet signatories;
  PartySet stakeholders;
  std::optional<KeyWithMaintainers> key;
  Bytes hash;  // of package name, template and argument

  std::string version() const { return key ? "2.3" : "2.1"; }
};

struct ExerciseFacts {
  ContractId contract_id;
  std::optional<Identifier> interface_id;
  std::string choice;
  bool consuming = true;
  bool by_key = false;
  PartySet controllers;
  PartySet observers;
  Value argument;
};

class TransactionBuilder {
 public:
  struct Options {
    PartySet submitters;
    Timestamp preparation_time;
    std::optional<Bytes> transaction_seed;  // roots get child seeds of it ...
    std::optional<Bytes> root_seed;         // ... or the only root has this one
    std::uint32_t max_nodes = 100'000;
    bool allow_effectful_rollback = false;  // protocol version 34
  };
  explicit TransactionBuilder(Options options);

  ContractId create(const ContractFacts& contract);
  void fetch(const ContractId& id, const ContractFacts& contract, const std::optional<Identifier>& interface,
             bool by_key);
  void query_by_key(const KeyWithMaintainers& key, std::vector<ContractId> result, bool exhaustive);
  void begin_exercise(const ContractFacts& contract, ExerciseFacts exercise);
  void end_exercise(Value result);
  void abort_exercise();  // it failed below a try block
  void begin_try();
  void end_try();
  void rollback_try();  // with creates or archives inside: DAML_EFFECTFUL_ROLLBACK_ERROR, unless allowed
  void authorize_lookup(const KeyWithMaintainers& key) const;

  // The exercise that consumed the contract in this transaction.
  std::optional<NodeId> consumed_by(const ContractId& id) const;
  // Whether a rollback undid the creation of this contract.
  bool undone(const ContractId& id) const { return !undone_.empty() && undone_.contains(id); }
  // A line for each exercise that is open, the innermost first, but not more than that many.
  std::string open_exercises(std::size_t most) const;
  const PartySet& authorizers() const { return contexts_.back().authorizers; }

  // Rollback nodes in normal form, nodes numbered in pre-order.
  Transaction finish();

 private:
  enum class Kind : std::uint8_t { root, exercise, try_block };
  struct Context {
    Kind kind;
    NodeId id;
    std::vector<NodeId> children;
    std::int32_t next_action_child = 0;
    Bytes seed;
    PartySet authorizers;
    std::size_t effects = 0;  // try block: how many effects there were at its start
  };

  NodeId new_node(Node node);
  Bytes next_seed() const;
  void add_action(NodeId id);
  void close_exercise(std::optional<Value> result);

  Options options_;
  std::vector<Node> nodes_;
  std::vector<Context> contexts_;
  int open_tries_ = 0;
  std::unordered_map<ContractId, NodeId> consumed_;
  std::unordered_set<ContractId> undone_;
  std::vector<NodeId> effects_;  // creates and consuming exercises that no rollback undid
};

}  // namespace synod::lf
