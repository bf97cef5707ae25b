// One of several processes that are the same member and share a store: active while it owns the store, passive
// otherwise. Who owns it is decided by the store alone, which has one owner at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "base/time.h"
#include "storage/store.h"

namespace synod::node {

class Replica {
 public:
  struct Parts {
    // STORAGE_LOCKED: another replica has it.
    std::function<Result<std::unique_ptr<storage::Store>>()> open;
    storage::WriteBatch probe;  // changes nothing; fails when the store is no longer this replica's
    std::function<void(std::shared_ptr<storage::Store>)> activate;
    std::function<void()> deactivate;  // returns when nothing uses the store any more
    Duration interval;                 // between two attempts to become active, or two looks at the store
  };
  struct State {
    bool active = false;
    std::string problem;  // why it could not become active although nobody else is, or is not yet known to be
  };

  // activate() and deactivate() come in turn, on a thread of its own.
  explicit Replica(Parts parts);
  ~Replica();  // stop()

  // What uses the store has found that it cannot go on with it: the replica becomes passive, and tries again.
  // Thread rules: any thread, also from within activate().
  void lost(const Error& error);
  // Passive for good, if it is active.
  void stop();
  State state() const;  // any thread

 private:
  void try_to_become_active();
  void look();
  void step_down(const Error& error);
  void set(bool active, std::string problem);

  const Parts parts_;
  std::shared_ptr<storage::Store> store_;
  mutable std::mutex mutex_;
  State state_;
  bool stopped_ = false;
  std::atomic<std::uint64_t> turn_ = 0;  // of being active or passive
  EventLoop loop_;
};

}  // namespace synod::node
