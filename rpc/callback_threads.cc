// The threads that wait for gRPC's sockets and run its callbacks: one on a machine of up to seven processors.
//
// gRPC 1.51 starts at least two (CallbackAlternativeCQ in its completion_queue_cc.cc) and has no option for it. Two of
// them pass the role of the one that waits back and forth with every event: 250 of the 590 thread switches of a ping,
// and a sixth of its processor time (docs/performance.md). They also sleep for a tenth of a second after each second
// without an event. So these two functions, which the library calls by name, are defined here as well: what a program
// defines comes before its libraries. A test looks whether the linker agreed.
#include <grpc/grpc.h>
#include <grpcpp/completion_queue.h>
#include <pthread.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "rpc/grpc_process.h"

namespace synod::rpc {
namespace {

// A queue without threads is none: it is made for its first user, and ends with its last.
class CallbackQueue {
 public:
  CallbackQueue() {
    for (unsigned i = 0; i < callback_threads(); ++i) {
      threads_.emplace_back([queue = queue_.cq()] { run(queue); });
      pthread_setname_np(threads_.back().native_handle(), "grpc-callback");
    }
  }
  ~CallbackQueue() {
    queue_.Shutdown();
    for (std::thread& thread : threads_) thread.join();
  }
  grpc::CompletionQueue* get() { return &queue_; }

 private:
  static void run(grpc_completion_queue* queue) {
    for (;;) {
      const grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
      if (event.type == GRPC_QUEUE_SHUTDOWN) return;
      auto* functor = static_cast<grpc_completion_queue_functor*>(event.tag);
      functor->functor_run(functor, event.success);
    }
  }

  grpc::CompletionQueue queue_;
  std::vector<std::thread> threads_;
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
