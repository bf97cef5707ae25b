// How many expensive calls a member may have open at the same time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "protocol/ids.h"

namespace synod::sequencer {

// Thread rules: any thread; slots may outlive this object.
class ConcurrentCalls {
 public:
  explicit ConcurrentCalls(std::uint32_t max_per_member) : max_(max_per_member) {}

  // Free again when the last copy goes; null: the member has as many as it may.
  using Slot = std::shared_ptr<const void>;
  Slot begin(const protocol::Member& member) {
    std::lock_guard lock(open_->mutex);
    std::uint32_t& count = open_->by_member[member];
    if (count >= max_) return nullptr;
    ++count;
    return Slot(open_.get(), [open = open_, member](const void*) {
      std::lock_guard inner(open->mutex);
      const auto found = open->by_member.find(member);
      if (--found->second == 0) open->by_member.erase(found);
    });
  }

 private:
  struct Open {
    std::mutex mutex;
    std::map<protocol::Member, std::uint32_t> by_member;
  };
  const std::uint32_t max_;
  const std::shared_ptr<Open> open_ = std::make_shared<Open>();
};

}  // namespace synod::sequencer
