#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/bytes.h"
#include "base/env.h"
#include "base/event_loop.h"
#include "base/time.h"

namespace synod {
namespace {

TEST(Bytes, HexAndBase64RoundTrip) {
  const Bytes bytes("\x00\x01\xfe\xff", 4);
  EXPECT_EQ(to_hex(bytes), "0001feff");
  EXPECT_EQ(from_hex("0001FEff").value(), bytes);
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
  for (std::size_t n = 0; n <= 4; ++n)
    EXPECT_EQ(from_base64(to_base64(bytes.substr(0, n))).value(), bytes.substr(0, n));
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
}

TEST(Bytes, BigEndian) {
  Bytes out;
  append_i32(out, -2);
  append_i64(out, 0x0102030405060708);
  EXPECT_EQ(to_hex(out), "fffffffe0102030405060708");
  EXPECT_EQ(read_i32(out), -2);
  EXPECT_EQ(read_i64(ByteView(out).substr(4)), 0x0102030405060708);
}

TEST(Time, PrintsIso8601) {
  EXPECT_EQ(Timestamp{0}.to_string(), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Timestamp{1'500'000}.to_string(), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(Timestamp::max().to_string(), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Timestamp::min().to_string(), "0001-01-01T00:00:00Z");
}

// Timers and tasks are each in order; which of the two comes first depends on how long a thread was kept waiting.
TEST(EventLoop, RunsTasksInOrderAndTimersWhenDue) {
  std::vector<int> tasks, timers;
  std::promise<void> tasks_done, timers_done;
  std::int64_t began = 0, armed = 0, ended = 0;
  const auto clock = system_clock();
  EventLoop loop("test");  // ends before what its timers use
  loop.post([&] {
    began = clock->monotonic_micros();
    const TimerId cancelled = loop.after(Duration::milliseconds(1), [&] { timers.push_back(99); });
    loop.after(Duration::milliseconds(50), [&] {
      ended = clock->monotonic_micros();
      timers.push_back(2);
      timers_done.set_value();
    });
    loop.after(Duration::milliseconds(2), [&] { timers.push_back(1); });
    armed = clock->monotonic_micros();
    loop.cancel(cancelled);
  });
  for (int i = 0; i < 100; ++i) loop.post([&, i] { tasks.push_back(i); });
  loop.post([&] { tasks_done.set_value(); });
  tasks_done.get_future().wait();
  timers_done.get_future().wait();
  ASSERT_EQ(tasks.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(tasks[static_cast<std::size_t>(i)], i);
  // If this thread was kept waiting between the two, the second to be armed is due later.
  if (armed - began < 48'000) {
    EXPECT_EQ(timers, (std::vector<int>{1, 2}));
  }
  EXPECT_GE(ended - began, 50'000);  // never early
}

TEST(EventLoop, TellsHowLongATaskHasBeenRunning) {
  EventLoop loop("test");
  std::promise<void> started, released;
  loop.post([&] {
    started.set_value();
    released.get_future().wait();
  });
  started.get_future().wait();
  const Duration first = loop.busy_for();
  while (loop.busy_for() <= first) std::this_thread::yield();  // it grows
  released.set_value();
  std::promise<void> idle;
  loop.post([&] { idle.set_value(); });
  idle.get_future().wait();
  loop.stop();
  EXPECT_EQ(loop.busy_for(), Duration{});
}

}  // namespace
}  // namespace synod
