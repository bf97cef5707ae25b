#include "protocol/transaction_view.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "canton/transaction_v31.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {

namespace v30 = ::com::digitalasset::canton::protocol::v30;
namespace v31 = ::com::digitalasset::canton::protocol::v31;
namespace crypto_v30 = ::com::digitalasset::canton::crypto::v30;

namespace {

constexpr std::size_t kSaltSize = 32;

Result<Salt> salt_from(const crypto_v30::Salt& proto, std::string_view what) {
  if (proto.algorithm_case() != crypto_v30::Salt::kHmac || proto.hmac() != crypto_v30::HMAC_ALGORITHM_HMAC_SHA256)
    return fail(malformed(what, "the salt has no known algorithm"));
  if (proto.salt().size() != kSaltSize) return fail(malformed(what, "the salt has not 32 bytes"));
  return proto.salt();
}

void salt_to(const Salt& salt, crypto_v30::Salt& out) {
  out.set_hmac(crypto_v30::HMAC_ALGORITHM_HMAC_SHA256);
  out.set_salt(salt);
}

Result<std::vector<Party>> parties_from(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<Party> out;
  out.reserve(static_cast<std::size_t>(names.size()));
  for (const std::string& name : names) {
    SYNOD_TRY(Party party, parse_party(name));
    out.push_back(std::move(party));
  }
  return out;
}

Result<DeduplicationPeriod> period_from(const v30::DeduplicationPeriod& proto) {
  switch (proto.period_case()) {
    case v30::DeduplicationPeriod::kDuration: {
      const auto& duration = proto.duration();
      if (duration.seconds() < 0 || duration.seconds() > 315'576'000'000 || duration.nanos() < 0 ||
          duration.nanos() > 999'999'999)
        return fail(malformed("submitter metadata", "the deduplication period is out of range"));
      return DeduplicationPeriod(Duration{duration.seconds() * 1'000'000 + duration.nanos() / 1000});
    }
    case v30::DeduplicationPeriod::kOffset:
      return DeduplicationPeriod(proto.offset());
    default:
      return fail(malformed("submitter metadata", "no deduplication period"));
  }
}

void period_to(const DeduplicationPeriod& period, v30::DeduplicationPeriod& out) {
  if (const Duration* duration = std::get_if<Duration>(&period)) {
    auto& to = *out.mutable_duration();
    to.set_seconds(duration->micros / 1'000'000);
    to.set_nanos(static_cast<std::int32_t>(duration->micros % 1'000'000 * 1000));
  } else {
    out.set_offset(std::get<std::int64_t>(period));
  }
}

Result<ActionDescription> action_from(const v31::ActionDescription& proto) {
  switch (proto.description_case()) {
    case v31::ActionDescription::kCreate:
      return ActionDescription(CreateAction{proto.create().contract_id(), proto.create().node_seed()});
    case v31::ActionDescription::kExercise: {
      const auto& from = proto.exercise();
      ExerciseAction out;
      out.input_contract_id = from.input_contract_id();
      out.choice = from.choice();
      out.chosen_value = from.chosen_value();
      SYNOD_TRY(out.actors, parties_from(from.actors()));
      out.by_key = from.by_key();
      out.node_seed = from.node_seed();
      out.failed = from.failed();
      if (from.has_interface_id()) out.interface_id = from.interface_id();
      out.template_id = from.template_id();
      out.package_preference.assign(from.package_preference().begin(), from.package_preference().end());
      return ActionDescription(std::move(out));
    }
    case v31::ActionDescription::kFetch: {
      const auto& from = proto.fetch();
      FetchAction out;
      out.input_contract_id = from.input_contract_id();
      SYNOD_TRY(out.actors, parties_from(from.actors()));
      out.by_key = from.by_key();
      out.template_id = from.template_id();
      if (from.has_interface_id()) out.interface_id = from.interface_id();
      return ActionDescription(std::move(out));
    }
    default:
      return fail(malformed("view participant data", "no action description"));
  }
}

struct ActionWriter {
  v31::ActionDescription& out;
  void operator()(const CreateAction& action) const {
    out.mutable_create()->set_contract_id(action.contract_id);
    out.mutable_create()->set_node_seed(action.node_seed);
  }
  void operator()(const ExerciseAction& action) const {
    auto& to = *out.mutable_exercise();
    to.set_input_contract_id(action.input_contract_id);
    to.set_choice(action.choice);
    to.set_chosen_value(action.chosen_value);
    for (const Party& actor : action.actors) to.add_actors(actor);
    to.set_by_key(action.by_key);
    to.set_node_seed(action.node_seed);
    to.set_failed(action.failed);
    if (action.interface_id) to.set_interface_id(*action.interface_id);
    to.set_template_id(action.template_id);
    for (const std::string& package : action.package_preference) to.add_package_preference(package);
  }
  void operator()(const FetchAction& action) const {
    auto& to = *out.mutable_fetch();
    to.set_input_contract_id(action.input_contract_id);
    for (const Party& actor : action.actors) to.add_actors(actor);
    to.set_by_key(action.by_key);
    to.set_template_id(action.template_id);
    if (action.interface_id) to.set_interface_id(*action.interface_id);
  }
};

}  // namespace

