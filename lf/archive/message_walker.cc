#include "lf/archive/message_walker.h"

namespace synod::lf {

namespace {

constexpr std::uint64_t kOneofSeen = 1ull << 63;

}  // namespace

bool MessageWalker::fail(const Frame& frame, std::string what) {
  error_ = std::string(name_of(frame.message)) + ": " + std::move(what);
  return false;
}

bool MessageWalker::read_field(Frame& frame) {
  std::uint32_t number;
  WireType wire;
  if (!frame.reader.tag(number, wire)) return fail(frame, "malformed protobuf message");
  const FieldSpec& spec = field_spec(frame.message, number);
  auto is_unknown = [&] { return fail(frame, "message has unknown field " + std::to_string(number)); };
  if (spec.type == FieldType::unknown) return is_unknown();
  if (!spec.repeated) {
    auto bits = 1ull << number | (spec.oneof ? kOneofSeen : 0);
    if (frame.seen & bits) return fail(frame, "field " + std::to_string(number) + " given twice, or two alternatives");
    frame.seen |= bits;
  }

  std::uint64_t value = 0;
  std::string_view bytes;
  switch (spec.type) {
    case FieldType::message: {
      if (wire != WireType::bytes) return is_unknown();
      if (!frame.reader.bytes(bytes)) return fail(frame, "truncated protobuf message");
      if (static_cast<int>(frames_.size()) >= max_depth_) return fail(frame, "too many levels of nesting");
      auto first = static_cast<std::uint32_t>(fields_.size());
      frames_.push_back(Frame{WireReader(bytes), spec.message, number, first, 0});
      return true;
    }
    case FieldType::sfixed64:
      if (wire != WireType::fixed64) return is_unknown();
      if (!frame.reader.fixed64(value)) return fail(frame, "truncated protobuf message");
      break;
    default:
      if (spec.repeated && wire == WireType::bytes) {
        if (!frame.reader.bytes(bytes) || !read_packed(number, bytes)) return fail(frame, "malformed packed field");
        return true;
      }
      if (wire != WireType::varint) return is_unknown();
      if (!frame.reader.varint(value)) return fail(frame, "malformed protobuf message");
      if (spec.type == FieldType::sint64) value = static_cast<std::uint64_t>(zigzag(value));
      if (spec.type == FieldType::int32) value = static_cast<std::uint32_t>(value);
      break;
  }
  fields_.push_back(FieldValue{number, value});
  return true;
}

bool MessageWalker::read_packed(std::uint32_t number, std::string_view bytes) {
  WireReader reader(bytes);
  while (!reader.at_end()) {
    std::uint64_t value;
    if (!reader.varint(value)) return false;
    fields_.push_back(FieldValue{number, static_cast<std::uint32_t>(value)});
  }
  return true;
}

}  // namespace synod::lf
