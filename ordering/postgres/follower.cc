#include "ordering/postgres/follower.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/log.h"
#include "ordering/postgres/block_row.h"

namespace synod::ordering::postgres {
namespace {

constexpr std::size_t kBlocksAtOnce = 256;
constexpr int kQuietMillis = 5000;  // then the head is asked for, which also shows whether the connection stands

Error forked(std::string cause) { return {"ORDERING_FORKED", ErrorCategory::malicious_or_faulty, std::move(cause)}; }

bool ends_feed(const Error& error) {
  return error.id == "ORDERING_FORKED" || error.id == "ORDERING_HEIGHT_PRUNED" ||
         error.id == "ORDERING_MALFORMED_BLOCK";
}

}  // namespace

void Feed::close() {
  std::unique_lock lock(mutex);
  closed = true;
  left_sink.wait(lock, [&] { return !in_sink || thread == std::this_thread::get_id(); });
}

class Follower::Announcements : public pqxx::notification_receiver {
 public:
  Announcements(pqxx::connection& session, const std::string& channel, Height& head)
      : pqxx::notification_receiver(session, channel), head_(head) {}
  void operator()(const std::string& payload, int) override {
    head_ = std::max(head_, Height(std::strtoll(payload.c_str(), nullptr, 10)));
  }

 private:
  Height& head_;
};

Follower::Follower(std::shared_ptr<Link> link) : link_(std::move(link)) {
  SYNOD_CHECK(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) == 0);
}

Follower::~Follower() {
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void Follower::start() {
  link_->threads.spawn([self = shared_from_this()] { self->run(); });
}

void Follower::add(std::shared_ptr<Feed> feed) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      std::lock_guard feed_lock(feed->mutex);
      feed->ending = *stopped_;
    }
    feeds_.push_back(feed);
    if (!stopped_) return wake();
  }
  // The thread has ended, or is about to and may not see it.
  link_->threads.spawn([self = shared_from_this()] { self->end_due(); });
}

void Follower::wake() { SYNOD_CHECK(::write(wake_[1], "x", 1) == 1 || errno == EAGAIN); }

void Follower::stop(const Error& reason) {
  std::shared_ptr<Connection> connection;
  {
    std::lock_guard lock(mutex_);
    stopped_ = reason;
    connection = connection_;
    for (const auto& feed : feeds_) {
      std::lock_guard feed_lock(feed->mutex);
      if (!feed->ending) feed->ending = reason;
    }
  }
  if (connection) connection->interrupt();
  wake();
}

bool Follower::stopping() {
  std::lock_guard lock(mutex_);
  return stopped_.has_value();
}

// What asks for blocks meanwhile can wait: without a connection there is nothing to give. Only stop() ends the pause.
void Follower::pause(Duration delay) {
  const std::int64_t until = link_->clock->monotonic_micros() + delay.micros;
  for (std::int64_t left = delay.micros; left > 0 && !stopping(); left = until - link_->clock->monotonic_micros()) {
    pollfd polled{wake_[0], POLLIN, 0};
    ::poll(&polled, 1, static_cast<int>(left / 1000) + 1);
    drain_wake();
  }
}

void Follower::drain_wake() {
  char drain[64];
  while (::read(wake_[0], drain, sizeof drain) > 0) {
  }
}

void Follower::run() {
  Duration delay = link_->config.min_reconnect_delay;
  while (!stopping()) {
    const Status status = follow();
    announcements_.reset();
    {
      std::lock_guard lock(mutex_);
      connection_.reset();
    }
    if (!status) link_->lost(status.error().cause);
    if (end_due()) continue;
    if (head_.value >= 0) delay = link_->config.min_reconnect_delay;
    head_ = Height(-1);
    pause(delay);
    delay = std::min(delay * 2, link_->config.max_reconnect_delay);
  }
  end_due();
}

// Tells those whose subscription is over, forgets who has gone. True: stopping.
bool Follower::end_due() {
  for (const auto& feed : feeds()) {
    std::unique_lock lock(feed->mutex);
    if (feed->closed || feed->ended || !feed->ending) continue;
    const Error error = *feed->ending;
    lock.unlock();
    end(*feed, error);
  }
  return stopping();
}

std::vector<std::shared_ptr<Feed>> Follower::feeds() {
  std::lock_guard lock(mutex_);
  std::erase_if(feeds_, [](const auto& feed) {
    std::lock_guard feed_lock(feed->mutex);
    return feed->closed || feed->ended;
  });
  return feeds_;
}

Status Follower::connect() {
  SYNOD_TRY(const auto connection, Connection::open(link_->config));
  SYNOD_TRY(LogState state, open_schema(*connection, link_->config));
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return fail(*stopped_);
    connection_ = connection;
  }
  // First listen, then ask for the head: what comes in between is announced.
  SYNOD_RETURN_IF_ERROR(guarded([&] {
    announcements_ = std::make_unique<Announcements>(connection->session(), channel(link_->config.schema), head_);
    connection->session().prepare("read",
                                  "SELECT height, previous_hash, hash, content FROM (SELECT *, sum(length(content)) "
                                  "OVER (ORDER BY height) AS total FROM (SELECT * FROM " +
                                      quoted(link_->config.schema) +
                                      ".blocks WHERE height >= $1 ORDER BY height LIMIT $2) AS chunk) AS summed WHERE "
                                      "total <= $3 OR height = $1 ORDER BY height");
    pqxx::nontransaction work(connection->session());
    state = read_state(work, link_->config.schema);
  }));
  head_ = std::max(head_, state.head);
  for (const auto& feed : feeds())
    if (const Status same = check_history(*feed, state); !same) end(*feed, same.error());
  log_id_ = state.log_id;
  std::lock_guard lock(link_->mutex);
  link_->connected = true;
  link_->last_error.clear();
  link_->leader = connection->server();
  link_->head = head_;  // a log that was replaced may be shorter
  return {};
}

