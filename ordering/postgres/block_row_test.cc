#include "ordering/postgres/block_row.h"

#include <gtest/gtest.h>

namespace synod::ordering::postgres {
namespace {

TEST(BlockRow, RecordsAreReadAsTheyWereWritten) {
  const std::vector<Bytes> records{"one", Bytes("\0two\0", 5), "", Bytes(70'000, 'x')};
  EXPECT_EQ(*decode_records(encode_records(records)), records);
  EXPECT_TRUE(decode_records("")->empty());
}

TEST(BlockRow, WhatIsCutOffOrLiesAboutItsLengthIsRefused) {
  const Bytes content = encode_records({"one", "two"});
  for (std::size_t size = 1; size < content.size(); ++size) {
    const auto records = decode_records(content.substr(0, size));
    if (size == 7) {
      EXPECT_EQ(records->size(), 1u) << "exactly one record";
    } else {
      ASSERT_FALSE(records) << size;
      EXPECT_EQ(records.error().id, "ORDERING_MALFORMED_BLOCK");
    }
  }
  EXPECT_FALSE(decode_records(Bytes("\xff\xff\xff\xffxxxx", 8)));
}

TEST(BlockRow, EveryPartCountsInTheHash) {
  const Bytes hash = block_hash(Height(1), "p", "c");
  EXPECT_NE(hash, block_hash(Height(2), "p", "c"));
  EXPECT_NE(hash, block_hash(Height(1), "q", "c"));
  EXPECT_NE(hash, block_hash(Height(1), "p", "d"));
}

}  // namespace
}  // namespace synod::ordering::postgres
