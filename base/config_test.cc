#include "base/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/config_place.h"
#include "base/testing/temporary_folder.h"

namespace synod::config {
namespace {

struct Item {
  std::string name;
};
struct Sample {
  std::string host = "127.0.0.1";
  std::uint16_t port = 10;
  Duration wait = Duration::seconds(5);
  std::uint64_t limit = 10 << 20;
  std::uint64_t bounded = 1 << 20;
  bool enabled = false;
  std::vector<std::string> tags;
  std::vector<Item> items;
};

Describe describe(Sample& s) {
  return [&s](Fields& f) {
    f.text("host", s.host, "Where.");
    f.object(
        "inner",
        [&s](Fields& g) {
          g.integer("port", s.port, "Port.");
          g.duration("wait", s.wait, "How long.");
        },
        "More.");
    f.size("limit", s.limit, "Limit.");
    f.size_within("bounded", s.bounded, 4 << 10, 1 << 30, "Bounded.");
    f.flag("enabled", s.enabled, "Whether.");
    f.texts("tags", s.tags, "Tags.");
    f.list("items", s.items, [](Fields& g, Item& item) { g.text("name", item.name, "Name."); }, "Items.");
  };
}

TEST(Config, ReadsAllKindsOfFields) {
  Sample s;
  const auto status = read_text(
      "host: h\ninner:\n  port: 7\n  wait: 20ms\nlimit: 64KiB\nenabled: true\ntags: [a, b]\nitems:\n  - name: x\n", "f",
      describe(s));
  ASSERT_TRUE(status) << status.error().to_string();
  EXPECT_EQ(s.host, "h");
  EXPECT_EQ(s.port, 7);
  EXPECT_EQ(s.wait, Duration::milliseconds(20));
  EXPECT_EQ(s.limit, 64u << 10);
  EXPECT_TRUE(s.enabled);
  EXPECT_EQ(s.tags, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(s.items.size(), 1u);
  EXPECT_EQ(s.items[0].name, "x");
}

TEST(Config, WrittenFilesReadBackTheSame) {
  Sample s, t;
  s.tags = {"t"};
  s.items = {{"i"}};
  s.wait = Duration::milliseconds(1500);
  const std::string text = write_text(describe(s));
  const auto status = read_text(text, "f", describe(t));
  ASSERT_TRUE(status) << status.error().to_string();
  EXPECT_EQ(write_text(describe(t)), text);
}

TEST(Config, ErrorsNameFileAndLine) {
  Sample s;
  const auto message = [&s](const char* text) { return read_text(text, "node.yaml", describe(s)).error().cause; };
  EXPECT_EQ(message("host: a\nprot: 3\n").substr(0, 30), "node.yaml:2: unknown key 'prot");
  EXPECT_EQ(message("inner:\n  port: x\n").substr(0, 24), "node.yaml:2: inner.port:");
  EXPECT_EQ(message("inner:\n  port: 70000\n"), "node.yaml:2: inner.port is out of range");
  EXPECT_EQ(message("inner: 3\n"), "node.yaml:1: inner must hold keys and values");
  EXPECT_NE(message("limit: -3\n").find("is not a size"), std::string::npos);
  EXPECT_NE(message("host: [").find("node.yaml:"), std::string::npos);
  EXPECT_EQ(read_file("/nonexistent.yaml", describe(s)).error().id, "CONFIG_NOT_FOUND");
}

TEST(Config, ASizeOutsideOfItsBoundsIsRefusedWithThem) {
  Sample s;
  const auto read = [&s](const char* text) { return read_text(text, "node.yaml", describe(s)); };
  for (const char* text : {"host: a\nbounded: 4GiB\n", "host: a\nbounded: 0\n", "host: a\nbounded: 4095\n"}) {
    const auto status = read(text);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().cause, "node.yaml:2: bounded is out of range: at least 4KiB, at most 1GiB");
  }
  EXPECT_EQ(s.bounded, 1u << 20);
  EXPECT_TRUE(read("bounded: 1GiB\n"));
  EXPECT_EQ(s.bounded, 1u << 30);
}

TEST(Config, PlacesOfValuesAreFoundAfterwards) {
  const std::string folder = testing::new_folder("config"), file = folder + "/network.yaml";
  std::ofstream(file) << "host: h\n# more\nitems:\n  - name: x\n    size: 3\n  - {name: y}\n";
  EXPECT_EQ(place_of(file, {"host"}), file + ":1");
  EXPECT_EQ(place_of(file, {"items"}), file + ":4");
  EXPECT_EQ(place_of(file, {"items", "0", "size"}), file + ":5");
  EXPECT_EQ(place_of(file, {"items", "1", "name"}), file + ":6");
  EXPECT_EQ(place_of(file, {"items", "1", "size"}), file + ":6") << "silent: what is around it";
  EXPECT_EQ(place_of(file, {"items", "2", "name"}), file + ":4");
  EXPECT_EQ(place_of(file, {"items", "name"}), file + ":4");
  EXPECT_EQ(place_of(folder + "/absent.yaml", {"host"}), folder + "/absent.yaml");
  std::filesystem::remove_all(folder);
}

TEST(Config, ReferenceListsEveryKey) {
  Sample s;
  const std::string page = reference(describe(s));
  for (const char* key : {"`host`", "`inner.port`", "`inner.wait`", "`limit`", "`items[].name`"})
    EXPECT_NE(page.find(key), std::string::npos) << key;
}

}  // namespace
}  // namespace synod::config
