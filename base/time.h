// Points and spans of time in microseconds: the resolution of sequencing time, of Daml's Time, and of every wire field.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace synod {

struct Duration {
  std::int64_t micros = 0;
  static constexpr Duration microseconds(std::int64_t n) { return {n}; }
  static constexpr Duration milliseconds(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration d) const { return {micros + d.micros}; }
  constexpr Duration operator-(Duration d) const { return {micros - d.micros}; }
  constexpr Duration operator*(std::int64_t n) const { return {micros * n}; }
};

// Since 1970-01-01T00:00:00Z. Valid range 0001-01-01 to 9999-12-31T23:59:59.999999, as in Daml.
struct Timestamp {
  std::int64_t micros = 0;
  static constexpr Timestamp min() { return {-62135596800000000}; }
  static constexpr Timestamp max() { return {253402300799999999}; }
  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(Duration d) const { return {micros + d.micros}; }
  constexpr Timestamp operator-(Duration d) const { return {micros - d.micros}; }
  constexpr Duration operator-(Timestamp t) const { return {micros - t.micros}; }
  constexpr Timestamp next() const { return {micros + 1}; }  // immediate successor
  std::string to_string() const;                             // ISO 8601 with Z; 0, 3 or 6 fraction digits
};

}  // namespace synod
