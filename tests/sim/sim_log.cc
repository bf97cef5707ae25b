#include "tests/sim/sim_log.h"

#include <fmt/format.h>

#include "ordering/fabric_wire/block_codec.h"

namespace synod::sim {

constexpr std::size_t kCatchUpBlocks = 200;  // sent at once to one that comes back

void SimLog::submit(Process& from, Bytes record, std::function<void(ordering::SubmitResult)> done) {
  ordering::SubmitResult result;
  if (read_only_)
    result = {ordering::SubmitOutcome::refused, unavailable("ORDERING_UNAVAILABLE", "read-only")};
  else
    queue_.push_back(std::move(record));
  network_.send(*this, from, [done = std::move(done), result] { done(result); });
  cut();
}

void SimLog::cut() {
  if (syncing_ || queue_.empty()) return;
  ordering::Block block;
  block.height = ordering::Height(static_cast<std::int64_t>(blocks_.size()));
  if (!blocks_.empty()) block.previous_hash = blocks_.back().hash;
  block.records.swap(queue_);
  block.native_position = static_cast<std::uint64_t>(block.height.value);
  block.hash = ordering::fabric_wire::header_hash(block.native_position, block.previous_hash,
                                                  ordering::fabric_wire::data_hash(block.records));
  syncing_ = std::move(block);
  after(world_.between(Duration::microseconds(200), Duration::milliseconds(3)), [this] {
    publish(std::move(*syncing_));
    syncing_.reset();
    cut();
  });
}

void SimLog::keep(ordering::Block block) {
  for (const Bytes& record : block.records) bytes_ += record.size();
  blocks_.push_back(std::move(block));
}

void SimLog::publish(ordering::Block block) {
  world_.note(fmt::format("log block {} with {} records", block.height.value, block.records.size()));
  keep(std::move(block));
  for (const auto& [name, follower] : followers_) send_block(follower, blocks_.back());
}

void SimLog::send_block(const Follower& follower, const ordering::Block& block) {
  if (follower.process->up() && follower.process->life() == follower.life)
    network_.stream(*this, *follower.process, [sink = follower.sink, block] { sink(block); });
}

void SimLog::follow(Process& from, ordering::Height next, std::function<void(const ordering::Block&)> sink) {
  Follower& follower = followers_[from.name()] = {&from, from.life(), std::move(sink)};
  for (std::size_t i = 0;
       i < kCatchUpBlocks && next.value + static_cast<std::int64_t>(i) < static_cast<std::int64_t>(blocks_.size()); ++i)
    send_block(follower, blocks_[static_cast<std::size_t>(next.value) + i]);
}

void SimLog::halt(bool) {
  queue_.clear();
  followers_.clear();
  // The block being written may have reached the disk without anybody having heard of it.
  if (syncing_ && world_.chance(500)) keep(std::move(*syncing_));
  syncing_.reset();
}

}  // namespace synod::sim
