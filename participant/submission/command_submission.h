// Phase 1: from a command to the confirmation request. Nothing here changes state; randomness apart, it is a function
// of its inputs. Facts: TransactionConfirmationRequestFactory, TransactionProcessingSteps; recordings e01 to e13.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "lf/engine.h"
#include "lf/package_store.h"
#include "participant/commands.h"
#include "protocol/submission.h"
#include "topology/snapshot.h"

namespace synod::participant {

struct SubmissionContext {
  const protocol::Member& own;
  const topology::Snapshot& snapshot;  // right after the last event
  const lf::Engine& engine;
  const lf::PackageStore& packages;
  const crypto::KeyStore& keys;
  Random& random;
  protocol::SentViewKeys& view_keys;
  const lf::Limits& limits;
  // An active contract of this participant.
  std::function<std::optional<lf::ContractInstance>(const lf::ContractId&)> active_contract;
  // Active contracts of this participant with that key hash, the newest first, until the visitor returns false.
  std::function<void(const Bytes&, const std::function<bool(const lf::ContractInstance&)>&)> active_by_key;
  Timestamp now;
};

struct Interpreted {
  lf::InterpretationResult result;
  Timestamp ledger_time;
  Timestamp preparation_time;
};
// Checks that the submitters are hosted here with submission permission, and runs the commands at a ledger time that is
// not before any contract they use.
Result<Interpreted> interpret_command(const CommandSubmission& command, const SubmissionContext& context);

struct PreparedRequest {
  protocol::Submission submission;
  crypto::Hash root_hash;
};
// `deduplicated_since`: what the de-duplication found out, for the submitter's metadata.
Result<PreparedRequest> prepare_request(const CommandSubmission& command, Interpreted interpreted,
                                        Offset deduplicated_since, const SubmissionContext& context);

// package name -> id: the newest version that this participant has vetted; `preferred` ids win.
lf::PackagePreference preferred_packages(const topology::Snapshot& snapshot, const protocol::Member& own,
                                         const lf::PackageStore& packages, const std::vector<std::string>& preferred,
                                         Timestamp now);

// The first registered protocol key whose private half is here.
Result<crypto::SigningKeyPair> protocol_key(const topology::Snapshot& snapshot, const protocol::Member& own,
                                            const crypto::KeyStore& keys);

}  // namespace synod::participant
