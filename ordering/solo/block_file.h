// The solo engine's disk: blocks in append-only segment files, each with a checksum, found again by height.
//
// A record is: magic u32 | crc32 u32 over all that follows | payload length u32 | 0 u32 | height i64 | durable i64 |
// payload. `durable` is the height up to which everything was already synced when this record was written: with it a
// torn tail, which may be cut off, can be told from damage in the middle, which may not. Segment files are named by the
// height of their first block and are zero-filled ahead of use, since syncing an overwrite costs the disk less than
// syncing a growing file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace synod::ordering::solo {

struct BlockFileConfig {
  std::string folder;
  std::size_t segment_bytes = 64u << 20;   // a segment that has reached this gets no more blocks
  std::size_t reserve_bytes = 256u << 10;  // zero-filled ahead of the end; at most a quarter of a segment
  bool sync = true;                        // false: for tests that do not survive a machine anyway
};

// Thread rules: append() and prune() from one thread at a time; reads from any thread at any time.
class BlockFile {
 public:
  // Cuts off a torn tail. Errors: ORDERING_LOG_CORRUPT (synced blocks are damaged: restore the folder),
  // ORDERING_LOG_LOCKED (another process has it), ORDERING_LOG_FAILED.
  static Result<std::unique_ptr<BlockFile>> open(BlockFileConfig config);
  ~BlockFile();

  std::int64_t first() const;  // oldest height that is kept
  std::int64_t next() const;   // height of the next block to append; == first() while empty
  std::uint64_t cut_off_bytes() const { return cut_off_bytes_; }  // of the torn tail found at open

  // Appends blocks with heights next(), next()+1, ... and syncs once. On an error nothing was appended:
  // ORDERING_LOG_FULL (no space; may be tried again), ORDERING_LOG_FAILED (what is on the disk is unknown until the
  // next open; every later append fails as well).
  Status append(const std::vector<ByteView>& blocks);

  // ORDERING_HEIGHT_PRUNED below first(); asking for next() or beyond is a bug.
  Result<Bytes> read(std::int64_t height) const;

  // Removes segments that hold only blocks below `before`; the newest block always stays.
  Status prune(std::int64_t before);

 private:
  struct Segment {
    int fd = -1;
    std::string path;
    std::uint64_t end = 0;                 // where the next record goes
    std::uint64_t reserved = 0;            // zero-filled up to here
    std::vector<std::uint64_t> waypoints;  // offset of every 16th block, counted from the first
    bool scanned = false;
    ~Segment();
  };
  using Segments = std::map<std::int64_t, std::shared_ptr<Segment>>;  // by first height

  explicit BlockFile(BlockFileConfig config) : config_(std::move(config)) {}
  Status lock_folder();
  Status find_segments();
  Status recover_last();
  Result<std::shared_ptr<Segment>> open_segment(std::int64_t first, bool create);
  Status index(std::int64_t first, Segment& segment, std::int64_t until) const;
  Status write_group(Segment& segment, const Bytes& group);
  void reserve(Segment& segment, std::uint64_t upto);
  Status sync_folder() const;

  const BlockFileConfig config_;
  int lock_fd_ = -1;
  mutable std::mutex mutex_;  // guards what follows
  Segments segments_;
  std::int64_t next_ = 0;
  bool failed_ = false;
  std::uint64_t cut_off_bytes_ = 0;
};

}  // namespace synod::ordering::solo
