// The leaves of a transaction tree: metadata of the transaction, and of each view what the mediator and what the
// participants need. Facts: SubmitterMetadata, CommonMetadata, ParticipantMetadata, ViewCommonData, ViewParticipantData
// .scala.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "protocol/merkle.h"

namespace synod::protocol {

// A span, or the ledger offset since which a command may not be repeated.
using DeduplicationPeriod = std::variant<Duration, std::int64_t>;

// Schema version 31 at PV35.
struct SubmitterMetadata {
  static constexpr crypto::HashPurpose kPurpose = crypto::HashPurpose::submitter_metadata;
  Salt salt;
  std::vector<Party> act_as;  // not empty
  std::string user_id;
  std::string command_id;
  ParticipantId submitting_participant;
  std::string submission_id;  // empty: none
  DeduplicationPeriod deduplication_period = Duration{};
  Timestamp max_sequencing_time;
  std::optional<Bytes> external_authorization;  // serialised v31.ExternalAuthorization

  static Result<SubmitterMetadata> parse(ByteView versioned);
  Bytes serialize() const;
};

struct CommonMetadata {
  static constexpr crypto::HashPurpose kPurpose = crypto::HashPurpose::common_metadata;
  Salt salt;
  PhysicalSynchronizerId synchronizer;
  std::string uuid;  // of the transaction: 36 characters
  int mediator_group = 0;

  static Result<CommonMetadata> parse(ByteView versioned);
  Bytes serialize() const;
};

struct ParticipantMetadata {
  static constexpr crypto::HashPurpose kPurpose = crypto::HashPurpose::participant_metadata;
  Salt salt;
  Timestamp ledger_time;
  Timestamp preparation_time;
  std::string workflow_id;  // empty: none

  static Result<ParticipantMetadata> parse(ByteView versioned);
  Bytes serialize() const;
};

// Confirmations that together approve a view: the weights of those who approve must reach the threshold.
struct Quorum {
  struct Confirmer {
    Party party;
    int weight = 1;  // > 0
    bool operator==(const Confirmer&) const = default;
  };
  std::vector<Confirmer> confirmers;
  int threshold = 0;
  bool operator==(const Quorum&) const = default;
};

struct ViewCommonData {
  static constexpr crypto::HashPurpose kPurpose = crypto::HashPurpose::view_common_data;
  Salt salt;
  std::vector<Party> informees;  // no repeats; holds every confirmer
  std::vector<Quorum> quorums;   // all must be reached

  static Result<ViewCommonData> parse(ByteView versioned);
  Bytes serialize() const;
};

struct CreateAction {
  std::string contract_id;  // hex
  Bytes node_seed;          // 32 bytes
  bool operator==(const CreateAction&) const = default;
};
struct ExerciseAction {
  std::string input_contract_id;
  std::string choice;
  Bytes chosen_value;  // versioned Daml-LF value
  std::vector<Party> actors;
  bool by_key = false;
  Bytes node_seed;
  bool failed = false;
  std::optional<std::string> interface_id;
  std::string template_id;
  std::vector<std::string> package_preference;
  bool operator==(const ExerciseAction&) const = default;
};
struct FetchAction {
  std::string input_contract_id;
  std::vector<Party> actors;
  bool by_key = false;
  std::string template_id;
  std::optional<std::string> interface_id;
  bool operator==(const FetchAction&) const = default;
};
using ActionDescription = std::variant<CreateAction, ExerciseAction, FetchAction>;

struct InputContract {
  Bytes contract;  // serialised contract instance
  bool consumed = false;
  bool operator==(const InputContract&) const = default;
};
struct CreatedContract {
  Bytes contract;
  bool consumed_in_core = false;
  bool rolled_back = false;
  bool operator==(const CreatedContract&) const = default;
};
struct ResolvedKey {
  Bytes template_id;
  Bytes key;
  std::string package_name;
  Bytes hash;
  std::vector<Party> maintainers;
  std::vector<std::string> contract_ids;
  bool operator==(const ResolvedKey&) const = default;
};
struct RollbackContext {
  std::vector<std::int32_t> scope;  // ordinals of the rollback nodes around this view, from the outside in
  std::int32_t next_child = 1;      // the ordinal of the next rollback node met
  bool operator==(const RollbackContext&) const = default;
};

// Schema version 31 at PV35.
struct ViewParticipantData {
  static constexpr crypto::HashPurpose kPurpose = crypto::HashPurpose::view_participant_data;
  Salt salt;
  std::vector<InputContract> core_inputs;
  std::vector<CreatedContract> created_core;
  std::vector<std::string> created_in_subview_archived_in_core;  // contract ids, hex
  std::vector<ResolvedKey> resolved_keys;
  ActionDescription action;
  RollbackContext rollback_context;

  static Result<ViewParticipantData> parse(ByteView versioned);
  Bytes serialize() const;
};

}  // namespace synod::protocol
