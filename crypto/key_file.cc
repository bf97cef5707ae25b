#include "crypto/key_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "canton/crypto_v30.pb.h"

namespace synod::crypto {
namespace {

constexpr std::string_view kSuffix = ".key";
constexpr std::size_t kMaxFile = 64 * 1024;

Error file_error(const std::string& path, std::string what) {
  return failed_precondition("KEY_STORE_UNUSABLE", path + ": " + what);
}
Error errno_error(const std::string& path, const char* action) {
  return file_error(path, std::string(action) + ": " + std::strerror(errno));
}

Status check_private(const std::string& path, bool folder) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return fail(errno_error(path, "stat"));
  if (folder != S_ISDIR(info.st_mode)) return fail(file_error(path, folder ? "not a folder" : "not a file"));
  if (info.st_mode & 077)
    return fail(file_error(path, std::string("others may access it; run chmod ") + (folder ? "700" : "600")));
  return {};
}

Result<Bytes> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(errno_error(path, "open"));
  Bytes out;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof buffer)) > 0 && out.size() <= kMaxFile)
    out.append(buffer, static_cast<std::size_t>(count));
  ::close(fd);
  if (count < 0) return fail(errno_error(path, "read"));
  if (out.size() > kMaxFile) return fail(file_error(path, "too long for a key"));
  return out;
}

// `age` becomes the file's time: keys are read back in the order in which they were added, and the file system's own
// clock is too coarse for that.
Status write_file(const std::string& folder, const std::string& path, ByteView content, std::int64_t age) {
  const std::string temporary = path + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(errno_error(temporary, "create"));
  const ssize_t count = ::write(fd, content.data(), content.size());
  const timespec time{age / 1'000'000'000, age % 1'000'000'000};
  const timespec times[2] = {time, time};
  const bool good = count == static_cast<ssize_t>(content.size()) && ::futimens(fd, times) == 0 && ::fsync(fd) == 0;
  ::close(fd);
  if (!good) return fail(errno_error(temporary, "write"));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(errno_error(path, "rename"));
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return fail(errno_error(folder, "open"));
  const int synced = ::fsync(directory);
  ::close(directory);
  if (synced != 0) return fail(errno_error(folder, "sync"));
  return {};
}

// One file holds Canton's PrivateKey message, so that its tools could read it: the key's id, PKCS#8 bytes, usages.
class KeyFolder final : public KeyStore {
 public:
  explicit KeyFolder(std::string folder) : folder_(std::move(folder)), memory_(memory_key_store()) {}

  Status load() {
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return fail(errno_error(folder_, "create"));
    SYNOD_RETURN_IF_ERROR(check_private(folder_, true));
    DIR* directory = ::opendir(folder_.c_str());
    if (!directory) return fail(errno_error(folder_, "open"));
    std::vector<std::pair<std::pair<std::int64_t, std::string>, std::string>> found;  // by age, then name
    while (const dirent* entry = ::readdir(directory)) {
      const std::string name = entry->d_name;
      if (name.size() <= kSuffix.size() || name.substr(name.size() - kSuffix.size()) != kSuffix) continue;
      struct stat info{};
      const std::string path = folder_ + "/" + name;
      const std::int64_t age =
          ::stat(path.c_str(), &info) == 0 ? info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec : 0;
      found.push_back({{age, name}, name.substr(0, name.size() - kSuffix.size())});
    }
    ::closedir(directory);
    std::sort(found.begin(), found.end());
    for (const auto& [order, fingerprint] : found) {
      SYNOD_RETURN_IF_ERROR(load_one(fingerprint));
      last_age_ = order.first;
    }
    return {};
  }

  std::optional<SigningKeyPair> signing_key(const Fingerprint& f) const override { return memory_->signing_key(f); }
  std::optional<EncryptionKeyPair> encryption_key(const Fingerprint& f) const override {
    return memory_->encryption_key(f);
  }
  std::vector<SigningPublicKey> signing_keys() const override { return memory_->signing_keys(); }
  std::vector<EncryptionPublicKey> encryption_keys() const override { return memory_->encryption_keys(); }

