// What is held against orderers, told once: a lying one must not fill the log.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"

namespace synod::ordering::fabric_wire {

// Thread rules: any method from any thread.
class Accusations {
 public:
  // The names of the endpoints, by number; they must outlive it.
  explicit Accusations(const std::vector<std::string>& endpoints) : endpoints_(endpoints) {}

  // One alarm, unless the endpoint is accused already.
  void accuse(std::size_t endpoint, const std::string& of) {
    {
      std::lock_guard lock(mutex_);
      if (!accused_.insert(endpoint).second) return;
    }
    log::alarm("ordering", "{} {}; this is told once, until it behaves again", endpoints_[endpoint], of);
  }
  // It has behaved: what it does next is told again.
  void acquit(std::size_t endpoint) {
    std::lock_guard lock(mutex_);
    accused_.erase(endpoint);
  }

 private:
  const std::vector<std::string>& endpoints_;
  std::mutex mutex_;
  std::set<std::size_t> accused_;
};

}  // namespace synod::ordering::fabric_wire
