// What SendAsync takes.
#include "sequencer/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/env.h"
#include "base/testing/expect_log.h"
#include "sequencer/core.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using ::testing::HasSubstr;
using testing::World;

topology::DynamicParameters large_requests() {
  topology::DynamicParameters parameters;
  parameters.max_request_size = 40u << 20;
  return parameters;
}

TEST(Admission, ALargerMaxRequestSizeAllowsMoreEnvelopesButNoLargerOne) {
  World world(large_requests());
  const auto& alpha = world.participants[0];
  const auto& beta = world.participants[1];
  const auto admit = [&](std::vector<protocol::Envelope> envelopes) -> Status {
    const Bytes request = world.sign(world.request(alpha, std::move(envelopes)));
    SYNOD_TRY(const auto admitted, admit_submission(request, alpha, world.core->current_snapshot(), World::kStart));
    (void)admitted;
    return {};
  };
  const auto random = seeded_random(1);
  std::vector<protocol::Envelope> several;
  for (int i = 0; i < 3; ++i) several.push_back(World::envelope(random->bytes(6u << 20), {{beta}}));
  const Status taken = admit(several);
  EXPECT_TRUE(taken) << taken.error().to_string();
  world.sequence(World::kStart, {world.submission(alpha, several)});
  ASSERT_EQ(world.events(beta).size(), 1u);
  EXPECT_EQ(world.events(beta)[0].contents.size(), 3u);

  const auto large = World::envelope(std::string(11u << 20, 'x'), {{beta}});
  const Status refused = admit({large});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "SEQUENCER_SUBMISSION_REQUEST_MALFORMED");
  EXPECT_THAT(refused.error().cause, HasSubstr("The limit is 10485760 bytes"));  // not max_request_size
  // Nor does it come through a sequencer that takes it.
  synod::testing::expect_log("an envelope does not unpack");
  world.sequence(World::kStart + Duration::milliseconds(1), {world.submission(alpha, {large})});
  EXPECT_EQ(world.events(beta).size(), 1u);
}

}  // namespace
}  // namespace synod::sequencer
