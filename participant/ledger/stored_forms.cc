#include "participant/ledger/stored_forms.h"

#include "lf/ledger/value_codec.h"
#include "storage/store.h"

namespace synod::participant {
namespace {

template <typename Parties>
void set_strings(const Parties& parties, google::protobuf::RepeatedPtrField<std::string>* out) {
  for (const auto& party : parties) out->Add(std::string(party));
}

void to_stored(const CreatedEvent& event, stored::StoredCreated* out) {
  out->set_node_id(event.node_id);
  out->set_contract(lf::encode_contract(event.contract));
  set_strings(event.witnesses, out->mutable_witnesses());
  out->set_acs_delta(event.acs_delta);
}

void to_stored(const ExercisedEvent& event, stored::StoredExercised* out) {
  out->set_node_id(event.node_id);
  out->set_last_descendant_node_id(event.last_descendant_node_id);
  out->set_contract_id(event.contract_id.bytes());
  out->set_template_id(event.template_id.to_string());
  if (event.interface_id) out->set_interface_id(event.interface_id->to_string());
  out->set_package_name(event.package_name);
  out->set_choice(event.choice);
  out->set_argument(lf::encode_value(event.argument));
  if (event.result) out->set_result(lf::encode_value(*event.result));
  set_strings(event.acting_parties, out->mutable_acting_parties());
  set_strings(event.stakeholders, out->mutable_stakeholders());
  set_strings(event.witnesses, out->mutable_witnesses());
  out->set_consuming(event.consuming);
  out->set_acs_delta(event.acs_delta);
}

Result<CreatedEvent> created_event(const stored::StoredCreated& in) {
  CreatedEvent event;
  event.node_id = in.node_id();
  SYNOD_TRY(event.contract, lf::decode_contract(in.contract()));
  event.witnesses = party_set(in.witnesses());
  event.acs_delta = in.acs_delta();
  return event;
}

Result<ExercisedEvent> exercised_event(const stored::StoredExercised& in) {
  ExercisedEvent event;
  event.node_id = in.node_id();
  event.last_descendant_node_id = in.last_descendant_node_id();
  SYNOD_TRY(event.contract_id, lf::ContractId::from_bytes(in.contract_id()));
  SYNOD_TRY(event.template_id, lf::parse_identifier(in.template_id()));
  if (!in.interface_id().empty()) {
    SYNOD_TRY(event.interface_id, lf::parse_identifier(in.interface_id()));
  }
  event.package_name = in.package_name();
  event.choice = in.choice();
  SYNOD_TRY(event.argument, lf::decode_value(in.argument()));
  if (in.has_result()) {
    SYNOD_TRY(event.result, lf::decode_value(in.result()));
  }
  event.acting_parties = party_set(in.acting_parties());
  event.stakeholders = party_set(in.stakeholders());
  event.witnesses = party_set(in.witnesses());
  event.consuming = in.consuming();
  event.acs_delta = in.acs_delta();
  return event;
}

void to_stored(const TransactionUpdate& update, stored::StoredTransaction* out) {
  out->set_update_id(update.update_id);
  out->set_workflow_id(update.workflow_id);
  out->set_command_id(update.command_id);
  out->set_user_id(update.user_id);
  set_strings(update.act_as, out->mutable_act_as());
  out->set_effective_at(update.effective_at.micros);
  for (const auto& event : update.events) {
    auto* item = out->add_events();
    if (const auto* created = std::get_if<CreatedEvent>(&event))
      to_stored(*created, item->mutable_created());
    else
      to_stored(std::get<ExercisedEvent>(event), item->mutable_exercised());
  }
}

Result<TransactionUpdate> transaction_update(const stored::StoredTransaction& in) {
  TransactionUpdate update;
  update.update_id = in.update_id();
  update.workflow_id = in.workflow_id();
  update.command_id = in.command_id();
  update.user_id = in.user_id();
  update.act_as = party_set(in.act_as());
  update.effective_at = Timestamp{in.effective_at()};
  for (const auto& item : in.events()) {
    if (item.has_created()) {
      SYNOD_TRY(auto event, created_event(item.created()));
      update.events.emplace_back(std::move(event));
    } else {
      SYNOD_TRY(auto event, exercised_event(item.exercised()));
      update.events.emplace_back(std::move(event));
    }
  }
  return update;
}

void to_stored(const DeduplicationPeriod& period, stored::StoredDeduplication* out) {
  if (const auto* duration = std::get_if<Duration>(&period)) out->set_duration_micros(duration->micros);
  if (const auto* offset = std::get_if<Offset>(&period)) out->set_offset(offset->value);
}

DeduplicationPeriod from_stored(const stored::StoredDeduplication& in) {
  switch (in.period_case()) {
    case stored::StoredDeduplication::kDurationMicros:
      return Duration{in.duration_micros()};
    case stored::StoredDeduplication::kOffset:
      return Offset(in.offset());
    default:
      return std::monostate();
  }
}

void to_stored(const Error& error, stored::StoredError* out) {
  out->set_id(error.id);
  out->set_category(static_cast<int>(error.category));
  out->set_cause(error.cause);
  for (const auto& [key, value] : error.context) {
    auto* item = out->add_context();
    item->set_key(key);
    item->set_value(value);
  }
}

Error from_stored(const stored::StoredError& in) {
  Error error(in.id(), static_cast<ErrorCategory>(in.category()), in.cause());
  for (const auto& item : in.context()) error.context.emplace_back(item.key(), item.value());
  return error;
}

}  // namespace

void to_stored(const Update& update, stored::StoredUpdate* out) {
  out->set_offset(update.offset.value);
  out->set_record_time(update.record_time.micros);
  out->set_synchronizer_id(update.synchronizer_id);
  out->set_traceparent(update.traceparent);
  if (const auto* transaction = update.transaction()) to_stored(*transaction, out->mutable_transaction());
  if (const auto* party = std::get_if<PartyUpdate>(&update.content)) {
    auto* stored_party = out->mutable_party();
    stored_party->set_update_id(party->update_id);
    stored_party->set_party(party->party);
    stored_party->set_participant(party->participant);
    stored_party->set_permission(party->permission);
  }
}

Result<Update> from_stored(const stored::StoredUpdate& in) {
  Update update;
  update.offset = Offset(in.offset());
  update.record_time = Timestamp{in.record_time()};
  update.synchronizer_id = in.synchronizer_id();
  update.traceparent = in.traceparent();
  switch (in.content_case()) {
    case stored::StoredUpdate::kTransaction: {
      SYNOD_TRY(auto transaction, transaction_update(in.transaction()));
      update.content = std::move(transaction);
      break;
    }
    case stored::StoredUpdate::kParty:
      update.content =
          PartyUpdate{in.party().update_id(), in.party().party(), in.party().participant(), in.party().permission()};
      break;
    default:
      update.content = RejectedUpdate{};
  }
  return update;
}

void to_stored(const Completion& completion, stored::StoredCompletion* out) {
  out->set_offset(completion.offset.value);
  out->set_command_id(completion.command_id);
  out->set_submission_id(completion.submission_id);
  out->set_user_id(completion.user_id);
  set_strings(completion.act_as, out->mutable_act_as());
  if (completion.rejection) to_stored(*completion.rejection, out->mutable_rejection());
  out->set_update_id(completion.update_id);
  to_stored(completion.deduplication, out->mutable_deduplication());
  out->set_record_time(completion.record_time.micros);
  out->set_traceparent(completion.traceparent);
}

Completion from_stored(const stored::StoredCompletion& in) {
  Completion completion;
  completion.offset = Offset(in.offset());
  completion.command_id = in.command_id();
  completion.submission_id = in.submission_id();
  completion.user_id = in.user_id();
  completion.act_as = party_set(in.act_as());
  if (in.has_rejection()) completion.rejection = from_stored(in.rejection());
  completion.update_id = in.update_id();
  completion.deduplication = from_stored(in.deduplication());
  completion.record_time = Timestamp{in.record_time()};
  completion.traceparent = in.traceparent();
  return completion;
}

Bytes encode(const Update& update) {
  stored::StoredUpdate out;
  to_stored(update, &out);
  return out.SerializeAsString();
}

Result<Update> decode_update(ByteView bytes) {
  stored::StoredUpdate in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(storage::storage_corrupt("a stored update does not decode"));
  return from_stored(in);
}

Bytes encode(const Completion& completion) {
  stored::StoredCompletion out;
  to_stored(completion, &out);
  return out.SerializeAsString();
}

Result<Completion> decode_completion(ByteView bytes) {
  stored::StoredCompletion in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(storage::storage_corrupt("a stored completion does not decode"));
  return from_stored(in);
}

}  // namespace synod::participant
