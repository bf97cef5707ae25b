// SIGSTOP takes effect some time after kill() has returned.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "ordering/conformance/collector.h"

namespace synod::ordering::conformance {

// Until no thread of the process or of its children runs any more; they have been sent SIGSTOP. False: not in time.
bool wait_until_stopped(pid_t process, std::chrono::milliseconds limit = kPatience);

}  // namespace synod::ordering::conformance
