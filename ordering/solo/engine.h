// The solo ordering engine: one process decides the order, by writing blocks to its log. In-process interface; the gRPC
// service in front of it is solo/atomic_broadcast.h.
//
// One writer thread takes everything that has gathered, cuts it into blocks, writes and syncs them at once, and then
// publishes them. While a sync is under way the next records gather, so blocks grow with the load and an idle engine
// cuts at once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/env.h"
#include "ordering/ordering_log.h"
#include "ordering/solo/block_file.h"

namespace synod::ordering::solo {

struct EngineConfig {
  std::string folder;
  std::string channel = "synod";             // fixed when the log is created
  std::size_t max_record_bytes = 16u << 20;  // of an envelope
  std::size_t max_block_records = 500;
  std::size_t max_block_bytes = 2u << 20;    // a larger record has a block of its own
  Duration batch_timeout = {};               // gather this long even when idle; 0: cut at once
  std::size_t max_queued_bytes = 64u << 20;  // waiting for their block; beyond it submissions are refused
  std::size_t max_queued_records = 100'000;
  std::size_t cache_bytes = 8u << 20;  // of the newest blocks, kept in memory
  std::size_t segment_bytes = 64u << 20;
  std::uint64_t keep_blocks = 0;                    // at least so many; older ones go, a segment at a time. 0: all
  Duration full_disk_retry = Duration::seconds(1);  // how often a submission may probe a full disk again
  bool sync = true;                                 // false: the log may lose its end with the machine; tests only
};

// A block as it goes over the wire and stands in the log.
struct StoredBlock {
  std::int64_t height = 0;
  Bytes hash;   // of its header
  Bytes bytes;  // serialised common.Block
};

// Thread rules: all methods from any thread. Callbacks run on the writer thread: enqueue and return.
class Engine {
 public:
  // Creates the log with block 0, which holds one configuration envelope that names the channel and a random id; or
  // opens it. Errors: those of BlockFile::open, ORDERING_WRONG_CHANNEL.
  static Result<std::unique_ptr<Engine>> open(EngineConfig config);
  ~Engine();

  // `envelope` is a serialised common.Envelope; the engine does not look into it. Accepted means that it is in a
  // durable block, at the height given. `done` is called exactly once, within submit() if refused at once.
  void submit(Bytes envelope, std::function<void(SubmitResult, Height)> done);

  Height oldest() const;
  Height head() const;  // the newest durable block
  // ORDERING_HEIGHT_PRUNED, ORDERING_LOG_CORRUPT; a height above head() is a bug.
  Result<std::shared_ptr<const StoredBlock>> read(Height height) const;

  // Calls `listener` after each group of blocks with the new head. After remove_listener() returns it is not called any
  // more. Neither may be called from within a listener.
  std::uint64_t add_listener(std::function<void(Height head)> listener);
  void remove_listener(std::uint64_t id);

  // Removes whole segments below `before`.
  Status prune(Height before);

  Health health() const;
  const EngineConfig& config() const { return config_; }

  // Refuses new submissions, writes what is queued, ends the writer thread. Reading still works.
  void stop();

 private:
  struct Waiting {
    Bytes envelope;
    std::function<void(SubmitResult, Height)> done;
  };
  using Group = std::deque<Waiting>;

  Engine(EngineConfig config, std::unique_ptr<BlockFile> file);
  Status start();
  Status create_genesis();
  Status check_channel(const StoredBlock& genesis) const;
  std::optional<Error> refusal(std::size_t bytes);
  void run();
  bool gather(Group& group);
  void order(Group group);
  std::shared_ptr<const StoredBlock> cut(Group& group, std::size_t& taken);
  void forget_old();
  void publish(const std::vector<std::shared_ptr<const StoredBlock>>& blocks);
  void note_failure(const Error& error);

  const EngineConfig config_;
  const std::unique_ptr<BlockFile> file_;
  const std::shared_ptr<Clock> clock_ = system_clock();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Group queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::optional<Error> trouble_;  // why submissions are refused
  bool trouble_is_final_ = false;
  std::int64_t probe_at_ = 0;                             // monotonic µs: a full disk is tried again from here on
  std::deque<std::shared_ptr<const StoredBlock>> cache_;  // the newest blocks, oldest first
  std::size_t cached_bytes_ = 0;

  std::mutex order_mutex_;  // held while blocks are cut and written, and by prune()
  Bytes last_hash_;
  std::int64_t cut_next_ = 0;

  std::mutex listeners_mutex_;
  std::map<std::uint64_t, std::function<void(Height)>> listeners_;
  std::uint64_t next_listener_ = 1;

  std::thread writer_;
};

}  // namespace synod::ordering::solo
