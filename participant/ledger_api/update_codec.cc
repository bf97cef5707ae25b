#include "participant/ledger_api/update_codec.h"

#include "google/rpc/status.pb.h"
#include "ledger/completion.pb.h"
#include "ledger/events.pb.h"
#include "ledger/filters.pb.h"
#include "ledger/update_service.pb.h"
#include "lf/ledger/value_codec.h"
#include "participant/ledger_api/request_checks.h"
#include "rpc/error_status.h"

namespace synod::participant {
namespace {

template <typename Repeated>
void add_all(const lf::PartySet& parties, Repeated* out) {
  for (const lf::Party& party : parties) out->Add(std::string(party));
}

void set_trace(const std::string& traceparent, api::TraceContext* out) {
  if (!traceparent.empty()) out->set_traceparent(traceparent);
}

// "00-<trace id>-<span>-<flags>": the trace id names the request in errors, as it did when it was submitted.
rpc::RequestIds ids_of(const std::string& traceparent) {
  const std::string trace_id = traceparent.size() >= 35 ? traceparent.substr(3, 32) : "";
  return {trace_id, trace_id};
}

}  // namespace

void set_time(Timestamp time, google::protobuf::Timestamp* out) {
  std::int64_t seconds = time.micros / 1'000'000, rest = time.micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<std::int32_t>(rest * 1000));
}

std::string logical_synchronizer_id(const ParticipantNode& node) {
  const std::string id = node.status().synchronizer_id;
  const std::size_t end = id.rfind("::");
  return end == std::string::npos ? id : id.substr(0, end);
}

Status check_synchronizer(const ParticipantNode& node, const std::string& id) {
  const std::string connected = logical_synchronizer_id(node);
  if (id.empty() || id == connected) return {};
  return fail(
      not_found("SYNCHRONIZER_NOT_FOUND", "This participant is connected to '" + connected + "', not to '" + id + "'"));
}

Result<TransactionView> parse_transaction_format(const api::TransactionFormat& format,
                                                 const lf::PackageStore& packages) {
  if (!format.has_event_format()) return fail(missing_field("event_format"));
  Shape shape;
  switch (format.transaction_shape()) {
    case api::TRANSACTION_SHAPE_ACS_DELTA:
      shape = Shape::acs_delta;
      break;
    case api::TRANSACTION_SHAPE_LEDGER_EFFECTS:
      shape = Shape::ledger_effects;
      break;
    case api::TRANSACTION_SHAPE_UNSPECIFIED:
      return fail(missing_field("transaction_shape"));
    default:
      return fail(invalid_request("transaction_shape is defined with invalid value " +
                                  std::to_string(format.transaction_shape())));
  }
  SYNOD_TRY(EventFilter filter, EventFilter::parse(format.event_format(), packages));
  return TransactionView{std::move(filter), shape};
}

Result<UpdateView> parse_update_format(const api::UpdateFormat& format, const lf::PackageStore& packages) {
  UpdateView view;
  if (format.has_include_transactions()) {
    SYNOD_TRY(view.transactions, parse_transaction_format(format.include_transactions(), packages));
  }
  // Reassignments do not occur with one synchronizer: the filter is checked and matches nothing.
  if (format.has_include_reassignments()) {
    SYNOD_TRY(const EventFilter ignored, EventFilter::parse(format.include_reassignments(), packages));
    (void)ignored;
  }
  if (format.has_include_topology_events() &&
      format.include_topology_events().has_include_participant_authorization_events()) {
    SYNOD_TRY(
        view.topology_parties,
        party_ids(format.include_topology_events().include_participant_authorization_events().parties(), "parties"));
  }
  return view;
}

