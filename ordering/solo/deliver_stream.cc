#include "ordering/solo/deliver_stream.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "fabric/orderer.pb.h"

namespace synod::ordering::solo {
namespace {

// orderer.DeliverResponse{block} around the stored bytes, without copying them.
grpc::ByteBuffer encode_block(std::shared_ptr<const StoredBlock> block) {
  Bytes head(1, '\x12');  // field 2, length-delimited
  for (std::uint64_t length = block->bytes.size();; length >>= 7) {
    head.push_back(static_cast<char>(length < 0x80 ? length : (length & 0x7f) | 0x80));
    if (length < 0x80) break;
  }
  auto* holder = new std::shared_ptr<const StoredBlock>(block);
  const auto release = [](void* held) { delete static_cast<std::shared_ptr<const StoredBlock>*>(held); };
  const grpc::Slice slices[] = {
      grpc::Slice(head), grpc::Slice(const_cast<char*>(block->bytes.data()), block->bytes.size(), release, holder)};
  return grpc::ByteBuffer(slices, 2);
}

grpc::ByteBuffer encode_status(int status) {
  orderer::DeliverResponse response;
  response.set_status(static_cast<common::Status>(status));
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

std::shared_ptr<const StoredBlock> without_data(const StoredBlock& block) {
  common::Block message;
  message.ParseFromString(block.bytes);
  message.clear_data();
  auto header = std::make_shared<StoredBlock>(block);
  header->bytes = message.SerializeAsString();
  return header;
}

std::int64_t clamp(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max() - 1));
}

}  // namespace

Result<DeliverStream::Seek> DeliverStream::parse_seek(ByteView bytes) const {
  SYNOD_TRY(const auto envelope, admit(*policy_, fabric_wire::EnvelopeType::deliver_seek_info, bytes));
  const auto bad = [](std::string cause) { return fail(invalid_argument("ORDERING_BAD_SEEK", std::move(cause))); };
  orderer::SeekInfo info;
  if (!info.ParseFromString(envelope.data)) return bad("not a SeekInfo");
  const std::int64_t oldest = engine_.oldest().value, head = engine_.head().value;
  const auto resolve = [&](const orderer::SeekPosition& position) -> std::optional<std::int64_t> {
    switch (position.Type_case()) {
      case orderer::SeekPosition::kOldest:
        return oldest;
      case orderer::SeekPosition::kNewest:
        return head;
      case orderer::SeekPosition::kNextCommit:
        return head + 1;
      case orderer::SeekPosition::kSpecified:
        return clamp(position.specified().number());
      default:
        return std::nullopt;
    }
  };
  const auto start = resolve(info.start()), stop = resolve(info.stop());
  if (!start || !stop) return bad("start or stop is missing");
  if (*stop < *start) return bad("stop lies before start");
  if (*start < oldest)
    return fail(not_found("ORDERING_HEIGHT_PRUNED",
                          "block " + std::to_string(*start) + " is pruned; the oldest is " + std::to_string(oldest)));
  return Seek{*start, *stop, info.behavior() == orderer::SeekInfo::BLOCK_UNTIL_READY,
              info.content_type() == orderer::SeekInfo::HEADER_WITH_SIG};
}

void DeliverStream::received(const grpc::ByteBuffer& message, std::size_t credit) {
  auto seek = parse_seek(flatten(message));
  {
    std::lock_guard lock(mutex_);
    if (refusal_) return;
    if (seek) {
      seek->credit = credit;
      seeks_.push_back(*seek);
    } else {
      log::info("orderer", "refused a seek: {}", seek.error().to_string());
      refusal_ = status_of(seek.error());
    }
  }
  pump();
}

void DeliverStream::half_closed() {
  {
    std::lock_guard lock(mutex_);
    input_over_ = true;
  }
  pump();
}

void DeliverStream::drained() {
  {
    std::lock_guard lock(mutex_);
    full_ = false;
  }
  pump();
}

void DeliverStream::closed() {
  std::lock_guard lock(mutex_);
  finished_ = true;
}

void DeliverStream::wake() { pump(); }

void DeliverStream::pump() {
  std::unique_lock lock(mutex_);
  again_ = true;
  if (pumping_) return;
  pumping_ = true;
  while (again_) {
    again_ = false;
    while (send_next(lock)) {
    }
  }
  pumping_ = false;
}

// Sends one block or status if there is one to send. Lets go of the lock while it does.
bool DeliverStream::send_next(std::unique_lock<std::mutex>& lock) {
  if (finished_ || full_) return false;
  if (seeks_.empty()) {
    if (refusal_) {
      end_seek(lock, *refusal_);
    } else if (input_over_) {
      finished_ = true;
      lock.unlock();
      wire_->finish();
      lock.lock();
    }
    return false;
  }
  Seek& seek = seeks_.front();
  if (seek.next > seek.stop) {
    end_seek(lock, common::SUCCESS);
    return true;
  }
  if (seek.next > engine_.head().value) {
    if (!seek.wait) end_seek(lock, common::NOT_FOUND);
    return false;
  }
  const std::int64_t height = seek.next++;
  const bool headers_only = seek.headers_only;
  full_ = true;  // until the write says otherwise; drained() may come before it has returned
  lock.unlock();
  const auto block = engine_.read(Height(height));
  if (!block) {
    if (block.error().id != "ORDERING_HEIGHT_PRUNED")
      log::error("orderer", "cannot serve block {}: {}", height, block.error().to_string());
    lock.lock();
    end_seek(lock, status_of(block.error()));
    return false;
  }
  const auto outcome = wire_->write(encode_block(headers_only ? without_data(**block) : *block));
  lock.lock();
  if (outcome != rpc::WriteOutcome::full) full_ = false;
  if (outcome == rpc::WriteOutcome::closed) finished_ = true;
  return !full_;
}

void DeliverStream::end_seek(std::unique_lock<std::mutex>& lock, int status) {
  std::size_t credit = 0;
  if (!seeks_.empty()) {
    credit = seeks_.front().credit;
    seeks_.pop_front();
  }
  if (status != common::SUCCESS) finished_ = true;
  lock.unlock();
  wire_->write(encode_status(status));
  if (status == common::SUCCESS)
    wire_->consumed(credit);
  else
    wire_->finish();
  lock.lock();
}

}  // namespace synod::ordering::solo
