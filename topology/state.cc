#include "topology/state.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "base/check.h"
#include "base/log.h"
#include "topology/authorization.h"
#include "topology/mapping_checks.h"
#include "topology/stored_codec.h"
#include "topology/view.h"

namespace synod::topology {
namespace {

constexpr std::size_t kMaxCachedGraphs = 2000;
constexpr std::size_t kAlwaysKeptViews = 16;

Bytes history_key(std::size_t id) {
  Bytes key = "h";
  append_u64(key, id);
  return key;
}

// One transaction against the head: merged with what it adds signatures to, checked, and marked proposal or decided.
Decision<SignedTransaction> decide(const WorkingState& state, const StaticParameters& parameters, Timestamp effective,
                                   const SignedTransaction& received, bool expect_full_authorization, bool relaxed) {
  const auto* in_force = state.in_force(received.transaction());
  auto merged = received;
  if (const auto* proposal = state.open_proposal(received.transaction()))
    merged = merged.with_signatures(proposal->signatures());
  const bool adds_signatures = in_force && in_force->hash() == received.hash();
  if (adds_signatures) merged = in_force->with_signatures(merged.signatures());

  if (auto ok = check_mapping(state, parameters, effective, merged, in_force, relaxed); !ok)
    return tl::unexpected(ok.error());
  if (!adds_signatures && in_force) {
    const auto current = in_force->transaction().serial();
    if (current == kMaxSerial) {
      return tl::unexpected(Rejection{"TOPOLOGY_MANAGER_ALARM", ErrorCategory::malicious_or_faulty,
                                      "Max serial has been reached for the transaction."});
    }
    if (merged.transaction().serial() != current + 1) {
      return tl::unexpected(Rejection{"TOPOLOGY_SERIAL_MISMATCH", ErrorCategory::invalid_state_other,
                                      fmt::format("The actual serial {} does not match the expected serial {}",
                                                  merged.transaction().serial(), current + 1)});
    }
  }
  auto authorized = authorize(state, parameters, merged, in_force, relaxed);
  if (!authorized) return tl::unexpected(authorized.error());
  const bool complete = authorized->missing.empty();
  const bool may_be_incomplete = merged.proposal() && received.proposal() && !expect_full_authorization;
  if (!complete && !may_be_incomplete) {
    return tl::unexpected(
        Rejection{"TOPOLOGY_UNAUTHORIZED_TRANSACTION", ErrorCategory::malicious_or_faulty, "Not fully authorized"});
  }
  return authorized->transaction.as_proposal(!complete);
}

// Which event of its life made a member's first appearance count for onboarding: lowest serial, then earliest.
struct FirstSeen {
  std::uint32_t serial;
  Timestamp valid_from;
  bool operator<(const FirstSeen& other) const {
    return std::tie(serial, valid_from) < std::tie(other.serial, other.valid_from);
  }
};

std::vector<protocol::Member> onboarded_by(const Mapping& mapping) {
  std::vector<protocol::Member> result;
  if (const auto* certificate = std::get_if<TrustCertificate>(&mapping)) {
    result.push_back(protocol::Member::participant(certificate->participant));
  } else if (const auto* group = std::get_if<MediatorState>(&mapping)) {
    for (const auto* list : {&group->active, &group->observers}) {
      for (const auto& uid : *list) result.push_back(protocol::Member::mediator(uid));
    }
  }
  return result;
}

}  // namespace

struct TopologyState::Impl {
  Impl(protocol::PhysicalSynchronizerId psid, StaticParameters params, StateLimits state_limits)
      : synchronizer(std::move(psid)),
        parameters(std::make_shared<const StaticParameters>(std::move(params))),
        limits(state_limits) {
    views.emplace_back(Timestamp::min(), empty_view());
  }

  protocol::PhysicalSynchronizerId synchronizer;
  std::shared_ptr<const StaticParameters> parameters;
  StateLimits limits;

  std::deque<StoredTransaction> history;
  HeadState head;
  std::deque<std::pair<Timestamp, SharedView>> views;            // from when (exclusive) each holds; never empty
  std::unordered_map<crypto::Hash, std::size_t> latest_by_hash;  // accepted ones
  std::map<protocol::Member, FirstSeen> first_seen;
  std::set<std::size_t> open_proposals;
  std::optional<Timestamp> known_sequenced;
  std::optional<Timestamp> last_change;

  SharedView empty_view() const {
    auto view = std::make_shared<Snapshot::View>();
    view->synchronizer = synchronizer;
    view->static_parameters = parameters;
    view->participants = std::make_shared<const std::set<protocol::UniqueId>>();
    return view;
  }

