#include "ordering/postgres/block_row.h"

#include "crypto/hash.h"

namespace synod::ordering::postgres {

Bytes encode_records(const std::vector<Bytes>& records) {
  Bytes content;
  for (const Bytes& record : records) append_length_prefixed(content, record);
  return content;
}

Result<std::vector<Bytes>> decode_records(ByteView content) {
  std::vector<Bytes> records;
  while (!content.empty()) {
    const std::int64_t length = content.size() < 4 ? -1 : read_i32(content);
    if (length < 0 || static_cast<std::size_t>(length) > content.size() - 4)
      return fail(Error("ORDERING_MALFORMED_BLOCK", ErrorCategory::malicious_or_faulty,
                        "the content of a block does not end with a record"));
    records.emplace_back(content.substr(4, static_cast<std::size_t>(length)));
    content.remove_prefix(4 + static_cast<std::size_t>(length));
  }
  return records;
}

Bytes block_hash(Height height, ByteView previous_hash, ByteView content) {
  Bytes input;
  append_i64(input, height.value);
  append_length_prefixed(input, previous_hash);
  append_length_prefixed(input, crypto::sha256(content));
  return crypto::sha256(input);
}

}  // namespace synod::ordering::postgres
