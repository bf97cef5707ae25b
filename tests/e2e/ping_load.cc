#include "tests/e2e/ping_load.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/commands.pb.h"

namespace synod::e2e {
namespace {

using std::chrono::milliseconds;
using testnet::LedgerEvent;
using testnet::LedgerTransaction;

constexpr auto kBetweenPings =
    milliseconds(20);  // between two pings: the load is there to notice faults, not to be one
constexpr auto kRetry = milliseconds(50);
constexpr Duration kDeadline = Duration::seconds(60);  // a participant that dies ends its calls at once

}  // namespace

std::unique_ptr<PingLoad> PingLoad::start(const testnet::NetworkPlan& plan) {
  const auto prepare = [&](PingLoad& load) -> Status {
    SYNOD_TRY(load.application_, testnet::load_ping(""));
    const auto participants = plan.with_role(testnet::Role::participant);
    for (std::size_t i = 0; i < 2; ++i) {
      Side& side = load.sides_[i];
      side.organisation = participants.at(i)->organisation;
      side.ledger =
          std::make_unique<testnet::LedgerClient>("127.0.0.1:" + std::to_string(participants[i]->public_port), "");
      SYNOD_RETURN_IF_ERROR(side.ledger->upload_dar(load.application_.dar));
      SYNOD_TRY(side.party, side.ledger->own_party(side.organisation));
    }
    for (std::size_t i = 0; i < 2; ++i) {
      load.sides_[i].other_party = load.sides_[1 - i].party;
      SYNOD_RETURN_IF_ERROR(load.sides_[i].ledger->await_party(load.sides_[i].other_party, Duration::seconds(120)));
    }
    return {};
  };
  std::unique_ptr<PingLoad> load(new PingLoad);
  if (const Status prepared = prepare(*load); !prepared) {
    ADD_FAILURE() << prepared.error().to_string();
    return nullptr;
  }
  for (Side& side : load->sides_) {
    side.follower = side.ledger->follow(side.party, 0, [&side, raw = load.get()](const auto& t) { raw->saw(side, t); });
    side.pinging = std::thread([&side, raw = load.get()] { raw->ping(side); });
    side.answering = std::thread([&side, raw = load.get()] { raw->answer(side); });
  }
  return load;
}

PingLoad::~PingLoad() {
  {
    std::lock_guard lock(mutex_);  // or somebody who has just looked would not wake up
    stopping_ = true;
  }
  changed_.notify_all();
  for (Side& side : sides_) {
    side.follower.reset();
    if (side.pinging.joinable()) side.pinging.join();
    if (side.answering.joinable()) side.answering.join();
  }
}

void PingLoad::saw(Side& side, const LedgerTransaction& transaction) {
  std::lock_guard lock(mutex_);
  side.updates.push_back(transaction.update_id);
  const std::string created = transaction.created("Ping");
  for (const LedgerEvent& event : transaction.events)
    if (event.kind != LedgerEvent::Kind::created) side.gone.insert(event.contract_id);
  if (!created.empty() && transaction.command_id.empty())
    side.to_answer.push_back(created);
  else if (!created.empty())
    side.contracts[created] = transaction.command_id;
  changed_.notify_all();
}

void PingLoad::ping(Side& side) {
  for (int n = 0;; ++n) {
    {
      std::lock_guard lock(mutex_);
      if (finishing_ || stopping_) return;
      ++side.begun;
    }
    const std::string id = side.organisation + "-" + std::to_string(n);
    submit(side, application_.create_ping(id, side.party, side.other_party), "ping-" + id, [] { return false; });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return stopping_ || std::any_of(side.contracts.begin(), side.contracts.end(), [&](const auto& known) {
               return known.second == "ping-" + id && side.gone.contains(known.first);
             });
    });
    if (stopping_) return;
    ++side.answered;
    changed_.notify_all();
    changed_.wait_for(lock, kBetweenPings, [&] { return stopping_.load(); });
  }
}

void PingLoad::answer(Side& side) {
  for (;;) {
    std::string contract;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !side.to_answer.empty(); });
      if (stopping_) return;
      contract = side.to_answer.front();
      side.to_answer.pop_front();
      if (side.gone.contains(contract)) continue;
    }
    // After an unknown outcome the contract may turn out to be answered.
    submit(side, application_.respond(contract), "answer-" + contract, [&] {
      std::lock_guard lock(mutex_);
      return side.gone.contains(contract);
    });
  }
}

void PingLoad::submit(Side& side, const testnet::api::Command& command, const std::string& id,
                      const std::function<bool()>& superfluous) {
  while (!stopping_ && !superfluous()) {
    const auto done = side.ledger->submit(side.party, command, kDeadline, id);
    std::unique_lock lock(mutex_);
    if (done || done.error().id == "DUPLICATE_COMMAND") {
      side.acknowledged.insert(id);
      return;
    }
    side.last_error = done.error().to_string();
    changed_.wait_for(lock, kRetry, [&] { return stopping_.load(); });
  }
}

