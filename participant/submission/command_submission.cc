#include "participant/submission/command_submission.h"

#include <algorithm>
#include <set>

#include "participant/submission/contract_authentication.h"
#include "participant/submission/view_builder.h"
#include "participant/submission/view_decomposition.h"
#include "protocol/request_builder.h"

namespace synod::participant {
namespace {

// Disclosed contracts first: a submitter may bring along what is not known here.
class CommandContracts final : public lf::ContractLookup {
 public:
  CommandContracts(const CommandSubmission& command, const SubmissionContext& context)
      : command_(command), context_(context) {
    for (const auto& contract : command.disclosed_contracts) disclosed_.emplace(contract.contract_id, contract);
  }
  // Of the participant's own contracts only those that somebody who acts or reads here has a stake in.
  std::optional<lf::ContractInstance> find(const lf::ContractId& id) override {
    const auto found = disclosed_.find(id);
    if (found != disclosed_.end()) return found->second;
    auto contract = context_.active_contract(id);
    return contract && visible(*contract) ? std::move(contract) : std::nullopt;
  }
  // Disclosed ones first here too. Facts: StoreBackedCommandInterpreter.disclosedOrStoreNKeyLookup.
  std::vector<lf::ContractInstance> find_by_key(const lf::GlobalKey& key, int n) override {
    std::vector<lf::ContractInstance> out;
    const auto full = [&] { return static_cast<int>(out.size()) >= n; };
    for (const auto& contract : command_.disclosed_contracts) {
      if (full()) return out;
      if (contract.key && contract.key->key.hash == key.hash) out.push_back(contract);
    }
    if (full()) return out;
    context_.active_by_key(key.hash, [&](const lf::ContractInstance& contract) {
      if (visible(contract) && !disclosed_.contains(contract.contract_id)) out.push_back(contract);
      return !full();
    });
    return out;
  }
  Status authenticate(const lf::ContractInstance& contract, ByteView contract_hash) override {
    return participant::authenticate(contract, contract_hash);
  }

 private:
  bool visible(const lf::ContractInstance& contract) const {
    return std::any_of(contract.stakeholders.begin(), contract.stakeholders.end(), [this](const lf::Party& party) {
      return command_.act_as.contains(party) || command_.read_as.contains(party);
    });
  }

