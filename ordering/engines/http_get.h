// What engines tell over plain HTTP on this machine: metrics, health.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace synod::ordering::engines {

// The body of a 200 answer from 127.0.0.1:port; none without one in time.
std::optional<std::string> http_get(std::uint16_t port, const std::string& path, Duration limit);

}  // namespace synod::ordering::engines