Result<SubmitterMetadata> SubmitterMetadata::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 31, "submitter metadata"));
  v31::SubmitterMetadata proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "submitter metadata"));
  SubmitterMetadata out;
  SYNOD_TRY(out.salt, salt_from(proto.salt(), "submitter metadata"));
  SYNOD_TRY(out.act_as, parties_from(proto.act_as()));
  if (out.act_as.empty()) return fail(malformed("submitter metadata", "act_as is empty"));
  out.user_id = proto.user_id();
  out.command_id = proto.command_id();
  SYNOD_TRY(out.submitting_participant, UniqueId::parse(proto.submitting_participant_uid()));
  out.submission_id = proto.submission_id();
  SYNOD_TRY(out.deduplication_period, period_from(proto.dedup_period()));
  SYNOD_TRY(out.max_sequencing_time, timestamp_from(proto.max_sequencing_time(), "submitter metadata"));
  if (proto.has_external_authorization()) out.external_authorization = serialize_proto(proto.external_authorization());
  return out;
}

Bytes SubmitterMetadata::serialize() const {
  v31::SubmitterMetadata proto;
  salt_to(salt, *proto.mutable_salt());
  for (const Party& party : act_as) proto.add_act_as(party);
  proto.set_user_id(user_id);
  proto.set_command_id(command_id);
  proto.set_submitting_participant_uid(submitting_participant.to_string());
  proto.set_submission_id(submission_id);
  period_to(deduplication_period, *proto.mutable_dedup_period());
  proto.set_max_sequencing_time(max_sequencing_time.micros);
  if (external_authorization)
    SYNOD_CHECK(proto.mutable_external_authorization()->ParseFromString(*external_authorization));
  return wrap(31, proto);
}

Result<CommonMetadata> CommonMetadata::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "common metadata"));
  v30::CommonMetadata proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "common metadata"));
  CommonMetadata out;
  SYNOD_TRY(out.salt, salt_from(proto.salt(), "common metadata"));
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  out.uuid = proto.uuid();
  if (out.uuid.size() != 36) return fail(malformed("common metadata", "the uuid has not 36 characters"));
  out.mediator_group = proto.mediator_group();
  if (out.mediator_group < 0) return fail(malformed("common metadata", "the mediator group is negative"));
  return out;
}

Bytes CommonMetadata::serialize() const {
  v30::CommonMetadata proto;
  salt_to(salt, *proto.mutable_salt());
  proto.set_physical_synchronizer_id(synchronizer.to_string());
  proto.set_uuid(uuid);
  proto.set_mediator_group(mediator_group);
  return wrap(30, proto);
}

Result<ParticipantMetadata> ParticipantMetadata::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "participant metadata"));
  v30::ParticipantMetadata proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "participant metadata"));
  ParticipantMetadata out;
  SYNOD_TRY(out.salt, salt_from(proto.salt(), "participant metadata"));
  SYNOD_TRY(out.ledger_time, timestamp_from(proto.ledger_time(), "participant metadata"));
  SYNOD_TRY(out.preparation_time, timestamp_from(proto.preparation_time(), "participant metadata"));
  out.workflow_id = proto.workflow_id();
  return out;
}

Bytes ParticipantMetadata::serialize() const {
  v30::ParticipantMetadata proto;
  salt_to(salt, *proto.mutable_salt());
  proto.set_ledger_time(ledger_time.micros);
  proto.set_preparation_time(preparation_time.micros);
  proto.set_workflow_id(workflow_id);
  return wrap(30, proto);
}

