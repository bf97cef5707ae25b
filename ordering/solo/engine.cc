#include "ordering/solo/engine.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/log.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"

namespace synod::ordering::solo {
namespace {

constexpr std::size_t kMaxBlocksAtOnce = 16;  // per sync: bounds how long the first record of a group waits

std::shared_ptr<const StoredBlock> make_block(std::int64_t height, const Bytes& previous_hash,
                                              std::vector<Bytes> data) {
  fabric_wire::FabricBlock block;
  block.number = static_cast<std::uint64_t>(height);
  block.previous_hash = previous_hash;
  block.data_hash = fabric_wire::data_hash(data);
  block.data = std::move(data);
  auto stored = std::make_shared<StoredBlock>();
  stored->height = height;
  stored->hash = fabric_wire::header_hash(block);
  stored->bytes = fabric_wire::serialize_block(block);
  return stored;
}

Error unavailable_because(std::string cause) { return unavailable("ORDERING_UNAVAILABLE", std::move(cause)); }

}  // namespace

Engine::Engine(EngineConfig config, std::unique_ptr<BlockFile> file)
    : config_(std::move(config)), file_(std::move(file)) {}

Result<std::unique_ptr<Engine>> Engine::open(EngineConfig config) {
  BlockFileConfig files;
  files.folder = config.folder;
  files.segment_bytes = config.segment_bytes;
  files.sync = config.sync;
  SYNOD_TRY(auto file, BlockFile::open(files));
  if (file->cut_off_bytes() > 0)
    log::info("orderer", "cut off {} bytes of an unfinished write after block {}", file->cut_off_bytes(),
              file->next() - 1);
  std::unique_ptr<Engine> engine(new Engine(std::move(config), std::move(file)));
  SYNOD_RETURN_IF_ERROR(engine->start());
  return engine;
}

Status Engine::start() {
  if (file_->next() == 0) SYNOD_RETURN_IF_ERROR(create_genesis());
  cut_next_ = file_->next();
  SYNOD_TRY(auto newest, read(Height(cut_next_ - 1)));
  last_hash_ = newest->hash;
  cache_.push_back(newest);
  cached_bytes_ = newest->bytes.size();
  if (file_->first() == 0) {
    SYNOD_TRY(auto genesis, read(Height(0)));
    SYNOD_RETURN_IF_ERROR(check_channel(*genesis));
  }
  writer_ = std::thread([this] { run(); });
  pthread_setname_np(writer_.native_handle(), "orderer-writer");
  return {};
}

Status Engine::create_genesis() {
  const Bytes id = system_random()->bytes(32);
  const auto block =
      make_block(0, {}, {fabric_wire::make_envelope(fabric_wire::EnvelopeType::config, config_.channel, id, nullptr)});
  return file_->append({block->bytes});
}

Status Engine::check_channel(const StoredBlock& genesis) const {
  SYNOD_TRY(const auto block, fabric_wire::parse_block(genesis.bytes));
  if (block.data.empty()) return fail(internal_error("block 0 holds no configuration"));
  SYNOD_TRY(const auto envelope, fabric_wire::parse_envelope(block.data.front()));
  if (envelope.channel_id == config_.channel) return {};
  return fail(failed_precondition("ORDERING_WRONG_CHANNEL", "the log in " + config_.folder + " is of channel " +
                                                                envelope.channel_id + ", not " + config_.channel));
}

Engine::~Engine() { stop(); }

void Engine::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (writer_.joinable()) writer_.join();
}

// Called under mutex_.
std::optional<Error> Engine::refusal(std::size_t bytes) {
  if (stopping_) return unavailable_because("the orderer is stopping");
  if (bytes > config_.max_record_bytes)
    return invalid_argument("ORDERING_RECORD_TOO_LARGE", "an envelope of " + std::to_string(bytes) +
                                                             " bytes exceeds the limit of " +
                                                             std::to_string(config_.max_record_bytes));
  if (trouble_) {
    if (trouble_is_final_ || clock_->monotonic_micros() < probe_at_)
      return unavailable_because("the orderer is read-only: " + trouble_->cause);
    probe_at_ = clock_->monotonic_micros() + config_.full_disk_retry.micros;
  }
  if (queued_bytes_ + bytes > config_.max_queued_bytes || queue_.size() >= config_.max_queued_records)
    return unavailable("ORDERING_OVERLOADED", "the orderer's queue is full");
  return std::nullopt;
}

void Engine::submit(Bytes envelope, std::function<void(SubmitResult, Height)> done) {
  std::unique_lock lock(mutex_);
  if (auto error = refusal(envelope.size())) {
    lock.unlock();
    done({SubmitOutcome::refused, std::move(error)}, Height());
    return;
  }
  queued_bytes_ += envelope.size();
  queue_.push_back({std::move(envelope), std::move(done)});
  const bool first =
      queue_.size() == 1 || queued_bytes_ >= config_.max_block_bytes || queue_.size() >= config_.max_block_records;
  lock.unlock();
  if (first) wake_.notify_one();
}

void Engine::run() {
  Group group;
  while (gather(group)) {
    order(std::move(group));
    group.clear();
  }
}

