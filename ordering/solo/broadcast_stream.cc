#include "ordering/solo/broadcast_stream.h"

#include "base/log.h"
#include "fabric/orderer.pb.h"

namespace synod::ordering::solo {
namespace {

grpc::ByteBuffer encode(int status, const std::string& info) {
  orderer::BroadcastResponse response;
  response.set_status(static_cast<common::Status>(status));
  response.set_info(info);
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

Bytes flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  Bytes bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

void BroadcastStream::received(const grpc::ByteBuffer& message, std::size_t credit) {
  Bytes envelope = flatten(message);
  std::uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    if (refused_) return;
    number = first_ + answers_.size();
    answers_.push_back({credit, std::nullopt, {}});
  }
  // What is too large is not worth parsing: the engine refuses it.
  if (envelope.size() <= engine_.config().max_record_bytes) {
    const auto admitted = admit(*policy_, fabric_wire::EnvelopeType::message, envelope);
    if (!admitted) return answer(number, status_of(admitted.error()), admitted.error().to_string());
  }
  engine_.submit(std::move(envelope), [self = shared_from_this(), number](SubmitResult result, Height) {
    switch (result.outcome) {
      case SubmitOutcome::accepted:
        return self->answer(number, common::SUCCESS, {});
      case SubmitOutcome::refused:
        return self->answer(number, status_of(*result.error), result.error->to_string());
      case SubmitOutcome::unknown:
        return self->answer(number, common::INTERNAL_SERVER_ERROR, result.error->to_string());
    }
  });
}

void BroadcastStream::half_closed() {
  std::unique_lock lock(mutex_);
  input_over_ = true;
  send_answers(lock);
}

void BroadcastStream::answer(std::uint64_t number, int status, std::string info) {
  std::unique_lock lock(mutex_);
  if (number < first_ || number - first_ >= answers_.size()) return;  // an earlier envelope was refused
  if (status != common::SUCCESS) {
    log::info("orderer", "refused an envelope: {}", info);
    refused_ = true;
    answers_.resize(number - first_ + 1);
  }
  answers_[number - first_].status = status;
  answers_[number - first_].info = std::move(info);
  send_answers(lock);
}

void BroadcastStream::send_answers(std::unique_lock<std::mutex>& lock) {
  if (sending_) return;
  sending_ = true;
  while (!answers_.empty() && answers_.front().status) {
    const Answer front = std::move(answers_.front());
    answers_.pop_front();
    ++first_;
    lock.unlock();
    wire_->write(encode(*front.status, front.info));
    wire_->consumed(front.credit);
    lock.lock();
  }
  const bool finish = !finished_ && answers_.empty() && (refused_ || input_over_);
  finished_ = finished_ || finish;
  sending_ = false;
  lock.unlock();
  if (finish) wire_->finish();
}

}  // namespace synod::ordering::solo