Result<ViewCommonData> ViewCommonData::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "view common data"));
  v30::ViewCommonData proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "view common data"));
  ViewCommonData out;
  SYNOD_TRY(out.salt, salt_from(proto.salt(), "view common data"));
  SYNOD_TRY(out.informees, parties_from(proto.informees()));
  for (const v30::Quorum& from : proto.quorums()) {
    Quorum quorum;
    quorum.threshold = from.threshold();
    if (quorum.threshold < 0) return fail(malformed("view common data", "a quorum's threshold is negative"));
    std::set<int> seen;
    for (const v30::PartyIndexAndWeight& confirmer : from.party_index_and_weight()) {
      if (confirmer.index() < 0 || static_cast<std::size_t>(confirmer.index()) >= out.informees.size())
        return fail(malformed("view common data", "a quorum names informee " + std::to_string(confirmer.index()) +
                                                      " of " + std::to_string(out.informees.size())));
      if (confirmer.weight() < 1) return fail(malformed("view common data", "a confirmer's weight is not positive"));
      if (!seen.insert(confirmer.index()).second)
        return fail(malformed("view common data", "a quorum names an informee twice"));
      quorum.confirmers.push_back({out.informees[static_cast<std::size_t>(confirmer.index())], confirmer.weight()});
    }
    out.quorums.push_back(std::move(quorum));
  }
  return out;
}

Bytes ViewCommonData::serialize() const {
  v30::ViewCommonData proto;
  salt_to(salt, *proto.mutable_salt());
  std::map<Party, int> index;
  for (const Party& informee : informees) {
    index.emplace(informee, proto.informees_size());
    proto.add_informees(informee);
  }
  for (const Quorum& quorum : quorums) {
    v30::Quorum& to = *proto.add_quorums();
    for (const Quorum::Confirmer& confirmer : quorum.confirmers) {
      const auto it = index.find(confirmer.party);
      SYNOD_CHECK(it != index.end());
      v30::PartyIndexAndWeight& entry = *to.add_party_index_and_weight();
      entry.set_index(it->second);
      entry.set_weight(confirmer.weight);
    }
    to.set_threshold(quorum.threshold);
  }
  return wrap(30, proto);
}

Result<ViewParticipantData> ViewParticipantData::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 31, "view participant data"));
  v31::ViewParticipantData proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "view participant data"));
  ViewParticipantData out;
  SYNOD_TRY(out.salt, salt_from(proto.salt(), "view participant data"));
  for (const v30::InputContract& from : proto.core_inputs())
    out.core_inputs.push_back({from.contract(), from.consumed()});
  for (const v30::CreatedContract& from : proto.created_core())
    out.created_core.push_back({from.contract(), from.consumed_in_core(), from.rolled_back()});
  out.created_in_subview_archived_in_core.assign(proto.created_in_subview_archived_in_core().begin(),
                                                 proto.created_in_subview_archived_in_core().end());
  for (const auto& from : proto.resolved_keys()) {
    ResolvedKey key{from.key().template_id(), from.key().key(), from.key().package_name(), from.key().hash(), {}, {}};
    SYNOD_TRY(key.maintainers, parties_from(from.maintainers()));
    key.contract_ids.assign(from.contract_ids().begin(), from.contract_ids().end());
    out.resolved_keys.push_back(std::move(key));
  }
  SYNOD_TRY(out.action, action_from(proto.action_description()));
  if (proto.has_rollback_context()) {
    out.rollback_context.scope.assign(proto.rollback_context().rollback_scope().begin(),
                                      proto.rollback_context().rollback_scope().end());
    out.rollback_context.next_child = proto.rollback_context().next_child();
  }
  return out;
}

Bytes ViewParticipantData::serialize() const {
  v31::ViewParticipantData proto;
  salt_to(salt, *proto.mutable_salt());
  for (const InputContract& input : core_inputs) {
    v30::InputContract& to = *proto.add_core_inputs();
    to.set_contract(input.contract);
    to.set_consumed(input.consumed);
  }
  for (const CreatedContract& created : created_core) {
    v30::CreatedContract& to = *proto.add_created_core();
    to.set_contract(created.contract);
    to.set_consumed_in_core(created.consumed_in_core);
    to.set_rolled_back(created.rolled_back);
  }
  for (const std::string& id : created_in_subview_archived_in_core) proto.add_created_in_subview_archived_in_core(id);
  for (const ResolvedKey& key : resolved_keys) {
    auto& to = *proto.add_resolved_keys();
    to.mutable_key()->set_template_id(key.template_id);
    to.mutable_key()->set_key(key.key);
    to.mutable_key()->set_package_name(key.package_name);
    to.mutable_key()->set_hash(key.hash);
    for (const Party& maintainer : key.maintainers) to.add_maintainers(maintainer);
    for (const std::string& id : key.contract_ids) to.add_contract_ids(id);
  }
  std::visit(ActionWriter{*proto.mutable_action_description()}, action);
  if (rollback_context != RollbackContext{}) {  // the context outside of any rollback is left out
    auto& rollback = *proto.mutable_rollback_context();
    for (std::int32_t step : rollback_context.scope) rollback.add_rollback_scope(step);
    rollback.set_next_child(rollback_context.next_child);
  }
  return wrap(31, proto);
}

}  // namespace synod::protocol
