// Other programs: run one and read what it says, or start a server that is found again by another process of ours.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace synod {

struct Command {
  std::string program;  // a path, or a name that is looked for in PATH
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value, on top of our own environment
  std::string folder;                    // to run in; empty: ours
  std::string user = {};                 // to become first, which only root may; empty: stay who we are
};

// Where PATH has this program; none if it has not.
std::optional<std::string> find_program(const std::string& name);

// Runs it to its end and returns what it wrote to its standard output. Errors: PROCESS_START_FAILED; PROCESS_FAILED
// with the end of all it wrote, when it ends otherwise than with status 0 or takes longer than `limit` (then it is
// killed).
Result<std::string> run(const Command& command, Duration limit);

// A server process and the file that names it. Nothing is kept in memory: any process that knows the same command and
// file can find it, signal it and stop it.
struct ServerProcess {
  Command command;
  std::string log_file;  // its output is appended
  std::string pid_file;
  bool dies_with_us =
      false;  // killed when the thread that starts it ends, so that a crashed test leaves nothing behind

  // A live process that the file names and that was started with this command: a recycled pid does not pass for it.
  std::optional<pid_t> running() const;
  // Leaves a running one alone. Error PROCESS_START_FAILED.
  Status start() const;
  // False: it is not there.
  bool signal(int number) const;
  // Sends the signal and waits until the process is gone. False: it was not running, or still runs after `patience`.
  bool stop(int signal_number, Duration patience) const;
  std::string end_of_log(std::size_t lines) const;
};

// Ended, but not with all of its threads yet: the last one has the ports and locks, while the command line goes with
// the first.
bool lingers(pid_t pid);

// A TCP port of 127.0.0.1 that nothing listens on; never the same twice in one process.
std::uint16_t free_port();

}  // namespace synod
