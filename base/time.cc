#include "base/time.h"

#include <cstdio>

namespace synod {
namespace {

// Days since 1970-01-01 to a civil date (proleptic Gregorian calendar).
void civil_from_days(std::int64_t days, std::int64_t& year, unsigned& month, unsigned& day) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const unsigned day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  day = day_of_year - (153 * shifted + 2) / 5 + 1;
  month = shifted < 10 ? shifted + 3 : shifted - 9;
  year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2);
}

}  // namespace

std::string Timestamp::to_string() const {
  constexpr std::int64_t kDay = 86'400'000'000;
  std::int64_t days = micros / kDay, rest = micros % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  std::int64_t year;
  unsigned month, day;
  civil_from_days(days, year, month, day);
  const std::int64_t seconds = rest / 1'000'000, fraction = rest % 1'000'000;
  char text[64];
  int n = std::snprintf(text, sizeof text, "%04lld-%02u-%02uT%02lld:%02lld:%02lld", static_cast<long long>(year), month,
                        day, static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                        static_cast<long long>(seconds % 60));
  if (fraction != 0) {
    if (fraction % 1000 == 0)
      n += std::snprintf(text + n, sizeof text - n, ".%03lld", static_cast<long long>(fraction / 1000));
    else
      n += std::snprintf(text + n, sizeof text - n, ".%06lld", static_cast<long long>(fraction));
  }
  return std::string(text, n) + "Z";
}

}  // namespace synod
