// Durations and sizes as people write them.
#include <charconv>

#include "base/config.h"

namespace synod::config {
namespace {

struct Unit {
  const char* suffix;
  std::int64_t factor;
};

// Longest suffix first where one ends with another.
constexpr Unit kDurations[] = {{"us", 1},         {"ms", 1000},    {"d", 86'400'000'000}, {"h", 3'600'000'000},
                               {"m", 60'000'000}, {"s", 1'000'000}};
constexpr Unit kSizes[] = {{"GiB", std::int64_t{1} << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};

template <std::size_t N>
Result<std::int64_t> parse(const std::string& text, const Unit (&units)[N], bool bare_number, const char* what) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string suffix(end, text.data() + text.size());
  if (error == std::errc() && number >= 0) {
    if (suffix.empty() && (bare_number || number == 0)) return number;
    for (const Unit& unit : units) {
      if (suffix != unit.suffix) continue;
      std::int64_t product;
      if (!__builtin_mul_overflow(number, unit.factor, &product)) return product;
    }
  }
  return fail(invalid_argument("CONFIG_INVALID", "'" + text + "' is not " + what));
}

template <std::size_t N>
std::string print(std::int64_t value, const Unit (&units)[N], const char* smallest) {
  const Unit* best = nullptr;
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0 && (!best || unit.factor > best->factor)) best = &unit;
  return best ? std::to_string(value / best->factor) + best->suffix : std::to_string(value) + smallest;
}

}  // namespace

Result<Duration> parse_duration(const std::string& text) {
  SYNOD_TRY(const std::int64_t micros, parse(text, kDurations, false, "a duration such as 20ms, 5s, 10m, 2h or 7d"));
  return Duration{micros};
}
std::string print_duration(Duration duration) { return print(duration.micros, kDurations, "s"); }

Result<std::uint64_t> parse_size(const std::string& text) {
  SYNOD_TRY(const std::int64_t bytes, parse(text, kSizes, true, "a size such as 4096, 64KiB, 10MiB or 1GiB"));
  return static_cast<std::uint64_t>(bytes);
}
std::string print_size(std::uint64_t bytes) { return print(static_cast<std::int64_t>(bytes), kSizes, "B"); }

}  // namespace synod::config
