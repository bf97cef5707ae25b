#include "sequencer/aggregation.h"

#include <algorithm>

#include "canton/crypto_v30.pb.h"
#include "protocol/versioned.h"
#include "sequencer/deliver_error.h"
#include "sequencer/event_store.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {
namespace {

namespace crypto_v30 = ::com::digitalasset::canton::crypto::v30;
using Rule = protocol::AggregationRule;
using Contributions = std::map<protocol::Member, Contribution>;

Bytes key_of(const crypto::Hash& id) { return Bytes(Aggregations::kPrefix).append(id.view()); }

bool is_in(const std::vector<protocol::Member>& members, const protocol::Member& member) {
  return std::find(members.begin(), members.end(), member) != members.end();
}

// Contributions that still count at this time: of eligible senders, with at least one signature by a registered key on
// every envelope. A member may have left the group or changed its keys since it contributed.
Contributions still_valid(const Contributions& contributions, const std::vector<protocol::Member>& eligible,
                          const topology::Snapshot& snapshot) {
  Contributions valid;
  for (const auto& [member, contribution] : contributions) {
    if (!is_in(eligible, member)) continue;
    const auto keys = snapshot.signing_keys(member, crypto::KeyUsage::protocol);
    Contribution kept{contribution.timestamp, {}};
    bool complete = true;
    for (const auto& signatures : contribution.signatures) {
      auto& list = kept.signatures.emplace_back();
      for (const auto& signature : signatures) {
        const bool registered = std::any_of(keys.begin(), keys.end(),
                                            [&](const auto& k) { return k.fingerprint() == signature.signed_by; });
        if (registered) list.push_back(signature);
      }
      complete = complete && !list.empty();
    }
    if (complete) valid.emplace(member, std::move(kept));
  }
  return valid;
}

// The contributions to deliver if the rule is satisfied.
std::optional<Contributions> satisfied(const Rule& rule, const Contributions& contributions,
                                       const topology::Snapshot& snapshot) {
  const auto group = [&](std::size_t threshold,
                         const std::vector<protocol::Member>& eligible) -> std::optional<Contributions> {
    if (contributions.size() < threshold) return std::nullopt;
    auto valid = still_valid(contributions, eligible, snapshot);
    if (valid.size() < threshold) return std::nullopt;
    return valid;
  };
  switch (rule.kind) {
    case Rule::Kind::sender_dedup:
      return contributions;
    case Rule::Kind::members:
      if (contributions.size() < static_cast<std::size_t>(rule.threshold)) return std::nullopt;
      return contributions;
    case Rule::Kind::mediator_group: {
      const auto mediators = snapshot.mediator_group(static_cast<std::uint32_t>(rule.group));
      if (!mediators) return std::nullopt;
      return group(mediators->threshold, mediators->active);
    }
    case Rule::Kind::sequencer_group: {
      const auto sequencers = snapshot.sequencer_group();
      if (sequencers.active.empty()) return std::nullopt;
      return group(sequencers.threshold, sequencers.active);
    }
  }
  return std::nullopt;
}

Error rule_error(std::string text) {
  return Error("SEQUENCER_SUBMISSION_REQUEST_MALFORMED", ErrorCategory::malicious_or_faulty, std::move(text));
}

}  // namespace

Bytes Aggregation::serialize() const {
  v1::StoredAggregation proto;
  proto.set_max_sequencing_time(max_sequencing_time.micros);
  if (delivered_at) proto.set_delivered_at(delivered_at->micros);
  for (const auto& [member, contribution] : contributions) {
    auto* out = proto.add_contributions();
    out->set_sender(member.to_string());
    out->set_timestamp(contribution.timestamp.micros);
    for (const auto& signatures : contribution.signatures) {
      auto* envelope = out->add_envelopes();
      for (const auto& signature : signatures) {
        crypto_v30::Signature encoded;
        signature.to_proto(encoded);
        envelope->add_signature(protocol::serialize_proto(encoded));
      }
    }
  }
  return protocol::serialize_proto(proto);
}

Result<Aggregation> Aggregation::parse(ByteView bytes) {
  v1::StoredAggregation proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "StoredAggregation"));
  Aggregation aggregation;
  aggregation.max_sequencing_time = Timestamp{proto.max_sequencing_time()};
  if (proto.has_delivered_at()) aggregation.delivered_at = Timestamp{proto.delivered_at()};
  for (const auto& in : proto.contributions()) {
    SYNOD_TRY(auto sender, protocol::Member::parse(in.sender()));
    Contribution contribution{Timestamp{in.timestamp()}, {}};
    for (const auto& envelope : in.envelopes()) {
      auto& list = contribution.signatures.emplace_back();
      for (const auto& encoded : envelope.signature()) {
        crypto_v30::Signature signature;
        SYNOD_RETURN_IF_ERROR(protocol::parse_proto(encoded, signature, "Signature"));
        SYNOD_TRY(auto parsed, crypto::Signature::from_proto(signature));
        list.push_back(std::move(parsed));
      }
    }
    aggregation.contributions.emplace(std::move(sender), std::move(contribution));
  }
  return aggregation;
}