Result<bool> UpdateCodec::transaction(const Update& update, const TransactionView& view, api::Transaction* out) const {
  const TransactionUpdate* transaction = update.transaction();
  if (!transaction) return false;
  const lf::PackageStore& packages = *context_.node.package_store();
  const bool delta = view.shape == Shape::acs_delta;
  for (const Event& event : transaction->events) {
    if (const auto* create = std::get_if<CreatedEvent>(&event)) {
      if (delta && !create->acs_delta) continue;
      const Visibility visibility =
          view.filter.visibility(create->contract.template_id, create->contract.package_name,
                                 delta ? create->contract.stakeholders : create->witnesses, packages);
      if (!visibility.shown()) continue;
      SYNOD_RETURN_IF_ERROR(created(create->contract, update.offset, create->node_id, create->acs_delta, visibility,
                                    view.filter.verbose(), out->add_events()->mutable_created()));
      continue;
    }
    const auto& exercise = std::get<ExercisedEvent>(event);
    if (delta && !(exercise.consuming && exercise.acs_delta)) continue;
    const Visibility visibility = view.filter.visibility(exercise.template_id, exercise.package_name,
                                                         delta ? exercise.stakeholders : exercise.witnesses, packages);
    if (!visibility.shown()) continue;
    if (delta)
      archived(exercise, update.offset, visibility.witnesses, out->add_events()->mutable_archived());
    else
      SYNOD_RETURN_IF_ERROR(exercised(exercise, update.offset, visibility.witnesses, view.filter.verbose(),
                                      out->add_events()->mutable_exercised()));
  }
  out->set_update_id(transaction->update_id);
  if (view.filter.concerns(transaction->act_as)) out->set_command_id(transaction->command_id);
  out->set_workflow_id(transaction->workflow_id);
  set_time(transaction->effective_at, out->mutable_effective_at());
  out->set_offset(update.offset.value);
  out->set_synchronizer_id(update.synchronizer_id);
  set_trace(update.traceparent, out->mutable_trace_context());
  set_time(update.record_time, out->mutable_record_time());
  out->set_paid_traffic_cost(0);  // traffic control is off
  return out->events_size() > 0;
}

bool UpdateCodec::topology(const Update& update, const lf::PartySet& parties, api::TopologyTransaction* out) const {
  const auto* change = std::get_if<PartyUpdate>(&update.content);
  if (!change || (!parties.empty() && !parties.contains(change->party))) return false;
  out->set_update_id(change->update_id);
  out->set_offset(update.offset.value);
  out->set_synchronizer_id(update.synchronizer_id);
  set_time(update.record_time, out->mutable_record_time());
  set_trace(update.traceparent, out->mutable_trace_context());
  api::TopologyEvent& event = *out->add_events();
  if (change->permission < 0) {
    event.mutable_participant_authorization_revoked()->set_party_id(change->party);
    event.mutable_participant_authorization_revoked()->set_participant_id(change->participant);
    return true;
  }
  constexpr api::ParticipantPermission kPermissions[] = {api::PARTICIPANT_PERMISSION_OBSERVATION,
                                                         api::PARTICIPANT_PERMISSION_CONFIRMATION,
                                                         api::PARTICIPANT_PERMISSION_SUBMISSION};
  auto& added = *event.mutable_participant_authorization_added();
  added.set_party_id(change->party);
  added.set_participant_id(change->participant);
  added.set_participant_permission(kPermissions[change->permission]);
  return true;
}

Status UpdateCodec::created(const lf::ContractInstance& contract, Offset offset, std::int32_t node_id, bool acs_delta,
                            const Visibility& visibility, bool verbose, api::CreatedEvent* out) const {
  out->set_offset(offset.value);
  out->set_node_id(node_id);
  out->set_contract_id(contract.contract_id.to_hex());
  lf::ApiCodec::identifier(contract.template_id, out->mutable_template_id());
  SYNOD_RETURN_IF_ERROR(context_.codec.template_argument(contract.template_id, contract.argument, verbose,
                                                         out->mutable_create_arguments()));
  if (contract.key) {
    SYNOD_RETURN_IF_ERROR(
        context_.codec.contract_key(contract.template_id, contract.key->key.key, verbose, out->mutable_contract_key()));
    out->set_contract_key_hash(contract.key->key.hash);
  }
  if (visibility.blob) out->set_created_event_blob(lf::encode_contract(contract));
  for (const lf::Identifier& interface : visibility.interface_views) {
    api::InterfaceView& view = *out->add_interface_views();
    lf::ApiCodec::identifier(interface, view.mutable_interface_id());
    view.set_implementation_package_id(contract.template_id.package);
    const Result<lf::Value> value = context_.node.engine()->interface_view(
        interface, contract.template_id, contract.argument, context_.node.interpretation_limits());
    if (value) {
      view.mutable_view_status();  // OK
      SYNOD_RETURN_IF_ERROR(context_.codec.interface_view(interface, *value, verbose, view.mutable_view_value()));
    } else {
      *view.mutable_view_status() = rpc::to_status_proto(value.error());
    }
  }
  add_all(visibility.witnesses, out->mutable_witness_parties());
  add_all(contract.signatories, out->mutable_signatories());
  for (const lf::Party& party : contract.stakeholders)
    if (!contract.signatories.contains(party)) out->add_observers(party);
  set_time(contract.created_at, out->mutable_created_at());
  out->set_package_name(contract.package_name);
  out->set_acs_delta(acs_delta);
  out->set_representative_package_id(contract.template_id.package);
  return {};
}

