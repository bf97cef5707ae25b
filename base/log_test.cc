#include "base/log.h"

#include <gtest/gtest.h>

#include <thread>

namespace synod::log {
namespace {

std::string text(const std::string& message) {
  return render({Level::info, "sequencer", message, ""}, Format::text, "T");
}
std::string json(const std::string& message) {
  return render({Level::info, "sequencer", message, ""}, Format::json, "T");
}

TEST(Log, NobodyForgesALine) {
  const std::string forged = "m1\n2026-01-01T00:00:00Z ERROR sequencer - all is lost\r\x1b[2K\x7f";
  EXPECT_EQ(text(forged),
            "T INFO  sequencer - m1\\n2026-01-01T00:00:00Z ERROR sequencer - all is lost\\x0d\\x1b[2K\\x7f\n");
  EXPECT_EQ(json(forged),
            "{\"@timestamp\":\"T\",\"level\":\"INFO\",\"logger_name\":\"sequencer\",\"message\":\"m1\\n"
            "2026-01-01T00:00:00Z ERROR sequencer - all is lost\\u000d\\u001b[2K\\u007f\"}\n");
  // Control characters and ends of lines that take more than one byte.
  EXPECT_EQ(text("a\xc2\x9b[2Kb\xe2\x80\xa8"
                 "c"),
            "T INFO  sequencer - a\\xc2\\x9b[2Kb\\xe2\\x80\\xa8"
            "c\n");
}

TEST(Log, KeepsWhatIsText) {
  EXPECT_EQ(text("K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x8d\xba a\tb \\ \""),
            "T INFO  sequencer - K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x8d\xba a\\tb \\ \"\n");
  EXPECT_NE(json("K\xc3\xb6ln \\ \"x\"").find("\"K\xc3\xb6ln \\\\ \\\"x\\\"\""), std::string::npos);
}

TEST(Log, WhatIsNotUtf8IsEscaped) {
  // A stray byte, a cut sequence, a longer form of '/', a surrogate, beyond the last character.
  for (const std::string bytes : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    std::string escaped;
    for (const unsigned char c : bytes) escaped += fmt::format("\\x{:02x}", c);
    EXPECT_EQ(text("<" + bytes + ">"), "T INFO  sequencer - <" + escaped + ">\n");
    std::string twice;  // the backslash itself is escaped in JSON
    for (const char c : escaped) twice += c == '\\' ? std::string("\\\\") : std::string(1, c);
    EXPECT_NE(json("<" + bytes + ">").find("<" + twice + ">"), std::string::npos);
  }
}

TEST(Log, ATraceIdIsTakenFromATraceparentOnly) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(trace_id_of("00-" + id + "-0123456789abcdef-01"), id);
  EXPECT_EQ(trace_id_of(""), "");
  EXPECT_EQ(trace_id_of(id), "");
  EXPECT_EQ(trace_id_of("00-0123456789abcdef0123456789abcde\n-0123456789abcdef-01"), "");
}

TEST(Log, ATraceIdIsThatOfItsThreadAndScope) {
  EXPECT_EQ(trace_id(), "");
  {
    TraceScope outer("a");
    {
      TraceScope inner("b");
      EXPECT_EQ(trace_id(), "b");
      std::thread([] { EXPECT_EQ(trace_id(), ""); }).join();
    }
    EXPECT_EQ(trace_id(), "a");
  }
  EXPECT_EQ(trace_id(), "");
  EXPECT_EQ(render({Level::warn, "rpc", "x", "a"}, Format::text, "T"), "T WARN  rpc tid:a - x\n");
}

}  // namespace
}  // namespace synod::log
