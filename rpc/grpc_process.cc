#include "rpc/grpc_process.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>

#include <mutex>

#include "base/log.h"

namespace synod::rpc {

void prepare_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    gpr_set_log_function(
        [](gpr_log_func_args* entry) { log::debug("grpc", "{}:{} {}", entry->file, entry->line, entry->message); });
    log::debug("grpc", "{} threads run callbacks", callback_threads());
  });
}

}  // namespace synod::rpc
