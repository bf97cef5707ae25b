#pragma once

#include <string>

namespace synod::testing {

// Warnings and errors whose text contains `text` are expected until the running test ends.
void expect_log(std::string text);

}  // namespace synod::testing
