// Reading a configuration file against its description.
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>

#include "base/config.h"
#include "base/files.h"

namespace synod::config {
namespace {

// The first error of a whole read; later ones are mostly its consequences.
struct Problem {
  std::string file;
  std::optional<Error> error;
  void report(const YAML::Mark& mark, const std::string& text) {
    if (error) return;
    const std::string line = mark.is_null() ? "" : ":" + std::to_string(mark.line + 1);
    error = invalid_argument("CONFIG_INVALID", file + line + ": " + text);
  }
};

class Reader final : public Fields {
 public:
  Reader(YAML::Node node, std::string path, Problem& problem)
      : node_(std::move(node)), path_(std::move(path)), problem_(problem) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap())
      problem_.report(node_.Mark(), where() + " must hold keys and values");
  }

  void text(const char* key, std::string& value, const char*) override {
    scalar(key, [&](const std::string& s) -> Status {
      value = s;
      return {};
    });
  }
  void flag(const char* key, bool& value, const char*) override {
    scalar(key, [&](const std::string& s) -> Status {
      if (s != "true" && s != "false") return fail(invalid_argument("", "'" + s + "' is neither true nor false"));
      value = s == "true";
      return {};
    });
  }
  void int64(const char* key, std::int64_t& value, const char*) override {
    scalar(key, [&](const std::string& s) -> Status {
      std::istringstream in(s);
      std::int64_t number;
      if (!(in >> number) || !in.eof()) return fail(invalid_argument("", "'" + s + "' is not a whole number"));
      value = number;
      return {};
    });
  }
  void duration(const char* key, Duration& value, const char*) override {
    scalar(key, [&](const std::string& s) -> Status {
      SYNOD_TRY(value, parse_duration(s));
      return {};
    });
  }
  void size(const char* key, std::uint64_t& value, const char*) override {
    scalar(key, [&](const std::string& s) -> Status {
      SYNOD_TRY(value, parse_size(s));
      return {};
    });
  }
  void texts(const char* key, std::vector<std::string>& value, const char*) override {
    const YAML::Node child = take(key);
    if (!child) return;
    if (!child.IsSequence()) return problem_.report(child.Mark(), path(key) + " must be a list");
    value.clear();
    for (const YAML::Node& item : child) {
      if (!item.IsScalar()) return problem_.report(item.Mark(), path(key) + " must be a list of plain values");
      value.push_back(item.Scalar());
    }
  }
  void object(const char* key, const std::function<void(Fields&)>& describe, const char*) override {
    const YAML::Node child = take(key);
    if (!child) return;
    Reader reader(child, path(key), problem_);
    describe(reader);
    reader.finish();
  }
  void objects(const char* key, std::size_t, const std::function<void(std::size_t)>& resize,
               const std::function<void(std::size_t, Fields&)>& item, const char*) override {
    const YAML::Node child = take(key);
    if (!child) return;
    if (!child.IsSequence()) return problem_.report(child.Mark(), path(key) + " must be a list");
    resize(0);
    resize(child.size());
    for (std::size_t i = 0; i < child.size(); ++i) {
      Reader reader(child[i], path(key) + "[" + std::to_string(i) + "]", problem_);
      item(i, reader);
      reader.finish();
    }
  }

  // Every key that no field asked for is an error.
  void finish() {
    if (!node_.IsMap()) return;
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (!known_.contains(key))
        problem_.report(entry.first.Mark(), "unknown key '" + path(key) + "'; known here: " + known_list());
      else if (!seen_.insert(key).second)
        problem_.report(entry.first.Mark(), "'" + path(key) + "' is given twice");
    }
  }

 private:
  void out_of_range(const char* key, const std::string& allowed) override {
    problem_.report(node_.IsMap() && node_[key] ? node_[key].Mark() : node_.Mark(),
                    path(key) + " is out of range" + allowed);
  }

  YAML::Node take(const char* key) {
    known_.insert(key);
    if (!node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    const YAML::Node child = std::as_const(node_)[key];
    if (!child || child.IsNull()) return YAML::Node(YAML::NodeType::Undefined);
    return child;
  }
  void scalar(const char* key, const std::function<Status(const std::string&)>& set) {
    const YAML::Node child = take(key);
    if (!child) return;
    if (!child.IsScalar()) return problem_.report(child.Mark(), path(key) + " must be a plain value");
    if (const Status status = set(child.Scalar()); !status)
      problem_.report(child.Mark(), path(key) + ": " + status.error().cause);
  }
  std::string path(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  std::string where() const { return path_.empty() ? "the file" : path_; }
  std::string known_list() const {
    std::string list;
    for (const std::string& key : known_) list += (list.empty() ? "" : ", ") + key;
    return list;
  }

  YAML::Node node_;
  std::string path_;
  Problem& problem_;
  std::set<std::string> known_, seen_;
};

}  // namespace

Status read_text(const std::string& text, const std::string& name, const Describe& describe) {
  Problem problem{name, std::nullopt};
  try {
    Reader reader(YAML::Load(text), "", problem);
    describe(reader);
    reader.finish();
  } catch (const YAML::Exception& exception) {
    problem.report(exception.mark, exception.msg);
  }
  if (problem.error) return fail(*problem.error);
  return {};
}

Status read_file(const std::string& path, const Describe& describe) {
  const auto text = file_bytes(path);
  if (!text) return fail(not_found("CONFIG_NOT_FOUND", "cannot read the configuration file '" + path + "'"));
  return read_text(*text, path, describe);
}

}  // namespace synod::config
