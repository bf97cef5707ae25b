#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <mutex>

#include "base/env.h"

namespace synod::log {
namespace {

std::atomic<Level> current_level{Level::info};
std::atomic<Format> current_format{Format::text};
std::mutex observer_mutex;
std::function<void(const Entry&)> observer;
thread_local std::string current_trace_id;

constexpr const char* kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

std::string json_escape(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  return out;
}

std::string render(const Entry& entry) {
  static const std::shared_ptr<Clock> clock = system_clock();
  const std::string time = clock->now().to_string();
  const char* name = kNames[static_cast<int>(entry.level)];
  if (current_format == Format::json) {
    std::string line = fmt::format(R"({{"@timestamp":"{}","level":"{}","logger_name":"{}","message":"{}")", time, name,
                                   entry.component, json_escape(entry.message));
    if (!entry.trace_id.empty()) line += fmt::format(R"(,"trace-id":"{}")", entry.trace_id);
    return line + "}\n";
  }
  return fmt::format("{} {:5} {}{}{} - {}\n", time, name, entry.component,
                     entry.trace_id.empty() ? "" : " tid:", entry.trace_id, entry.message);
}

}  // namespace

void set_level(Level level) { current_level = level; }

bool set_level(std::string_view name) {
  for (int i = 0; i < 5; ++i) {
    std::string lower(kNames[i]);
    for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
    if (name == lower || name == kNames[i]) {
      current_level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

void set_format(Format format) { current_format = format; }
Level level() { return current_level; }

void set_observer(std::function<void(const Entry&)> new_observer) {
  std::lock_guard lock(observer_mutex);
  observer = std::move(new_observer);
}

void set_trace_id(std::string trace_id) { current_trace_id = std::move(trace_id); }

void write(Level at, std::string_view component, std::string message) {
  const Entry entry{at, std::string(component), std::move(message), current_trace_id};
  if (at >= Level::warn) {
    std::lock_guard lock(observer_mutex);
    if (observer) observer(entry);
  }
  if (at < current_level) return;
  const std::string line = render(entry);
  // One write call a line, so that lines of several threads do not mix.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace synod::log
