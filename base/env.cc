#include "base/env.h"

#include <sys/random.h>

#include <chrono>
#include <mutex>
#include <random>

#include "base/check.h"

namespace synod {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    using namespace std::chrono;
    return {duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
  std::int64_t monotonic_micros() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
  }
};

class SystemRandom final : public Random {
 public:
  Bytes bytes(std::size_t count) override {
    Bytes out(count, '\0');
    std::size_t filled = 0;
    while (filled < count) {
      const ssize_t n = getrandom(out.data() + filled, count - filled, 0);
      SYNOD_CHECK(n > 0);
      filled += static_cast<std::size_t>(n);
    }
    return out;
  }
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  Bytes bytes(std::size_t count) override {
    std::lock_guard lock(mutex_);
    Bytes out;
    while (out.size() < count) append_u64(out, engine_());
    out.resize(count);
    return out;
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace

std::uint64_t Random::u64() { return read_u64(bytes(8)); }

std::uint64_t Random::below(std::uint64_t bound) {
  SYNOD_CHECK(bound > 0);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value;
  do value = u64();
  while (value >= limit);
  return value % bound;
}

std::string Random::uuid() {
  Bytes raw = bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3f) | 0x80);
  const std::string hex = to_hex(raw);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::shared_ptr<Clock> system_clock() { return std::make_shared<SystemClock>(); }
std::shared_ptr<Random> system_random() { return std::make_shared<SystemRandom>(); }
std::shared_ptr<Random> seeded_random(std::uint64_t seed) { return std::make_shared<SeededRandom>(seed); }

}  // namespace synod