  WorkingState working() const { return WorkingState(head, synchronizer.logical().ns(), synchronizer); }

  void index(std::size_t id) {
    const auto& stored = history[id];
    if (stored.rejected()) return;
    latest_by_hash[stored.transaction.hash()] = id;
    if (stored.transaction.proposal()) return;
    if (stored.transaction.transaction().operation() == Operation::add_replace) {
      for (const auto& member : onboarded_by(stored.transaction.mapping())) {
        const FirstSeen seen{stored.transaction.transaction().serial(), stored.valid_from};
        const auto [it, added] = first_seen.emplace(member, seen);
        if (!added && seen < it->second) it->second = seen;
      }
    }
    last_change = stored.valid_from;
  }

  void publish(Timestamp effective, const std::vector<std::pair<std::string, HeadEntries>>& changes) {
    if (changes.empty()) return;
    auto view = next_view(views.back().second, changes);
    if (views.back().first == effective) {
      views.back().second = std::move(view);
    } else {
      views.emplace_back(effective, std::move(view));
    }
    const auto oldest = effective - limits.keep_views_for;
    while (views.size() > std::max<std::size_t>(2, limits.max_kept_views) ||
           (views.size() > kAlwaysKeptViews && views[1].first < oldest)) {
      views.pop_front();
    }
  }

  ProcessResult process(Timestamp sequenced, Timestamp effective, const std::vector<SignedTransaction>& transactions,
                        bool relaxed) {
    ProcessResult result;
    result.effective = effective;
    if (transactions.empty()) return result;
    const auto base = history.size();
    auto state = working();
    std::set<std::size_t> ended_before;
    for (std::size_t i = 0; i < transactions.size(); ++i) {
      const auto& received = transactions[i];
      auto decision = decide(state, *parameters, effective, received, !received.proposal(), relaxed);
      if (!decision) {
        log::debug("topology", "rejected {} serial {}: {}", describe(received.mapping()),
                   received.transaction().serial(), decision.error().text);
        result.stored.push_back({sequenced, effective, effective, received, decision.error().stored_text()});
        result.rejections.push_back(decision.error());
        continue;
      }
      result.changed = result.changed || !decision->proposal();
      const auto shared = std::make_shared<const SignedTransaction>(*decision);
      for (const auto ended : state.accept(base + i, shared)) {
        if (ended >= base) {
          result.stored[ended - base].valid_until = effective;
        } else {
          ended_before.insert(ended);
        }
      }
      result.stored.push_back({sequenced, effective, std::nullopt, *shared, std::nullopt});
      result.rejections.emplace_back(std::nullopt);
    }
    for (const auto id : ended_before) {
      history[id].valid_until = effective;
      open_proposals.erase(id);
      result.writes.put(kTopologyColumn, history_key(id), encode_stored(history[id]));
    }
    for (const auto& stored : result.stored) {
      const auto id = history.size();
      history.push_back(stored);
      index(id);
      if (!stored.rejected() && stored.transaction.proposal() && !stored.valid_until) open_proposals.insert(id);
      result.writes.put(kTopologyColumn, history_key(id), encode_stored(stored));
    }
    std::vector<std::pair<std::string, HeadEntries>> changes(state.changes().begin(), state.changes().end());
    for (const auto& [key, entries] : changes) {
      head.entries[key] = entries;
      if (static_cast<MappingCode>(key[0]) == MappingCode::namespace_delegation) head.graphs.erase(key.substr(1));
    }
    if (head.graphs.size() > kMaxCachedGraphs) head.graphs.clear();
    publish(effective, changes);
    return result;
  }

  // Replays validity intervals, without deciding anything: calls `visit` with each effective time and what changed
  // then.
  template <typename F>
  void replay(std::optional<Timestamp> before, F&& visit) const {
    std::unordered_map<std::string, HeadEntries> now;
    for (std::size_t id = 0; id < history.size();) {
      const auto effective = history[id].valid_from;
      if (before && !(effective < *before)) break;
      std::set<std::string> touched;
      for (; id < history.size() && history[id].valid_from == effective; ++id) {
        const auto& stored = history[id];
        if (stored.rejected()) continue;
        const auto key = state_key(stored.transaction.mapping());
        touched.insert(key);
        if (!stored.valid_until || *stored.valid_until > effective) {
          now[key].push_back({id, std::make_shared<const SignedTransaction>(stored.transaction)});
        }
      }
      std::vector<std::pair<std::string, HeadEntries>> changes;
      for (const auto& key : touched) {
        auto& entries = now[key];
        std::erase_if(entries, [&](const HeadEntry& e) {
          return history[e.id].valid_until && *history[e.id].valid_until <= effective;
        });
        changes.emplace_back(key, entries);
      }
      visit(effective, changes);
    }
  }

