#include "protocol/compression.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace synod::protocol {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip framing
constexpr std::size_t kStep = 64 * 1024;

// A stream's buffers are large beside a usual envelope; each thread makes them once.
class Inflater {
 public:
  Inflater() { SYNOD_CHECK(inflateInit2(&stream_, kGzipWindow) == Z_OK); }
  ~Inflater() { inflateEnd(&stream_); }
  static z_stream& fresh() {
    thread_local Inflater inflater;
    SYNOD_CHECK(inflateReset(&inflater.stream_) == Z_OK);
    return inflater.stream_;
  }

 private:
  z_stream stream_{};
};

class Deflater {
 public:
  Deflater() {
    SYNOD_CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Deflater() { deflateEnd(&stream_); }
  static z_stream& fresh() {
    thread_local Deflater deflater;
    SYNOD_CHECK(deflateReset(&deflater.stream_) == Z_OK);
    return deflater.stream_;
  }

 private:
  z_stream stream_{};
};

Error too_large(std::size_t limit) {
  return Error("MAX_BYTES_TO_DECOMPRESS_EXCEEDED", ErrorCategory::malicious_or_faulty,
               "unpacks to more than the allowed " + std::to_string(limit) + " bytes");
}

}  // namespace

Bytes gzip(ByteView plain) {
  z_stream& stream = Deflater::fresh();
  Bytes out(deflateBound(&stream, plain.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  SYNOD_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  constexpr std::size_t kSystemByte = 9;  // of the gzip header
  out[kSystemByte] = '\xff';              // "unknown", as Java writes it: the rest equals zlib's output
  return out;
}

Result<Bytes> gunzip(ByteView compressed, std::size_t limit) {
  z_stream& stream = Inflater::fresh();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  Bytes out;
  std::size_t filled = 0;
  for (;;) {
    if (filled == out.size()) {
      // One byte beyond the limit tells "exactly the limit" from "more".
      const std::size_t next =
          std::min(std::max(out.size() * 2, std::min(compressed.size() * 4, kStep) + 64), limit + 1);
      if (next <= out.size()) return fail(too_large(limit));
      out.resize(next);
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - filled, 1u << 30));
    const uInt room = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    filled += room - stream.avail_out;
    if (filled > limit) return fail(too_large(limit));
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return fail(malformed("gzip data", "cannot be unpacked"));  // a further member
      continue;
    }
    if (status == Z_BUF_ERROR && stream.avail_in == 0) return fail(malformed("gzip data", "truncated"));
    if (status != Z_OK && status != Z_BUF_ERROR) return fail(malformed("gzip data", "not gzip, or damaged"));
    if (stream.avail_in == 0 && stream.avail_out != 0) return fail(malformed("gzip data", "truncated"));
  }
  out.resize(filled);
  return out;
}

Result<Bytes> gunzip(ByteView compressed, std::size_t limit, std::size_t& budget) {
  const std::size_t allowed = std::min(limit, budget);
  auto plain = gunzip(compressed, allowed);
  budget -= plain ? plain->size() : allowed;
  return plain;
}

}  // namespace synod::protocol
