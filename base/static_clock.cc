#include "base/static_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace synod {
namespace {

constexpr std::size_t kSize = sizeof(std::int64_t);

Error cannot_open(const std::string& path) {
  return unavailable("STATIC_CLOCK_FAILED", path + ": " + std::strerror(errno));
}

}  // namespace

Result<std::shared_ptr<StaticClock>> StaticClock::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(cannot_open(path));
  void* mapped = MAP_FAILED;
  if (ftruncate(file, kSize) == 0) mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) {
    auto error = cannot_open(path);
    close(file);
    return fail(std::move(error));
  }
  close(file);
  return std::shared_ptr<StaticClock>(new StaticClock(static_cast<std::int64_t*>(mapped)));
}

StaticClock::~StaticClock() { munmap(micros_, kSize); }

Timestamp StaticClock::now() const { return {std::atomic_ref(*micros_).load()}; }

bool StaticClock::set(Timestamp expected, Timestamp next) {
  return std::atomic_ref(*micros_).compare_exchange_strong(expected.micros, next.micros);
}

}  // namespace synod
