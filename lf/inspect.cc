#include "lf/inspect.h"

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "lf/type_schema.h"

namespace synod::lf {

namespace {

// What both forms show, gathered once.
struct FieldInfo {
  std::string name, type;
};
struct InspectedChoice {
  std::string name, argument, result;
  bool consuming;
};
struct TypeInfo {
  std::string name;
  std::vector<FieldInfo> fields;
  std::vector<InspectedChoice> choices;
  std::string key;                      // template with a key: its type
  std::string view;                     // interface
  std::vector<std::string> interfaces;  // implemented or required
};

class Inspector {
 public:
  Inspector(const Dar& dar, const Package& package)
      : package_(package), packages_(std::make_shared<PackageStore>()), schema_(packages_) {
    for (const auto& entry : dar.entries) packages_->add(entry.package);
  }

  const PackageStore& packages() const { return *packages_; }

  // What ledger values are made of besides contracts; types with parameters are left out.
  std::vector<TypeInfo> types() {
    std::vector<TypeInfo> result;
    for (const DataType& d : package_.data_types()) {
      const std::string_view module = package_.text(package_.modules()[d.module].name), name = package_.text(d.name);
      if (!d.serializable || d.params.count > 0 || package_.find_template(module, name) ||
          package_.find_exception(module, name))
        continue;
      const char* kind = d.kind == DataKind::record ? "record " : d.kind == DataKind::variant ? "variant " : "enum ";
      result.push_back({kind + package_.qualified_name(d), members(d), {}, "", "", {}});
    }
    return result;
  }

  std::vector<TypeInfo> templates() {
    std::vector<TypeInfo> result;
    for (const Template& t : package_.templates()) {
      TypeInfo info{package_.qualified_name(t), fields(t), choices(t.choices), "", "", {}};
      if (t.has_key) info.key = type(t.key.type);
      for (const Implementation& i : package_.items(t.implementations))
        info.interfaces.push_back(reference(i.interface));
      result.push_back(std::move(info));
    }
    return result;
  }

  std::vector<TypeInfo> interfaces() {
    std::vector<TypeInfo> result;
    for (const Interface& i : package_.interfaces()) {
      TypeInfo info{package_.qualified_name(i), {}, choices(i.choices), "", type(i.view), {}};
      for (RefId required : package_.items(i.required)) info.interfaces.push_back(reference(required));
      result.push_back(std::move(info));
    }
    return result;
  }

 private:
  std::string type(TypeId id) { return TypeSchema::to_string(*schema_.type(package_, id)); }

  std::string reference(RefId id) { return identifier(package_, id).qualified_name(); }

  std::vector<FieldInfo> fields(const Template& t) {
    std::vector<FieldInfo> result;
    const DataType* record =
        package_.find_data_type(package_.text(package_.modules()[t.module].name), package_.text(t.name));
    return record ? members(*record) : result;
  }

  std::vector<FieldInfo> members(const DataType& d) {
    std::vector<FieldInfo> result;
    for (const SchemaMember& member : schema_.members(*schema_.type(package_, d))) {
      result.push_back({std::string(member.name), member.type ? TypeSchema::to_string(*member.type) : ""});
    }
    return result;
  }

  std::vector<InspectedChoice> choices(Slice<Choice> slice) {
    std::vector<InspectedChoice> result;
    for (const Choice& c : package_.items(slice)) {
      result.push_back({std::string(package_.text(c.name)), type(c.argument.type), type(c.result), c.consuming});
    }
    return result;
  }

