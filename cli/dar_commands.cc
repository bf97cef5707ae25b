#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>

#include "base/files.h"
#include "cli/commands.h"
#include "lf/archive/dar.h"
#include "lf/inspect.h"
#include "lf/package_store.h"
#include "lf/text/assembler.h"
#include "lf/text/printer.h"
#include "lf/upgrade/upgrade_check.h"

namespace synod::cli {
namespace {

// Hidden flag --discontinued-lf, of all subcommands.
using DecodeOptions = std::shared_ptr<lf::DecodeOptions>;

Result<lf::Dar> read_dar(const std::string& path, const DecodeOptions& how) {
  SYNOD_TRY(const std::string bytes, required_file(path, "DAR_NOT_FOUND"));
  return lf::decode_dar(bytes, {}, nullptr, *how);
}

struct InspectOptions {
  std::string path, package;
  bool json = false;
  DecodeOptions decode;
};

Status inspect(const InspectOptions& options) {
  SYNOD_TRY(const lf::Dar dar, read_dar(options.path, options.decode));
  SYNOD_TRY(const lf::Package* package, lf::find_package(dar, options.package));
  std::cout << (options.json ? lf::describe_json(dar, *package) : lf::describe(dar, *package)) << std::endl;
  return {};
}

struct DecompileOptions {
  std::string path, package, output;
  bool no_locations = false;
  DecodeOptions decode;
};

Status decompile(const DecompileOptions& options) {
  SYNOD_TRY(const lf::Dar dar, read_dar(options.path, options.decode));
  SYNOD_TRY(const lf::Package* package, lf::find_package(dar, options.package));
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
  DecodeOptions decode;
};

// The version of the old DAR that a package follows: the nearest one before it, otherwise the nearest one after.
const lf::Package* predecessor(const lf::Dar& before, const lf::Package& present) {
  const lf::Package *earlier = nullptr, *later = nullptr;
  for (const auto& entry : before.entries) {
    const lf::Package& p = *entry.package;
    if (p.name() != present.name() || !lf::takes_part_in_upgrades(p)) continue;
    if (p.id() == present.id()) return &p;
    if (lf::version_less(p.version(), present.version())) {
      if (!earlier || lf::version_less(earlier->version(), p.version())) earlier = &p;
    } else if (!later || lf::version_less(p.version(), later->version())) {
      later = &p;
    }
  }
  return earlier ? earlier : later;
}

struct UpgradeVerdict {
  std::string package, from = "-", to, verdict;
  std::vector<std::string> causes;
};

UpgradeVerdict judge(const lf::Dar& before, const lf::Package& present, const lf::PackageStore& packages) {
  UpgradeVerdict out{.package = present.name(), .to = present.version(), .verdict = "new"};
  const lf::Package* past = predecessor(before, present);
  if (!past) return out;
  out.from = past->version();
  out.verdict = past->id() == present.id() ? "unchanged" : "valid";
  if (out.verdict == "unchanged") return out;
  if (lf::version_less(present.version(), past->version()))
    out.causes = {"version " + present.version() + " does not come after " + past->version()};
  else if (past->version() == present.version())
    out.causes = {"the content changed, but the version did not"};
  else
    out.causes = lf::upgrade_problems(*past, present, packages);
  if (!out.causes.empty()) out.verdict = "refused";
  return out;
}

// Every package of the new DAR that continues one of the old DAR: whether it may follow it.
Status check_upgrade(const UpgradeOptions& options) {
  SYNOD_TRY(const lf::Dar before, read_dar(options.before, options.decode));
  SYNOD_TRY(const lf::Dar after, read_dar(options.after, options.decode));
  lf::PackageStore packages;
  for (const lf::Dar* dar : {&before, &after})
    for (const auto& entry : dar->entries) packages.add(entry.package);
  std::size_t refused = 0, unchanged = 0;
  boost::json::array report;
  for (const auto& entry : after.entries) {
    if (!lf::takes_part_in_upgrades(*entry.package)) continue;
    const UpgradeVerdict v = judge(before, *entry.package, packages);
    refused += v.verdict == "refused";
    unchanged += v.verdict == "unchanged";
    if (options.json) {
      report.push_back({{"package", v.package},
                        {"from", v.from},
                        {"to", v.to},
                        {"verdict", v.verdict},
                        {"causes", boost::json::array(v.causes.begin(), v.causes.end())}});
    } else if (v.verdict != "unchanged") {
      std::cout << v.verdict << "  " << v.package << "  " << v.from << " -> " << v.to << "\n";
      for (const auto& cause : v.causes) std::cout << "    " << cause << "\n";
    }
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
  DecodeOptions decode;
};

Status build(const BuildOptions& options) {
  SYNOD_TRY(const std::string text, required_file(options.source, "DAR_NOT_FOUND"));
  std::vector<lf::Dar::Entry> dependencies;
  for (const auto& path : options.dependencies) {
    SYNOD_TRY(lf::Dar dar, read_dar(path, options.decode));
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
  auto decode = std::make_shared<lf::DecodeOptions>();
  dar->add_flag("--discontinued-lf", decode->discontinued_versions,
                "Read packages of the release candidates 2.3-rc1 and 2.3-rc2, for tests")
      ->group("");
  CLI::App* inspect_command = dar->add_subcommand("inspect", "Packages, templates, choices and dependencies of a DAR");
  auto inspected = std::make_shared<InspectOptions>();
  inspected->decode = decode;
  inspect_command->add_option("file", inspected->path, "DAR file")->required();
  inspect_command->add_option("--package", inspected->package,
                              "Name, name-version or id of the package to describe (default: the main one)");
  inspect_command->add_flag("--json", inspected->json, "As one JSON object");
  inspect_command->callback([&outcome, inspected] { outcome.status = inspect(*inspected); });

  CLI::App* decompile_command =
      dar->add_subcommand("decompile", "A package of a DAR as Daml-LF text, which `dar build` assembles again");
  auto decompiled = std::make_shared<DecompileOptions>();
  decompiled->decode = decode;
  decompile_command->add_option("file", decompiled->path, "DAR file")->required();
  decompile_command->add_option("--package", decompiled->package,
                                "Name, name-version or id of the package (default: the main one)");
  decompile_command->add_option("-o,--output", decompiled->output, "File to write (default: standard output)");
  decompile_command->add_flag("--no-locations", decompiled->no_locations, "Without source locations");
  decompile_command->callback([&outcome, decompiled] { outcome.status = decompile(*decompiled); });

  CLI::App* upgrade_command = dar->add_subcommand(
      "upgrade-check", "Whether the packages of one DAR may follow those of another; exit code 1 if not");
  auto upgraded = std::make_shared<UpgradeOptions>();
  upgraded->decode = decode;
  upgrade_command->add_option("old", upgraded->before, "DAR file with the earlier version")->required();
  upgrade_command->add_option("new", upgraded->after, "DAR file with the later version")->required();
  upgrade_command->add_flag("--json", upgraded->json, "As one JSON object");
  upgrade_command->callback([&outcome, upgraded] { outcome.status = check_upgrade(*upgraded); });

  CLI::App* build_command = dar->add_subcommand("build", "Assemble Daml-LF text into a DAR");
  auto built = std::make_shared<BuildOptions>();
  built->decode = decode;
  build_command->add_option("source", built->source, "LF text, see examples/")->required();
  build_command->add_option("--dependency", built->dependencies,
                            "DAR with packages that the text names. May be repeated");
  build_command->add_option("--lf-version", built->version, "Daml-LF version (default: 2.2)")
      ->check(CLI::IsMember({"2.1", "2.2", "2.3"}));
  build_command->add_option("-o,--output", built->output, "DAR to write")->required();
  build_command->callback([&outcome, built] { outcome.status = build(*built); });
}

}  // namespace synod::cli
