// The submitting side of a FabricLog towards one orderer at a time.
#pragma once

#include <deque>

#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/link.h"

namespace synod::ordering::fabric_wire {

// Thread rules: all methods from any thread. Completions run on gRPC's threads or the link's loop, without a lock held.
class Submitter : public std::enable_shared_from_this<Submitter> {
 public:
  // With several endpoints it goes to the next when one fails; with `only` it stays with that one.
  explicit Submitter(std::shared_ptr<Link> link, std::optional<std::size_t> only = std::nullopt)
      : link_(std::move(link)), attempts_(link_->config, only) {}

  void start() { connect(); }
  // `bytes`: what counts against the limit of pending submissions.
  void submit(grpc::ByteBuffer envelope, std::size_t bytes, std::function<void(SubmitResult)> done);
  void stop();
  void describe(Health& health) const;

 private:
  using Stream = Call<orderer::BroadcastResponse>;
  struct Pending {
    grpc::ByteBuffer envelope;
    std::size_t bytes = 0;
    std::int64_t deadline = 0;  // monotonic µs
    std::function<void(SubmitResult)> done;
  };
  using Completions = std::vector<std::pair<std::function<void(SubmitResult)>, SubmitResult>>;

  void connect();
  void open_stream(std::uint64_t probe_generation);
  void pump();
  bool submit_again_later(const orderer::BroadcastResponse& response);
  void answered(std::uint64_t generation, const orderer::BroadcastResponse& response);
  void lost(std::uint64_t generation, const std::optional<Error>& error);
  void arm_timer();
  void expire();
  void complete(Pending pending, SubmitResult result, Completions& completions);
  static void run(Completions completions);

  const std::shared_ptr<Link> link_;
  mutable std::mutex mutex_;
  Attempts attempts_;
  std::deque<Pending> waiting_;
  std::deque<Pending> sent_;
  std::size_t pending_bytes_ = 0;
  std::shared_ptr<Stream> stream_;
  std::uint64_t generation_ = 0;  // of the probe or stream that counts
  std::string refusal_;           // why the engine does not take submissions; empty if it does
  common::Status last_status_ = common::SUCCESS;
  bool again_later_ = false;  // what is on the stream was not taken, and waits for the next one
  bool timer_armed_ = false;
  bool stopped_ = false;
};

}  // namespace synod::ordering::fabric_wire
