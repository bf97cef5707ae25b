#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/env.h"

namespace synod::log {
namespace {

std::atomic<Level> current_level{Level::info};
std::atomic<Format> current_format{Format::text};
std::mutex observer_mutex;
std::function<void(const Entry&)> observer;
thread_local std::string current_trace_id;

constexpr const char* kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

// Length of the UTF-8 sequence that begins here, 0 if none does. Longer forms than necessary and surrogates count as
// none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) || (first == 0xf0 && byte(1) < 0x90) ||
      (first == 0xf4 && byte(1) > 0x8f))
    return 0;
  return length;
}

// Also those that a terminal obeys or a reader takes for the end of a line: DEL, U+0080 to U+009F, U+2028, U+2029.
bool controls(std::string_view sequence) {
  const unsigned char first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  if (sequence.size() == 2) return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
  return sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9";
}

std::string escape(std::string_view text, bool json) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    if (length > 0 && !controls(sequence)) {
      if (json && (sequence == "\"" || sequence == "\\")) out.push_back('\\');
      out += sequence;
      continue;
    }
    if (sequence == "\n" || sequence == "\t") {
      out += sequence == "\n" ? "\\n" : "\\t";
      continue;
    }
    // JSON has no escape for a byte that is no character: there it reads as the text does.
    for (const unsigned char c : sequence)
      out += json && length == 1 ? fmt::format("\\u{:04x}", c) : fmt::format("{}\\x{:02x}", json ? "\\" : "", c);
  }
  return out;
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

TraceScope::TraceScope(std::string trace_id) : before_(std::exchange(current_trace_id, std::move(trace_id))) {}
TraceScope::~TraceScope() { current_trace_id = std::move(before_); }

const std::string& trace_id() { return current_trace_id; }

std::string trace_id_of(std::string_view traceparent) {
  if (traceparent.size() < 36 || traceparent[2] != '-' || traceparent[35] != '-') return "";
  const std::string_view id = traceparent.substr(3, 32);
  for (const char c : id)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return "";
  return std::string(id);
}

std::string render(const Entry& entry, Format format, std::string_view time) {
  const char* name = kNames[static_cast<int>(entry.level)];
  const std::string message = escape(entry.message, format == Format::json);
  if (format == Format::json) {
    std::string line = fmt::format(R"({{"@timestamp":"{}","level":"{}","logger_name":"{}","message":"{}")", time, name,
                                   entry.component, message);
    if (!entry.trace_id.empty()) line += fmt::format(R"(,"trace-id":"{}")", entry.trace_id);
    return line + "}\n";
  }
  return fmt::format("{} {:5} {}{}{} - {}\n", time, name, entry.component,
                     entry.trace_id.empty() ? "" : " tid:", entry.trace_id, message);
}

void write(Level at, std::string_view component, std::string message) {
  const Entry entry{at, std::string(component), std::move(message), current_trace_id};
  if (at >= Level::warn) {
    std::lock_guard lock(observer_mutex);
    if (observer) observer(entry);
  }
  if (at < current_level) return;
  static const std::shared_ptr<Clock> clock = system_clock();
  const std::string line = render(entry, current_format, clock->now().to_string());
  // One write call a line, so that lines of several threads do not mix.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace synod::log
