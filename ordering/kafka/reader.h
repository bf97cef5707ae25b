// One subscription of a KafkaLog: a thread with a consumer of its own, which calls the sink.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ordering/kafka/consumption.h"
#include "ordering/kafka/link.h"

namespace synod::ordering::kafka {

// Thread rules: public methods from any thread.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(std::shared_ptr<Link> link, Height from, std::shared_ptr<BlockSink> sink)
      : link_(std::move(link)), sink_(std::move(sink)), deliver_from_(from), next_(from) {}

  void start();
  void request(std::size_t blocks);
  void end(Error error);
  void close();  // no call of the sink begins after this

 private:
  void run();
  bool over() const;
  bool wait_for_request();  // false: over
  void pause(Duration delay);
  Status position(Consumption& consumption);
  Status find_start(Consumption& consumption);
  Status read(Consumption& consumption);
  Status take(Received received);
  Status verify(const Received& received);
  Status add_block(std::int64_t offset, std::optional<Bytes> record);
  void check(const Received& received);
  Status explain_range(Consumption& consumption);
  void finish();

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<BlockSink> sink_;

  // Of the thread.
  Height deliver_from_;  // blocks below are chained and not delivered
  Height next_;
  std::optional<Bytes> last_hash_;     // of block next_ - 1, once found or computed
  std::optional<Bytes> last_content_;  // its content digest, if it was received
  bool verifying_ = false;             // the message at next_ - 1 comes first, to be compared
  int beyond_end_ = 0;                 // how often the log ended before what we have
  bool alarmed_ = false;
  std::map<std::int64_t, Bytes> recent_;  // hashes, to check witnesses with

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t requested_ = 0;
  std::optional<Error> ending_;
  bool closed_ = false;
  bool in_sink_ = false;
  std::thread::id thread_;
};

}  // namespace synod::ordering::kafka
