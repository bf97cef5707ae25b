#include "testnet/changes.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace synod::testnet {
namespace {

TEST(Changes, AreKeptInTheNetworksFolderAndLaidOverItsPlan) {
  std::string folder = (std::filesystem::temp_directory_path() / "synod-changes-XXXXXX").string();
  ASSERT_TRUE(mkdtemp(folder.data()));
  EXPECT_TRUE(read_changes(folder)->added.empty());  // nothing was changed
  PlanChanges changes;
  changes.added.push_back({"bottler-sequencer", "bottler", Role::sequencer, "", 20014, 20015});
  changes.removed.push_back("coke-sequencer");
  ASSERT_TRUE(write_changes(folder, changes));
  const auto again = read_changes(folder);
  ASSERT_TRUE(again) << again.error().to_string();

  auto plan = load_plan("testnet/two-orgs.yaml", folder);
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->founders.size(), 7u);
  EXPECT_EQ(plan->nodes.size(), 7u);
  EXPECT_FALSE(plan->find("coke-sequencer"));
  const auto added = plan->find("bottler-sequencer");
  ASSERT_TRUE(added);
  EXPECT_EQ((*added)->public_port, 20014);
  EXPECT_EQ((*added)->folder, plan->folder + "/bottler/sequencer");
  // It starts where sequencers start: before those who connect to them.
  EXPECT_LT(*added, *plan->find("consortium-mediator"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod::testnet
