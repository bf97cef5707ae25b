// Writing a configuration, and documenting it, from its description.
#include <yaml-cpp/yaml.h>

#include "base/config.h"

namespace synod::config {
namespace {

class Writer final : public Fields {
 public:
  explicit Writer(YAML::Emitter& out) : out_(out) {}
  void text(const char* key, std::string& value, const char*) override {
    out_ << YAML::Key << key << YAML::Value << value;
  }
  void flag(const char* key, bool& value, const char*) override { out_ << YAML::Key << key << YAML::Value << value; }
  void int64(const char* key, std::int64_t& value, const char*) override {
    out_ << YAML::Key << key << YAML::Value << value;
  }
  void duration(const char* key, Duration& value, const char*) override {
    out_ << YAML::Key << key << YAML::Value << print_duration(value);
  }
  void size(const char* key, std::uint64_t& value, const char*) override {
    out_ << YAML::Key << key << YAML::Value << print_size(value);
  }
  void texts(const char* key, std::vector<std::string>& value, const char*) override {
    out_ << YAML::Key << key << YAML::Value << YAML::Flow << value;
  }
  void object(const char* key, const std::function<void(Fields&)>& describe, const char*) override {
    out_ << YAML::Key << key << YAML::Value << YAML::BeginMap;
    describe(*this);
    out_ << YAML::EndMap;
  }
  void objects(const char* key, std::size_t count, const std::function<void(std::size_t)>&,
               const std::function<void(std::size_t, Fields&)>& item, const char*) override {
    out_ << YAML::Key << key << YAML::Value << YAML::BeginSeq;
    for (std::size_t i = 0; i < count; ++i) {
      out_ << YAML::BeginMap;
      item(i, *this);
      out_ << YAML::EndMap;
    }
    out_ << YAML::EndSeq;
  }

 private:
  void out_of_range(const char*, const std::string&) override {}
  YAML::Emitter& out_;
};

class Reference final : public Fields {
 public:
  void text(const char* key, std::string& value, const char* doc) override {
    row(key, value.empty() ? "" : value, doc);
  }
  void flag(const char* key, bool& value, const char* doc) override { row(key, value ? "true" : "false", doc); }
  void int64(const char* key, std::int64_t& value, const char* doc) override { row(key, std::to_string(value), doc); }
  void duration(const char* key, Duration& value, const char* doc) override { row(key, print_duration(value), doc); }
  void size(const char* key, std::uint64_t& value, const char* doc) override { row(key, print_size(value), doc); }
  void texts(const char* key, std::vector<std::string>&, const char* doc) override { row(key, "list", doc); }
  void object(const char* key, const std::function<void(Fields&)>& describe, const char* doc) override {
    row(key, "", doc);
    nested(std::string(key) + ".", [&] { describe(*this); });
  }
  void objects(const char* key, std::size_t, const std::function<void(std::size_t)>& resize,
               const std::function<void(std::size_t, Fields&)>& item, const char* doc) override {
    row(key, "list", doc);
    resize(1);  // one default item shows the keys
    nested(std::string(key) + "[].", [&] { item(0, *this); });
    resize(0);
  }
  std::string table = "| key | default | meaning |\n| --- | --- | --- |\n";

 private:
  void out_of_range(const char*, const std::string&) override {}
  void row(const std::string& key, const std::string& value, const char* doc) {
    table += "| `" + prefix_ + key + "` | " + (value.empty() ? "" : "`" + value + "`") + " | " + doc + " |\n";
  }
  template <typename Body>
  void nested(const std::string& prefix, Body body) {
    const std::string outer = prefix_;
    prefix_ += prefix;
    body();
    prefix_ = outer;
  }
  std::string prefix_;
};

}  // namespace

std::string write_text(const Describe& describe) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  Writer writer(out);
  describe(writer);
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

std::string reference(const Describe& describe) {
  Reference reference;
  describe(reference);
  return reference.table;
}

}  // namespace synod::config
