// A PostgreSQL server of this machine's packages, with a data folder of its own, on 127.0.0.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "base/time.h"
#include "ordering/engines/engine_cache.h"

namespace synod::ordering::engines {

// Empty: a server can be run here. Otherwise what is missing and how to get it.
std::string missing_for_postgres();

struct PostgresEngineConfig {
  std::string folder;  // everything the server keeps; removing it removes the server
  int port = 0;
  int max_connections = 100;
  std::vector<std::string> settings;  // name=value, besides ours
  bool dies_with_us = false;
};

// Nothing about the process is kept in memory: any process with the same configuration commands the same server.
// Started by root, it runs as the user postgres, since the server refuses to be root's.
class PostgresEngine {
 public:
  // Makes the data folder with the database `synod` of the user `synod`, who needs no password here, unless that was
  // done before. Error ids: ENGINE_NOT_INSTALLED, ENGINE_FOLDER_UNREACHABLE, ENGINE_FAILED,
  // PROCESS_FAILED.
  static Result<PostgresEngine> prepare(PostgresEngineConfig config);
  // What was prepared in this folder, with no settings of its own. Error id ENGINE_NOT_PREPARED.
  static Result<PostgresEngine> open(const std::string& folder);

  // Starts it if it does not run, and returns when it takes connections. Error id ENGINE_FAILED with the end of its
  // log.
  Status start(Duration patience);
  void stop();              // in order: connections end, nothing is to be recovered
  void signal(int number);  // to the server and all its children
  void kill();              // SIGKILL to all, and waits until they are gone
  bool running() const { return pid().has_value(); }
  std::optional<pid_t> pid() const;  // of the server, the parent of the others
  std::uint16_t port() const { return static_cast<std::uint16_t>(config_.port); }

  // For libpq: host, port, user and database. `port`: another one, say of a relay.
  std::string connection_string(int port = 0) const;

 private:
  PostgresEngine(PostgresEngineConfig config, std::string programs)
      : config_(std::move(config)), programs_(std::move(programs)) {}
  ServerProcess process() const;
  std::vector<pid_t> processes() const;  // the server first
  Status initialise() const;

  PostgresEngineConfig config_;
  std::string programs_;  // folder of initdb and postgres
};

}  // namespace synod::ordering::engines
