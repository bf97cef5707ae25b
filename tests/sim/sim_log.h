// The ordering engine in the simulator: orders what it is given, loses what it had not synced, and serves blocks.
#pragma once

#include <deque>
#include <map>

#include "ordering/ordering_log.h"
#include "tests/sim/world.h"

namespace synod::sim {

class SimLog final : public Process {
 public:
  SimLog(World& world, Network& network) : Process(world, "log"), network_(network) {}

  // Called by arriving messages. Answers travel back over the network.
  void submit(Process& from, Bytes record, std::function<void(ordering::SubmitResult)> done);
  void follow(Process& from, ordering::Height next, std::function<void(const ordering::Block&)> sink);

  void set_read_only(bool read_only) { read_only_ = read_only; }
  const std::vector<ordering::Block>& blocks() const { return blocks_; }  // the durable ones
  std::size_t bytes() const { return bytes_; }                            // of all records in them

 private:
  struct Follower {
    Process* process;
    std::uint64_t life;
    std::function<void(const ordering::Block&)> sink;
  };
  void boot() override {}
  void halt(bool machine) override;
  void cut();
  void keep(ordering::Block block);
  void publish(ordering::Block block);
  void send_block(const Follower& follower, const ordering::Block& block);

  Network& network_;
  std::vector<ordering::Block> blocks_;
  std::size_t bytes_ = 0;
  std::vector<Bytes> queue_;
  std::optional<ordering::Block> syncing_;
  std::map<std::string, Follower> followers_;
  bool read_only_ = false;
};

}  // namespace synod::sim
