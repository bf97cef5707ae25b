#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "lf/archive/dar.h"
#include "lf/inspect.h"
#include "lf/package_store.h"
#include "lf/text/assembler.h"
#include "lf/text/printer.h"
#include "lf/upgrade/upgrade_check.h"

namespace synod::cli {
namespace {

Result<std::string> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(not_found("DAR_NOT_FOUND", "cannot read '" + path + "'"));
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

struct InspectOptions {
  std::string path;
  bool json = false;
};

Status inspect(const InspectOptions& options) {
  SYNOD_TRY(const std::string bytes, read(options.path));
  SYNOD_TRY(const lf::Dar dar, lf::decode_dar(bytes));
  std::cout << (options.json ? lf::describe_json(dar) : lf::describe(dar)) << std::endl;
  return {};
}

struct DecompileOptions {
  std::string path, package, output;
  bool no_locations = false;
};

Status decompile(const DecompileOptions& options) {
  SYNOD_TRY(const std::string bytes, read(options.path));
  SYNOD_TRY(const lf::Dar dar, lf::decode_dar(bytes));
  const lf::Package* package = options.package.empty() ? &dar.main() : nullptr;
  for (const auto& entry : dar.entries)
    if (entry.package->id() == options.package || entry.package->name() == options.package)
      package = entry.package.get();
  if (!package)
    return fail(not_found("PACKAGE_NOT_FOUND",
                          "no package '" + options.package + "' in " + options.path + "; see synod dar inspect"));
  const std::string text = lf::print_package(*package, {!options.no_locations});
  if (options.output.empty()) {
    std::cout << text;
    return {};
  }
  std::ofstream out(options.output, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(unavailable("DAR_WRITE_FAILED", "cannot write '" + options.output + "'"));
  return {};
}

struct UpgradeOptions {
  std::string before, after;
  bool json = false;
};

// Every package of the new DAR that continues one of the old DAR: whether it may follow it.
Status check_upgrade(const UpgradeOptions& options) {
  SYNOD_TRY(const std::string old_bytes, read(options.before));
  SYNOD_TRY(const lf::Dar before, lf::decode_dar(old_bytes));
  SYNOD_TRY(const std::string new_bytes, read(options.after));
  SYNOD_TRY(const lf::Dar after, lf::decode_dar(new_bytes));
  lf::PackageStore packages;
  for (const lf::Dar* dar : {&before, &after})
    for (const auto& entry : dar->entries) packages.add(entry.package);
  std::size_t refused = 0, unchanged = 0;
  boost::json::array report;
  for (const auto& entry : after.entries) {
    const lf::Package& present = *entry.package;
    const lf::Package* past = nullptr;
    for (const auto& old : before.entries)
      if (old.package->name() == present.name()) past = old.package.get();
    std::string verdict, why;
    if (!lf::takes_part_in_upgrades(present)) continue;
    if (!past) {
      verdict = "new";
    } else if (past->id() == present.id()) {
      verdict = "unchanged";
    } else if (!lf::version_less(past->version(), present.version())) {
      verdict = "refused";
      why = "version " + present.version() + " does not come after " + past->version();
    } else {
      const Status status = lf::check_upgrade(*past, present, packages);
      verdict = status ? "valid" : "refused";
      if (!status) why = status.error().cause;
    }
    refused += verdict == "refused";
    const std::string from = past ? past->version() : "-";
    if (options.json)
      report.push_back({{"package", present.name()},
                        {"from", from},
                        {"to", present.version()},
                        {"verdict", verdict},
                        {"cause", why}});
    else if (verdict == "unchanged")
      ++unchanged;
    else
      std::cout << verdict << "  " << present.name() << "  " << from << " -> " << present.version()
                << (why.empty() ? "" : "\n    " + why) << "\n";
  }
  if (options.json) std::cout << boost::json::object{{"refused", refused}, {"packages", std::move(report)}} << "\n";
  if (!options.json) std::cout << unchanged << " packages unchanged\n";
  if (refused > 0)
    return fail(
        failed_precondition("NOT_VALID_UPGRADE_PACKAGE", std::to_string(refused) + " packages are no valid upgrade"));
  return {};
}

struct BuildOptions {
  std::string source, output, version = "2.2";
  std::vector<std::string> dependencies;
};

Status build(const BuildOptions& options) {
  SYNOD_TRY(const std::string text, read(options.source));
  std::vector<lf::Dar::Entry> dependencies;
  for (const auto& path : options.dependencies) {
    SYNOD_TRY(const std::string bytes, read(path));
    SYNOD_TRY(lf::Dar dar, lf::decode_dar(bytes));
    for (auto& entry : dar.entries) dependencies.push_back(std::move(entry));
  }
  const lf::LanguageVersion version = options.version == "2.1"   ? lf::kLf21
                                      : options.version == "2.3" ? lf::kLf23
                                                                 : lf::kLf22;
  SYNOD_TRY(const Bytes dar, lf::assemble_dar(text, {.version = version, .dependencies = dependencies}));
  std::ofstream out(options.output, std::ios::binary | std::ios::trunc);
  out << dar;
  out.close();
  if (!out) return fail(unavailable("DAR_WRITE_FAILED", "cannot write '" + options.output + "'"));
  return {};
}

}  // namespace

void add_dar_commands(CLI::App& app, Outcome& outcome) {
  CLI::App* dar = app.add_subcommand("dar", "Daml archives");
  dar->require_subcommand(1);
  CLI::App* inspect_command = dar->add_subcommand("inspect", "Packages, templates, choices and dependencies of a DAR");
  auto inspected = std::make_shared<InspectOptions>();
  inspect_command->add_option("file", inspected->path, "DAR file")->required();
  inspect_command->add_flag("--json", inspected->json, "As one JSON object");
  inspect_command->callback([&outcome, inspected] { outcome.status = inspect(*inspected); });

  CLI::App* decompile_command =
      dar->add_subcommand("decompile", "A package of a DAR as Daml-LF text, which `dar build` assembles again");
  auto decompiled = std::make_shared<DecompileOptions>();
  decompile_command->add_option("file", decompiled->path, "DAR file")->required();
  decompile_command->add_option("--package", decompiled->package, "Name or id of the package (default: the main one)");
  decompile_command->add_option("-o,--output", decompiled->output, "File to write (default: standard output)");
  decompile_command->add_flag("--no-locations", decompiled->no_locations, "Without source locations");
  decompile_command->callback([&outcome, decompiled] { outcome.status = decompile(*decompiled); });

  CLI::App* upgrade_command = dar->add_subcommand(
      "upgrade-check", "Whether the packages of one DAR may follow those of another; exit code 1 if not");
  auto upgraded = std::make_shared<UpgradeOptions>();
  upgrade_command->add_option("old", upgraded->before, "DAR file with the earlier version")->required();
  upgrade_command->add_option("new", upgraded->after, "DAR file with the later version")->required();
  upgrade_command->add_flag("--json", upgraded->json, "As one JSON object");
  upgrade_command->callback([&outcome, upgraded] { outcome.status = check_upgrade(*upgraded); });

  CLI::App* build_command = dar->add_subcommand("build", "Assemble Daml-LF text into a DAR");
  auto built = std::make_shared<BuildOptions>();
  build_command->add_option("source", built->source, "LF text, see examples/")->required();
  build_command->add_option("--dependency", built->dependencies,
                            "DAR with packages that the text names. May be repeated");
  build_command->add_option("--lf-version", built->version, "Daml-LF version (default: 2.2)")
      ->check(CLI::IsMember({"2.1", "2.2", "2.3"}));
  build_command->add_option("-o,--output", built->output, "DAR to write")->required();
  build_command->callback([&outcome, built] { outcome.status = build(*built); });
}

}  // namespace synod::cli
