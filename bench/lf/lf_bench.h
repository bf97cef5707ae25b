// Measurements of the Daml-LF engine; bench/lf/README.md says what each figure is.
#pragma once

#include <string>

#include "base/result.h"

namespace synod::bench {

struct LfBenchOptions {
  std::string filter = ".";  // regular expression over the names
  int repetitions = 5;       // the figure is their minimum
  double seconds = 0.2;      // least time of each repetition
  std::string dars;          // folder with DARs of applications; may be empty
  bool json = false;
};

// Prints to standard output. Fails when a program cannot be loaded.
Status run_lf_bench(const LfBenchOptions& options);

}  // namespace synod::bench
