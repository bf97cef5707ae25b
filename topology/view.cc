#include "topology/view.h"

namespace synod::topology {
namespace {

const std::vector<Transaction> kNothing;

using HostedChanges = std::map<std::string, std::vector<PersistentMap<bool>::Change>>;

void note_hosts(HostedChanges& changes, const std::vector<Transaction>& transactions, bool hosts) {
  for (const auto& transaction : transactions) {
    const auto* party = transaction.as<PartyToParticipant>();
    if (!party) continue;
    for (const auto& host : party->participants) {
      changes[host.participant.to_string()].emplace_back(party->party.to_string(),
                                                         hosts ? std::optional<bool>(true) : std::nullopt);
    }
  }
}

}  // namespace

const std::vector<Transaction>& Snapshot::View::at(const std::string& key) const {
  const auto* found = active.find(key);
  return found ? **found : kNothing;
}

SharedView next_view(const SharedView& base, const std::vector<std::pair<std::string, HeadEntries>>& changes) {
  auto view = std::make_shared<Snapshot::View>(*base);
  std::vector<PersistentMap<ActiveTransactions>::Change> active_changes;
  std::shared_ptr<std::set<protocol::UniqueId>> participants;
  HostedChanges hosted;
  for (const auto& [key, entries] : changes) {
    auto list = std::make_shared<std::vector<Transaction>>();
    for (const auto& entry : entries) {
      const auto& transaction = entry.transaction->transaction();
      if (!entry.transaction->proposal() && transaction.operation() == Operation::add_replace)
        list->push_back(transaction);
    }
    const auto code = static_cast<MappingCode>(key[0]);
    if (code == MappingCode::trust_certificate) {
      if (!participants) participants = std::make_shared<std::set<protocol::UniqueId>>(*view->participants);
      for (const auto& old : base->at(key)) participants->erase(old.as<TrustCertificate>()->participant);
      for (const auto& now : *list) participants->insert(now.as<TrustCertificate>()->participant);
    } else if (code == MappingCode::party_to_participant) {
      note_hosts(hosted, base->at(key), false);
      note_hosts(hosted, *list, true);
    }
    active_changes.emplace_back(key, list->empty() ? std::nullopt : std::optional<ActiveTransactions>(list));
  }
  view->active = base->active.with(active_changes);
  if (participants) view->participants = std::move(participants);
  std::vector<PersistentMap<PersistentMap<bool>>::Change> hosted_changes;
  for (const auto& [participant, parties] : hosted) {
    const auto* before = base->hosted.find(participant);
    hosted_changes.emplace_back(participant, (before ? *before : PersistentMap<bool>{}).with(parties));
  }
  view->hosted = base->hosted.with(hosted_changes);
  return view;
}

}  // namespace synod::topology
