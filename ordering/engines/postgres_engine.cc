#include "ordering/engines/postgres_engine.h"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/env.h"

namespace synod::ordering::engines {
namespace {

namespace fs = std::filesystem;

// Debian keeps the server's programs out of PATH, one folder a version.
std::string program_folder() {
  std::vector<std::pair<int, std::string>> versions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string folder = entry.path().string() + "/bin";
    if (fs::exists(folder + "/initdb", ignored) && fs::exists(folder + "/postgres", ignored))
      versions.emplace_back(std::atoi(entry.path().filename().c_str()), folder);
  }
  if (!versions.empty()) return std::max_element(versions.begin(), versions.end())->second;
  const auto initdb = find_program("initdb"), postgres = find_program("postgres");
  return initdb && postgres ? fs::path(*initdb).parent_path().string() : "";
}

std::string server_user() { return ::geteuid() == 0 ? "postgres" : ""; }

Status own(const std::string& path) {
  if (::geteuid() != 0) return {};
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    return fail(unavailable("ENGINE_FAILED", "cannot give " + path + " to the user postgres"));
  return {};
}

// Root's server runs as another user, who must be able to get there.
Status check_reachable(const std::string& folder) {
  if (::geteuid() != 0) return {};
  for (fs::path above = fs::path(folder).parent_path(); above.has_relative_path(); above = above.parent_path()) {
    struct stat found{};
    if (::stat(above.c_str(), &found) != 0 || (found.st_mode & S_IXOTH) != 0) continue;
    return fail(failed_precondition(
        "ENGINE_FOLDER_UNREACHABLE",
        "started by root, PostgreSQL runs as the user postgres, who cannot enter " + above.string() + " to get to " +
            folder + "; choose a folder elsewhere, or let others enter that one: chmod o+x " + above.string()));
  }
  return {};
}

}  // namespace

std::string missing_for_postgres() {
  if (program_folder().empty())
    return "PostgreSQL's server is not on this machine. On Debian: apt-get install postgresql-15";
  if (::geteuid() == 0 && ::getpwnam("postgres") == nullptr)
    return "there is no user postgres, as whom root could run the server. On Debian: apt-get install postgresql-common";
  return "";
}

Result<PostgresEngine> PostgresEngine::prepare(PostgresEngineConfig config) {
  if (const std::string missing = missing_for_postgres(); !missing.empty())
    return fail(failed_precondition("ENGINE_NOT_INSTALLED", missing));
  PostgresEngine engine(std::move(config), program_folder());
  if (!fs::exists(engine.config_.folder + "/initialised")) SYNOD_RETURN_IF_ERROR(engine.initialise());
  return engine;
}

Result<PostgresEngine> PostgresEngine::open(const std::string& folder) {
  PostgresEngineConfig config;
  config.folder = folder;
  std::ifstream in(folder + "/initialised");
  if (!(in >> config.port))
    return fail(failed_precondition("ENGINE_NOT_PREPARED", folder + " does not hold a PostgreSQL server"));
  return PostgresEngine(std::move(config), program_folder());
}

Status PostgresEngine::initialise() const {
  std::error_code error;
  const std::string data = config_.folder + "/data";
  fs::create_directories(config_.folder, error);
  fs::remove_all(data, error);
  fs::create_directory(data, error);
  SYNOD_RETURN_IF_ERROR(check_reachable(config_.folder));
  if (error) return fail(unavailable("ENGINE_FAILED", data + ": " + error.message()));
  SYNOD_RETURN_IF_ERROR(own(config_.folder));
  SYNOD_RETURN_IF_ERROR(own(data));
  const auto made =
      run({programs_ + "/initdb",
           {"-D", data, "-U", "synod", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"},
           {},
           config_.folder,
           server_user()},
          Duration::seconds(120));
  if (!made) return fail(made.error());
  std::ofstream(data + "/postgresql.auto.conf", std::ios::app)
      << "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" << config_.folder
      << "'\nshared_buffers = '64MB'\nmax_connections = " << config_.max_connections << "\n";
  // The database: a server for nobody else, which reads its commands from a pipe.
  const auto created =
      run({"sh",
           {"-c", "echo 'CREATE DATABASE synod' | \"$0\" --single -D \"$1\" postgres", programs_ + "/postgres", data},
           {},
           config_.folder,
           server_user()},
          Duration::seconds(60));
  if (!created) return fail(created.error());
  std::ofstream(config_.folder + "/initialised") << config_.port << "\n";
  return {};
}

ServerProcess PostgresEngine::process() const {
  Command command{programs_ + "/postgres",
                  {"-D", config_.folder + "/data", "-p", std::to_string(config_.port)},
                  {},
                  config_.folder,
                  server_user()};
  for (const std::string& setting : config_.settings)
    command.arguments.insert(command.arguments.end(), {"-c", setting});
  return {std::move(command), config_.folder + "/log", config_.folder + "/pid", config_.dies_with_us};
}

std::optional<pid_t> PostgresEngine::pid() const { return process().running(); }

std::vector<pid_t> PostgresEngine::processes() const {
  const auto server = process().running();
  if (!server) return {};
  std::vector<pid_t> all{*server};
  const std::string id = std::to_string(*server);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

Status PostgresEngine::start(Duration patience) {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  const ServerProcess server = process();
  SYNOD_RETURN_IF_ERROR(server.start());
  const Command ready{
      programs_ + "/pg_isready",
      {"-q", "-h", "127.0.0.1", "-p", std::to_string(config_.port), "-U", "synod", "-d", "synod", "-t", "3"},
      {},
      ""};
  const bool can_ask = find_program(ready.program).has_value();
  while (can_ask ? !run(ready, Duration::seconds(10)).has_value() : !listens(config_.port)) {
    if (clock->monotonic_micros() > give_up)
      return fail(unavailable("ENGINE_FAILED", "PostgreSQL does not take connections:" + server.end_of_log(12)));
    // After a kill the remains of the former server may hold its shared memory for a moment.
    if (!running()) SYNOD_RETURN_IF_ERROR(server.start());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

void PostgresEngine::stop() {
  signal(SIGCONT);
  if (!process().stop(SIGINT, Duration::seconds(20))) kill();
}

void PostgresEngine::signal(int number) {
  for (const pid_t pid : processes()) ::kill(pid, number);
}

void PostgresEngine::kill() {
  const std::vector<pid_t> all = processes();
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  process().stop(SIGKILL, Duration::seconds(20));
  // stop() may have found it dying already, and left its remains: the next server would take them for a live one.
  if (!all.empty()) waitpid(all.front(), nullptr, 0);
}

std::string PostgresEngine::connection_string(int port) const {
  return "host=127.0.0.1 port=" + std::to_string(port ? port : config_.port) + " user=synod dbname=synod";
}

}  // namespace synod::ordering::engines
