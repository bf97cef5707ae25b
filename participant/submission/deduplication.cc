#include "participant/submission/deduplication.h"

#include "crypto/hash.h"
#include "participant/ledger/columns.h"
#include "synod/participant.pb.h"

namespace synod::participant {

namespace stored = ::synod::participant::v1;

Bytes change_id(const lf::PartySet& act_as, const std::string& user_id, const std::string& command_id) {
  Bytes preimage;
  append_length_prefixed(preimage, user_id);
  append_length_prefixed(preimage, command_id);
  append_i32(preimage, static_cast<std::int32_t>(act_as.size()));
  for (const auto& party : act_as) append_length_prefixed(preimage, party);
  return crypto::sha256(preimage);
}

Result<Offset> Deduplication::check(const Bytes& change, const DeduplicationPeriod& period,
                                    const std::string& submission_id, Timestamp now) const {
  if (const auto found = in_flight_.find(change); found != in_flight_.end()) {
    return fail(Error("SUBMISSION_ALREADY_IN_FLIGHT", ErrorCategory::contention_on_shared_resources,
                      "The submission is already in-flight")
                    .with("existingSubmissionId", found->second));
  }
  const auto* duration = std::get_if<Duration>(&period);
  if (duration && *duration > longest_) {
    return fail(failed_precondition("INVALID_DEDUPLICATION_PERIOD",
                                    "The submitted command had an invalid deduplication period: the given "
                                    "deduplication duration is longer than the maximum")
                    .with("longest_duration", std::to_string(longest_.micros / 1'000'000) + "s"));
  }
  SYNOD_TRY(const auto bytes, store_.get(kChangesColumn, change));
  if (!bytes) return Offset(0);
  stored::StoredChange accepted;
  if (!accepted.ParseFromString(*bytes)) return fail(storage::storage_corrupt("a stored change does not decode"));
  const auto* offset = std::get_if<Offset>(&period);
  const auto span = duration ? *duration : longest_;
  const bool outside = offset ? accepted.offset() <= offset->value : Timestamp{accepted.record_time()} < now - span;
  if (outside) return Offset(accepted.offset());
  return fail(Error("DUPLICATE_COMMAND", ErrorCategory::invalid_state_exists, "Command submission already exists.")
                  .with("completion_offset", std::to_string(accepted.offset()))
                  .with("existing_submission_id", accepted.submission_id())
                  .with("submission_id", submission_id)
                  .with("definite_answer", "true"));
}

void Deduplication::record(storage::WriteBatch& writes, const Bytes& change, const Completion& completion) {
  stored::StoredChange accepted;
  accepted.set_offset(completion.offset.value);
  accepted.set_record_time(completion.record_time.micros);
  accepted.set_submission_id(completion.submission_id);
  writes.put(kChangesColumn, change, accepted.SerializeAsString());
}

}  // namespace synod::participant