  const CommandSubmission& command_;
  const SubmissionContext& context_;
  std::map<lf::ContractId, lf::ContractInstance> disclosed_;
};

Status check_submitters(const CommandSubmission& command, const SubmissionContext& context) {
  if (command.act_as.empty())
    return fail(
        invalid_argument("MISSING_FIELD", "The submitted command is missing a mandatory field: party or act_as"));
  for (const auto& party : command.act_as) {
    const auto hosting = context.snapshot.hosting(party);
    const auto found = hosting.participants.find(context.own);
    if (found == hosting.participants.end()) {
      return fail(not_found("NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT",
                            "This participant cannot submit as the given submitter on any connected synchronizer: " +
                                party + " is not hosted here"));
    }
    if (found->second.permission != topology::Permission::submission) {
      return fail(
          not_found("NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT",
                    "This participant cannot submit as the given submitter on any connected synchronizer: it hosts " +
                        party + " without submission permission"));
    }
  }
  return {};
}

// Informees without an active participant, and participants that have not vetted what they would have to run.
Status check_informees(const std::vector<DecomposedView>& views, const lf::Transaction& transaction,
                       Timestamp ledger_time, const std::set<lf::Party>& above, const SubmissionContext& context) {
  for (const auto& view : views) {
    std::set<lf::Party> informees = above;
    informees.insert(view.informees.begin(), view.informees.end());
    std::set<std::string> packages;
    std::vector<DecomposedView> below;
    const auto add = [&](lf::NodeId node) {
      for (const auto& id : transaction.at(node).packages()) packages.insert(id);
    };
    add(view.root);
    for (const auto& part : view.tail) {
      if (part.view)
        below.push_back(*part.view);
      else
        add(part.node);
    }
    for (const auto& party : informees) {
      const auto hosting = context.snapshot.hosting(party);
      if (hosting.participants.empty()) {
        return fail(
            not_found("UNKNOWN_INFORMEES",
                      "The participant is not connected to a synchronizer where all informees are known: " + party));
      }
      for (const auto& [member, permission] : hosting.participants) {
        for (const auto& id : packages) {
          if (!context.snapshot.vetted(member, id, ledger_time)) {
            return fail(failed_precondition("PACKAGE_NOT_VETTED_BY_RECIPIENTS",
                                            "Not all receiving participants have vetted a package that is referenced "
                                            "by the submitting transaction: "
                                            "participant " +
                                                member.to_string() + " has not vetted " + id));
          }
        }
      }
    }
    SYNOD_RETURN_IF_ERROR(check_informees(below, transaction, ledger_time, informees, context));
  }
  return {};
}

Result<int> choose_mediator_group(const SubmissionContext& context) {
  std::vector<int> active;
  for (const auto& group : context.snapshot.mediator_groups()) {
    if (group.active.size() >= group.threshold) active.push_back(static_cast<int>(group.index));
  }
  if (active.empty())
    return fail(not_found("SYNCHRONIZER_WITHOUT_MEDIATOR", "There are no active mediators on the synchronizer"));
  return active.size() == 1 ? active.front() : active[context.random.below(active.size())];
}

protocol::RequestContext request_context(const SubmissionContext& submission) {
  const topology::Snapshot& snapshot = submission.snapshot;
  protocol::RequestContext context;
  context.synchronizer = snapshot.synchronizer();
  context.participants_of = [&snapshot](const protocol::Party& party) {
    std::set<protocol::ParticipantId> ids;
    for (const auto& [member, hosting] : snapshot.hosting(party).participants) ids.insert(member.uid());
    return ids;
  };
  context.encryption_keys = [&snapshot](const protocol::ParticipantId& id) {
    return snapshot.encryption_keys(protocol::Member::participant(id));
  };
  context.topology_time = snapshot.timestamp();
  context.view_keys = &submission.view_keys;
  context.now = submission.now;
  return context;
}

protocol::SubmitterMetadata submitter_metadata(const CommandSubmission& command, Offset deduplicated_since,
                                               Timestamp max_sequencing_time, const SubmissionContext& context,
                                               protocol::Salt salt) {
  protocol::SubmitterMetadata data;
  data.salt = std::move(salt);
  data.act_as.assign(command.act_as.begin(), command.act_as.end());
  data.user_id = command.user_id;
  data.command_id = command.command_id;
  data.submitting_participant = context.own.uid();
  data.submission_id = command.submission_id;
  data.deduplication_period = deduplicated_since.value;
  data.max_sequencing_time = max_sequencing_time;
  return data;
}

constexpr std::size_t kExerciseTrace = 10;  // Canton's EngineConfig.transactionTraceMaxLength

// A program may call anything a category; towards clients it must be one. Fact: FailureStatus in
// CommandExecutionErrors.scala.
Error for_clients(Error error) {
  constexpr int kFirst = 1, kLast = 14;
  const int category = static_cast<int>(error.category);
  if (category >= kFirst && category <= kLast) return error;
  return Error("LEDGER_API_INTERNAL_ERROR", ErrorCategory::internal,
               "Error category ordinal " + std::to_string(category) +
                   " is not a valid error category. This is likely a programming bug. Original raised error cause: " +
                   error.cause);
}

}  // namespace

Result<Interpreted> interpret_command(const CommandSubmission& command, const SubmissionContext& context) {
  SYNOD_RETURN_IF_ERROR(check_submitters(command, context));
  Interpreted out;
  out.preparation_time = context.now;
  out.ledger_time = std::max(context.now, command.min_ledger_time.value_or(context.now));
  const auto tolerance = context.snapshot.dynamic_parameters().ledger_time_record_time_tolerance;
  lf::SubmitContext submit;
  submit.submitters = command.act_as;
  submit.read_as = command.read_as;
  submit.preparation_time = out.preparation_time;
  submit.submission_seed = context.random.bytes(32);
  submit.participant_id = context.own.uid().to_string();
  submit.package_preference =
      preferred_packages(context.snapshot, context.own, context.packages, command.package_preference, context.now);
  submit.strict_preference = true;  // what this participant has not vetted cannot stand for a package name
  submit.exercise_trace = kExerciseTrace;
  // A contract may be a little younger than this clock says, when another participant's clock is ahead.
  for (int attempt = 0;; ++attempt) {
    submit.ledger_time = out.ledger_time;
    CommandContracts contracts(command, context);
    auto result = context.engine.submit(command.commands, submit, contracts, context.limits);
    if (!result) return fail(for_clients(std::move(result).error()));
    out.result = std::move(*result);
    auto latest = out.ledger_time;
    for (const auto& [id, contract] : out.result.input_contracts) latest = std::max(latest, contract.created_at);
    if (latest == out.ledger_time) return out;
    if (attempt == 3 || latest > context.now + tolerance) {
      return fail(Error("FAILED_TO_DETERMINE_LEDGER_TIME", ErrorCategory::contention_on_shared_resources,
                        "A contract that the command uses was created at " + latest.to_string() + ", in the future"));
    }
    out.ledger_time = latest;
  }
}

Result<PreparedRequest> prepare_request(const CommandSubmission& command, Interpreted interpreted,
                                        Offset deduplicated_since, const SubmissionContext& context) {
  const auto& transaction = interpreted.result.transaction;
  if (transaction.roots.empty())
    return fail(invalid_argument("COMMAND_PREPROCESSING_FAILED", "The command makes no transaction"));
  SYNOD_TRY(const auto views, decompose(transaction, hosts_in(context.snapshot), context.own.uid().to_string()));
  SYNOD_RETURN_IF_ERROR(check_informees(views, transaction, interpreted.ledger_time, {}, context));
  SYNOD_TRY(const int group, choose_mediator_group(context));
  SYNOD_TRY(const auto key, protocol_key(context.snapshot, context.own, context.keys));

  const auto max_sequencing_time =
      interpreted.ledger_time + context.snapshot.dynamic_parameters().ledger_time_record_time_tolerance;
  protocol::TransactionSalts salts(context.random.bytes(protocol::kTransactionSeedSize));
  auto submitter = submitter_metadata(command, deduplicated_since, max_sequencing_time, context, salts.next());
  protocol::CommonMetadata common;
  common.salt = salts.next();
  common.synchronizer = context.snapshot.synchronizer();
  common.uuid = context.random.uuid();
  common.mediator_group = group;
  protocol::ParticipantMetadata participant{salts.next(), interpreted.ledger_time, interpreted.preparation_time,
                                            command.workflow_id};

  const TransactionContext transaction_context{common.synchronizer, group, common.uuid, interpreted.ledger_time,
                                               context.limits};
  std::vector<protocol::ViewPosition> positions;
  for (auto& index : protocol::sequence_indices(views.size()))
    positions.push_back(protocol::ViewPosition{}.child(std::move(index)));
  const auto& inputs = interpreted.result.input_contracts;
  const ContractOf contract_of = [&inputs](const lf::ContractId& id) {
    const auto found = inputs.find(id);
    return found == inputs.end() ? std::nullopt : std::optional(found->second);
  };
  FreshSalts fresh(salts);
  SYNOD_TRY(const auto built,
            build_views(transaction, views, positions, transaction_context, context.engine, contract_of, fresh));
  const protocol::TransactionTree tree(protocol::MerkleLeaf<protocol::SubmitterMetadata>::of(std::move(submitter)),
                                       protocol::MerkleLeaf<protocol::CommonMetadata>::of(std::move(common)),
                                       protocol::MerkleLeaf<protocol::ParticipantMetadata>::of(std::move(participant)),
                                       protocol::ViewSequence::of(built.roots));
  PreparedRequest out;
  out.root_hash = tree.root_hash();
  out.submission.message_id = context.random.uuid();
  out.submission.max_sequencing_time = max_sequencing_time;
  SYNOD_TRY(out.submission.envelopes,
            protocol::build_confirmation_request(tree, request_context(context), key, context.random));
  return out;
}

lf::PackagePreference preferred_packages(const topology::Snapshot& snapshot, const protocol::Member& own,
                                         const lf::PackageStore& packages, const std::vector<std::string>& preferred,
                                         Timestamp now) {
  lf::PackagePreference out;
  std::map<std::string, const lf::Package*> newest;
  if (const auto* vetted = snapshot.vetted_packages(own)) {
    for (const auto& item : vetted->packages) {
      const auto* package = item.valid_at(now) ? packages.find(item.package_id) : nullptr;
      if (!package) continue;
      auto& best = newest[package->name()];
      if (!best || lf::version_less(best->version(), package->version())) best = package;
    }
  }
  for (const auto& [name, package] : newest) out[name] = package->id();
  for (const auto& id : preferred) {
    if (const auto* package = packages.find(id)) out[package->name()] = id;
  }
  return out;
}

Result<crypto::SigningKeyPair> protocol_key(const topology::Snapshot& snapshot, const protocol::Member& own,
                                            const crypto::KeyStore& keys) {
  for (const auto& registered : snapshot.signing_keys(own, crypto::KeyUsage::protocol)) {
    if (auto key = keys.signing_key(registered.fingerprint())) return std::move(*key);
  }
  return fail(failed_precondition("KEY_NOT_AVAILABLE", "No protocol key of " + own.to_string() +
                                                           " that the synchronizer knows is in the key store"));
}

}  // namespace synod::participant
