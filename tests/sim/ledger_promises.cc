#include "tests/sim/ledger_promises.h"

#include <fmt/format.h>

namespace synod::sim {

using participant::Offset;

void LedgerPromises::accepted(const std::string& command_id) { commands_[command_id]; }

void LedgerPromises::refused(const std::string& command_id) {
  commands_.erase(command_id);
  refused_.insert(command_id);
}

void LedgerPromises::completed(const participant::Completion& completion) {
  const auto found = commands_.find(completion.command_id);
  if (found == commands_.end())
    return world_.violate("a completion of a command that nobody gave: " + completion.command_id);
  Command& command = found->second;
  const std::string rejection = completion.rejection ? completion.rejection->id : "";
  if (command.completed && (command.update_id != completion.update_id || command.rejection != rejection))
    return world_.violate(fmt::format("same verdict: {} was first completed with '{}{}', then with '{}{}'",
                                      completion.command_id, command.update_id, command.rejection, completion.update_id,
                                      rejection));
  command.completed = true;
  command.update_id = completion.update_id;
  command.rejection = rejection;
}

std::size_t LedgerPromises::committed() const {
  std::size_t count = 0;
  for (const auto& [id, command] : commands_) count += !command.update_id.empty();
  return count;
}

void LedgerPromises::collect(const std::string& uid, const participant::LedgerReader& ledger) {
  const auto note = [&](Seen& seen, const std::string& change, const lf::PartySet& stakeholders) {
    seen.changes[uid].insert(change);
    for (const auto& party : stakeholders) seen.expected[party].insert(change);
  };
  const auto read = ledger.updates(Offset(0), ledger.ledger_end(), false, [&](const participant::Update& update) {
    const auto* transaction = update.transaction();
    if (!transaction) return true;
    Seen& seen = updates_[transaction->update_id];
    if (seen.changes.contains(uid)) world_.violate("nothing twice: " + uid + " holds an update twice");
    seen.changes[uid];
    if (!transaction->command_id.empty()) seen.command_ids.insert(transaction->command_id);
    for (const auto& event : transaction->events) {
      if (const auto* created = std::get_if<participant::CreatedEvent>(&event)) {
        if (!created->witnesses.contains(uid))
          world_.violate("entitled members only: " + uid + " holds a contract that it must not see");
        if (created->acs_delta)
          note(seen, "+" + created->contract.contract_id.to_hex(), created->contract.stakeholders);
      } else {
        const auto& exercised = std::get<participant::ExercisedEvent>(event);
        if (!exercised.witnesses.contains(uid))
          world_.violate("entitled members only: " + uid + " holds an exercise that it must not see");
        if (!exercised.consuming) continue;
        const std::string contract = exercised.contract_id.to_hex();
        const auto [by, fresh] = archived_by_.try_emplace(contract, transaction->update_id);
        if (!fresh && by->second != transaction->update_id)
          world_.violate("nothing twice: a contract was archived by two updates");
        if (exercised.acs_delta) note(seen, "-" + contract, exercised.stakeholders);
      }
    }
    return true;
  });
  if (!read) world_.violate("a ledger cannot be read: " + read.error().to_string());
}

void LedgerPromises::check_active(const std::map<std::string, const participant::LedgerReader*>& ledgers) {
  std::map<std::string, std::set<std::string>> holders, stakeholders;
  for (const auto& [uid, ledger] : ledgers) {
    const auto read =
        ledger->active_contracts(ledger->ledger_end(), [&, uid = uid](const participant::ActiveContract& active) {
          const std::string contract = active.contract.contract_id.to_hex();
          holders[contract].insert(uid);
          stakeholders[contract] = {active.contract.stakeholders.begin(), active.contract.stakeholders.end()};
          if (archived_by_.contains(contract))
            world_.violate("all or nothing: an archived contract is active at " + uid);
          return true;
        });
    if (!read) return world_.violate("active contracts cannot be read: " + read.error().to_string());
  }
  for (const auto& [contract, who] : holders)
    if (who != stakeholders[contract])
      world_.violate(fmt::format("all or nothing: {} is active at {} of its {} stakeholders", contract.substr(0, 16),
                                 who.size(), stakeholders[contract].size()));
}

void LedgerPromises::check(const std::map<std::string, const participant::LedgerReader*>& ledgers) {
  for (const auto& [uid, ledger] : ledgers) collect(uid, *ledger);
  for (const auto& [id, seen] : updates_)
    for (const auto& [uid, changes] : seen.expected)
      if (const auto found = seen.changes.find(uid); found == seen.changes.end() || found->second != changes)
        return world_.violate(fmt::format("all or nothing: {} does not have all of update {}", uid, id.substr(0, 16)));
  for (const auto& [update_id, seen] : updates_)
    for (const auto& id : seen.command_ids)
      if (refused_.contains(id)) return world_.violate("true reports: a command that was refused has an update: " + id);
  for (const auto& [id, command] : commands_) {
    bool found = false;
    for (const auto& [update_id, seen] : updates_) found |= seen.command_ids.contains(id);
    if (command.completed && found == command.update_id.empty())
      return world_.violate(fmt::format("true reports: {} completed with '{}{}', but its update is {}there", id,
                                        command.update_id.substr(0, 16), command.rejection, found ? "" : "not "));
  }
  check_active(ledgers);
}

}  // namespace synod::sim
