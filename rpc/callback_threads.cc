// The threads that wait for gRPC's sockets and run its callbacks: one on a machine of up to seven processors.
//
// gRPC 1.51 starts at least two (CallbackAlternativeCQ in its completion_queue_cc.cc) and has no option for it. Two of
// them pass the role of the one that waits back and forth with every event: 250 of the 590 thread switches of a ping,
// and a sixth of its processor time (docs/performance.md). They also sleep for a tenth of a second after each second
// without an event. So these two functions, which the library calls by name, are defined here as well; its own give way
// (cmake/StaticLibraries.cmake). A test looks whether the linker agreed.
#include <grpc/grpc.h>
#include <grpcpp/completion_queue.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "rpc/grpc_process.h"

namespace synod::rpc {
namespace {

constexpr std::chrono::milliseconds kLookInterval(100);

// Made for its first user, ends with its last. A callback that does not return in time would hold up everything: a
// thread that only looks on otherwise takes the others' place until it does. It does so for one callback at a time, and
// no more than that could be waiting with gRPC's own two threads.
class CallbackQueue {
 public:
  CallbackQueue() : threads_(callback_threads()) {
    for (Thread& thread : threads_) start(thread.thread, "grpc-callback", [this, &thread] { serve(thread); });
    start(standby_, "grpc-standby", [this] { stand_by(); });
  }
  ~CallbackQueue() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    ended_.notify_all();
    queue_.Shutdown();
    standby_.join();
    for (Thread& thread : threads_) thread.thread.join();
  }
  grpc::CompletionQueue* get() { return &queue_; }

 private:
  struct Thread {
    std::atomic<std::uint64_t> turns = 0;  // odd: in a callback
    std::thread thread;
  };

  template <typename Run>
  static void start(std::thread& thread, const char* name, Run run) {
    thread = std::thread(run);
    pthread_setname_np(thread.native_handle(), name);
  }
  static void call(const grpc_event& event) {
    auto* functor = static_cast<grpc_completion_queue_functor*>(event.tag);
    functor->functor_run(functor, event.success);
  }
  void serve(Thread& self) {
    for (;;) {
      const grpc_event event = grpc_completion_queue_next(queue_.cq(), gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
      if (event.type == GRPC_QUEUE_SHUTDOWN) return;
      ++self.turns;
      call(event);
      ++self.turns;
    }
  }
  // Whether a thread is still in the callback that it was in then.
  bool held_up(const std::vector<std::uint64_t>& then) const {
    for (std::size_t i = 0; i < threads_.size(); ++i)
      if (then[i] % 2 == 1 && threads_[i].turns == then[i]) return true;
    return false;
  }
  void stand_by() {
    std::vector<std::uint64_t> then(threads_.size());
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kLookInterval, [this] { return ending_; })) {
      lock.unlock();
      while (held_up(then) && take_place()) {
      }
      for (std::size_t i = 0; i < threads_.size(); ++i) then[i] = threads_[i].turns;
      lock.lock();
    }
  }
  // False: the queue has ended.
  bool take_place() {
    const auto interval = gpr_time_from_millis(kLookInterval.count(), GPR_TIMESPAN);
    const auto until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), interval);
    const grpc_event event = grpc_completion_queue_next(queue_.cq(), until, nullptr);
    if (event.type == GRPC_OP_COMPLETE) call(event);
    return event.type != GRPC_QUEUE_SHUTDOWN;
  }

  grpc::CompletionQueue queue_;
  std::vector<Thread> threads_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
  std::thread standby_;
};

struct Shared {
  std::mutex mutex;
  unsigned users = 0;
  std::unique_ptr<CallbackQueue> queue;
};

Shared& shared() {
  static auto* shared = new Shared();  // never destroyed: channels may be released while the process ends
  return *shared;
}

}  // namespace

unsigned callback_threads() { return std::clamp(std::thread::hardware_concurrency() / 4, 1u, 16u); }

}  // namespace synod::rpc

namespace grpc {

CompletionQueue* CompletionQueue::CallbackAlternativeCQ() {
  auto& shared = synod::rpc::shared();
  std::lock_guard lock(shared.mutex);
  if (shared.users++ == 0) shared.queue = std::make_unique<synod::rpc::CallbackQueue>();
  return shared.queue->get();
}

void CompletionQueue::ReleaseCallbackAlternativeCQ(CompletionQueue*) {
  auto& shared = synod::rpc::shared();
  std::lock_guard lock(shared.mutex);
  if (--shared.users == 0) shared.queue.reset();
}

}  // namespace grpc
