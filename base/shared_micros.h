// A number of microseconds that processes of one machine share through a file.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace synod {

// Thread rules: from any thread, and any process.
class SharedMicros {
 public:
  // A new file begins with 0. `error_id`: of the errors.
  static Result<SharedMicros> open(const std::string& path, const char* error_id);
  SharedMicros(SharedMicros&& other) noexcept : mapped_(other.mapped_) { other.mapped_ = nullptr; }
  SharedMicros& operator=(SharedMicros&&) = delete;
  ~SharedMicros();

  std::int64_t get() const;
  void set(std::int64_t micros);
  // False, without effect, unless it is `expected`.
  bool replace(std::int64_t expected, std::int64_t next);

 private:
  explicit SharedMicros(std::int64_t* mapped) : mapped_(mapped) {}
  std::int64_t* mapped_;
};

}  // namespace synod
