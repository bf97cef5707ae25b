#include "ordering/solo/block_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/check.h"
#include "base/crash_point.h"

namespace synod::ordering::solo {
namespace {

constexpr std::int32_t kMagic = 0x53594e42;  // "SYNB"
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kUnchecked = 8;  // magic and checksum
constexpr std::size_t kMaxPayload = 1u << 30;
constexpr std::int64_t kStride = 16;

struct Header {
  std::uint32_t checksum;
  std::size_t length;
  std::int64_t height;
  std::int64_t durable;
};

std::uint32_t checksum_of(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void append_record(Bytes& out, std::int64_t height, std::int64_t durable, ByteView payload) {
  Bytes checked;
  checked.reserve(kHeaderBytes + payload.size());
  append_i32(checked, static_cast<std::int32_t>(payload.size()));
  append_i32(checked, 0);
  append_i64(checked, height);
  append_i64(checked, durable);
  checked.append(payload);
  append_i32(out, kMagic);
  append_i32(out, static_cast<std::int32_t>(checksum_of(checked)));
  out.append(checked);
}

std::optional<Header> parse_header(ByteView bytes) {
  if (bytes.size() < kHeaderBytes || read_i32(bytes) != kMagic) return std::nullopt;
  Header header;
  header.checksum = static_cast<std::uint32_t>(read_i32(bytes.substr(4)));
  header.length = static_cast<std::uint32_t>(read_i32(bytes.substr(8)));
  header.height = read_i64(bytes.substr(16));
  header.durable = read_i64(bytes.substr(24));
  if (header.length > kMaxPayload) return std::nullopt;
  return header;
}

// The whole valid record at the start of `bytes`, or none.
std::optional<Header> parse_record(ByteView bytes) {
  const auto header = parse_header(bytes);
  if (!header || bytes.size() < kHeaderBytes + header->length) return std::nullopt;
  if (checksum_of(bytes.substr(kUnchecked, kHeaderBytes - kUnchecked + header->length)) != header->checksum)
    return std::nullopt;
  return header;
}

Error log_failed(const std::string& what) {
  return {"ORDERING_LOG_FAILED", ErrorCategory::internal, what + ": " + std::strerror(errno)};
}
Error log_full(const std::string& folder) {
  return {"ORDERING_LOG_FULL", ErrorCategory::background_degradation, "no space left in " + folder};
}
Error log_corrupt(std::string cause) { return {"ORDERING_LOG_CORRUPT", ErrorCategory::internal, std::move(cause)}; }

bool is_out_of_space(int code) { return code == ENOSPC || code == EDQUOT || code == EFBIG; }

// False with errno set, or with errno 0 at the end of the file.
bool read_fully(int fd, char* into, std::size_t count, std::uint64_t offset) {
  while (count > 0) {
    const ssize_t got = ::pread(fd, into, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0) errno = 0;
      return false;
    }
    into += got;
    count -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

bool write_fully(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return true;
}

Result<Bytes> read_file(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail(log_failed("cannot stat " + path));
  Bytes content(static_cast<std::size_t>(info.st_size), '\0');
  if (!read_fully(fd, content.data(), content.size(), 0)) return fail(log_failed("cannot read " + path));
  return content;
}

}  // namespace

BlockFile::Segment::~Segment() {
  if (fd >= 0) ::close(fd);
}

Result<std::unique_ptr<BlockFile>> BlockFile::open(BlockFileConfig config) {
  std::unique_ptr<BlockFile> file(new BlockFile(std::move(config)));
  SYNOD_RETURN_IF_ERROR(file->lock_folder());
  SYNOD_RETURN_IF_ERROR(file->find_segments());
  SYNOD_RETURN_IF_ERROR(file->recover_last());
  return file;
}

BlockFile::~BlockFile() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Status BlockFile::lock_folder() {
  std::error_code failure;
  std::filesystem::create_directories(config_.folder, failure);
  const std::string path = config_.folder + "/lock";
  lock_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return fail(log_failed("cannot open " + path));
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0)
    return fail(failed_precondition("ORDERING_LOG_LOCKED", config_.folder + " is in use by another process"));
  return {};
}

Status BlockFile::find_segments() {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(config_.folder, failure)) {
    const std::string stem = entry.path().stem().string();
    std::int64_t first = 0;
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), first);
    if (entry.path().extension() != ".blocks" || error != std::errc() || end != stem.data() + stem.size()) continue;
    SYNOD_TRY(segments_[first], open_segment(first, false));
  }
  if (failure) return fail(internal_error("cannot list " + config_.folder + ": " + failure.message()));
  if (segments_.empty()) {
    SYNOD_TRY(auto segment, open_segment(0, true));
    segments_[0] = std::move(segment);
    SYNOD_RETURN_IF_ERROR(sync_folder());
  }
  return {};
}