Status Aggregations::load(const storage::Store& store) {
  Status status;
  const auto scanned = store.scan(kStateColumn, storage::KeyRange::prefix(kPrefix), storage::Direction::forward,
                                  [&](ByteView key, ByteView value) {
                                    auto id = crypto::Hash::parse(key.substr(kPrefix.size()));
                                    auto aggregation = Aggregation::parse(value);
                                    if (!id || !aggregation) {
                                      status = fail(storage::storage_corrupt("an aggregation does not decode"));
                                      return false;
                                    }
                                    expiry_.emplace(aggregation->max_sequencing_time, *id);
                                    by_id_.emplace(*id, std::move(*aggregation));
                                    return true;
                                  });
  SYNOD_RETURN_IF_ERROR(scanned);
  return status;
}

Result<std::optional<Aggregations::Signatures>> Aggregations::add(const crypto::Hash& id,
                                                                  const protocol::SubmissionRequest& request,
                                                                  const Signatures& signatures, Timestamp timestamp,
                                                                  const topology::Snapshot& snapshot,
                                                                  storage::WriteBatch& writes) {
  const auto known = by_id_.find(id);
  Aggregation aggregation;
  if (known != by_id_.end()) {
    if (known->second.delivered_at) return fail(aggregate_already_sent(id.hex(), *known->second.delivered_at));
    const auto earlier = known->second.contributions.find(request.sender);
    if (earlier != known->second.contributions.end()) {
      return fail(aggregate_stuffing(request.sender, id.hex(), earlier->second.timestamp));
    }
    aggregation = known->second;
  } else {
    aggregation.max_sequencing_time = request.max_sequencing_time;
    expiry_.emplace(request.max_sequencing_time, id);
  }
  aggregation.contributions[request.sender] = Contribution{timestamp, signatures};

  std::optional<Signatures> delivery;
  if (const auto complete = satisfied(*request.aggregation_rule, aggregation.contributions, snapshot)) {
    delivery.emplace(signatures.size());
    for (const auto& [member, contribution] : *complete) {
      for (std::size_t i = 0; i < std::min(delivery->size(), contribution.signatures.size()); ++i) {
        auto& list = (*delivery)[i];
        list.insert(list.end(), contribution.signatures[i].begin(), contribution.signatures[i].end());
      }
    }
    aggregation.delivered_at = timestamp;
    aggregation.contributions.clear();
  }
  writes.put(kStateColumn, key_of(id), aggregation.serialize());
  by_id_[id] = std::move(aggregation);
  return delivery;
}

void Aggregations::expire(Timestamp now, storage::WriteBatch& writes) {
  while (!expiry_.empty() && expiry_.begin()->first <= now) {
    const crypto::Hash id = expiry_.begin()->second;
    expiry_.erase(expiry_.begin());
    by_id_.erase(id);
    writes.erase(kStateColumn, key_of(id));
  }
}

Status check_rule(const Rule& rule, const protocol::Member& sender, const topology::Snapshot& snapshot) {
  switch (rule.kind) {
    case Rule::Kind::sender_dedup:
      return {};
    case Rule::Kind::members: {
      const std::set<protocol::Member> distinct(rule.members.begin(), rule.members.end());
      if (rule.threshold < 1 || distinct.size() < static_cast<std::size_t>(rule.threshold)) {
        return fail(rule_error("Threshold " + std::to_string(rule.threshold) + " cannot be reached"));
      }
      if (distinct.count(sender) > 0) return {};
      return fail(rule_error("Sender [" + sender.to_string() + "] is not eligible according to the aggregation rule"));
    }
    case Rule::Kind::mediator_group: {
      const std::string index = std::to_string(rule.group);
      const auto group = snapshot.mediator_group(static_cast<std::uint32_t>(rule.group));
      if (!group) {
        return fail(rule_error("Invalid aggregation rule with mediator index " + index +
                               " as there is no such mediator group"));
      }
      if (group->is_active(sender)) return {};
      return fail(
          rule_error("Sender [" + sender.to_string() + "] is not part of the mediator group with index " + index));
    }
    case Rule::Kind::sequencer_group: {
      const auto group = snapshot.sequencer_group();
      if (group.active.empty()) {
        return fail(rule_error("Invalid sequencer aggregation rule as there is no sequencer group"));
      }
      if (is_in(group.active, sender)) return {};
      return fail(rule_error("Sender [" + sender.to_string() + "] is not part of the sequencer group"));
    }
  }
  return {};
}

}  // namespace synod::sequencer
