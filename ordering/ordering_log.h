// The log that several sequencers share: it takes opaque records and hands everyone the same blocks of them in the same
// order. A driver connects one engine (`synod orderer`, Fabric, Kafka, PostgreSQL); conformance/ is the suite that
// every driver passes. Nothing here knows Canton's protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

namespace synod::ordering {

// The number of a block: consecutive, the same at every node for ever. The first block an engine has is 0; it may hold
// no records (a Fabric-like engine keeps its configuration there).
using Height = Strong<struct HeightTag, std::int64_t>;

struct Block {
  Height height;
  Bytes previous_hash;  // hash of block height-1; empty for block 0
  Bytes hash;           // over height, previous_hash and the content: two nodes that agree on it agree on all before
  std::vector<Bytes> records;         // as submitted, in order; may be empty
  std::uint64_t native_position = 0;  // where the engine itself has it: Fabric's block number, Kafka's offset
};

enum class SubmitOutcome {
  accepted,  // the engine took it. Not yet ordered: it may still be lost, or be ordered twice
  refused,   // certainly not ordered, now or later, as a consequence of this call
  unknown,   // the connection broke or the deadline passed: it may or may not be ordered
};

struct SubmitResult {
  SubmitOutcome outcome = SubmitOutcome::accepted;
  // Set unless accepted. ORDERING_UNAVAILABLE and ORDERING_OVERLOADED are worth another attempt,
  // ORDERING_RECORD_TOO_LARGE, ORDERING_REFUSED and ORDERING_NOT_AUTHORIZED are not without a change.
  std::optional<Error> error;
};

// What a subscriber implements. Thread rules: calls come one at a time on a thread of the driver; do little and post.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // The next block, without gaps from the height subscribed at; only as many as were requested.
  virtual void on_block(Block block) = 0;
  // The subscription is over and will not recover: ORDERING_HEIGHT_PRUNED, ORDERING_FORKED (the engine serves another
  // history than before), ORDERING_NOT_AUTHORIZED, or ORDERING_STOPPED. Called at most once, nothing follows. Losing
  // the engine is not an end: the driver reconnects and goes on where it was.
  virtual void on_end(Error error) = 0;
};

// Destroying it ends the subscription; on_end is not called then. No call of the sink begins after the destructor
// returns; one that is running is waited for, unless the destructor runs inside it.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Allows `blocks` more blocks. Nothing is delivered before the first request. The driver holds at most its configured
  // window of blocks that were not requested yet.
  virtual void request(std::size_t blocks) = 0;
};

struct Health {
  enum class State {
    connecting,  // not usable yet or no longer; the driver keeps trying
    ready,
    read_only,  // blocks are served, submissions are refused (e.g. the engine's disk is full)
    stopped,
  };
  State state = State::connecting;
  std::optional<Height> head;  // newest block known to exist
  std::string leader;          // endpoint that takes submissions; empty if unknown
  std::size_t pending_submissions = 0;
  std::string last_error;  // of the engine or the connection; empty if there was none since it became ready
};
std::string_view to_string(Health::State state);

// Thread rules: all methods from any thread. No method blocks, except stop().
class OrderingLog {
 public:
  virtual ~OrderingLog() = default;

  // Calls `done` exactly once, on a thread of the driver or, if refused at once, within submit(). Accepted is not
  // ordered: the caller watches the blocks, submits again when its record does not appear, and removes duplicates
  // itself.
  virtual void submit(Bytes record, std::function<void(SubmitResult)> done) = 0;

  // Blocks from `from` on, existing or future.
  virtual std::unique_ptr<Subscription> subscribe(Height from, std::shared_ptr<BlockSink> sink) = 0;

  // A time t of the engine's own clock such that any record submitted from now on is ordered in a block later than
  // those with a time up to t; none if the engine keeps no time of its own, and then the sequencers' proposals decide
  // alone.
  virtual std::optional<Timestamp> sequencing_time() const = 0;

  // Lets the engine forget blocks below `before`. Unsupported (category `unsupported`) where that is an operator's
  // matter.
  virtual void prune(Height before, std::function<void(Status)> done) = 0;

  virtual Health health() const = 0;

  // The largest record that submit() takes; larger ones are refused with ORDERING_RECORD_TOO_LARGE.
  virtual std::size_t max_record_bytes() const = 0;

  // Completes pending submissions as unknown, ends subscriptions with ORDERING_STOPPED, and returns when no callback
  // runs any more or the deadline has passed. Not from a callback.
  virtual void stop(Duration deadline) = 0;
};

}  // namespace synod::ordering