bool PingLoad::wait_answered(int more, std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  // One may be under way that began before.
  const int goals[2] = {sides_[0].begun + more, sides_[1].begun + more};
  return changed_.wait_for(lock, patience,
                           [&] { return sides_[0].answered >= goals[0] && sides_[1].answered >= goals[1]; });
}

bool PingLoad::finish(std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  return changed_.wait_for(
      lock, patience, [&] { return sides_[0].answered == sides_[0].begun && sides_[1].answered == sides_[1].begun; });
}

int PingLoad::answered() const {
  std::lock_guard lock(mutex_);
  return sides_[0].answered + sides_[1].answered;
}

bool PingLoad::undisturbed() const {
  std::lock_guard lock(mutex_);
  return sides_[0].last_error.empty() && sides_[1].last_error.empty();
}

std::string PingLoad::state() const {
  std::lock_guard lock(mutex_);
  std::string text;
  for (const Side& side : sides_)
    text += side.organisation + ": " + std::to_string(side.answered) + " of " + std::to_string(side.begun) +
            " pings answered, latest error: " + side.last_error + "\n";
  return text;
}

// What the participant tells of all its past, once it has as much as is expected.
std::vector<LedgerTransaction> PingLoad::history(Side& side, std::size_t expected) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<LedgerTransaction> all;
  {
    const auto follower = side.ledger->follow(side.party, 0, [&](const LedgerTransaction& transaction) {
      std::lock_guard lock(mutex);
      all.push_back(transaction);
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(120), [&] { return all.size() >= expected; });
    changed.wait_for(lock, milliseconds(200), [] { return false; });  // more than that would be wrong
  }
  return all;
}

std::vector<std::string> PingLoad::lost() {
  std::set<std::string> acknowledged[2];
  std::vector<std::string> told[2];
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < 2; ++i) {
      acknowledged[i] = sides_[i].acknowledged;
      told[i] = sides_[i].updates;
    }
  }
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string& who = sides_[i].organisation;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> updates;
    std::set<std::string> missing = acknowledged[i];
    std::set<std::string> missing_updates(told[1 - i].begin(), told[1 - i].end());
    std::map<std::string, int> commands;
    {
      const auto follower = sides_[i].ledger->follow(sides_[i].party, 0, [&](const LedgerTransaction& transaction) {
        std::lock_guard lock(mutex);
        updates.push_back(transaction.update_id);
        missing_updates.erase(transaction.update_id);
        missing.erase(transaction.command_id);
        if (!transaction.command_id.empty()) ++commands[transaction.command_id];
        changed.notify_all();
      });
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(120),
                       [&] { return missing.empty() && missing_updates.empty() && updates.size() >= told[i].size(); });
    }
    for (const std::string& command : missing) wrong.push_back(who + ": " + command + " is lost");
    for (const std::string& update : missing_updates)
      wrong.push_back(who + " does not have update " + update + " of the other one");
    for (const auto& [command, times] : commands)
      if (times != 1) wrong.push_back(who + ": " + command + " took effect " + std::to_string(times) + " times");
    if (updates.size() < told[i].size() || !std::equal(told[i].begin(), told[i].end(), updates.begin()))
      wrong.push_back(who + " does not have what it has told, in this order");
  }
  return wrong;
}

std::vector<std::string> PingLoad::audit() {
  std::vector<std::string> wrong;
  // A ping is two updates at each side.
  const std::size_t expected = 2 * static_cast<std::size_t>(answered());
  std::set<std::string> known[2];
  for (std::size_t i = 0; i < 2; ++i) {
    Side& side = sides_[i];
    const auto transactions = history(side, expected);
    std::map<std::string, int> commands;
    std::vector<std::string> updates;
    for (const LedgerTransaction& transaction : transactions) {
      updates.push_back(transaction.update_id);
      if (!known[i].insert(transaction.update_id).second)
        wrong.push_back(side.organisation + " has update " + transaction.update_id + " twice");
      if (!transaction.command_id.empty()) ++commands[transaction.command_id];
    }
    for (const auto& [command, times] : commands)
      if (times != 1)
        wrong.push_back(side.organisation + ": " + command + " took effect " + std::to_string(times) + " times");
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(120), [&] { return side.updates.size() >= expected; });
    for (const std::string& command : side.acknowledged)
      if (!commands.contains(command)) wrong.push_back(side.organisation + ": " + command + " is lost");
    if (updates.size() != expected)
      wrong.push_back(side.organisation + " has " + std::to_string(updates.size()) + " updates instead of " +
                      std::to_string(expected));
    if (updates != side.updates)
      wrong.push_back("the subscription at " + side.organisation + " did not see every update once, in order");
  }
  if (known[0] != known[1]) wrong.push_back("the two participants do not have the same updates");
  return wrong;
}

}  // namespace synod::e2e
