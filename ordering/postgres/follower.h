// Delivers blocks: listens for new ones and reads them for all subscriptions of a log, over one connection.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ordering/postgres/connection.h"
#include "ordering/postgres/link.h"
#include "ordering/postgres/schema.h"

namespace synod::ordering::postgres {

// One subscription. Thread rules: from any thread; its mutex guards all but the sink.
struct Feed {
  Feed(Height from, std::shared_ptr<BlockSink> s) : sink(std::move(s)), next(from) {}

  // No call of the sink begins after this.
  void close();

  const std::shared_ptr<BlockSink> sink;
  std::mutex mutex;
  std::condition_variable left_sink;
  Height next;
  std::optional<Bytes> last_hash;  // of block next - 1, once it was delivered
  std::size_t requested = 0;
  std::optional<Error> ending;
  bool closed = false;
  bool ended = false;
  bool in_sink = false;
  std::thread::id thread;  // that is in the sink
};

// Thread rules: public methods from any thread. Sinks are called on its thread.
class Follower : public std::enable_shared_from_this<Follower> {
 public:
  explicit Follower(std::shared_ptr<Link> link);
  ~Follower();

  void start();
  void add(std::shared_ptr<Feed> feed);
  void wake();                     // something was requested or closed
  void stop(const Error& reason);  // ends all subscriptions

 private:
  class Announcements;

  void run();
  Status follow();
  Status connect();
  Status check_history(Feed& feed, const LogState& state);
  std::vector<std::shared_ptr<Feed>> feeds();
  bool end_due();
  Status serve(const std::shared_ptr<Feed>& feed, bool& served);
  Status read(Feed& feed, std::size_t limit, std::vector<Block>& blocks);
  void give(Feed& feed, Block block);
  void end(Feed& feed, Error error);
  Status wait_for_news();
  bool stopping();
  void pause(Duration delay);
  void drain_wake();

  const std::shared_ptr<Link> link_;
  int wake_[2] = {-1, -1};

  std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Feed>> feeds_;
  std::shared_ptr<Connection> connection_;  // set by the thread
  std::optional<Error> stopped_;

  // Of the thread.
  std::unique_ptr<Announcements> announcements_;
  Height head_{-1};
  std::optional<Bytes> log_id_;
};

}  // namespace synod::ordering::postgres
