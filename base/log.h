// Logging for all nodes: text for people, JSON lines for machines, and a recorder that makes a test fail on an
// unexpected warning or error.
//
//   log::info("sequencer", "block {} applied", height);
//   log::warn("client", "connection lost: {}", error.to_string());
//   log::alarm("sequencer", "bad signature of {}", member);   // malicious or faulty behaviour of somebody else
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace synod::log {

enum class Level { trace, debug, info, warn, error };
enum class Format { text, json };

struct Entry {
  Level level;
  std::string component;
  std::string message;
  std::string trace_id;  // 32 hex digits, or empty
};

// Process-wide settings; callable at any time from any thread.
void set_level(Level level);
bool set_level(std::string_view name);  // false: no such level
void set_format(Format format);
Level level();
// Sees every entry of warn and above, whatever the level; null removes it. For tests.
void set_observer(std::function<void(const Entry&)> observer);

// While it lives, each line that this thread logs carries this trace id; then the one before again. Whoever handles a
// request or an event makes one (rpc/unary.h and the like do); what it posts to other threads is theirs to trace.
class TraceScope {
 public:
  explicit TraceScope(std::string trace_id);  // empty: none
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  std::string before_;
};

const std::string& trace_id();  // of this thread

// Of a W3C `traceparent`, 00-<32 hex digits>-<16 hex digits>-<2 hex digits>; empty if it is none.
std::string trace_id_of(std::string_view traceparent);

// What write() makes of an entry: one line, whatever others have put into the message. Control characters and what is
// not UTF-8 are escaped.
std::string render(const Entry& entry, Format format, std::string_view time);

void write(Level level, std::string_view component, std::string message);

template <typename... Args>
void log_at(Level at, std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (at < level() && at < Level::warn) return;
  write(at, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void trace(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  log_at(Level::trace, c, f, std::forward<Args>(a)...);
}
template <typename... Args>
void debug(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  log_at(Level::debug, c, f, std::forward<Args>(a)...);
}
template <typename... Args>
void info(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  log_at(Level::info, c, f, std::forward<Args>(a)...);
}
template <typename... Args>
void warn(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  log_at(Level::warn, c, f, std::forward<Args>(a)...);
}
template <typename... Args>
void error(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  log_at(Level::error, c, f, std::forward<Args>(a)...);
}
template <typename... Args>
void alarm(std::string_view c, fmt::format_string<Args...> f, Args&&... a) {
  write(Level::warn, c, "ALARM " + fmt::format(f, std::forward<Args>(a)...));
}

}  // namespace synod::log
