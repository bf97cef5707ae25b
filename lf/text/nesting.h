// Counts the depth of the parser's recursion while it is in scope.
#pragma once

#include "lf/text/parser.h"

namespace synod::lf::text {

class Parser::Nested {
 public:
  explicit Nested(int& depth) : depth_(depth) { ++depth_; }
  ~Nested() { --depth_; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;
  bool too_deep() const { return depth_ > kMaxTextNesting; }

 private:
  int& depth_;
};

}  // namespace synod::lf::text
