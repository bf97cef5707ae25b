#pragma once

#include <cstddef>
#include <string>

namespace synod::testing {

// Warnings and errors whose text contains `text` are expected until the running test ends.
void expect_log(std::string text);

// How many lines of that kind with this text there were since the running test began.
std::size_t seen_log(const std::string& text);

}  // namespace synod::testing
