#include "ordering/kafka/chain.h"

#include <gtest/gtest.h>

#include <vector>

namespace synod::ordering::kafka {
namespace {

// A log of single-letter records; offsets 3 and 4 have no message.
class ChainTest : public ::testing::Test {
 protected:
  ChainTest() {
    Bytes previous;
    for (std::int64_t i = 0; i < 20; ++i) {
      contents_.push_back(i == 3 || i == 4 ? Bytes() : content_digest(Bytes(1, static_cast<char>('a' + i))));
      hashes_.push_back(block_hash(Height(i), previous, contents_.back()));
      previous = hashes_.back();
    }
  }
  void add(Anchor& anchor, std::int64_t from, std::int64_t to, std::optional<Witness> of_last = {}) const {
    for (std::int64_t i = from; i <= to; ++i)
      if (i != 3 && i != 4) anchor.add(i, contents_[static_cast<std::size_t>(i)], i == to ? of_last : std::nullopt);
  }
  Witness witness(std::int64_t height) const { return {Height(height), hashes_[static_cast<std::size_t>(height)]}; }

  std::vector<Bytes> contents_, hashes_;
};

TEST_F(ChainTest, FromTheStartNoWitnessIsNeeded) {
  Anchor anchor(Height(0), Height(10));
  add(anchor, 0, 10);
  EXPECT_EQ(anchor.finish(), hashes_[10]);
}

TEST_F(ChainTest, OffsetsWithoutMessagesCountAsEmptyBlocks) {
  Anchor anchor(Height(0), Height(4));
  add(anchor, 0, 2);
  EXPECT_EQ(anchor.finish(), hashes_[4]);
}

TEST_F(ChainTest, AWitnessInTheMiddleIsEnough) {
  for (std::int64_t known = 4; known <= 8; ++known) {
    Anchor anchor(Height(5), Height(10));
    add(anchor, 5, 9, witness(known));
    add(anchor, 10, 10);
    EXPECT_EQ(anchor.finish(), hashes_[10]) << "block " << known << " is told of";
    EXPECT_EQ(anchor.newest_witnessed(), Height(known));
  }
}

TEST_F(ChainTest, AWitnessAfterTheWantedBlockHelpsToo) {
  Anchor anchor(Height(5), Height(10));
  add(anchor, 5, 15, witness(4));
  EXPECT_EQ(anchor.finish(), hashes_[10]);
  Anchor pruned(Height(11), Height(10));
  add(pruned, 11, 15, witness(10));
  EXPECT_EQ(pruned.finish(), hashes_[10]);
}

TEST_F(ChainTest, WithoutAUsableWitnessThereIsNoAnswer) {
  Anchor anchor(Height(5), Height(10));
  add(anchor, 5, 9, witness(3));     // before what was read
  add(anchor, 10, 12, witness(11));  // after what is wanted
  anchor.add(10, contents_[10], Witness{Height(10), "of itself"});
  EXPECT_FALSE(anchor.finish());
}

TEST_F(ChainTest, AWrongWitnessIsFoundOut) {
  Anchor anchor(Height(0), Height(10));
  add(anchor, 0, 6, Witness{Height(2), Bytes(32, 'x')});
  add(anchor, 7, 10, witness(8));
  EXPECT_EQ(anchor.finish(), hashes_[10]);
  EXPECT_EQ(anchor.liar(), 6);
}

TEST_F(ChainTest, WitnessesAreReadAsTheyWereWritten) {
  EXPECT_EQ(decode_witness(encode_witness(witness(7))), witness(7));
  EXPECT_FALSE(decode_witness("short"));
  EXPECT_FALSE(decode_witness(Bytes(40, '\xff'))) << "a negative height";
  EXPECT_NE(content_digest(Bytes()), content_digest(std::nullopt));
}

}  // namespace
}  // namespace synod::ordering::kafka
