// Appends what is submitted to the log, one block at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "ordering/postgres/connection.h"
#include "ordering/postgres/link.h"

namespace synod::ordering::postgres {

// Thread rules: public methods from any thread. Completions run on its own thread, the link's loop (a deadline) or, if
// refused at once, in submit().
class Writer : public std::enable_shared_from_this<Writer> {
 public:
  explicit Writer(std::shared_ptr<Link> link) : link_(std::move(link)) {}

  void start();
  void submit(Bytes record, std::function<void(SubmitResult)> done);
  void stop();
  std::size_t pending() const;

 private:
  struct Pending {
    Bytes record;
    std::int64_t deadline = 0;
    std::function<void(SubmitResult)> done;
  };
  struct Batch {
    Bytes id;
    std::vector<Pending> records;  // those whose deadline has passed have no `done` any more
    bool sent = false;
    std::size_t waiting = 0;  // records with a `done`
  };
  using Completions = std::vector<std::pair<std::function<void(SubmitResult)>, SubmitResult>>;

  std::optional<SubmitResult> refusal_for(const Bytes& record) const;
  void run();
  bool take_batch();
  Status append();
  Status connect();
  void finish_batch(const SubmitResult& result);
  void pause(Duration delay);
  void arm_timer();
  void expire();
  void complete(Pending& pending, SubmitResult result, Completions& completions);
  static void deliver(Completions completions);
  void note(const Error& error);

  const std::shared_ptr<Link> link_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Pending> waiting_;
  std::optional<Batch> batch_;  // the thread reads its records without the lock; only `done`s change
  std::size_t pending_bytes_ = 0;
  bool timer_armed_ = false;
  bool stopped_ = false;
  std::shared_ptr<Connection> connection_;  // set by the thread
};

}  // namespace synod::ordering::postgres
