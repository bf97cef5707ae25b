// Strong integer types: a height is not an offset.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace synod {

template <typename Tag, typename Rep = std::int64_t>
struct Strong {
  Rep value{};
  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong next() const { return Strong(value + 1); }
};

}  // namespace synod

template <typename Tag, typename Rep>
struct std::hash<synod::Strong<Tag, Rep>> {
  std::size_t operator()(const synod::Strong<Tag, Rep>& x) const noexcept { return std::hash<Rep>()(x.value); }
};