  void rebuild() {
    replay(std::nullopt, [&](Timestamp effective, const auto& changes) {
      for (const auto& [key, entries] : changes) head.entries[key] = entries;
      publish(effective, changes);
    });
    for (std::size_t id = 0; id < history.size(); ++id) {
      index(id);
      const auto& stored = history[id];
      if (!stored.rejected() && stored.transaction.proposal() && !stored.valid_until) open_proposals.insert(id);
    }
    if (!history.empty()) known_sequenced = history.back().sequenced;
  }

  SharedView view_at(Timestamp timestamp) const {
    // The last view that began strictly before.
    auto it =
        std::lower_bound(views.begin(), views.end(), timestamp, [](const auto& v, Timestamp t) { return v.first < t; });
    if (it != views.begin()) return std::prev(it)->second;
    auto view = empty_view();
    replay(timestamp, [&](Timestamp, const auto& changes) { view = next_view(view, changes); });
    return view;
  }
};

TopologyState::TopologyState(protocol::PhysicalSynchronizerId synchronizer, StaticParameters parameters,
                             StateLimits limits)
    : impl_(std::make_unique<Impl>(std::move(synchronizer), std::move(parameters), limits)) {}
TopologyState::~TopologyState() = default;
TopologyState::TopologyState(TopologyState&&) noexcept = default;
TopologyState& TopologyState::operator=(TopologyState&&) noexcept = default;

Status TopologyState::load(const storage::Store& store) {
  SYNOD_CHECK(impl_->history.empty());
  Status status;
  SYNOD_RETURN_IF_ERROR(store.scan(
      kTopologyColumn, storage::KeyRange::prefix("h"), storage::Direction::forward, [&](ByteView key, ByteView value) {
        if (key != history_key(impl_->history.size())) {
          status = fail(storage::storage_corrupt("the topology history has a gap"));
          return false;
        }
        auto stored = decode_stored(value);
        if (!stored) {
          status = fail(storage::storage_corrupt("topology history: " + stored.error().cause));
          return false;
        }
        impl_->history.push_back(std::move(*stored));
        return true;
      }));
  SYNOD_RETURN_IF_ERROR(status);
  impl_->rebuild();
  return {};
}

Result<storage::WriteBatch> TopologyState::import(const std::vector<StoredTransaction>& snapshot) {
  SYNOD_CHECK(impl_->history.empty());
  const auto mismatch = [](std::size_t index, const StoredTransaction& item, const std::string& what) {
    return fail(Error("TOPOLOGY_INCONSISTENT_SNAPSHOT", ErrorCategory::invalid_argument,
                      fmt::format("item {} ({}): {}", index, describe(item.transaction.mapping()), what)));
  };
  storage::WriteBatch writes;
  for (std::size_t from = 0; from < snapshot.size();) {
    const auto& first = snapshot[from];
    if (impl_->known_sequenced && first.sequenced <= *impl_->known_sequenced)
      return mismatch(from, first, "is out of order");
    std::vector<SignedTransaction> group;
    std::size_t to = from;
    for (; to < snapshot.size() && snapshot[to].sequenced == first.sequenced &&
           snapshot[to].valid_from == first.valid_from;
         ++to) {
      group.push_back(snapshot[to].transaction);
    }
    if (!impl_->history.empty() && first.valid_from <= impl_->history.back().valid_from) {
      return mismatch(from, first, "takes effect out of order");
    }
    writes.append(impl_->process(first.sequenced, first.valid_from, group, first.sequenced == kGenesisTime).writes);
    impl_->known_sequenced = first.sequenced;
    from = to;
  }
  const auto result = export_at(Timestamp::max());
  for (std::size_t i = 0; i < snapshot.size(); ++i) {
    const auto& expected = snapshot[i];
    const auto& actual = result[i];
    const std::string reason = actual.rejection_reason.value_or("accepted");
    if (expected.transaction.hash() != actual.transaction.hash())
      return mismatch(i, expected, "is another transaction");
    if (expected.rejected() != actual.rejected())
      return mismatch(i, expected, "is decided differently here: " + reason);
    if (expected.transaction.proposal() != actual.transaction.proposal())
      return mismatch(i, expected, "is a proposal on one side only");
    if (expected.valid_until != actual.valid_until) return mismatch(i, expected, "ends at another time");
  }
  return writes;
}

ProcessResult TopologyState::process(Timestamp sequenced, const std::vector<SignedTransaction>& transactions) {
  SYNOD_CHECK(!impl_->known_sequenced || sequenced > *impl_->known_sequenced);
  auto result = impl_->process(sequenced, sequenced + impl_->parameters->topology_change_delay, transactions, false);
  impl_->known_sequenced = sequenced;
  return result;
}

void TopologyState::observe(Timestamp sequenced) {
  if (!impl_->known_sequenced || sequenced > *impl_->known_sequenced) impl_->known_sequenced = sequenced;
}

std::vector<std::optional<Rejection>> TopologyState::check(const std::vector<SignedTransaction>& transactions,
                                                           bool expect_full_authorization) const {
  auto state = impl_->working();
  const auto effective = known_until().next();
  std::vector<std::optional<Rejection>> result;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const bool full = expect_full_authorization || !transactions[i].proposal();
    auto decision = decide(state, *impl_->parameters, effective, transactions[i], full, false);
    if (!decision) {
      result.emplace_back(decision.error());
      continue;
    }
    state.accept(impl_->history.size() + i, std::make_shared<const SignedTransaction>(*decision));
    result.emplace_back(std::nullopt);
  }
  return result;
}

