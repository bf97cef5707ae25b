// Always-on assertion for bugs. What input can cause is a Result, never a CHECK.
#pragma once

namespace synod {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}  // namespace synod

#define SYNOD_CHECK(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::synod::check_failed(#expression, __FILE__, __LINE__))
