#include "base/shared_micros.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace synod {
namespace {

constexpr std::size_t kSize = sizeof(std::int64_t);

}  // namespace

Result<SharedMicros> SharedMicros::open(const std::string& path, const char* error_id) {
  const auto failed = [&] { return fail(unavailable(error_id, path + ": " + std::strerror(errno))); };
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return failed();
  void* mapped = MAP_FAILED;
  if (ftruncate(file, kSize) == 0) mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) {
    auto error = failed();
    close(file);
    return error;
  }
  close(file);
  return SharedMicros(static_cast<std::int64_t*>(mapped));
}

SharedMicros::~SharedMicros() {
  if (mapped_) munmap(mapped_, kSize);
}

std::int64_t SharedMicros::get() const { return std::atomic_ref(*mapped_).load(); }
void SharedMicros::set(std::int64_t micros) { std::atomic_ref(*mapped_).store(micros); }
bool SharedMicros::replace(std::int64_t expected, std::int64_t next) {
  return std::atomic_ref(*mapped_).compare_exchange_strong(expected, next);
}

}  // namespace synod
