#include "lf/script/test_runner.h"

#include <algorithm>

namespace synod::lf::script {
namespace {

constexpr char kLowLevel[] = "Daml.Script.Internal.LowLevel";
constexpr char kLegacy[] = "Daml.Script";  // of the library that asked its questions in another form, up to Daml 3.2
constexpr char kLatestProtocol34Sdk[] = "3.4.999";

// `Script a` of the script library, whichever version; null: another type.
const Ref* script_type(const Package& package, TypeId id) {
  const Type& type = package.type(id);
  if (type.kind != TypeKind::con) return nullptr;
  const Ref& ref = package.ref(type.ref);
  const bool is_script = package.text(ref.name) == "Script" &&
                         (package.text(ref.module) == kLowLevel || package.text(ref.module) == kLegacy);
  return is_script ? &ref : nullptr;
}
// a and b of a function `a -> b`.
std::optional<std::pair<TypeId, TypeId>> function_type(const Package& package, TypeId id) {
  const Type& type = package.type(id);
  if (type.kind != TypeKind::builtin || type.builtin != BuiltinType::arrow) return std::nullopt;
  const auto args = package.items(type.args);
  return args.size() == 2 ? std::optional(std::pair(args[0], args[1])) : std::nullopt;
}

bool is_legacy(const Package& package, const Ref& script) { return package.text(script.module) == kLegacy; }

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

template <typename F>
std::vector<std::string> values_where(const Package& package, F&& is_wanted) {
  std::vector<std::string> out;
  for (const auto& value : package.values())
    if (!package.text(value.name).starts_with('$') && is_wanted(value.type))
      out.push_back(package.qualified_name(value));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<std::string> scripts_of(const Package& package) {
  return values_where(package, [&](TypeId type) { return script_type(package, type) != nullptr; });
}

std::vector<std::string> scripts_with_argument(const Package& package) {
  return values_where(package, [&](TypeId type) {
    const auto function = function_type(package, type);
    return function && script_type(package, function->second);
  });
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

ScriptOutcome TestRunner::run(const std::string& script, const std::string* argument) {
  MemoryLedger ledger(packages_, engine_, {options_.protocol_version < 35, options_.submission_limits});
  return run(script, ledger, argument);
}

ScriptOutcome TestRunner::run(const std::string& name, ScriptLedger& ledger, const std::string* argument) {
  ScriptOutcome out;
  auto colon = name.find(':');
  const ValueDefinition* value =
      colon == std::string::npos ? nullptr : main_.find_value(name.substr(0, colon), name.substr(colon + 1));
  const auto function = value ? function_type(main_, value->type) : std::nullopt;
  const Ref* type = value ? script_type(main_, function ? function->second : value->type) : nullptr;
  const Package* library = type ? packages_->find(main_.package_ids()[type->package]) : nullptr;
  auto failed = [&](Error error) { out.failure = ScriptError{std::move(error), {}, {}}; };
  if (!library) {
    failed(
        not_found("SCRIPT_NOT_FOUND", "no script " + name + " in package " + main_.name() + "; list them with --list"));
    return out;
  }
  const eval::RuntimeType* parameter = function ? program_.type(main_, function->first) : nullptr;
  if (function.has_value() != (argument != nullptr) || (function && !parameter)) {
    failed(invalid_argument(kNoArgument,
                            "The script " + name +
                                (!function   ? " does not take arguments."
                                 : !argument ? " requires an argument."
                                             : " takes an argument of a type that depends on something else.")));
    return out;
  }
  if (is_legacy(main_, *type)) {
    failed(Error(kLegacyScript, ErrorCategory::unsupported,
                 "Legacy daml-script is not supported in daml 3.3, please recompile your script using a daml 3.3+ "
                 "SDK"));
    return out;
  }
  auto sink = [&](std::string_view message) {
    if (out.trace.size() < options_.max_trace_messages) out.trace.emplace_back(message);
    if (out.trace.size() == options_.max_trace_messages) out.trace.back() = "(more messages are dropped)";
  };
  ledger.set_trace(sink);
  Interpreter interpreter(program_, *library, ledger, {options_.script_limits, sink});
  const std::string_view json = argument ? std::string_view(*argument) : std::string_view();
  std::optional<Interpreter::Argument> given;
  if (parameter) given.emplace(Interpreter::Argument{*parameter, json});
  out.failure = interpreter.run(*program_.definition(main_, *value), given ? &*given : nullptr);
  out.result = interpreter.result();
  ledger.set_trace({});
  return out;
}

}  // namespace synod::lf::script