void UpdateCodec::archived(const ExercisedEvent& event, Offset offset, const lf::PartySet& witnesses,
                           api::ArchivedEvent* out) const {
  out->set_offset(offset.value);
  out->set_node_id(event.node_id);
  out->set_contract_id(event.contract_id.to_hex());
  lf::ApiCodec::identifier(event.template_id, out->mutable_template_id());
  add_all(witnesses, out->mutable_witness_parties());
  out->set_package_name(event.package_name);
  for (const lf::Identifier& interface : implemented_interfaces(event.template_id, *context_.node.package_store()))
    lf::ApiCodec::identifier(interface, out->add_implemented_interfaces());
}

Status UpdateCodec::exercised(const ExercisedEvent& event, Offset offset, const lf::PartySet& witnesses, bool verbose,
                              api::ExercisedEvent* out) const {
  out->set_offset(offset.value);
  out->set_node_id(event.node_id);
  out->set_contract_id(event.contract_id.to_hex());
  lf::ApiCodec::identifier(event.template_id, out->mutable_template_id());
  if (event.interface_id) lf::ApiCodec::identifier(*event.interface_id, out->mutable_interface_id());
  const lf::Identifier& owner = event.interface_id ? *event.interface_id : event.template_id;
  out->set_choice(event.choice);
  SYNOD_RETURN_IF_ERROR(
      context_.codec.choice_argument(owner, event.choice, event.argument, verbose, out->mutable_choice_argument()));
  add_all(event.acting_parties, out->mutable_acting_parties());
  out->set_consuming(event.consuming);
  add_all(witnesses, out->mutable_witness_parties());
  out->set_last_descendant_node_id(event.last_descendant_node_id);
  if (event.result)
    SYNOD_RETURN_IF_ERROR(
        context_.codec.choice_result(owner, event.choice, *event.result, verbose, out->mutable_exercise_result()));
  out->set_package_name(event.package_name);
  if (event.consuming)
    for (const lf::Identifier& interface : implemented_interfaces(event.template_id, *context_.node.package_store()))
      lf::ApiCodec::identifier(interface, out->add_implemented_interfaces());
  out->set_acs_delta(event.acs_delta);
  return {};
}

void UpdateCodec::completion(const Completion& completion, api::Completion* out) const {
  out->set_command_id(completion.command_id);
  if (completion.rejection)
    *out->mutable_status() = rpc::to_status_proto(*completion.rejection, ids_of(completion.traceparent));
  else
    out->mutable_status();
  out->set_update_id(completion.update_id);
  out->set_user_id(completion.user_id);
  add_all(completion.act_as, out->mutable_act_as());
  out->set_submission_id(completion.submission_id);
  if (const auto* duration = std::get_if<Duration>(&completion.deduplication)) {
    out->mutable_deduplication_duration()->set_seconds(duration->micros / 1'000'000);
    out->mutable_deduplication_duration()->set_nanos(static_cast<std::int32_t>(duration->micros % 1'000'000 * 1000));
  } else {
    const auto* offset = std::get_if<Offset>(&completion.deduplication);
    out->set_deduplication_offset(offset ? offset->value : 0);
  }
  set_trace(completion.traceparent, out->mutable_trace_context());
  out->set_offset(completion.offset.value);
  out->mutable_synchronizer_time()->set_synchronizer_id(logical_synchronizer_id(context_.node));
  set_time(completion.record_time, out->mutable_synchronizer_time()->mutable_record_time());
}

void UpdateCodec::checkpoint(Offset offset, Timestamp record_time, api::OffsetCheckpoint* out) const {
  out->set_offset(offset.value);
  api::SynchronizerTime& time = *out->add_synchronizer_times();
  time.set_synchronizer_id(logical_synchronizer_id(context_.node));
  set_time(record_time, time.mutable_record_time());
}

}  // namespace synod::participant
