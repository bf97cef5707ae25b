// Broken input of many kinds: it must be refused or decoded, but never crash, hang, or take much memory.
#include <gtest/gtest.h>

#include <random>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/archive/decode.h"
#include "lf/archive/package_decoder.h"
#include "lf/archive/wire_writer.h"
#include "lf/inspect.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;

Bytes mutate(Bytes bytes, std::mt19937& random) {
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (std::size_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
    auto at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.erase(at, 1 + below(8));
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(16)));
        break;
      case 4:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

// What a decoded package is used for: it must be sound enough for that.
void use(const PackagePtr& package, Bytes payload) {
  PackageStore store;
  store.add(package);
  auto checked = check_package(*package, store, CheckLimits{.max_steps = 100'000});
  if (!checked) {
    EXPECT_EQ(checked.error().id, "DAR_VALIDATION_ERROR");
  }
  Dar dar;
  dar.entries.push_back({package, std::move(payload)});
  EXPECT_FALSE(describe(dar).empty());
}

TEST(Mutation, Packages) {
  for (auto version : {kLf21, kLf23}) {
    auto entry = assemble_package(read_file("examples/iou.lf"), {.version = version});
    ASSERT_TRUE(entry.has_value());
    auto payload = parse_payload(entry->payload);
    ASSERT_TRUE(payload.has_value());
    Bytes message(payload->package_message);
    std::mt19937 random(7);
    int accepted = 0;
    constexpr int kRounds = 5'000;
    for (int i = 0; i < kRounds; ++i) {
      auto mutated = encode_payload(version, mutate(message, random));
      auto decoded = decode_payload(std::string(64, '0'), mutated);
      if (!decoded) {
        EXPECT_EQ(decoded.error().id, "DAR_PARSE_ERROR");
      } else if (++accepted % 4 == 0) {
        use(*decoded, std::move(mutated));
      }
    }
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, kRounds / 2);
  }
}

TEST(Mutation, Files) {
  auto dar = assemble_dar(read_file("examples/ping.lf"));
  ASSERT_TRUE(dar.has_value());
  std::mt19937 random(11);
  for (int i = 0; i < 5'000; ++i) {
    auto decoded = decode_dar(mutate(*dar, random), DarLimits{.max_entry_bytes = 1 << 20});
    EXPECT_TRUE(!decoded || decoded->entries.size() == 1);
  }
}

// ---- input that is well-formed protobuf but made to hurt

Result<PackagePtr> decode_message(LanguageVersion version, const Bytes& message) {
  return PackageDecoder("p", version).decode(message);
}

// A package message with these expressions in its table, or in one value.
struct Crafted {
  WireWriter package;
  Crafted() {
    package.bytes(2, "x");  // string 0
    package.bytes(2, "1");  // string 1
    WireWriter name, metadata;
    name.varint(1, 0);
    package.bytes(3, name.data());
    metadata.scalar(2, 1);
    package.bytes(4, metadata.data());
  }
  void value(const Bytes& expression) {
    WireWriter type, named, value, flags, module, int64;
    int64.scalar(1, 2);
    type.bytes(3, int64.data());
    package.bytes(5, type.data());
    WireWriter interned;
    interned.varint(8, 0);
    named.bytes(2, interned.data());
    value.bytes(2, named.data());
    value.bytes(3, expression);
    for (std::uint32_t flag : {1, 2, 3}) flags.varint(flag, 1);
    module.bytes(2, flags.data());
    module.bytes(5, value.data());
    package.bytes(1, module.data());
  }
};

Bytes wrap(Bytes inner, std::uint32_t outer_field, std::uint32_t inner_field) {
  WireWriter in, out;
  in.bytes(inner_field, inner);
  out.bytes(outer_field, in.data());
  return out.take();
}

Bytes variable() {
  WireWriter out;
  out.varint(2, 0);
  return out.take();
}

TEST(Hostile, NestingIsLimitedAsInCanton) {
  // (x).x.x...: two messages a level, below the module, the value and the innermost expression
  auto nested = [](int levels) {
    Bytes e = variable();
    for (int i = 0; i < levels; ++i) e = wrap(std::move(e), 13, 2);
    Crafted crafted;
    crafted.value(e);
    return crafted.package.take();
  };
  EXPECT_TRUE(decode_message(kLf21, nested(498)).has_value());
  EXPECT_FALSE(decode_message(kLf21, nested(499)).has_value());
  EXPECT_TRUE(decode_message(kLf22, nested(48)).has_value());
  EXPECT_FALSE(decode_message(kLf22, nested(49)).has_value());
  EXPECT_FALSE(decode_message(kLf21, nested(2'000)).has_value());
}

TEST(Hostile, LongChainsThroughTheExpressionTable) {
  constexpr std::uint32_t kEntries = 100'000;
  Crafted crafted;
  crafted.package.bytes(7, variable());
  for (std::uint32_t i = 0; i < kEntries; ++i) {
    // each entry applies the one before to itself: 2^100000 nodes, were it a tree
    WireWriter previous, app, e;
    previous.varint(44, i);
    app.bytes(1, previous.data());
    app.bytes(2, previous.data());
    e.bytes(15, app.data());
    crafted.package.bytes(7, e.data());
  }
  WireWriter last;
  last.varint(44, kEntries);
  crafted.value(last.data());
  auto decoded = decode_message(kLf22, crafted.package.data());
  ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
  EXPECT_EQ((*decoded)->expr_count(), kEntries + 1);
  auto again = encode_package(**decoded);
  EXPECT_TRUE(again.has_value());
}

TEST(Hostile, IndicesMustPointBackwards) {
  auto table = [](std::uint32_t field, std::uint32_t reference_field, std::uint32_t outer, std::uint32_t inner,
                  std::uint32_t index) {
    Crafted crafted;
    WireWriter reference;
    reference.varint(reference_field, index);
    crafted.package.bytes(field, wrap(reference.take(), outer, inner));
    return crafted.package.take();
  };
  for (std::uint32_t index : {0u, 1u, 0x7fffffffu, 0xffffffffu}) {
    EXPECT_FALSE(decode_message(kLf22, table(7, 44, 13, 2, index)).has_value());  // expression
    EXPECT_FALSE(decode_message(kLf22, table(5, 8, 4, 2, index)).has_value());    // type
    EXPECT_FALSE(decode_message(kLf22, table(6, 4, 2, 1, index)).has_value());    // kind
  }
  Crafted immediate;
  immediate.package.bytes(7, variable());
  WireWriter reference;
  reference.varint(44, 0);
  immediate.package.bytes(7, reference.data());
  EXPECT_FALSE(decode_message(kLf22, immediate.package.data()).has_value());
}

TEST(Hostile, LongTypeApplicationsStayLinear) {
  constexpr std::uint32_t kEntries = 20'000;
  Crafted crafted;
  WireWriter builtin, text;
  builtin.scalar(1, 7);
  text.bytes(3, builtin.data());
  crafted.package.bytes(5, text.data());
  for (std::uint32_t i = 0; i < kEntries; ++i) {
    WireWriter left, right, app, type;
    left.varint(8, i);
    right.varint(8, 0);
    app.bytes(1, left.data());
    app.bytes(2, right.data());
    type.bytes(9, app.data());
    crafted.package.bytes(5, type.data());
  }
  auto decoded = decode_message(kLf22, crafted.package.data());
  ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
  EXPECT_EQ((*decoded)->type_count(), kEntries + 1);
}

TEST(Hostile, FeaturesOfOtherVersions) {
  auto builtin = [](std::uint64_t number) {
    WireWriter e;
    e.varint(4, number);
    Crafted crafted;
    crafted.value(e.data());
    return crafted.package.take();
  };
  EXPECT_TRUE(decode_message(kLf23, builtin(73)).has_value());
  EXPECT_FALSE(decode_message(kLf22, builtin(73)).has_value());
  for (std::uint64_t number : {24u, 46u, 74u, 2001u, 5001u})
    EXPECT_FALSE(decode_message(kLf23, builtin(number)).has_value());
  Crafted kinds;
  WireWriter star;
  star.bytes(1, "");
  kinds.package.bytes(6, star.data());
  EXPECT_TRUE(decode_message(kLf22, kinds.package.data()).has_value());
  EXPECT_FALSE(decode_message(kLf21, kinds.package.data()).has_value());
}

TEST(Hostile, NamesAndMetadata) {
  EXPECT_FALSE(decode_message(kLf21, "").has_value());
  Crafted bad_utf8;
  bad_utf8.package.bytes(2, "\xc0\x80");
  EXPECT_FALSE(decode_message(kLf21, bad_utf8.package.data()).has_value());
  EXPECT_TRUE(is_name("$foo_1"));
  for (const char* name : {"", "1a", "a.b", "a-b", "\xc3\xa9"}) EXPECT_FALSE(is_name(name)) << name;
  for (const char* version : {"0", "1.0", "10.20.30"}) EXPECT_TRUE(is_package_version(version)) << version;
  for (const char* version : {"", ".", "1.", ".1", "01", "1.00", "1.x", "99999999999"})
    EXPECT_FALSE(is_package_version(version)) << version;
}

}  // namespace
}  // namespace synod::lf
