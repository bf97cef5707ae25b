// Times of many submissions, in microseconds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace synod::bench {

class Latencies {
 public:
  void add(std::int64_t micros) { micros_.push_back(micros); }
  void add(const Latencies& other) { micros_.insert(micros_.end(), other.micros_.begin(), other.micros_.end()); }
  std::size_t count() const { return micros_.size(); }
  // The smallest time that `share` of all do not exceed, in milliseconds; 0 without any.
  double quantile_millis(double share) {
    if (micros_.empty()) return 0;
    const auto index =
        std::min(micros_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(micros_.size())));
    std::nth_element(micros_.begin(), micros_.begin() + static_cast<std::ptrdiff_t>(index), micros_.end());
    return static_cast<double>(micros_[index]) / 1000;
  }

 private:
  std::vector<std::int64_t> micros_;
};

}  // namespace synod::bench
