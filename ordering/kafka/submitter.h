// The producer of a KafkaLog.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "ordering/kafka/handle.h"
#include "ordering/kafka/link.h"

namespace synod::ordering::kafka {

// Records go to librdkafka within submit(), which pipelines and batches them; a thread takes the delivery reports.
// Thread rules: public methods from any thread. Completions run on the thread or, if refused at once, in submit().
class Submitter : public std::enable_shared_from_this<Submitter> {
 public:
  explicit Submitter(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ~Submitter();

  void start();
  void submit(Bytes record, std::function<void(SubmitResult)> done);
  // A message without a record, whose witness tells of this block.
  void witness(const Witness& block, std::function<void(SubmitResult)> done);
  void stop();  // completes everything; no completion runs after the thread has ended
  std::size_t pending() const;

 private:
  struct Pending {
    std::optional<Bytes> record;  // held here: librdkafka refers to it
    Bytes witness;
    std::int64_t deadline = 0;
    std::uint64_t number = 0;  // in the order of submission
    std::function<void(SubmitResult)> done;
    std::size_t bytes() const { return record ? record->size() : 0; }
  };
  using Completions = std::vector<std::pair<std::function<void(SubmitResult)>, SubmitResult>>;

  void enqueue(std::unique_ptr<Pending> pending);
  void run();
  Status open_producer();
  void close_producer();
  void produce_waiting();
  bool produce_locked(std::unique_ptr<Pending>& pending);
  void expire_waiting();
  void finish_all();
  std::unique_ptr<Pending> complete(Pending* pending, SubmitResult result);
  void deliver_completions();
  void replace_if_fatal();
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  static void on_error(rd_kafka_t* client, int code, const char* text, void* self);
  void delivered(const rd_kafka_message_t& message);

  const std::shared_ptr<Link> link_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Pending>> waiting_;  // not yet given to a producer; the oldest first
  std::unordered_set<Pending*> produced_;         // owned; answered by a delivery report
  std::size_t pending_bytes_ = 0;
  std::uint64_t submitted_ = 0;
  bool stopped_ = false;

  ClientPtr producer_;  // replaced by the thread only, which may therefore use it without the lock
  TopicPtr topic_;
  bool fatal_ = false;
  std::vector<std::unique_ptr<Pending>> again_;  // certainly not persisted by a producer that has failed

  Completions completions_;  // of the thread
};

}  // namespace synod::ordering::kafka
