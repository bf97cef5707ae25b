// Decodes one protobuf message of the schema with an explicit stack. Whenever a message ends, the builder is given its
// fields, in which sub-messages are already replaced by what the builder returned for them: results flow bottom up.
//
// Stricter than protobuf where the archive format is: unknown fields, wrong wire types and nesting beyond the limit are
// errors; so are a singular field given twice and two alternatives of a oneof, which no encoder writes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lf/archive/schema.h"
#include "lf/archive/wire_reader.h"

namespace synod::lf {

struct FieldValue {
  std::uint32_t number;
  std::uint64_t value;  // scalar bits (zigzag already undone), or the builder's result for a sub-message
};

// What a builder is given: the fields of one message in wire order.
class MessageFields {
 public:
  explicit MessageFields(std::span<const FieldValue> fields) : fields_(fields) {}
  std::span<const FieldValue> all() const { return fields_; }
  bool empty() const { return fields_.empty(); }
  const FieldValue* find(std::uint32_t number) const {
    for (const FieldValue& field : fields_) {
      if (field.number == number) return &field;
    }
    return nullptr;
  }
  // Scalars absent from the wire are zero.
  std::uint32_t scalar(std::uint32_t number) const {
    const FieldValue* field = find(number);
    return field ? static_cast<std::uint32_t>(field->value) : 0;
  }
  std::size_t count(std::uint32_t number) const {
    std::size_t n = 0;
    for (const FieldValue& field : fields_) n += field.number == number;
    return n;
  }

 private:
  std::span<const FieldValue> fields_;
};

class MessageWalker {
 public:
  explicit MessageWalker(int max_depth) : max_depth_(max_depth) {}

  // Returns the builder's result for the outermost message, or 0 with error() set. `Builder` has
  // `std::uint64_t finish(Msg, MessageFields)` and `bool failed() const`.
  template <typename Builder>
  std::uint64_t walk(Msg message, std::string_view bytes, Builder& builder) {
    fields_.clear();
    frames_.clear();
    frames_.push_back(Frame{WireReader(bytes), message, 0, 0, 0});
    while (true) {
      Frame& frame = frames_.back();
      if (!frame.reader.at_end()) {
        if (!read_field(frame)) return 0;
        continue;
      }
      auto result = builder.finish(frame.message, MessageFields(std::span(fields_).subspan(frame.first_field)));
      if (builder.failed()) return 0;
      fields_.resize(frame.first_field);
      auto number = frame.number;
      frames_.pop_back();
      if (frames_.empty()) return result;
      fields_.push_back(FieldValue{number, result});
    }
  }

  const std::string& error() const { return error_; }  // empty: none

 private:
  struct Frame {
    WireReader reader;
    Msg message;
    std::uint32_t number;       // of the field of the enclosing message
    std::uint32_t first_field;  // index in fields_
    std::uint64_t seen;         // bit n: singular field n; bit 63: an alternative of the oneof
  };

  bool read_field(Frame& frame);
  bool read_packed(std::uint32_t number, std::string_view bytes);
  bool fail(const Frame& frame, std::string what);

  int max_depth_;
  std::vector<Frame> frames_;
  std::vector<FieldValue> fields_;
  std::string error_;
};

}  // namespace synod::lf
