// One command at a time changes which processes of a network run: two that start the same node would overwrite each
// other's pid files.
#pragma once

#include <string>

#include "base/time.h"
#include "testnet/launcher.h"

namespace synod::testnet {

// Held as long as this object lives, and no longer than the process: a command that dies leaves nothing locked.
// Thread rules: one thread at a time.
class FolderLock {
 public:
  // Waits for another command that holds it, and says so. The folder is made if it does not exist. Error ids:
  // NETWORK_BUSY names the process that still holds it after `patience`, NETWORK_FOLDER_FAILED.
  static Result<FolderLock> take(const std::string& network_folder, Duration patience, const Progress& progress);
  FolderLock(FolderLock&& other) noexcept : file_(other.file_) { other.file_ = -1; }
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock() { release(); }
  void release();

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;  // -1: held no more
};

}  // namespace synod::testnet