  Status add(const SigningKeyPair& key, std::string name) override {
    std::lock_guard lock(mutex_);
    if (memory_->signing_key(key.fingerprint())) return {};
    v30::PrivateKey proto;
    v30::SigningPrivateKey& out = *proto.mutable_signing_private_key();
    out.set_id(key.fingerprint());
    out.set_format(v30::CRYPTO_KEY_FORMAT_DER_PKCS8_PRIVATE_KEY_INFO);
    out.set_private_key(key.pkcs8());
    for (KeyUsage usage : key.public_key().usages()) out.add_usage(static_cast<v30::SigningKeyUsage>(usage));
    out.set_key_spec(static_cast<v30::SigningKeySpec>(key.public_key().spec()));
    SYNOD_RETURN_IF_ERROR(write_file(folder_, path_of(key.fingerprint()), proto.SerializeAsString(), next_age()));
    return memory_->add(key, std::move(name));
  }
  Status add(const EncryptionKeyPair& key, std::string name) override {
    std::lock_guard lock(mutex_);
    if (memory_->encryption_key(key.fingerprint())) return {};
    v30::PrivateKey proto;
    v30::EncryptionPrivateKey& out = *proto.mutable_encryption_private_key();
    out.set_id(key.fingerprint());
    out.set_format(v30::CRYPTO_KEY_FORMAT_DER_PKCS8_PRIVATE_KEY_INFO);
    out.set_private_key(key.pkcs8());
    out.set_key_spec(static_cast<v30::EncryptionKeySpec>(key.public_key().spec()));
    SYNOD_RETURN_IF_ERROR(write_file(folder_, path_of(key.fingerprint()), proto.SerializeAsString(), next_age()));
    return memory_->add(key, std::move(name));
  }

 private:
  std::string path_of(const std::string& fingerprint) const {
    return folder_ + "/" + fingerprint + std::string(kSuffix);
  }

  std::int64_t next_age() {
    last_age_ = std::max(last_age_ + 1, system_clock()->now().micros * 1000);
    return last_age_;
  }

  Status load_one(const std::string& fingerprint) {
    const std::string path = path_of(fingerprint);
    SYNOD_RETURN_IF_ERROR(check_private(path, false));
    SYNOD_TRY(Bytes content, read_file(path));
    v30::PrivateKey proto;
    if (!proto.ParseFromString(content)) return fail(file_error(path, "not a key file"));
    if (proto.has_signing_private_key()) {
      const v30::SigningPrivateKey& from = proto.signing_private_key();
      KeyUsages usages;
      for (int usage : from.usage()) usages.insert(static_cast<KeyUsage>(usage));
      auto key = SigningKeyPair::from_pkcs8(static_cast<SigningKeySpec>(from.key_spec()), from.private_key(), usages);
      if (!key) return fail(file_error(path, key.error().cause));
      if (key->fingerprint() != fingerprint) return fail(file_error(path, "holds the key " + key->fingerprint()));
      return memory_->add(*key, "");
    }
    const v30::EncryptionPrivateKey& from = proto.encryption_private_key();
    auto key = EncryptionKeyPair::from_pkcs8(static_cast<EncryptionKeySpec>(from.key_spec()), from.private_key());
    if (!key) return fail(file_error(path, key.error().cause));
    if (key->fingerprint() != fingerprint) return fail(file_error(path, "holds the key " + key->fingerprint()));
    return memory_->add(*key, "");
  }

  const std::string folder_;
  std::int64_t last_age_ = 0;  // of the newest key, ns
  std::mutex mutex_;           // writers; readers go to the memory store, which has its own
  std::unique_ptr<KeyStore> memory_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> open_key_folder(const std::string& folder) {
  auto store = std::make_unique<KeyFolder>(folder);
  SYNOD_RETURN_IF_ERROR(store->load());
  return store;
}

}  // namespace synod::crypto
