// Ports for a test's network that nobody else has: no leftover of an earlier run, no test that runs at the same time.
#pragma once

namespace synod::e2e {

// So many neighbouring ports of 127.0.0.1, below those that the system gives to clients. While this object lives, no
// other block, in whatever process, has them.
class PortBlock {
 public:
  static constexpr int kPorts = 40;

  PortBlock();
  ~PortBlock();
  PortBlock(const PortBlock&) = delete;
  PortBlock& operator=(const PortBlock&) = delete;
  int first() const { return first_; }

 private:
  int first_ = 0;
  int lock_ = -1;
};

}  // namespace synod::e2e
