#include "base/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/testing/temporary_folder.h"

namespace synod {
namespace {

TEST(Process, RunReturnsWhatTheProgramSays) {
  const auto said =
      run({"sh", {"-c", "echo $GREETING; echo noise >&2; pwd"}, {"GREETING=hello"}, "/usr"}, Duration::seconds(20));
  ASSERT_TRUE(said) << said.error().to_string();
  EXPECT_EQ(*said, "hello\n/usr\n");
}

TEST(Process, RunSaysHowAProgramFailed) {
  const auto failed = run({"sh", {"-c", "echo broken >&2; exit 3"}, {}, ""}, Duration::seconds(20));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().id, "PROCESS_FAILED");
  EXPECT_NE(failed.error().cause.find("status 3"), std::string::npos);
  EXPECT_NE(failed.error().cause.find("broken"), std::string::npos);
  EXPECT_EQ(run({"no-such-program", {}, {}, ""}, Duration::seconds(1)).error().id, "PROCESS_START_FAILED");
  const auto slow = run({"sh", {"-c", "sleep 60 & sleep 60"}, {}, ""}, Duration::milliseconds(50));
  EXPECT_NE(slow.error().cause.find("longer"), std::string::npos);
}

TEST(Process, AServerIsFoundByItsFileAndStops) {
  const std::string folder = synod::testing::new_folder("process");
  const ServerProcess server{{"sleep", {"1000"}, {}, folder}, folder + "/log", folder + "/pid", true};
  EXPECT_FALSE(server.running());
  ASSERT_TRUE(server.start());
  const auto pid = server.running();
  ASSERT_TRUE(pid);
  ASSERT_TRUE(server.start());
  EXPECT_EQ(server.running(), pid) << "a running server is left alone";
  ServerProcess other = server;
  other.command.arguments = {"1001"};
  EXPECT_FALSE(other.running()) << "another command's process does not pass for it";
  EXPECT_TRUE(server.stop(SIGTERM, Duration::seconds(10)));
  EXPECT_FALSE(server.running());
  EXPECT_FALSE(server.stop(SIGTERM, Duration::seconds(10)));
  std::filesystem::remove_all(folder);
}

TEST(Process, AServerThatNoFileCouldNameDoesNotStayBehind) {
  const std::string folder = synod::testing::new_folder("process");
  const ServerProcess server{{"sleep", {"1002"}, {}, folder}, folder + "/log", folder + "/absent/pid", true};
  const Status started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().id, "PROCESS_START_FAILED");
  EXPECT_NE(started.error().cause.find("absent/pid"), std::string::npos) << started.error().cause;
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  std::filesystem::remove_all(folder);
}

TEST(Process, ANameOfNobodyIsRefused) {
  EXPECT_NE(run({"true", {}, {}, "", "nobody-of-this-name"}, Duration::seconds(9)).error().cause.find("no user"),
            std::string::npos);
  if (::getuid() == 0) {
    const auto said = run({"id", {"-un"}, {}, "/", "nobody"}, Duration::seconds(20));
    ASSERT_TRUE(said) << said.error().to_string();
    EXPECT_EQ(*said, "nobody\n");
  }
}

TEST(Process, OneThatEndedLingersWhileAThreadOfItLives) {
  EXPECT_FALSE(lingers(getpid()));
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { pause(); }).detach();
    syscall(SYS_exit, 0);  // of this thread only
  }
  for (int looks = 0; looks < 6000 && !lingers(child); ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(lingers(child));
  kill(child, SIGKILL);
  siginfo_t ended{};
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);  // a zombie, whole
  EXPECT_FALSE(lingers(child));
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(lingers(child));
}

TEST(Process, FreePortsDiffer) { EXPECT_NE(free_port(), free_port()); }

}  // namespace
}  // namespace synod
