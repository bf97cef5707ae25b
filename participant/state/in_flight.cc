#include "participant/state/in_flight.h"

#include "participant/ledger/columns.h"
#include "participant/ledger/stored_forms.h"

namespace synod::participant {
namespace {

void set_ids(const ContractIds& ids, google::protobuf::RepeatedPtrField<std::string>* out) {
  for (const auto& id : ids) out->Add(Bytes(id.bytes()));
}

Result<ContractIds> ids_of(const google::protobuf::RepeatedPtrField<std::string>& in) {
  ContractIds out;
  for (const auto& bytes : in) {
    SYNOD_TRY(auto id, lf::ContractId::from_bytes(bytes));
    out.insert(std::move(id));
  }
  return out;
}

constexpr std::size_t kTimeSize = 8;

// The time; behind it the number of a change of the topology.
Bytes stored_key(const InFlightRequest& request) {
  Bytes key = number_key(request.id.micros);
  if (request.announcement > 0) append_i32(key, static_cast<std::int32_t>(request.announcement));
  return key;
}

}  // namespace

void put(storage::WriteBatch& writes, const InFlightSubmission& submission) {
  stored::StoredSubmission out;
  out.set_message_id(submission.message_id);
  to_stored(submission.completion, out.mutable_completion());
  out.set_max_sequencing_time(submission.max_sequencing_time.micros);
  out.set_sequenced_at(submission.sequenced ? submission.sequenced->micros : 0);
  writes.put(kSubmissionsColumn, submission.message_id, out.SerializeAsString());
}

void erase(storage::WriteBatch& writes, const InFlightSubmission& submission) {
  writes.erase(kSubmissionsColumn, submission.message_id);
}

void put(storage::WriteBatch& writes, const InFlightRequest& request) {
  stored::StoredRequest out;
  out.set_request_id(request.id.micros);
  out.set_root_hash(request.root_hash.bytes());
  out.set_mediator_group(request.mediator_group);
  out.set_decision_time(request.decision_time.micros);
  set_ids(request.locks, out.mutable_locks());
  set_ids(request.created, out.mutable_created());
  set_ids(request.transient, out.mutable_transient());
  set_ids(request.archived, out.mutable_archived());
  if (request.update) to_stored(*request.update, out.mutable_update());
  if (request.completion) to_stored(*request.completion, out.mutable_completion());
  out.set_state(static_cast<stored::StoredRequest::State>(request.state));
  out.set_refused_here(request.refused_here);
  out.set_message_id(request.message_id);
  out.set_answer(request.answer);
  writes.put(kRequestsColumn, stored_key(request), out.SerializeAsString());
}

void erase(storage::WriteBatch& writes, const InFlightRequest& request) {
  writes.erase(kRequestsColumn, stored_key(request));
}

Result<InFlightSubmission> decode_submission(ByteView bytes) {
  stored::StoredSubmission in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(storage::storage_corrupt("a stored submission does not decode"));
  InFlightSubmission submission;
  submission.message_id = in.message_id();
  submission.completion = from_stored(in.completion());
  submission.max_sequencing_time = Timestamp{in.max_sequencing_time()};
  if (in.sequenced_at() != 0) submission.sequenced = Timestamp{in.sequenced_at()};
  return submission;
}

Result<InFlightRequest> decode_request(ByteView key, ByteView bytes) {
  stored::StoredRequest in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(storage::storage_corrupt("a stored request does not decode"));
  InFlightRequest request;
  request.id = Timestamp{in.request_id()};
  if (key.size() > kTimeSize) request.announcement = static_cast<std::uint32_t>(read_i32(key.substr(kTimeSize)));
  SYNOD_TRY(request.root_hash, crypto::Hash::parse(in.root_hash()));
  request.mediator_group = in.mediator_group();
  request.decision_time = Timestamp{in.decision_time()};
  SYNOD_TRY(request.locks, ids_of(in.locks()));
  SYNOD_TRY(request.created, ids_of(in.created()));
  SYNOD_TRY(request.transient, ids_of(in.transient()));
  SYNOD_TRY(request.archived, ids_of(in.archived()));
  if (in.has_update()) {
    SYNOD_TRY(request.update, from_stored(in.update()));
  }
  if (in.has_completion()) request.completion = from_stored(in.completion());
  request.state = static_cast<InFlightRequest::State>(in.state());
  request.refused_here = in.refused_here();
  request.message_id = in.message_id();
  request.answer = in.answer();
  return request;
}

}  // namespace synod::participant
