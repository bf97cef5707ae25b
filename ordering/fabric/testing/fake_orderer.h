// Orderers of a test channel that do what a test tells them, lies included. They order nothing: a test adds the blocks.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "fabric/orderer.grpc.pb.h"
#include "ordering/fabric/testing/test_channel.h"

namespace synod::ordering::fabric::testing {

// What all honest orderers have. Thread-safe.
class SharedBlocks {
 public:
  void add(common::Block block) {
    std::lock_guard lock(mutex_);
    blocks_.push_back(std::move(block));
    changed_.notify_all();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return blocks_.size();
  }
  common::Block at(std::size_t number) const {
    std::lock_guard lock(mutex_);
    return blocks_[number];
  }
  // Waits a moment for the block; false: it is not there yet.
  bool wait_for(std::size_t number) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(10), [&] { return number < blocks_.size(); });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<common::Block> blocks_;
};

enum class Manner {
  honest,
  withholds,       // tells of all blocks, gives none from `from` on
  forges,          // gives blocks from `from` on with content that nobody signed
  forbids,         // FORBIDDEN to whoever wants blocks
  refuses,         // BAD_REQUEST to the same
  has_none,        // NOT_FOUND to the same
  rewrites,        // gives the blocks of rewrite_with() from `from` on; tells of the honest ones
  unsigned_heads,  // and of far away heights; gives blocks honestly
  catches_up,      // NOT_FOUND to whoever first wants blocks, as if it did not have them yet; honest afterwards
};
inline std::string to_string(Manner manner) {
  const char* names[] = {"honest",   "withholds", "forges",         "forbids",   "refuses",
                         "has_none", "rewrites",  "unsigned_heads", "catches_up"};
  return names[static_cast<int>(manner)];
}

class FakeOrderer final : private orderer::AtomicBroadcast::Service {
 public:
  explicit FakeOrderer(std::shared_ptr<SharedBlocks> blocks) : blocks_(std::move(blocks)) { start(); }
  ~FakeOrderer() override { stop(); }

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  void behave(Manner manner, std::size_t from = 0) {
    from_ = from;
    manner_ = manner;
  }
  // Blocks that a rewriter gives from `from` on.
  void rewrite_with(std::shared_ptr<SharedBlocks> others) { others_ = std::move(others); }
  // Ends all streams; they may be opened again.
  void end_streams() { ++era_; }
  void stop() {
    if (!server_) return;
    ++era_;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    server_.reset();
  }
  int head_requests() const { return head_requests_; }    // answered
  int block_requests() const { return block_requests_; }  // begun

 private:
  using Stream = grpc::ServerReaderWriter<orderer::DeliverResponse, common::Envelope>;

  void start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    SYNOD_CHECK(server_ != nullptr);
  }

  grpc::Status Broadcast(grpc::ServerContext*,
                         grpc::ServerReaderWriter<orderer::BroadcastResponse, common::Envelope>* stream) override {
    orderer::BroadcastResponse taken;
    taken.set_status(common::SUCCESS);
    for (common::Envelope envelope; stream->Read(&envelope);) stream->Write(taken);
    return grpc::Status::OK;
  }

  grpc::Status Deliver(grpc::ServerContext* context, Stream* stream) override {
    const int era = era_;
    for (common::Envelope message; stream->Read(&message);) {
      const auto envelope = fabric_wire::parse_envelope(message.SerializeAsString());
      orderer::SeekInfo seek;
      if (!envelope || !seek.ParseFromString(envelope->data)) return grpc::Status::OK;
      if (seek.start().has_newest())
        tell_newest(stream);
      else
        give_blocks(seek.start().specified().number(), era, context, stream);
      if (era != era_) return grpc::Status::OK;
    }
    return grpc::Status::OK;
  }

  static void answer(Stream* stream, common::Status status) {
    orderer::DeliverResponse response;
    response.set_status(status);
    stream->Write(response);
  }
  static void give(Stream* stream, const common::Block& block) {
    orderer::DeliverResponse response;
    *response.mutable_block() = block;
    stream->Write(response);
  }

  void tell_newest(Stream* stream) {
    common::Block newest = blocks_->at(blocks_->size() - 1);
    newest.clear_data();
    if (manner_ == Manner::unsigned_heads) {
      newest.clear_metadata();
      newest.mutable_header()->set_number(1'000'000);
    }
    give(stream, newest);
    answer(stream, common::SUCCESS);
    ++head_requests_;
  }

  void give_blocks(std::size_t number, int era, grpc::ServerContext* context, Stream* stream) {
    const bool first = ++block_requests_ == 1;
    if (manner_ == Manner::catches_up && first) return answer(stream, common::NOT_FOUND);
    if (manner_ == Manner::forbids) return answer(stream, common::FORBIDDEN);
    if (manner_ == Manner::refuses) return answer(stream, common::BAD_REQUEST);
    if (manner_ == Manner::has_none) return answer(stream, common::NOT_FOUND);
    while (!context->IsCancelled() && era == era_) {
      const bool lies = number >= from_;
      const auto& source = manner_ == Manner::rewrites && lies ? others_ : blocks_;
      if (!source->wait_for(number) || (manner_ == Manner::withholds && lies)) {
        if (manner_ == Manner::withholds) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      common::Block block = source->at(number++);
      if (manner_ == Manner::forges && lies) {
        *block.mutable_data()->mutable_data(0) = "forged";
        block.mutable_header()->set_data_hash(fabric_wire::data_hash({"forged"}));
      }
      give(stream, block);
    }
  }

  const std::shared_ptr<SharedBlocks> blocks_;
  std::shared_ptr<SharedBlocks> others_;  // set before it behaves so
  std::atomic<Manner> manner_ = Manner::honest;
  std::atomic<std::size_t> from_ = 0;
  std::atomic<int> era_ = 0, head_requests_ = 0, block_requests_ = 0;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace synod::ordering::fabric::testing
