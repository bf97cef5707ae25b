// One subscription of a FabricLog.
//
// Any one orderer may lie. What it says ends the subscription only if all orderers say that we cannot go on, or if its
// block is signed as it must be and contradicts another that was; else the next orderer is read from.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <thread>

#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/head_watch.h"
#include "ordering/fabric_wire/link.h"

namespace synod::ordering::fabric_wire {

// Thread rules: all methods from any thread. The sink is called on gRPC's threads or the link's loop, by one at a time.
class BlockStream : public std::enable_shared_from_this<BlockStream> {
 public:
  BlockStream(std::shared_ptr<Link> link, Height from, std::shared_ptr<BlockSink> sink)
      : link_(std::move(link)), attempts_(link_->config), sink_(std::move(sink)), next_(from) {}

  void start() { connect(); }
  void request(std::size_t blocks);
  void end(Error error);  // after what is buffered and requested, the sink hears on_end
  void close();           // no call of the sink begins after this
  void head_seen(const KnownHead& head);

 private:
  using Stream = Call<orderer::DeliverResponse>;
  struct Buffered {
    Block block;
    std::size_t credit = 0;
    std::shared_ptr<Stream> stream;  // to give the credit back to
  };

  void connect();
  void received(std::uint64_t generation, orderer::DeliverResponse response, std::size_t credit);
  void take_status(common::Status status);
  void take_message(common::Block message, std::size_t credit);
  void leave(const std::string& because);
  void hold_against(const Error& error, const std::string& because);
  Error common_complaint() const;
  void look_for_start();
  void start_found(std::uint64_t generation, const orderer::DeliverResponse& response);
  void take_newest(const orderer::DeliverResponse& response);
  std::int64_t first_wanted() const { return last_hash_ ? next_.value - 1 : next_.value; }
  std::optional<Error> take_block(FabricBlock native, std::size_t credit);
  Block to_block(FabricBlock native, Bytes hash) const;
  void lost(std::uint64_t generation, const std::optional<Error>& error);
  void end_locked(Error error);
  void drain();

  const std::shared_ptr<Link> link_;
  std::mutex mutex_;
  std::condition_variable drained_;
  Attempts attempts_;
  std::shared_ptr<BlockSink> sink_;
  Height next_;                     // the block to receive next
  std::optional<Bytes> last_hash_;  // of block next_ - 1, once it was received
  // Fabric's orderers refuse to wait for a block after their next one, with the same answer that they give for one that
  // they no longer have. So we ask what is newest: from there blocks are read and dropped until the wanted one comes.
  bool not_found_ = false;
  std::optional<std::int64_t> newest_at_endpoint_;
  bool should_have_ = false;  // the endpoint has told of a block as new as the wanted one before it was asked for that
  std::map<std::size_t, Error> against_;  // endpoints that would not let us go on from here, and why
  std::set<std::size_t> other_heads_;     // endpoints whose block differed from ours where both had one
  struct Behind {
    std::int64_t since = 0;  // monotonic µs
    Height next;             // which was wanted then
  };
  std::optional<Behind> behind_;  // an orderer has a block that was not given to us
  std::deque<Buffered> buffer_;
  std::size_t requested_ = 0;
  std::optional<Error> ending_;
  std::shared_ptr<Stream> stream_;
  bool left_ = false;        // we gave the stream up; nothing it still says counts
  bool complained_ = false;  // to health, since the last new block
  std::uint64_t generation_ = 0;
  bool draining_ = false;
  std::thread::id drainer_;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace synod::ordering::fabric_wire
