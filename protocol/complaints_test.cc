#include "protocol/complaints.h"

#include <gtest/gtest.h>

namespace synod::protocol {
namespace {

TEST(Complaints, AreCountedAndTheFirstIsTold) {
  Complaints complaints;
  EXPECT_TRUE(complaints.empty());
  complaints.add("not signed");
  EXPECT_EQ(complaints.of(1, "envelopes"), "not signed");
  EXPECT_EQ(complaints.of(3, "envelopes"), "1 of 3 envelopes, the first: not signed");
  complaints.add(Error("OTHER", ErrorCategory::malicious_or_faulty, "worse"));
  complaints.add("much worse");
  EXPECT_EQ(complaints.count(), 3u);
  EXPECT_EQ(complaints.of(3, "envelopes"), "3 of 3 envelopes, the first: not signed");
}

TEST(Complaints, AreNeverLong) {
  Complaints complaints;
  complaints.add(std::string(1'000'000, 'x'));
  EXPECT_LT(complaints.of(1, "envelopes").size(), 500u);
  const std::string umlauts = "\xc3\xa4\xc3\xa4\xc3\xa4";
  EXPECT_EQ(shortened(umlauts, 3), "\xc3\xa4...");
  EXPECT_EQ(shortened(umlauts, 6), umlauts);
}

}  // namespace
}  // namespace synod::protocol