Snapshot TopologyState::snapshot_at(Timestamp timestamp) const { return {timestamp, impl_->view_at(timestamp)}; }
Snapshot TopologyState::head() const {
  const auto& [from, view] = impl_->views.back();
  return {std::max(from.next(), known_until()), view};
}

Timestamp TopologyState::known_until() const {
  if (!impl_->known_sequenced) return Timestamp::min();
  return *impl_->known_sequenced + impl_->parameters->topology_change_delay;
}
std::optional<Timestamp> TopologyState::known_sequenced() const { return impl_->known_sequenced; }
std::optional<Timestamp> TopologyState::last_effective_change() const { return impl_->last_change; }

std::vector<const StoredTransaction*> TopologyState::history() const {
  std::vector<const StoredTransaction*> result;
  for (const auto& stored : impl_->history) result.push_back(&stored);
  return result;
}

std::vector<StoredTransaction> TopologyState::export_at(Timestamp sequenced_inclusive) const {
  std::vector<StoredTransaction> result;
  for (const auto& stored : impl_->history) {
    if (stored.sequenced > sequenced_inclusive) break;
    result.push_back(stored);
  }
  if (result.empty()) return result;
  const auto last_effective = result.back().valid_from;
  for (auto& stored : result) {
    if (stored.valid_until && *stored.valid_until > last_effective) stored.valid_until.reset();
  }
  return result;
}

Result<Timestamp> TopologyState::onboarding_time(const protocol::Member& member) const {
  if (member.kind() == protocol::MemberKind::sequencer) {
    return fail(invalid_argument("INVALID_ARGUMENT",
                                 "Downloading the initial topology snapshot for sequencers is not supported."));
  }
  const auto it = impl_->first_seen.find(member);
  if (it == impl_->first_seen.end()) {
    return fail(
        failed_precondition("FAILED_PRECONDITION", "No onboarding transaction found for " + member.to_string()));
  }
  return it->second.valid_from;
}

bool TopologyState::was_ever_onboarded(const protocol::Member& participant) const {
  return participant.kind() == protocol::MemberKind::participant && impl_->first_seen.contains(participant);
}

const StoredTransaction* TopologyState::current(const crypto::Hash& unique_key, const Mapping& mapping) const {
  for (const auto& entry : impl_->head.at(state_key(mapping))) {
    if (!entry.transaction->proposal() && entry.transaction->transaction().unique_key() == unique_key)
      return &impl_->history[entry.id];
  }
  return nullptr;
}

std::vector<const StoredTransaction*> TopologyState::proposals() const {
  std::vector<const StoredTransaction*> result;
  for (const auto id : impl_->open_proposals) result.push_back(&impl_->history[id]);
  return result;
}

const StoredTransaction* TopologyState::find_transaction(const crypto::Hash& transaction_hash) const {
  const auto it = impl_->latest_by_hash.find(transaction_hash);
  return it == impl_->latest_by_hash.end() ? nullptr : &impl_->history[it->second];
}

std::vector<crypto::SigningPublicKey> TopologyState::namespace_keys(const Namespace& ns, MappingCode code) const {
  const auto state = impl_->working();
  if (const auto* decentralized = state.decentralized(ns)) {
    std::vector<crypto::SigningPublicKey> result;
    for (const auto& owner : decentralized->owners) {
      for (auto& key : state.graph(owner)->authorized_keys(code)) result.push_back(std::move(key));
    }
    return result;
  }
  return state.graph(ns)->authorized_keys(code);
}

const protocol::PhysicalSynchronizerId& TopologyState::synchronizer() const { return impl_->synchronizer; }
const StaticParameters& TopologyState::static_parameters() const { return *impl_->parameters; }

}  // namespace synod::topology
