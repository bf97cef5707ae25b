#include <algorithm>
#include <map>

#include "lf/ledger/value_codec.h"
#include "participant/submission/view_builder.h"

namespace synod::participant {
namespace {

Status differ(const std::string& what) {
  return fail(failed_precondition("VIEW_RECONSTRUCTION_ERROR",
                                  "The view rebuilt from its action differs from the received one in its " + what));
}

template <typename T>
std::vector<T> sorted(std::vector<T> items) {
  std::sort(items.begin(), items.end());
  return items;
}

struct SortedQuorum {
  std::map<protocol::Party, int> weights;
  int threshold;
  bool operator==(const SortedQuorum&) const = default;
};

std::vector<SortedQuorum> quorums_of(const protocol::ViewCommonData& data) {
  std::vector<SortedQuorum> out;
  for (const auto& quorum : data.quorums) {
    SortedQuorum item{{}, quorum.threshold};
    for (const auto& confirmer : quorum.confirmers) item.weights[confirmer.party] = confirmer.weight;
    out.push_back(std::move(item));
  }
  return out;
}

// A contract's bytes as Synod writes them, whoever wrote them first.
Result<Bytes> canonical(const Bytes& contract) {
  SYNOD_TRY(const auto decoded, lf::decode_contract(contract));
  return lf::encode_contract(decoded);
}

Result<std::map<Bytes, bool>> inputs_of(const protocol::ViewParticipantData& data) {
  std::map<Bytes, bool> out;
  for (const auto& input : data.core_inputs) {
    SYNOD_TRY(auto bytes, canonical(input.contract));
    out.emplace(std::move(bytes), input.consumed);
  }
  return out;
}

Result<std::vector<protocol::CreatedContract>> created_of(const protocol::ViewParticipantData& data) {
  auto out = data.created_core;
  for (auto& created : out) {
    SYNOD_TRY(created.contract, canonical(created.contract));
  }
  return out;
}

// By hash, as keys are told apart: version, maintainers, contracts in their order.
struct NormalKey {
  Bytes version;
  std::vector<protocol::Party> maintainers;
  std::vector<std::string> contract_ids;
  bool operator==(const NormalKey&) const = default;
};

Result<std::map<Bytes, NormalKey>> keys_of(const protocol::ViewParticipantData& data) {
  std::map<Bytes, NormalKey> out;
  for (const auto& key : data.resolved_keys) {
    SYNOD_TRY(const auto version, lf::version_of_value(key.key));
    out[key.hash] = {version, sorted(key.maintainers), key.contract_ids};
  }
  return out;
}

protocol::ActionDescription normal(protocol::ActionDescription action) {
  if (auto* exercise = std::get_if<protocol::ExerciseAction>(&action)) {
    exercise->actors = sorted(std::move(exercise->actors));
    exercise->package_preference = sorted(std::move(exercise->package_preference));
    if (auto value = lf::decode_versioned_value(exercise->chosen_value))
      exercise->chosen_value = lf::encode_versioned_value(*value);
  }
  if (auto* fetch = std::get_if<protocol::FetchAction>(&action)) fetch->actors = sorted(std::move(fetch->actors));
  return action;
}

Status same_data(const protocol::ViewParticipantData& received, const protocol::ViewParticipantData& rebuilt) {
  SYNOD_TRY(const auto received_inputs, inputs_of(received));
  SYNOD_TRY(const auto rebuilt_inputs, inputs_of(rebuilt));
  if (received_inputs != rebuilt_inputs) return differ("input contracts");
  SYNOD_TRY(const auto received_created, created_of(received));
  SYNOD_TRY(const auto rebuilt_created, created_of(rebuilt));
  if (received_created != rebuilt_created) return differ("created contracts");
  if (sorted(received.created_in_subview_archived_in_core) != sorted(rebuilt.created_in_subview_archived_in_core)) {
    return differ("contracts created below and archived here");
  }
  SYNOD_TRY(const auto received_keys, keys_of(received));
  SYNOD_TRY(const auto rebuilt_keys, keys_of(rebuilt));
  if (received_keys != rebuilt_keys) return differ("resolved keys");
  if (normal(received.action) != normal(rebuilt.action)) return differ("action");
  if (received.rollback_context != rebuilt.rollback_context) return differ("rollback context");
  return {};
}

}  // namespace

Status same_view(const protocol::TransactionView& received, const protocol::TransactionView& rebuilt) {
  if (received.hash() == rebuilt.hash()) return {};
  if (received.common().hash() != rebuilt.common().hash()) {
    const auto& a = received.common().value();
    const auto& b = rebuilt.common().value();
    if (sorted(a.informees) != sorted(b.informees)) return differ("informees");
    if (quorums_of(a) != quorums_of(b)) return differ("quorums");
  }
  if (received.participant().hash() != rebuilt.participant().hash()) {
    SYNOD_RETURN_IF_ERROR(same_data(received.participant().value(), rebuilt.participant().value()));
  }
  std::vector<protocol::TransactionView> received_below, rebuilt_below;
  received.subviews().for_each(
      [&](const protocol::TransactionView& view, const protocol::SequenceIndex&) { received_below.push_back(view); });
  rebuilt.subviews().for_each(
      [&](const protocol::TransactionView& view, const protocol::SequenceIndex&) { rebuilt_below.push_back(view); });
  if (received_below.size() != rebuilt_below.size()) return differ("number of sub-views");
  for (std::size_t i = 0; i < received_below.size(); ++i) {
    SYNOD_RETURN_IF_ERROR(same_view(received_below[i], rebuilt_below[i]));
  }
  return {};
}

}  // namespace synod::participant