Result<std::shared_ptr<BlockFile::Segment>> BlockFile::open_segment(std::int64_t first, bool create) {
  auto segment = std::make_shared<Segment>();
  segment->path = fmt::format("{}/{:020}.blocks", config_.folder, first);
  segment->fd = ::open(segment->path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0600);
  if (segment->fd < 0) {
    if (is_out_of_space(errno)) return fail(log_full(config_.folder));
    return fail(log_failed("cannot open " + segment->path));
  }
  segment->scanned = create;
  return segment;
}

Status BlockFile::recover_last() {
  const auto& [first, segment] = *segments_.rbegin();
  SYNOD_TRY(const Bytes content, read_file(segment->fd, segment->path));
  next_ = first;
  std::uint64_t offset = 0;
  while (const auto header = parse_record(ByteView(content).substr(offset))) {
    if (header->height != next_)
      return fail(log_corrupt(fmt::format("{} holds block {} where {} belongs", segment->path, header->height, next_)));
    if ((next_ - first) % kStride == 0) segment->waypoints.push_back(offset);
    ++next_;
    offset += kHeaderBytes + header->length;
  }
  segment->end = offset;
  segment->reserved = content.size();
  segment->scanned = true;

  // What follows is zeros, or a write that was cut short; unless a record in it says that this place had been synced.
  const std::size_t garbage = content.find_first_not_of('\0', offset);
  if (garbage == Bytes::npos) return {};
  for (std::size_t at = offset; (at = content.find(Bytes("SYNB"), at)) != Bytes::npos; ++at) {
    const auto later = parse_record(ByteView(content).substr(at));
    if (later && later->durable >= next_)
      return fail(log_corrupt(fmt::format("block {} in {} is damaged at offset {}, yet later blocks are whole", next_,
                                          segment->path, offset)));
  }
  cut_off_bytes_ = content.find_last_not_of('\0') + 1 - offset;
  if (::ftruncate(segment->fd, static_cast<off_t>(offset)) != 0 || ::fsync(segment->fd) != 0)
    return fail(log_failed("cannot cut off the torn tail of " + segment->path));
  segment->reserved = offset;
  return {};
}

std::int64_t BlockFile::first() const {
  std::lock_guard lock(mutex_);
  return segments_.begin()->first;
}

std::int64_t BlockFile::next() const {
  std::lock_guard lock(mutex_);
  return next_;
}

void BlockFile::reserve(Segment& segment, std::uint64_t upto) {
  if (upto <= segment.reserved || config_.reserve_bytes == 0) return;
  // Failing to reserve is no failure: the write itself will tell whether there is space.
  const std::uint64_t from = std::max(segment.reserved, segment.end);
  const std::uint64_t target = upto + std::min(config_.reserve_bytes, config_.segment_bytes / 4);
  if (write_fully(segment.fd, Bytes(target - from, '\0'), from)) segment.reserved = target;
}

Status BlockFile::write_group(Segment& segment, const Bytes& group) {
  reserve(segment, segment.end + group.size());
  bool written = write_fully(segment.fd, group, segment.end);
  passing(crash_points::kBlockUnsynced);
  written = written && (!config_.sync || ::fdatasync(segment.fd) == 0);
  passing(crash_points::kBlockSynced);
  if (written) return {};
  const int code = errno;
  // Nothing of the group may come back after a restart.
  const bool undone = ::ftruncate(segment.fd, static_cast<off_t>(segment.end)) == 0 && ::fsync(segment.fd) == 0;
  segment.reserved = segment.end;
  if (is_out_of_space(code) && undone) return fail(log_full(config_.folder));
  errno = code;
  return fail(log_failed("cannot write " + segment.path));
}