  const Package& package_;
  std::shared_ptr<PackageStore> packages_;
  TypeSchema schema_;
};

std::string label(const Package& package) { return package.name() + " " + package.version(); }

void append_choices(std::string& out, const std::vector<InspectedChoice>& choices) {
  for (const auto& c : choices) {
    out += "    " + std::string(c.consuming ? "choice " : "nonconsuming choice ") + c.name + " (" + c.argument +
           ") : " + c.result + "\n";
  }
}

// A package that was shown before is not opened again.
std::string dependency_tree(const Package& root, const PackageStore& packages) {
  struct Line {
    std::string id;
    std::size_t depth;
  };
  std::string out;
  std::set<std::string> seen;
  std::vector<Line> work{{root.id(), 0}};
  while (!work.empty()) {
    Line line = std::move(work.back());
    work.pop_back();
    out.append(2 * (line.depth + 1), ' ');
    const Package* package = packages.find(line.id);
    out += package ? label(*package) + "  " + line.id : line.id + "  (not in this file)";
    bool first = seen.insert(line.id).second;
    if (package && !first && !package->dependencies().empty()) out += "  (see above)";
    out += '\n';
    if (!package || !first) continue;
    auto dependencies = package->dependencies();
    for (auto it = dependencies.rbegin(); it != dependencies.rend(); ++it) work.push_back({*it, line.depth + 1});
  }
  return out;
}

// ---- JSON

std::string json_text(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <typename Items, typename Write>
std::string array(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + ']';
}

std::string choices_json(const std::vector<InspectedChoice>& choices) {
  return array(choices, [](const InspectedChoice& c) {
    return "{\"name\":" + json_text(c.name) + ",\"consuming\":" + (c.consuming ? "true" : "false") +
           ",\"argument\":" + json_text(c.argument) + ",\"result\":" + json_text(c.result) + "}";
  });
}

}  // namespace

Result<const Package*> find_package(const Dar& dar, const std::string& wanted) {
  if (wanted.empty()) return &dar.main();
  const Package* found = nullptr;
  std::set<std::string> others;
  for (const auto& entry : dar.entries) {
    const Package& p = *entry.package;
    others.insert(p.name());
    if (p.id() == wanted || p.name() + "-" + p.version() == wanted) return &p;
    if (p.name() == wanted && (!found || version_less(found->version(), p.version()))) found = &p;
  }
  if (found) return found;
  std::string names;
  for (const auto& name : others) names += (names.empty() ? "" : ", ") + name;
  return fail(not_found("PACKAGE_NOT_FOUND", "no package '" + wanted + "' in the file; it has " + names));
}

std::string describe(const Dar& dar, const Package& main) {
  Inspector inspector(dar, main);
  std::string out = "package " + label(main) + "\n  id " + main.id() + "\n  Daml-LF " +
                    main.language_version().to_string() + ", " + std::to_string(dar.entries.size()) +
                    " packages in the file\n";
  for (const auto& t : inspector.templates()) {
    out += "\ntemplate " + t.name + "\n";
    for (const auto& f : t.fields) out += "    " + f.name + " : " + f.type + "\n";
    if (!t.key.empty()) out += "    key " + t.key + "\n";
    for (const auto& i : t.interfaces) out += "    implements " + i + "\n";
    append_choices(out, t.choices);
  }
  for (const auto& i : inspector.interfaces()) {
    out += "\ninterface " + i.name + "\n    view " + i.view + "\n";
    for (const auto& required : i.interfaces) out += "    requires " + required + "\n";
    append_choices(out, i.choices);
  }
  for (const auto& e : main.exceptions()) out += "\nexception " + main.qualified_name(e) + "\n";
  for (const auto& t : inspector.types()) {
    out += "\n" + t.name + "\n";
    for (const auto& m : t.fields) out += "    " + m.name + (m.type.empty() ? "" : " : " + m.type) + "\n";
  }
  return out + "\ndependencies\n" + dependency_tree(main, inspector.packages());
}

std::string describe_json(const Dar& dar, const Package& main) {
  Inspector inspector(dar, main);
  auto strings = [](const std::string& s) { return json_text(s); };
  auto fields = [](const std::vector<FieldInfo>& infos) {
    return array(infos, [](const FieldInfo& f) {
      return "{\"name\":" + json_text(f.name) + (f.type.empty() ? "" : ",\"type\":" + json_text(f.type)) + "}";
    });
  };
  std::string out = "{\"main\":" + json_text(dar.main().id()) + ",\"package\":" + json_text(main.id());
  out += ",\"templates\":" + array(inspector.templates(), [&](const TypeInfo& t) {
           return "{\"name\":" + json_text(t.name) + ",\"fields\":" + fields(t.fields) +
                  (t.key.empty() ? "" : ",\"key\":" + json_text(t.key)) +
                  ",\"implements\":" + array(t.interfaces, strings) + ",\"choices\":" + choices_json(t.choices) + "}";
         });
  out += ",\"interfaces\":" + array(inspector.interfaces(), [&](const TypeInfo& i) {
           return "{\"name\":" + json_text(i.name) + ",\"view\":" + json_text(i.view) +
                  ",\"requires\":" + array(i.interfaces, strings) + ",\"choices\":" + choices_json(i.choices) + "}";
         });
  out += ",\"exceptions\":" +
         array(main.exceptions(), [&](const ExceptionDefinition& e) { return json_text(main.qualified_name(e)); });
  out += ",\"types\":" + array(inspector.types(), [&](const TypeInfo& t) {
           return "{\"name\":" + json_text(t.name) + ",\"members\":" + fields(t.fields) + "}";
         });
  out += ",\"packages\":" + array(dar.entries, [&](const Dar::Entry& entry) {
           const Package& p = *entry.package;
           return "{\"id\":" + json_text(p.id()) + ",\"name\":" + json_text(p.name()) +
                  ",\"version\":" + json_text(p.version()) +
                  ",\"language_version\":" + json_text(p.language_version().to_string()) +
                  ",\"size\":" + std::to_string(entry.payload.size()) +
                  ",\"dependencies\":" + array(p.dependencies(), strings) + "}";
         });
  return out + "}\n";
}

}  // namespace synod::lf
