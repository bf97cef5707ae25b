// Hyperledger Fabric's programs, built from its sources through the Go module proxy: nobody distributes them as Debian
// packages, and containers would be one more thing to install.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "ordering/engines/engine_cache.h"

namespace synod::ordering::engines {

// The version that the module proxy serves and that has etcdraft and SmartBFT; released tags of the module are refused
// there because their names do not follow Go's rules for version 2 and later.
inline constexpr char kFabricVersion[] = "v1.4.0-rc1.0.20230405174026-695dd57e01c2";

struct FabricTools {
  std::string orderer, osnadmin, configtxgen, cryptogen;  // paths of the programs
};

// Empty: the programs are there or can be built. Otherwise what is missing and how to get it.
std::string missing_for_fabric(const std::string& cache);

// The programs, built first if the cache does not have them: a minute or two, most of it downloading and compiling.
// Processes that ask at the same time wait for one another. Error ids: ENGINE_NOT_INSTALLED, FABRIC_BUILD_FAILED.
Result<FabricTools> fabric_tools(const std::string& cache, const Progress& progress,
                                 Duration limit = Duration::seconds(1200), const DownloadRetry& retry = {});

// "go1.19.8" or "go version go1.26.8 linux/amd64" -> {1, 19}; {0, 0} if there is none in it.
std::pair<int, int> parse_go_version(const std::string& text);

}  // namespace synod::ordering::engines
