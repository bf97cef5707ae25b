// An ordering log in memory, one block a record, delivered on a thread of its own; shared by the sequencers of a test.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "base/event_loop.h"
#include "ordering/ordering_log.h"

namespace synod::sequencer::testing {

class MemoryLog final : public ordering::OrderingLog {
 public:
  MemoryLog() : loop_("memory-log") {}
  ~MemoryLog() override { loop_.stop(); }

  void submit(Bytes record, std::function<void(ordering::SubmitResult)> done) override;
  std::unique_ptr<ordering::Subscription> subscribe(ordering::Height from,
                                                    std::shared_ptr<ordering::BlockSink> sink) override;
  std::optional<Timestamp> sequencing_time() const override { return std::nullopt; }
  // Only remembers it.
  void prune(ordering::Height before, std::function<void(Status)> done) override;
  std::optional<ordering::Height> pruned_before() const;
  ordering::Health health() const override;
  std::size_t max_record_bytes() const override { return 64u << 20; }
  void stop(Duration) override {}

  // While not available, submissions are refused.
  void set_available(bool available);
  std::size_t blocks() const;
  // While it is held, submit() does not return.
  void hold(bool held);
  std::size_t waiting() const;  // calls of submit() that are held

 private:
  struct Reader;
  class Handle;
  void deliver();  // on the loop

  mutable std::mutex mutex_;
  bool available_ = true;
  bool held_ = false;
  std::size_t waiting_ = 0;
  std::condition_variable released_;
  std::optional<ordering::Height> pruned_before_;
  std::vector<ordering::Block> blocks_;
  std::vector<std::shared_ptr<Reader>> readers_;
  EventLoop loop_;
};

}  // namespace synod::sequencer::testing
