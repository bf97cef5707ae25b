#include "ordering/fabric/channel_change.h"

#include <gtest/gtest.h>

#include "fabric/channel_config.pb.h"

namespace synod::ordering::fabric {
namespace {

// A channel of these organisations, as configtxgen makes one.
common::ConfigGroup channel_of(const std::vector<std::string>& organisations) {
  common::ConfigGroup channel;
  channel.set_mod_policy("Admins");
  (*channel.mutable_values())["Capabilities"].set_value("V2_0");
  auto& application = (*channel.mutable_groups())["Application"];
  application.set_mod_policy("Admins");
  (*application.mutable_values())["Capabilities"].set_value("V2_0");
  (*application.mutable_policies())["Writers"].set_policy("ANY Writers");
  for (const std::string& name : organisations) {
    auto& organisation = (*application.mutable_groups())[name];
    organisation.set_mod_policy("Admins");
    (*organisation.mutable_values())["MSP"].set_value("certificates of " + name);
  }
  (*channel.mutable_groups())["Orderer"].set_mod_policy("Admins");
  return channel;
}

TEST(ChannelChange, NamesWhatItStartsFromAndAddsOneOrganisation) {
  common::ConfigGroup current = channel_of({"coke", "pepsi"});
  (*current.mutable_groups())["Application"].set_version(3);  // changed before
  (*(*current.mutable_groups())["Application"].mutable_groups())["pepsi"].set_version(2);
  const auto update = admission("ch", current, channel_of({"coke", "pepsi", "bottler"}), "bottler");
  ASSERT_TRUE(update) << update.error().to_string();
  EXPECT_EQ(update->channel_id(), "ch");
  EXPECT_EQ(update->read_set().groups().size(), 1u) << "the rest of the channel is not touched";
  const auto& before = update->read_set().groups().at("Application");
  const auto& after = update->write_set().groups().at("Application");
  EXPECT_EQ(before.version(), 3u);
  EXPECT_EQ(after.version(), 4u);
  EXPECT_EQ(after.mod_policy(), "Admins");
  EXPECT_EQ(before.groups().size(), 2u);
  EXPECT_EQ(after.groups().size(), 3u);
  EXPECT_EQ(after.groups().at("pepsi").version(), 2u);
  EXPECT_TRUE(after.groups().at("pepsi").values().empty()) << "what keeps its version keeps its content";
  EXPECT_EQ(after.groups().at("bottler").values().at("MSP").value(), "certificates of bottler");
  EXPECT_TRUE(after.values().contains("Capabilities") && after.policies().contains("Writers"))
      << "members that are not named would be removed";
}

TEST(ChannelChange, IsNotMadeOfSomethingElse) {
  EXPECT_EQ(admission("ch", {}, channel_of({"bottler"}), "bottler").error().id, "ORDERING_CHANNEL_CHANGE_INVALID");
  EXPECT_EQ(admission("ch", channel_of({"coke"}), channel_of({"coke"}), "bottler").error().id,
            "ORDERING_CHANNEL_CHANGE_INVALID");
}

}  // namespace
}  // namespace synod::ordering::fabric
