// Which time a transaction gets.
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "participant/testing/mini_network.h"

namespace synod::participant {
namespace {

using lf::Value;

class LedgerTime : public ::testing::Test {
 protected:
  LedgerTime() {
    const auto dar = lf::decode_dar(lf::assemble_dar(testing::read_file("examples/ping.lf")).value()).value();
    auto packages = std::make_shared<lf::PackageStore>();
    for (const auto& entry : dar.entries) packages->add(entry.package);
    ping_ = {dar.main().id(), "Ping", "Ping"};
    net_ = std::make_unique<MiniNetwork>(packages, 1);
    alice_ = net_->host("Alice", 0);
    net_->start();
  }
  // Of a command that is given to a participant whose clock is so far behind the synchronizer.
  Timestamp of_command(Duration behind) {
    const Timestamp synchronizer = net_->clock;
    net_->clock = synchronizer - behind;
    const lf::Command create =
        lf::CreateCommand{ping_, Value::record({Value::text("x"), Value::party(alice_), Value::party(alice_)})};
    EXPECT_TRUE(net_->submit(0, alice_, "command " + std::to_string(++commands_), {create}));
    net_->clock = synchronizer;
    net_->run();
    const Completion& done = net_->nodes[0].completions.back();
    EXPECT_FALSE(done.rejection) << done.rejection->to_string();
    return (*net_->ledger(0)->update_by_id(done.update_id))->transaction()->effective_at;
  }

  std::unique_ptr<MiniNetwork> net_;
  lf::Identifier ping_;
  std::string alice_;
  int commands_ = 0;
};

TEST_F(LedgerTime, IsThatOfTheParticipantsClock) {
  const Timestamp now = net_->clock;
  EXPECT_EQ(of_command(Duration{}), now);
}

// Applications compare what a transaction recorded with the time that they know, on networks with static time to the
// microsecond.
TEST_F(LedgerTime, IsThatOfAClockThatIsALittleBehind) {
  const Duration behind = Duration::seconds(20);
  const Timestamp now = net_->clock - behind;
  EXPECT_EQ(of_command(behind), now);
}

TEST_F(LedgerTime, IsTheSynchronizersWhereTheClockIsFarBehind) {
  const Duration behind = Duration::seconds(3600);
  const Timestamp synchronizer = net_->clock;
  const Timestamp time = of_command(behind);
  EXPECT_GT(time, synchronizer - Duration::seconds(60));
  EXPECT_LE(time, synchronizer + Duration::seconds(1));
}

}  // namespace
}  // namespace synod::participant