Status BlockFile::append(const std::vector<ByteView>& blocks) {
  std::unique_lock lock(mutex_);
  if (failed_)
    return fail(Error("ORDERING_LOG_FAILED", ErrorCategory::internal,
                      "an earlier write failed; only a restart tells what is on the disk"));
  std::int64_t first = segments_.rbegin()->first;
  std::shared_ptr<Segment> segment = segments_.rbegin()->second;
  const std::int64_t start = next_;
  lock.unlock();  // the writer alone touches what it uses below, and readers stay below `next_`

  if (segment->end >= config_.segment_bytes) {
    SYNOD_TRY(auto fresh, open_segment(start, true));
    SYNOD_RETURN_IF_ERROR(sync_folder());
    segment = std::move(fresh);
    first = start;
    lock.lock();
    segments_[first] = segment;
    lock.unlock();
  }
  Bytes group;
  std::vector<std::uint64_t> waypoints;
  std::int64_t height = start;
  for (ByteView block : blocks) {
    SYNOD_CHECK(block.size() <= kMaxPayload);
    if ((height - first) % kStride == 0) waypoints.push_back(segment->end + group.size());
    append_record(group, height++, start - 1, block);
  }
  const Status written = write_group(*segment, group);

  lock.lock();
  if (!written) {
    failed_ = written.error().id != "ORDERING_LOG_FULL";
    return written;
  }
  segment->end += group.size();
  segment->waypoints.insert(segment->waypoints.end(), waypoints.begin(), waypoints.end());
  next_ = height;
  return {};
}

// Fills the waypoints of a segment that was closed in an earlier life, reading its headers only.
Status BlockFile::index(std::int64_t first, Segment& segment, std::int64_t until) const {
  segment.waypoints.clear();
  char bytes[kHeaderBytes];
  std::uint64_t offset = 0;
  for (std::int64_t height = first; height < until; ++height) {
    const auto header =
        read_fully(segment.fd, bytes, kHeaderBytes, offset) ? parse_header({bytes, kHeaderBytes}) : std::nullopt;
    if (!header || header->height != height)
      return fail(log_corrupt(fmt::format("block {} in {} is damaged", height, segment.path)));
    if ((height - first) % kStride == 0) segment.waypoints.push_back(offset);
    offset += kHeaderBytes + header->length;
  }
  segment.end = offset;
  segment.scanned = true;
  return {};
}

Result<Bytes> BlockFile::read(std::int64_t height) const {
  std::shared_ptr<Segment> segment;
  std::uint64_t offset = 0;
  std::int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    SYNOD_CHECK(height < next_);
    auto above = segments_.upper_bound(height);
    if (above == segments_.begin())
      return fail(Error("ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
                        fmt::format("block {} is pruned; the oldest is {}", height, segments_.begin()->first)));
    const std::int64_t until = above == segments_.end() ? next_ : above->first;
    const auto holder = std::prev(above);
    segment = holder->second;
    if (!segment->scanned) SYNOD_RETURN_IF_ERROR(index(holder->first, *segment, until));
    const std::int64_t stride = (height - holder->first) / kStride;
    offset = segment->waypoints[static_cast<std::size_t>(stride)];
    at = holder->first + stride * kStride;
  }
  const auto damaged = [&] {
    return fail(log_corrupt(fmt::format("block {} in {} is damaged", height, segment->path)));
  };
  Bytes record(kHeaderBytes, '\0');
  for (;; ++at) {
    const auto header =
        read_fully(segment->fd, record.data(), kHeaderBytes, offset) ? parse_header(record) : std::nullopt;
    if (!header || header->height != at) return damaged();
    if (at == height) {
      record.resize(kHeaderBytes + header->length);
      if (!read_fully(segment->fd, record.data() + kHeaderBytes, header->length, offset + kHeaderBytes))
        return damaged();
      break;
    }
    offset += kHeaderBytes + header->length;
  }
  if (!parse_record(record)) return damaged();
  return record.substr(kHeaderBytes);
}

Status BlockFile::prune(std::int64_t before) {
  std::lock_guard lock(mutex_);
  bool removed = false;
  while (segments_.size() > 1 && std::next(segments_.begin())->first <= before) {
    // A reader that still has the segment keeps its file descriptor.
    if (::unlink(segments_.begin()->second->path.c_str()) != 0)
      return fail(log_failed("cannot remove " + segments_.begin()->second->path));
    segments_.erase(segments_.begin());
    removed = true;
  }
  return removed ? sync_folder() : Status{};
}

Status BlockFile::sync_folder() const {
  const int fd = ::open(config_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  const Error error = log_failed("cannot sync " + config_.folder);
  if (fd >= 0) ::close(fd);
  if (!done) return fail(error);
  return {};
}

}  // namespace synod::ordering::solo
