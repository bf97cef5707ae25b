#include "testnet/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/env.h"

namespace synod::testnet {
namespace {

// Who holds it has written its process id into it.
std::string holder(int file) {
  char text[32] = "";
  const ssize_t size = pread(file, text, sizeof text - 1, 0);
  return size > 0 ? "process " + std::string(text, static_cast<std::size_t>(size)) : "another process";
}

}  // namespace

Result<FolderLock> FolderLock::take(const std::string& network_folder, Duration patience, const Progress& progress) {
  std::error_code error;
  std::filesystem::create_directories(network_folder, error);
  const std::string path = network_folder + "/lock";
  const int file = error ? -1 : open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    return fail(unavailable("NETWORK_FOLDER_FAILED", path + ": " + (error ? error.message() : std::strerror(errno))));
  FolderLock lock(file);
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  for (bool said = false; flock(file, LOCK_EX | LOCK_NB) != 0; said = true) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail(unavailable("NETWORK_FOLDER_FAILED", path + ": " + std::strerror(errno)));
    if (!said) progress("  waiting for " + holder(file) + ", which starts or stops processes of this network");
    if (clock->monotonic_micros() > give_up)
      return fail(unavailable("NETWORK_BUSY", holder(file) + " still starts or stops processes of the network in " +
                                                  network_folder + "; try again when it is done"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string self = std::to_string(getpid());
  if (ftruncate(file, 0) != 0 || pwrite(file, self.data(), self.size(), 0) < 0)
    return fail(unavailable("NETWORK_FOLDER_FAILED", path + ": " + std::strerror(errno)));
  return lock;
}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  release();
  std::swap(file_, other.file_);
  return *this;
}

void FolderLock::release() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

}  // namespace synod::testnet
