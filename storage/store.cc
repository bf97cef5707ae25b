#include "storage/store.h"

namespace synod::storage {

void WriteBatch::append(WriteBatch other) {
  bytes_ += other.bytes_;
  for (Operation& operation : other.operations_) operations_.push_back(std::move(operation));
}

void WriteBatch::clear() {
  operations_.clear();
  bytes_ = 0;
}

KeyRange KeyRange::prefix(ByteView prefix) {
  KeyRange range{Bytes(prefix), Bytes(prefix)};
  // The smallest key that is greater than every key with this prefix: drop trailing ff, increment the last byte left.
  while (!range.to->empty() && static_cast<unsigned char>(range.to->back()) == 0xff) range.to->pop_back();
  if (range.to->empty())
    range.to.reset();
  else
    range.to->back() = static_cast<char>(static_cast<unsigned char>(range.to->back()) + 1);
  return range;
}

Result<std::optional<KeyValue>> Store::first(Column column, const KeyRange& range, Direction direction) const {
  std::optional<KeyValue> found;
  SYNOD_RETURN_IF_ERROR(scan(column, range, direction, [&](ByteView key, ByteView value) {
    found = KeyValue{Bytes(key), Bytes(value)};
    return false;
  }));
  return found;
}

Error storage_full(std::string cause) {
  return {"STORAGE_FULL", ErrorCategory::background_degradation, std::move(cause)};
}
Error storage_corrupt(std::string cause) { return {"STORAGE_CORRUPT", ErrorCategory::internal, std::move(cause)}; }
Error storage_failed(std::string cause) { return {"STORAGE_FAILED", ErrorCategory::internal, std::move(cause)}; }

}  // namespace synod::storage
