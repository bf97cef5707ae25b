// A request that this sequencer has decoded and checked when it took it is not decoded again in its block.
#include "sequencer/admitted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "sequencer/admission.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using ::testing::ElementsAre;
using testing::World;

class AdmittedTest : public ::testing::Test {
 protected:
  // Signed once: another signature would make other bytes.
  const Bytes& request(const std::string& message_id, const std::string& content = "content") {
    const auto [signed_request, is_new] = signed_.try_emplace({message_id, content});
    if (is_new) {
      const auto envelope = World::envelope(content, {{world.participants[1]}});
      signed_request->second = world.sign(world.request(world.participants[0], {envelope}, {.message_id = message_id}));
    }
    return signed_request->second;
  }
  PreparedSubmission admit(const Bytes& request) const {
    return admit_submission(request, world.participants[0], world.core->current_snapshot(), World::kStart).value();
  }
  ordering::Block block_of(const std::vector<Bytes>& requests) {
    std::vector<SealedEntry> entries;
    for (const Bytes& request : requests) entries.push_back({SubmissionEntry{request}, ""});
    ordering::Block block;
    block.height = world.core->next_height();
    block.previous_hash = world.core->status().block_hash;
    block.hash = "hash";
    block.records = {world.record(world.sequencers[0], World::kStart, std::move(entries))};
    return block;
  }
  // The message ids in a block, as it is prepared with what was admitted.
  std::vector<std::string> prepared_ids(const std::vector<Bytes>& requests, AdmittedSubmissions& admitted) {
    const auto prepared = prepare_block(block_of(requests), world.core->current_snapshot(), &admitted);
    std::vector<std::string> ids;
    for (const auto& entry : prepared.records.at(0)->entries)
      ids.push_back(std::get<PreparedSubmission>(entry->item).request.message_id);
    return ids;
  }
  // With a mark, which shows whether it was decoded anew.
  PreparedSubmission marked(const Bytes& request) const {
    PreparedSubmission prepared = admit(request);
    prepared.request.message_id += " remembered";
    return prepared;
  }

  World world;

 private:
  std::map<std::pair<std::string, std::string>, Bytes> signed_;
};

TEST_F(AdmittedTest, ABlockTakesWhatIsKnownOnceAndDecodesTheRest) {
  AdmittedSubmissions admitted(1u << 20);
  admitted.remember(request("a"), marked(request("a")));
  admitted.remember(request("b"), marked(request("b")));
  EXPECT_THAT(prepared_ids({request("b"), request("c"), request("b")}, admitted),
              ElementsAre("b remembered", "c", "b"));
  EXPECT_THAT(prepared_ids({request("a", "other content"), request("a")}, admitted), ElementsAre("a", "a remembered"));
}

TEST_F(AdmittedTest, TheOldestIsForgottenAboveTheLimit) {
  const auto size = [&](const std::string& id) { return 2 * request(id).size() + 7; };  // the content has 7 bytes
  AdmittedSubmissions admitted(size("a") + size("b"));
  for (const std::string id : {"a", "b", "c"}) admitted.remember(request(id), marked(request(id)));
  EXPECT_THAT(prepared_ids({request("a"), request("b"), request("c")}, admitted),
              ElementsAre("a", "b remembered", "c remembered"));
  const Bytes huge = request("d", std::string(10'000, 'x'));
  admitted.remember(huge, marked(huge));
  EXPECT_THAT(prepared_ids({huge}, admitted), ElementsAre("d"));
}

TEST_F(AdmittedTest, TheCoreMakesTheSameOfIt) {
  AdmittedSubmissions admitted(1u << 20);
  admitted.remember(request("a"), admit(request("a")));
  const auto block = block_of({request("a")});
  const auto known = prepare_block(block, world.core->current_snapshot(), &admitted);
  EXPECT_FALSE(admitted.take(request("a"))) << "it was used";
  const auto effects = world.core->on_block(block, known);
  ASSERT_TRUE(effects);
  const auto state = world.core->status().state_hash;
  world.open(world.sequencers[0]);  // as before the block, which has not been stored
  ASSERT_TRUE(world.core->on_block(block));
  EXPECT_EQ(world.core->status().state_hash, state);
  ASSERT_TRUE(world.store->write(effects->writes, storage::Sync::no));
  ASSERT_EQ(world.events(world.participants[1]).size(), 1u);
}

}  // namespace
}  // namespace synod::sequencer
