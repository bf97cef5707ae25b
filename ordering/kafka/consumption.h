// Reading the topic from an offset on: librdkafka's simple consumer, without a consumer group.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "ordering/kafka/chain.h"
#include "ordering/kafka/handle.h"
#include "ordering/kafka/link.h"

namespace synod::ordering::kafka {

struct Received {
  std::int64_t offset = 0;
  std::optional<Bytes> record;
  std::optional<Witness> witness;
};

// Thread rules: one thread, except that on_error runs within poll() on the same.
class Consumption {
 public:
  static Result<std::unique_ptr<Consumption>> open(std::shared_ptr<Link> link);
  ~Consumption();

  Status start(std::int64_t offset);  // or on from there, if that is where it stands
  void stop();

  enum class Event { nothing, message, end_of_log, out_of_range, failed };
  // Waits up to `timeout`. message: `received` is set; end_of_log: nothing at or above received.offset yet.
  Event poll(std::chrono::milliseconds timeout, Received& received);

  // A connection broke since the last call: what follows may be another log.
  bool take_trouble() { return trouble_.exchange(false); }

  Result<Watermarks> watermarks() const;
  rd_kafka_t* client() const { return client_.get(); }

 private:
  explicit Consumption(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  static void on_error(rd_kafka_t*, int code, const char* text, void* self);

  const std::shared_ptr<Link> link_;
  std::atomic<bool> trouble_ = false;
  ClientPtr client_;
  TopicPtr topic_;
  QueuePtr queue_;
  bool started_ = false;
  std::int64_t next_ = 0;  // offset, while started
};

// The hash of block start-1, found from what the topic holds around it. Error ids: ORDERING_HEIGHT_PRUNED: the topic
// does not hold enough any more; ORDERING_UNAVAILABLE: try again. `cancelled` is asked from time to time.
struct Anchored {
  Bytes hash;
  std::optional<Height> newest_witnessed;
};
Result<Anchored> find_anchor(Consumption& consumption, Watermarks marks, Height start,
                             const std::function<bool()>& cancelled);

}  // namespace synod::ordering::kafka
