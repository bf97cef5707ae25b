// Configuration files: YAML with a strict schema. A config struct describes its fields once:
//
//   void describe(config::Fields& f, ServerConfig& c) {
//     f.text("host", c.host, "Address to listen on.");
//     f.integer("port", c.port, "Port; 0 lets the system choose.");
//   }
//
// and from this one description a file is read (an unknown key, a wrong type and a missing value are errors with file
// and line), written, and documented (`synod config reference`).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace synod::config {

std::string print_size(std::uint64_t bytes);

// One place where a field is bound to its key. A field keeps the value that it had (its default) when the file is
// silent.
class Fields {
 public:
  virtual ~Fields() = default;
  virtual void text(const char* key, std::string& value, const char* doc) = 0;
  virtual void flag(const char* key, bool& value, const char* doc) = 0;
  virtual void int64(const char* key, std::int64_t& value, const char* doc) = 0;
  virtual void duration(const char* key, Duration& value, const char* doc) = 0;   // 250us, 20ms, 5s, 10m, 2h, 7d
  virtual void size(const char* key, std::uint64_t& bytes, const char* doc) = 0;  // 4096, 64KiB, 10MiB, 1GiB
  virtual void texts(const char* key, std::vector<std::string>& value, const char* doc) = 0;
  virtual void object(const char* key, const std::function<void(Fields&)>& describe, const char* doc) = 0;
  // `resize(n)` makes n items with their defaults, `item(i, fields)` describes the i-th.
  virtual void objects(const char* key, std::size_t count, const std::function<void(std::size_t)>& resize,
                       const std::function<void(std::size_t, Fields&)>& item, const char* doc) = 0;

  // Any integer type; a value outside of its range is an error.
  template <typename Int>
  void integer(const char* key, Int& value, const char* doc) {
    std::int64_t wide = static_cast<std::int64_t>(value);
    int64(key, wide, doc);
    if (static_cast<std::int64_t>(static_cast<Int>(wide)) != wide)
      out_of_range(key);
    else
      value = static_cast<Int>(wide);
  }
  // A size within these bounds, which include both.
  void size_within(const char* key, std::uint64_t& bytes, std::uint64_t least, std::uint64_t greatest,
                   const char* doc) {
    std::uint64_t given = bytes;
    size(key, given, doc);
    if (given < least || given > greatest)
      out_of_range(key, ": at least " + print_size(least) + ", at most " + print_size(greatest));
    else
      bytes = given;
  }
  template <typename T, typename Describe>
  void list(const char* key, std::vector<T>& values, Describe describe, const char* doc) {
    objects(
        key, values.size(), [&](std::size_t n) { values.resize(n); },
        [&](std::size_t i, Fields& f) { describe(f, values[i]); }, doc);
  }

 protected:
  virtual void out_of_range(const char* key, const std::string& allowed = "") = 0;
};

using Describe = std::function<void(Fields&)>;

// Error ids: CONFIG_NOT_FOUND (the file), CONFIG_INVALID with `file:line: what is wrong`.
Status read_file(const std::string& path, const Describe& describe);
Status read_text(const std::string& text, const std::string& name_in_errors, const Describe& describe);

// The same fields as a YAML document, with the current values.
std::string write_text(const Describe& describe);

// A table of all keys with defaults and explanations, in Markdown.
std::string reference(const Describe& describe);

Result<Duration> parse_duration(const std::string& text);
std::string print_duration(Duration duration);
Result<std::uint64_t> parse_size(const std::string& text);

}  // namespace synod::config
