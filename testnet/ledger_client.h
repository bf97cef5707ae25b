// An application's view of a participant: the Ledger API v2 and nothing else. Blocking calls; one client may be used
// from several threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace com::daml::ledger::api::v2 {
class Command;
class Event;
class Transaction;
class Value;
}  // namespace com::daml::ledger::api::v2

namespace synod::testnet {

namespace api = com::daml::ledger::api::v2;

// Values, for building commands.
api::Value party(const std::string& id);
api::Value text(const std::string& text);
api::Value numeric(const std::string& decimal);
api::Value empty_list();
api::Value contract(const std::string& id);
api::Value record(std::vector<std::pair<std::string, api::Value>> fields);

// A template by package name, so that whichever version is vetted is used.
struct TemplateName {
  std::string package;  // package name, without '#'
  std::string module;
  std::string entity;
};

api::Command create(const TemplateName& name, const api::Value& arguments);
api::Command exercise(const TemplateName& name, const std::string& contract_id, const std::string& choice,
                      const api::Value& argument);

// What an application learns of a transaction.
struct LedgerEvent {
  enum class Kind { created, archived, exercised } kind;
  std::string contract_id;
  std::string entity;  // template name without module
  std::string choice;  // exercised only
};
struct LedgerTransaction {
  std::string update_id;   // hex
  std::string command_id;  // empty for who did not submit it
  std::int64_t offset = 0;
  std::int64_t record_time_micros = 0;
  std::vector<LedgerEvent> events;
  // The first contract of the template that this transaction created; empty if there is none.
  std::string created(const std::string& entity) const;
};

class LedgerClient {
 public:
  // `address` is host:port of a participant's Ledger API. `ca_file` empty: no TLS.
  LedgerClient(std::string address, const std::string& ca_file);
  ~LedgerClient();

  // Whether a participant answers there, without the patience of the other calls. Error id LEDGER_API_UNREACHABLE says
  // what to do.
  Status reachable(Duration deadline = Duration::seconds(10));
  Result<std::string> participant_id(Duration deadline = Duration::seconds(10));
  Result<std::string> allocate_party(const std::string& hint);  // returns the party id
  Result<std::vector<std::string>> known_parties();             // ids, local and remote
  Result<std::string> own_party(const std::string& hint);  // the participant's party of that name; allocated if new
  // Until this participant knows the party, which another one has allocated. Error id PARTY_NOT_KNOWN.
  Status await_party(const std::string& party, Duration patience = Duration::seconds(20));
  Status upload_dar(const std::string& dar_bytes);
  Result<std::int64_t> ledger_end();

  // `command_id` empty: a random one. Submitted again with the same one, a command takes effect once.
  Result<LedgerTransaction> submit(const std::string& act_as, const api::Command& command,
                                   Duration deadline = Duration::seconds(30), const std::string& command_id = "");

  // Contract ids of the party's active contracts at the ledger end, by template.
  Result<std::vector<std::string>> active(const std::string& party, const TemplateName& name);

  // Calls `on_transaction` for each of the party's transactions after `offset`, from a thread of its own, until the
  // follower is destroyed. A broken stream is opened again after the last transaction seen.
  class Follower {
   public:
    ~Follower();

   private:
    friend class LedgerClient;
    struct State;
    std::shared_ptr<State> state_;
  };
  std::unique_ptr<Follower> follow(const std::string& party, std::int64_t offset,
                                   std::function<void(const LedgerTransaction&)> on_transaction);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
  std::string address_;
};

}  // namespace synod::testnet
