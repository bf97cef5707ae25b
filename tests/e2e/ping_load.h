// Pings between two organisations as a load that goes on through every fault, and the books that are kept of it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "testnet/applications.h"
#include "testnet/network_plan.h"

namespace synod::e2e {

// Each organisation creates contracts, one after the other, which the other one answers. A command whose outcome is
// unknown is submitted again under the same id, as an application does.
class PingLoad {
 public:
  // Needs a running network with two participants. Null and a test failure otherwise.
  static std::unique_ptr<PingLoad> start(const testnet::NetworkPlan& plan);
  ~PingLoad();

  // Until each organisation has begun and got answered so many further pings.
  bool wait_answered(int more, std::chrono::seconds patience = std::chrono::seconds(300));
  // No new pings, and until all are answered.
  bool finish(std::chrono::seconds patience = std::chrono::seconds(300));
  int answered() const;
  bool undisturbed() const;   // no command had to be submitted again
  std::string state() const;  // for a failure's message

  // After finish(). What is wrong: a command that took effect not once, an update that is not at both participants or
  // twice at one, a subscription that missed or repeated an update. Empty: nothing.
  std::vector<std::string> audit();
  // At any time: of what was acknowledged or told until now, what either participant does not have, has twice, or has
  // in another order than it told. Empty: nothing.
  std::vector<std::string> lost();

 private:
  struct Side {
    std::string organisation;
    std::unique_ptr<testnet::LedgerClient> ledger;
    std::string party, other_party;
    std::deque<std::string> to_answer;             // contracts of the other organisation
    std::map<std::string, std::string> contracts;  // own, to the command that created them
    std::set<std::string> gone;                    // contracts that were answered
    std::set<std::string> acknowledged;            // commands
    std::vector<std::string> updates;              // as the live subscription told them
    int begun = 0;
    int answered = 0;
    std::string last_error;
    std::unique_ptr<testnet::LedgerClient::Follower> follower;
    std::thread pinging, answering;
  };

  PingLoad() = default;
  void saw(Side& side, const testnet::LedgerTransaction& transaction);
  void ping(Side& side);
  void answer(Side& side);
  void submit(Side& side, const testnet::api::Command& command, const std::string& id,
              const std::function<bool()>& superfluous);
  static std::vector<testnet::LedgerTransaction> history(Side& side, std::size_t expected);

  testnet::PingApplication application_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool finishing_ = false;
  std::atomic<bool> stopping_ = false;
  Side sides_[2];
};

}  // namespace synod::e2e
