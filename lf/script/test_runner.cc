#include "lf/script/test_runner.h"

#include <algorithm>

namespace synod::lf::script {
namespace {

constexpr char kLowLevel[] = "Daml.Script.Internal.LowLevel";
constexpr char kLatestProtocol34Sdk[] = "3.4.999";

// `Script a` of the script library, whichever version; null: another type.
const Ref* script_type(const Package& package, TypeId id) {
  const Type& type = package.type(id);
  if (type.kind != TypeKind::con) return nullptr;
  const Ref& ref = package.ref(type.ref);
  return package.text(ref.name) == "Script" && package.text(ref.module) == kLowLevel ? &ref : nullptr;
}

// "3.4.0-snapshot.2025.." and "3.4.0.2025.." -> "3.4.0"
std::string release(const std::string& sdk_version) {
  std::size_t end = 0;
  for (int dots = 0; end < sdk_version.size(); ++end) {
    char c = sdk_version[end];
    if (c == '.' ? ++dots > 2 : c < '0' || c > '9') break;
  }
  return sdk_version.substr(0, end);
}

int protocol_of(const std::string& sdk_version) {
  std::string version = release(sdk_version);
  bool known = !version.empty() && version[0] == '3';  // builds from source call themselves 0.0.0
  return known && version_less(version, kLatestProtocol34Sdk) ? 34 : 35;
}

// The library's cast does nothing to a value; its definition only says that a runner has to put that in its place.
void replace_cast(eval::Program& program, const PackageStore& packages) {
  for (const Package* package : packages.all())
    if (const ValueDefinition* cast = package->find_value(kLowLevel, "dangerousCast"))
      program.replace_with_identity(*package, *cast);
}

}  // namespace

std::vector<std::string> scripts_of(const Package& package) {
  std::vector<std::string> out;
  for (const auto& value : package.values())
    if (!package.text(value.name).starts_with('$') && script_type(package, value.type))
      out.push_back(package.qualified_name(value));
  std::sort(out.begin(), out.end());
  return out;
}

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.find('*') == std::string_view::npos) return name.find(pattern) != std::string_view::npos;
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

TestRunner::TestRunner(std::shared_ptr<PackageStore> packages, const Package& main, Options options)
    : packages_(std::move(packages)),
      main_(main),
      options_(std::move(options)),
      program_(packages_),
      engine_(packages_),
      scripts_(scripts_of(main)) {
  replace_cast(program_, *packages_);
}

Result<std::unique_ptr<TestRunner>> TestRunner::create(const Dar& dar, const std::string& sdk_version,
                                                       Options options) {
  auto packages = std::make_shared<PackageStore>();
  for (const auto& entry : dar.entries) packages->add(entry.package);
  SYNOD_RETURN_IF_ERROR(packages->closure(dar.main().id()));
  if (options.protocol_version == 0) options.protocol_version = protocol_of(sdk_version);
  const Package* main = packages->find(dar.main().id());
  return std::unique_ptr<TestRunner>(new TestRunner(std::move(packages), *main, std::move(options)));
}

ScriptOutcome TestRunner::run(const std::string& script) {
  MemoryLedger ledger(packages_, engine_, {options_.protocol_version < 35, options_.submission_limits});
  return run(script, ledger);
}

ScriptOutcome TestRunner::run(const std::string& name, ScriptLedger& ledger) {
  ScriptOutcome out;
  auto colon = name.find(':');
  const ValueDefinition* value =
      colon == std::string::npos ? nullptr : main_.find_value(name.substr(0, colon), name.substr(colon + 1));
  const Ref* type = value ? script_type(main_, value->type) : nullptr;
  const Package* library = type ? packages_->find(main_.package_ids()[type->package]) : nullptr;
  if (!library) {
    out.failure = ScriptError{
        not_found("SCRIPT_NOT_FOUND", "no script " + name + " in package " + main_.name() + "; list them with --list"),
        {},
        {}};
    return out;
  }
  auto sink = [&](std::string_view message) {
    if (out.trace.size() < options_.max_trace_messages) out.trace.emplace_back(message);
    if (out.trace.size() == options_.max_trace_messages) out.trace.back() = "(more messages are dropped)";
  };
  ledger.set_trace(sink);
  Interpreter interpreter(program_, *library, ledger, {options_.script_limits, sink});
  out.failure = interpreter.run(*program_.definition(main_, *value));
  out.result = interpreter.result();
  ledger.set_trace({});
  return out;
}

}  // namespace synod::lf::script
