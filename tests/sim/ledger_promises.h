// What the ledger promises: a transaction takes effect everywhere or nowhere, once, and everybody is told the same.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "participant/ledger_store.h"
#include "tests/sim/world.h"

namespace synod::sim {

class LedgerPromises {
 public:
  explicit LedgerPromises(World& world) : world_(world) {}

  void accepted(const std::string& command_id);
  // It was not accepted after all.
  void refused(const std::string& command_id);
  // Told by a completion, possibly again after a crash.
  void completed(const participant::Completion& completion);
  bool is_completed(const std::string& command_id) const { return commands_.at(command_id).completed; }
  bool is_committed(const std::string& command_id) const { return !commands_.at(command_id).update_id.empty(); }
  std::size_t committed() const;

  // At the end: the ledgers of all participants (by uid, which is also the only party each hosts) fit together.
  void check(const std::map<std::string, const participant::LedgerReader*>& ledgers);

 private:
  struct Command {
    bool completed = false;
    std::string update_id;  // empty: not committed
    std::string rejection;
  };
  struct Seen {                                             // of one update
    std::map<std::string, std::set<std::string>> changes;   // participant → contracts created or archived there
    std::map<std::string, std::set<std::string>> expected;  // the same, as others say it must be
    std::set<std::string> command_ids;
  };
  void collect(const std::string& uid, const participant::LedgerReader& ledger);
  void check_active(const std::map<std::string, const participant::LedgerReader*>& ledgers);

  World& world_;
  std::map<std::string, Command> commands_;
  std::set<std::string> refused_;
  std::map<std::string, Seen> updates_;
  std::map<std::string, std::string> archived_by_;  // contract → update
};

}  // namespace synod::sim
