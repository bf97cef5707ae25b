// The LF text of examples/bench.lf and examples/ping.lf.
#pragma once

#include <string_view>

namespace synod::bench {

std::string_view bench_program();
std::string_view ping_program();

}  // namespace synod::bench
