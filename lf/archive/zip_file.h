// ZIP files in memory, over libzip. Only what DARs need.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/archive/dar.h"

struct zip;

namespace synod::lf {

// Reads entries of a ZIP that stays in memory as long as this object. Inflates at most what the limits allow.
class ZipFile {
 public:
  static Result<ZipFile> open(ByteView bytes, const DarLimits& limits);
  bool contains(const std::string& name) const;
  Result<Bytes> read(const std::string& name);

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };
  ZipFile(zip* archive, const DarLimits& limits) : archive_(archive), limits_(limits) {}

  std::unique_ptr<zip, Discard> archive_;
  DarLimits limits_;
  std::uint64_t read_so_far_ = 0;
};

// Deflated, in the given order, with a fixed time stamp.
Result<Bytes> write_zip(const std::vector<std::pair<std::string, ByteView>>& files);

}  // namespace synod::lf
