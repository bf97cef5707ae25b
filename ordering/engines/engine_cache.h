// Where downloaded engines are kept, and how progress and missing tools are told.
#pragma once

#include <functional>
#include <string>

#include "base/process.h"
#include "base/result.h"
#include "base/time.h"

namespace synod::ordering::engines {

using Progress = std::function<void(const std::string& line)>;  // one line for a person who waits

// Where engines are kept between runs: $SYNOD_ENGINES, else $XDG_CACHE_HOME/synod/engines, else ~/.cache/synod/engines.
std::string default_engine_cache();

// Error id ENGINE_NOT_INSTALLED: `tool` is not on this machine; `remedy` says how to get it.
Error not_installed(const std::string& tool, const std::string& what_for, const std::string& remedy);

// Networks fail now and then.
struct DownloadRetry {
  int attempts = 3;
  Duration delay = Duration::seconds(1);  // after the first attempt; after the nth, n times as long
};

// Runs a program that downloads something, several times if need be. `limit`: of all.
Result<std::string> run_with_downloads(const Command& command, Duration limit, const Progress& progress,
                                       const DownloadRetry& retry);

// Something listens on this port of 127.0.0.1.
bool listens(int port);

}  // namespace synod::ordering::engines
