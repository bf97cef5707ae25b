// The interpreter's front door: commands in, transaction out; and the same again for one view of somebody else's.
//
// Deterministic: equal inputs and equal answers of the ContractLookup give equal results. Thread-safe: one Engine
// serves all worker threads; each call runs on its own machine, and compiled packages are shared. A call never blocks
// except inside the ContractLookup and is stopped by its step and byte budget.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lf/identifier.h"
#include "lf/transaction.h"
#include "lf/value.h"

namespace synod::lf {

class PackageStore;

// Commands, already typed and in normal form (participant/ledger_api makes them from messages). Template
// and interface ids name their package by id, or by `#name` which is resolved through
// SubmitContext::package_preference. `written_package`: the package whose version of the template or interface the
// writer had in mind, if it is another one; only messages need it, for the labels of fields that do not fit.
struct CreateCommand {
  Identifier template_id;
  Value argument;
  std::string written_package = {};
};
struct ExerciseCommand {
  Identifier type_id;  // template or interface
  ContractId contract_id;
  std::string choice;
  Value argument;
  std::string written_package = {};
};
struct ExerciseByKeyCommand {
  Identifier template_id;
  Value key;
  std::string choice;
  Value argument;
  std::string written_package = {};
};
struct CreateAndExerciseCommand {
  Identifier template_id;
  Value create_argument;
  std::string choice;
  Value choice_argument;
  std::string written_package = {};
};
using Command = std::variant<CreateCommand, ExerciseCommand, ExerciseByKeyCommand, CreateAndExerciseCommand>;

// Where input contracts come from. Called synchronously, from the calling thread, at most once per contract id and
// call.
class ContractLookup {
 public:
  virtual ~ContractLookup() = default;
  // The contract if it is known to the caller (active, or disclosed with the command); empty: CONTRACT_NOT_FOUND.
  virtual std::optional<ContractInstance> find(const ContractId& id) = 0;
  // The first n contracts with that key in the caller's order, the newest first as a rule; fewer: there are no more
  // (LF 2.3). Asked again with a greater n, it gives the same ones and goes on. Only contracts whose key has key.hash.
  virtual std::vector<ContractInstance> find_by_key(const GlobalKey& key, int n) = 0;
  // Whether the contract's content belongs to its id: `contract_hash` (32 bytes, TypedNormalForm) is recomputed by the
  // engine under the package it uses, the rest is the caller's business (salt, unicum). Default: accept.
  virtual Status authenticate(const ContractInstance& contract, ByteView contract_hash);
};

struct Limits {
  std::uint64_t max_steps = 200'000'000;   // machine instructions per call
  std::uint64_t max_bytes = 512ull << 20;  // heap of the machine per call
  std::uint32_t max_nodes = 100'000;       // transaction nodes
  std::uint32_t max_frames = 8'000'000;    // depth of evaluation
};

// Takes the messages of `trace` and `debug`, as they come; empty: they are dropped.
using TraceSink = std::function<void(std::string_view)>;

// package name -> package id used for names in commands and for interface views and choices.
using PackagePreference = std::map<std::string, std::string>;

struct SubmitContext {
  PartySet submitters;  // act_as
  PartySet read_as;
  Timestamp ledger_time;
  Timestamp preparation_time;
  Bytes submission_seed;       // 32 bytes
  std::string participant_id;  // the uid without "PAR::", as Canton's LF participant id ("participant1::1220..")
  PackagePreference package_preference;
  TraceSink trace;
  // A name without a preference is an error, as on a ledger, where such packages are not vetted. Otherwise the
  // contract's own package is good enough, and for names in commands the highest version there is.
  bool strict_preference = false;
  // How many of the open exercises the context `exercise_trace` of a failure names, the innermost first; 0: no context.
  std::size_t exercise_trace = 0;
  // Protocol version 34 and before: a try block may undo creates and archives. From 35 on that ends the interpretation.
  bool allow_effectful_rollback = false;
};

struct TimeBounds {  // inclusive; where ledger time may lie without changing the result
  Timestamp min = Timestamp::min();
  Timestamp max = Timestamp::max();
};

struct InterpretationResult {
  Transaction transaction;                                 // nodes carry their seeds; contract ids of creates are local
  std::map<ContractId, ContractInstance> input_contracts;  // what the lookup delivered and the transaction used
  // Every package id whose code ran or whose types were used, with dependencies. Never null; shared, because
  // transactions of one application all have the same.
  std::shared_ptr<const std::set<std::string>> used_packages;
  TimeBounds time_bounds;
  bool used_time = false;  // get_time or ledger_time_lt ran
};

// Root of a view, as its ActionDescription tells it.
struct ReplayCreate {
  Identifier template_id;
  Value argument;
};
struct ReplayExercise {
  Identifier template_id;
  std::optional<Identifier> interface_id;
  ContractId contract_id;
  std::string choice;
  Value argument;
  std::optional<Value> key;  // by key: looked up again; the caller compares the contract it leads to
};
struct ReplayFetch {
  Identifier template_id;
  std::optional<Identifier> interface_id;
  ContractId contract_id;
  std::optional<Value> key;  // as above
};
using ReplayCommand = std::variant<ReplayCreate, ReplayExercise, ReplayFetch>;

struct ReplayContext {
  PartySet authorizers;  // the root's required authorizers (acting parties), or the submitters at a root view
  Timestamp ledger_time;
  Timestamp preparation_time;
  std::optional<Bytes> node_seed;  // 32 bytes; creates and exercises
  PackagePreference package_preference;
  bool expect_failure = false;  // the action is inside a rollback because it failed
};

class Engine {
 public:
  explicit Engine(std::shared_ptr<const PackageStore> packages);
  ~Engine();
  Engine(const Engine&) = delete;

  // Errors carry Canton's ids: CONTRACT_NOT_FOUND, DAML_AUTHORIZATION_ERROR, DAML_FAILURE, DAML_INTERPRETATION_ERROR,
  // CONTRACT_NOT_ACTIVE, COMMAND_PREPROCESSING_FAILED, PACKAGE_NOT_FOUND ..., INTERPRETATION_TIME_EXCEEDED for a
  // budget. The category of DAML_FAILURE is the number that the program gives, which need not be one of Canton's.
  Result<InterpretationResult> submit(const std::vector<Command>& commands, const SubmitContext& context,
                                      ContractLookup& contracts, const Limits& limits = {}) const;

  Result<InterpretationResult> reinterpret(const ReplayCommand& command, const ReplayContext& context,
                                           ContractLookup& contracts, const Limits& limits = {}) const;

  // Interface view of a contract's argument, for update and state streams: `template_id`'s package decides the
  // implementation. The error is the one that the stream reports for this view.
  Result<Value> interface_view(const Identifier& interface_id, const Identifier& template_id, const Value& argument,
                               const Limits& limits = {}) const;

  // A contract key as transactions carry it, with the key typed under template_id and its package's name.
  Result<GlobalKey> global_key(const Identifier& template_id, const Value& key, const Limits& limits = {}) const;

  // Hash of a contract's argument as contract ids authenticate it (recipe 10 of the wire facts), with the argument
  // typed under template_id. 32 bytes.
  Result<Bytes> contract_hash(const Identifier& template_id, const std::string& package_name, const Value& argument,
                              const Limits& limits = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synod::lf