// What a subscription has received must still be there.
Status Follower::check_history(Feed& feed, const LogState& state) {
  std::lock_guard lock(feed.mutex);
  if (!feed.last_hash) return {};
  if (log_id_ && *log_id_ != state.log_id) return fail(forked("the database holds another log than before"));
  if (feed.next.value - 1 > state.head.value)
    return fail(forked("the log ends at block " + std::to_string(state.head.value) + ", block " +
                       std::to_string(feed.next.value - 1) + " was received before"));
  return {};
}

// Until the connection is lost.
Status Follower::follow() {
  SYNOD_RETURN_IF_ERROR(connect());
  while (!stopping()) {
    bool served = false;
    for (const auto& feed : feeds()) SYNOD_RETURN_IF_ERROR(serve(feed, served));
    if (end_due()) break;
    link_->saw_head(head_);
    if (served) {
      SYNOD_RETURN_IF_ERROR(guarded([&] { connection_->session().get_notifs(); }));
    } else {
      SYNOD_RETURN_IF_ERROR(wait_for_news());
    }
  }
  return {};
}

// Sleeps until the database announces a block or somebody wants something.
Status Follower::wait_for_news() {
  pollfd polled[] = {{connection_->socket(), POLLIN, 0}, {wake_[0], POLLIN, 0}};
  const int ready = ::poll(polled, 2, kQuietMillis);
  drain_wake();
  if (polled[0].revents != 0) return guarded([&] { connection_->session().get_notifs(); });
  if (ready != 0) return {};
  return guarded([&] {
    pqxx::nontransaction work(connection_->session());
    head_ = std::max(head_, read_state(work, link_->config.schema).head);
  });
}

// A chunk of what a subscription has requested.
Status Follower::serve(const std::shared_ptr<Feed>& feed, bool& served) {
  std::size_t limit = 0;
  {
    std::lock_guard lock(feed->mutex);
    if (feed->closed || feed->ending || feed->next > head_) return {};
    limit = std::min(feed->requested, kBlocksAtOnce);
  }
  if (limit == 0) return {};
  std::vector<Block> blocks;
  const Status status = read(*feed, limit, blocks);
  for (Block& block : blocks) give(*feed, std::move(block));
  served = served || !blocks.empty();
  if (status || !ends_feed(status.error())) return status;
  end(*feed, status.error());
  return {};
}

Status Follower::read(Feed& feed, std::size_t limit, std::vector<Block>& blocks) {
  Height next = feed.next;  // only this thread changes them
  std::optional<Bytes> last = feed.last_hash;
  std::vector<Bytes> contents;
  Height oldest;
  SYNOD_RETURN_IF_ERROR(guarded([&] {
    pqxx::nontransaction work(connection_->session());
    const auto rows = work.exec_prepared("read", next.value, limit, link_->config.window_bytes);
    for (const auto& row : rows) {
      Block block;
      block.height = Height(row[0].as<std::int64_t>());
      block.native_position = static_cast<std::uint64_t>(block.height.value);
      block.previous_hash = to_bytes(row[1]);
      block.hash = to_bytes(row[2]);
      contents.push_back(to_bytes(row[3]));
      blocks.push_back(std::move(block));
    }
    if (blocks.empty() || blocks.front().height != next) oldest = read_state(work, link_->config.schema).oldest;
  }));
  if (blocks.empty() || blocks.front().height != next) {
    blocks.clear();
    if (next < oldest)
      return fail(Error(
          "ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
          "block " + std::to_string(next.value) + " was pruned; the oldest kept is " + std::to_string(oldest.value)));
    return fail(forked("block " + std::to_string(next.value) + " is gone"));
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Block& block = blocks[i];
    std::optional<Error> wrong;
    if (block.height != next || block_hash(block.height, block.previous_hash, contents[i]) != block.hash)
      wrong = Error("ORDERING_MALFORMED_BLOCK", ErrorCategory::malicious_or_faulty,
                    "block " + std::to_string(next.value) + " is not what its hash says");
    if (!wrong && last && block.previous_hash != *last)
      wrong = forked("block " + std::to_string(next.value) + " does not follow the one received before");
    if (!wrong && next.value > 0) {
      auto records = decode_records(contents[i]);
      if (records)
        block.records = std::move(*records);
      else
        wrong = records.error();
    }
    if (wrong) {
      blocks.resize(i);
      return fail(*wrong);
    }
    last = block.hash;
    next = next.next();
  }
  return {};
}

void Follower::give(Feed& feed, Block block) {
  std::unique_lock lock(feed.mutex);
  if (feed.closed || feed.ending) return;
  --feed.requested;
  feed.next = block.height.next();
  feed.last_hash = block.hash;
  feed.in_sink = true;
  feed.thread = std::this_thread::get_id();
  lock.unlock();
  feed.sink->on_block(std::move(block));
  lock.lock();
  feed.in_sink = false;
  feed.left_sink.notify_all();
}

void Follower::end(Feed& feed, Error error) {
  std::unique_lock lock(feed.mutex);
  if (feed.closed || feed.ended) return;
  feed.ended = true;
  feed.ending = error;
  feed.in_sink = true;
  feed.thread = std::this_thread::get_id();
  lock.unlock();
  feed.sink->on_end(std::move(error));
  lock.lock();
  feed.in_sink = false;
  feed.left_sink.notify_all();
}

}  // namespace synod::ordering::postgres