bool Engine::gather(Group& group) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
  if (config_.batch_timeout.micros > 0 && !queue_.empty()) {
    wake_.wait_for(lock, std::chrono::microseconds(config_.batch_timeout.micros), [&] {
      return stopping_ || queued_bytes_ >= config_.max_block_bytes || queue_.size() >= config_.max_block_records;
    });
  }
  group.swap(queue_);
  queued_bytes_ = 0;
  return !group.empty();
}

// One block from the front of the group; `taken` counts the records that are in blocks already.
std::shared_ptr<const StoredBlock> Engine::cut(Group& group, std::size_t& taken) {
  std::vector<Bytes> data;
  std::size_t bytes = 0;
  while (taken < group.size() && data.size() < config_.max_block_records) {
    Bytes& next = group[taken].envelope;
    if (!data.empty() && bytes + next.size() > config_.max_block_bytes) break;
    bytes += next.size();
    data.push_back(std::move(next));
    ++taken;
  }
  return make_block(cut_next_, last_hash_, std::move(data));
}

void Engine::order(Group group) {
  std::size_t taken = 0, answered = 0;
  while (answered < group.size()) {
    std::vector<std::shared_ptr<const StoredBlock>> blocks;
    std::vector<std::size_t> ends;
    Status written;
    {
      std::lock_guard lock(order_mutex_);
      const std::int64_t first = cut_next_;
      const Bytes hash_before = last_hash_;
      while (taken < group.size() && blocks.size() < kMaxBlocksAtOnce) {
        blocks.push_back(cut(group, taken));
        ends.push_back(taken);
        last_hash_ = blocks.back()->hash;
        ++cut_next_;
      }
      written = file_->append({[&] {
        std::vector<ByteView> bytes;
        for (const auto& block : blocks) bytes.emplace_back(block->bytes);
        return bytes;
      }()});
      if (!written) {
        cut_next_ = first;
        last_hash_ = hash_before;
      }
    }
    if (written) {
      publish(blocks);
      forget_old();
    } else {
      note_failure(written.error());
    }
    for (std::size_t b = 0; b < blocks.size(); ++b)
      for (; answered < ends[b]; ++answered) {
        if (written)
          group[answered].done({}, Height(blocks[b]->height));
        else if (written.error().id == "ORDERING_LOG_FULL")
          group[answered].done(
              {SubmitOutcome::refused, unavailable_because("the orderer is read-only: " + written.error().cause)},
              Height());
        else
          group[answered].done({SubmitOutcome::unknown, unavailable_because(written.error().cause)}, Height());
      }
  }
}

void Engine::publish(const std::vector<std::shared_ptr<const StoredBlock>>& blocks) {
  {
    std::lock_guard lock(mutex_);
    if (trouble_) log::info("orderer", "accepts submissions again");
    trouble_.reset();
    for (const auto& block : blocks) {
      cache_.push_back(block);
      cached_bytes_ += block->bytes.size();
    }
    while (cache_.size() > 1 && cached_bytes_ > config_.cache_bytes) {
      cached_bytes_ -= cache_.front()->bytes.size();
      cache_.pop_front();
    }
  }
  std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener(Height(blocks.back()->height));
}

void Engine::note_failure(const Error& error) {
  std::lock_guard lock(mutex_);
  if (!trouble_) log::error("orderer", "read-only: {}", error.to_string());
  trouble_ = error;
  trouble_is_final_ = error.id != "ORDERING_LOG_FULL";
  probe_at_ = clock_->monotonic_micros() + config_.full_disk_retry.micros;
}

Height Engine::oldest() const { return Height(file_->first()); }

Height Engine::head() const {
  std::lock_guard lock(mutex_);
  return Height(cache_.back()->height);
}

Result<std::shared_ptr<const StoredBlock>> Engine::read(Height height) const {
  {
    std::lock_guard lock(mutex_);
    if (!cache_.empty() && height.value >= cache_.front()->height && height.value <= cache_.back()->height)
      return cache_[static_cast<std::size_t>(height.value - cache_.front()->height)];
  }
  auto stored = std::make_shared<StoredBlock>();
  stored->height = height.value;
  SYNOD_TRY(stored->bytes, file_->read(height.value));
  SYNOD_TRY(const auto block, fabric_wire::parse_block(stored->bytes));
  stored->hash = fabric_wire::header_hash(block);
  return stored;
}

std::uint64_t Engine::add_listener(std::function<void(Height)> listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_[next_listener_] = std::move(listener);
  return next_listener_++;
}

void Engine::remove_listener(std::uint64_t id) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void Engine::forget_old() {
  const std::int64_t keep = static_cast<std::int64_t>(config_.keep_blocks);
  if (keep == 0 || head().value < keep) return;
  if (const Status pruned = prune(Height(head().value + 1 - keep)); !pruned)
    log::warn("orderer", "old blocks stay: {}", pruned.error().to_string());
}

Status Engine::prune(Height before) {
  std::lock_guard lock(order_mutex_);
  return file_->prune(before.value);
}

Health Engine::health() const {
  std::lock_guard lock(mutex_);
  Health health;
  health.state = stopping_ ? Health::State::stopped : trouble_ ? Health::State::read_only : Health::State::ready;
  health.head = Height(cache_.back()->height);
  health.leader = "self";
  health.pending_submissions = queue_.size();
  if (trouble_) health.last_error = trouble_->to_string();
  return health;
}

}  // namespace synod::ordering::solo
