// Result<T>: a value or an Error. What can be expected to fail returns one; exceptions stay inside adapters of
// libraries that throw.
#pragma once

#include <tl/expected.hpp>

#include "base/error.h"

namespace synod {

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace synod

#define SYNOD_CONCAT_(a, b) a##b
#define SYNOD_CONCAT(a, b) SYNOD_CONCAT_(a, b)

// SYNOD_TRY(auto key, parse_key(bytes));  declares `key`, or returns the error from the enclosing function.
#define SYNOD_TRY(declaration, expression) SYNOD_TRY_(SYNOD_CONCAT(result_, __LINE__), declaration, expression)
#define SYNOD_TRY_(result, declaration, expression)                                \
  auto result = (expression);                                                      \
  if (!result) return ::tl::unexpected<::synod::Error>(std::move(result).error()); \
  declaration = std::move(*result)

// SYNOD_RETURN_IF_ERROR(store.put(key, value));  for results without a value.
#define SYNOD_RETURN_IF_ERROR(expression)                                                            \
  do {                                                                                               \
    auto status_result_ = (expression);                                                              \
    if (!status_result_) return ::tl::unexpected<::synod::Error>(std::move(status_result_).error()); \
  } while (false)
