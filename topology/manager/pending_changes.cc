#include "topology/manager/pending_changes.h"

#include <algorithm>

namespace synod::topology {

PendingChanges::Id PendingChanges::add(std::set<crypto::Hash> transactions, bool effective, Done done) {
  waiting_.emplace(next_, Waiting{std::move(transactions), effective, std::nullopt, std::move(done)});
  return next_++;
}

void PendingChanges::finish(Id id, Status status) {
  auto node = waiting_.extract(id);
  if (!node.empty()) node.mapped().done(std::move(status));
}

std::optional<Timestamp> PendingChanges::decided(const ProcessResult& result) {
  std::map<Id, Status> finished;
  std::optional<Timestamp> latest;
  for (std::size_t i = 0; i < result.stored.size(); ++i) {
    const auto& stored = result.stored[i];
    for (auto& [id, waiting] : waiting_) {
      if (waiting.undecided.erase(stored.transaction.hash()) == 0) continue;
      if (result.rejections[i]) {
        finished.emplace(id, synod::fail(result.rejections[i]->to_error()));
        continue;
      }
      if (!stored.transaction.proposal()) waiting.holds_from = stored.valid_from;
      if (!waiting.undecided.empty()) continue;
      // An open proposal holds nothing: there is nothing to wait for.
      if (waiting.effective && waiting.holds_from) {
        latest = waiting.holds_from;
      } else {
        finished.emplace(id, Status());
      }
    }
  }
  for (auto& [id, status] : finished) finish(id, std::move(status));
  return latest;
}

void PendingChanges::advanced(Timestamp sequenced) {
  std::vector<Id> ready;
  for (const auto& [id, waiting] : waiting_) {
    if (waiting.undecided.empty() && waiting.holds_from && *waiting.holds_from < sequenced) ready.push_back(id);
  }
  for (const auto id : ready) finish(id, {});
}

void PendingChanges::fail(Id id, const Error& error) { finish(id, synod::fail(error)); }

void PendingChanges::fail(const std::set<crypto::Hash>& transactions, const Error& error) {
  std::vector<Id> failed;
  for (const auto& [id, waiting] : waiting_) {
    if (std::any_of(transactions.begin(), transactions.end(),
                    [&](const auto& h) { return waiting.undecided.contains(h); }))
      failed.push_back(id);
  }
  for (const auto id : failed) fail(id, error);
}

void PendingChanges::fail_all(const Error& error) {
  auto all = std::move(waiting_);
  waiting_.clear();
  for (auto& [id, waiting] : all) waiting.done(synod::fail(error));
}

}  // namespace synod::topology
