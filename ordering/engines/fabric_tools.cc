#include "ordering/engines/fabric_tools.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <vector>

#include "base/process.h"

namespace synod::ordering::engines {
namespace {

constexpr char kModule[] = "github.com/hyperledger/fabric";
constexpr std::pair<int, int> kOldestGo = {1, 19};  // Debian 12's; seen to build it, like 1.26
// What Go must find under that version: with these lines the proxy cannot hand out anything else.
constexpr char kChecksums[] =
    "github.com/hyperledger/fabric v1.4.0-rc1.0.20230405174026-695dd57e01c2 "
    "h1:w5BGxCYEsc9vjdDEdZGrZ5redvs263RYsdT2tqF7cNk=\n"
    "github.com/hyperledger/fabric v1.4.0-rc1.0.20230405174026-695dd57e01c2/go.mod "
    "h1:LSwfuRgX/5C2uHkdT3hJtBFu/ALxuL7dFj1pmBby2R4=\n";

FabricTools tools_in(const std::string& folder) {
  return {folder + "/orderer", folder + "/osnadmin", folder + "/configtxgen", folder + "/cryptogen"};
}

std::string folder_of(const std::string& cache) {
  return (cache.empty() ? default_engine_cache() : cache) + "/fabric-" + kFabricVersion;
}

// The programs are moved into their folder at once, when all have been built.
bool built(const std::string& cache) { return std::filesystem::exists(folder_of(cache) + "/bin/orderer"); }

// Also where Go's own installer and Debian's versioned packages put it, outside PATH.
std::optional<std::string> find_go() {
  if (auto go = find_program("go")) return go;
  for (const char* path : {"/usr/local/go/bin/go", "/usr/lib/go/bin/go"})
    if (find_program(path)) return path;
  return std::nullopt;
}

Status check_toolchain() {
  const auto missing = [](const std::string& tool) {
    return fail(not_installed(tool, "Hyperledger Fabric's orderer is built from its Go sources",
                              "`apt-get install golang-go` on Debian, or https://go.dev/dl."));
  };
  const auto go = find_go();
  if (!go) return missing("Go (`go` in PATH)");
  const auto said = run({*go, {"version"}, {"GOTOOLCHAIN=local"}, ""}, Duration::seconds(30));
  if (!said || parse_go_version(*said) < kOldestGo)
    return missing("Go 1.19 or newer (" + *go + ": " + (said ? said->substr(0, said->find('\n')) : said.error().cause) +
                   ")");
  return {};
}

Status write_module_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(unavailable("FABRIC_BUILD_FAILED", "cannot write " + path));
  return {};
}

// A module of our own that needs Fabric: Fabric's go.mod has a `replace`, with which `go install` would refuse it.
Status write_wrapper(const std::string& folder) {
  const std::string version = kFabricVersion;
  SYNOD_RETURN_IF_ERROR(write_module_file(folder + "/go.mod", "module synod-fabric-engine\n\ngo 1.19\n\nrequire " +
                                                                  std::string(kModule) + " " + version + "\n"));
  SYNOD_RETURN_IF_ERROR(write_module_file(folder + "/go.sum", kChecksums));
  std::string imports = "//go:build tools\n\npackage tools\n\nimport (\n";
  for (const char* command : {"configtxgen", "cryptogen", "orderer", "osnadmin"})
    imports += "\t_ \"" + std::string(kModule) + "/cmd/" + command + "\"\n";
  return write_module_file(folder + "/tools.go", imports + ")\n");
}

Status build(const std::string& cache, const Progress& progress, Duration limit, const DownloadRetry& retry) {
  SYNOD_RETURN_IF_ERROR(check_toolchain());
  const std::string folder = folder_of(cache), wrapper = folder + "/module", fresh = folder + "/building";
  std::error_code error;
  std::filesystem::remove_all(fresh, error);
  std::filesystem::create_directories(wrapper, error);
  std::filesystem::create_directories(fresh, error);
  if (error) return fail(unavailable("FABRIC_BUILD_FAILED", folder + ": " + error.message()));
  SYNOD_RETURN_IF_ERROR(write_wrapper(wrapper));
  progress("  building Hyperledger Fabric's orderer, osnadmin, configtxgen and cryptogen: the ordering service to run");
  progress("    downloading the sources of " + std::string(kModule) + " " + kFabricVersion + " and what they need");
  progress("    (some 60 MB) through Go's module proxy; kept in " + folder + ", once for all networks");
  // Pure Go: no C compiler is needed. Nothing else of the surrounding Go configuration is touched, so that a private
  // proxy keeps working.
  std::vector<std::string> arguments = {"build", "-ldflags", "-s -w", "-trimpath", "-o", fresh + "/"};
  for (const char* command : {"configtxgen", "cryptogen", "orderer", "osnadmin"})
    arguments.push_back(std::string(kModule) + "/cmd/" + command);
  const Command command{
      *find_go(), arguments, {"GOFLAGS=-mod=mod", "CGO_ENABLED=0", "GOWORK=off", "GOTOOLCHAIN=local"}, wrapper};
  if (auto done = run_with_downloads(command, limit, progress, retry); !done)
    return fail(unavailable(
        "FABRIC_BUILD_FAILED",
        "Hyperledger Fabric's orderer could not be built (is the Go module proxy reachable?): " + done.error().cause));
  std::filesystem::rename(fresh, folder + "/bin", error);
  if (error) return fail(unavailable("FABRIC_BUILD_FAILED", folder + "/bin: " + error.message()));
  return {};
}

// Held while the cache's lock file is: one build at a time.
class BuildLock {
 public:
  explicit BuildLock(const std::string& path) : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  ~BuildLock() {
    if (file_ >= 0) close(file_);
  }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;

 private:
  const int file_;
};

}  // namespace

std::pair<int, int> parse_go_version(const std::string& text) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex("go([0-9]{1,4})\\.([0-9]{1,4})"))) return {0, 0};
  return {std::stoi(match[1]), std::stoi(match[2])};
}

std::string missing_for_fabric(const std::string& cache) {
  if (built(cache)) return {};
  const Status status = check_toolchain();
  return status ? "" : status.error().cause;
}

Result<FabricTools> fabric_tools(const std::string& cache, const Progress& progress, Duration limit,
                                 const DownloadRetry& retry) {
  if (!built(cache)) {
    std::error_code error;
    std::filesystem::create_directories(folder_of(cache), error);
    const BuildLock lock(folder_of(cache) + "/lock");
    if (!built(cache)) SYNOD_RETURN_IF_ERROR(build(cache, progress, limit, retry));
  }
  return tools_in(folder_of(cache) + "/bin");
}

}  // namespace synod::ordering::engines
