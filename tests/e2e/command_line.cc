#include "tests/e2e/command_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "base/check.h"
#include "base/files.h"

namespace synod::e2e {

namespace {

std::string command_of(const std::string& arguments) {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return "'" + (self.parent_path() / "synod").string() + "' " + arguments + " 2>&1";
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Ran synod(const std::string& arguments, const std::string& environment) {
  FILE* pipe = popen((environment + " " + command_of(arguments)).c_str(), "re");
  SYNOD_CHECK(pipe != nullptr);
  Ran ran;
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) ran.output.append(buffer, n);
  ran.exit_code = code_of(pclose(pipe));
  return ran;
}

Background::Background(const std::string& arguments) {
  const std::string command = "exec " + command_of(arguments);
  int pipe[2];
  SYNOD_CHECK(pipe2(pipe, O_CLOEXEC) == 0);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(pipe[1], STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  SYNOD_CHECK(pid_ > 0);
  close(pipe[1]);
  output_ = pipe[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
}

Background::~Background() {
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
}

bool Background::ended() {
  int status = 0;
  const bool over = ran_.exit_code >= 0 || waitpid(pid_, &status, WNOHANG) == pid_;
  if (over && ran_.exit_code < 0) ran_.exit_code = code_of(status);
  char buffer[4096];
  for (ssize_t n; (n = read(output_, buffer, sizeof buffer)) > 0;)
    ran_.output.append(buffer, static_cast<std::size_t>(n));
  return over;
}

bool Background::wait_said(const std::string& text, std::chrono::seconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const bool over = ended();
    if (ran_.output.find(text) != std::string::npos) return true;
    if (over || std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Background::signal(int number) {
  if (!ended()) ::kill(pid_, number);
}

Ran Background::wait(std::chrono::seconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!ended() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return ran_;
}

std::string read_text(const std::string& path) { return file_bytes(path).value_or(""); }

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void replace_in(const std::string& path, const std::string& pattern, const std::string& by) {
  const std::string before = read_text(path);
  const std::string after = std::regex_replace(before, std::regex(pattern), by);
  if (after == before) ADD_FAILURE() << path << " has no " << pattern;
  write_text(path, after);
}

TestNetwork::TestNetwork()
    : TestNetwork(
          "  - {name: coke, nodes: [sequencer, participant]}\n"
          "  - {name: pepsi, nodes: [sequencer, participant]}\n"
          "  - {name: consortium, nodes: [orderer, mediator, topology-manager]}\n") {}

TestNetwork::TestNetwork(const std::string& organisations) {
  char folder[] = "/tmp/synod-e2e-XXXXXX";
  SYNOD_CHECK(mkdtemp(folder) != nullptr);
  chmod(folder, 0755);  // a database server of root's runs as another user
  folder_ = folder;
  write_text(network_file(),
             "network: e2e\nfirst-port: " + std::to_string(first_port()) + "\norganisations:\n" + organisations);
}

TestNetwork::~TestNetwork() {
  testnet("down");
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TestNetwork::options() const { return " -f " + network_file() + " -d " + data(); }
Ran TestNetwork::testnet(const std::string& arguments) const {
  const bool starts = arguments.starts_with("up") || arguments.starts_with("restart") ||
                      arguments.starts_with("add-") || arguments.starts_with("remove-") ||
                      arguments.starts_with("rotate-keys");
  const bool told = arguments.find("--ready-seconds") != std::string::npos;
  return synod("testnet " + arguments + (starts && !told ? " --ready-seconds 300" : "") + options());
}
Ran TestNetwork::wait_well(std::chrono::seconds patience) const {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const Ran status = testnet("status --json");
    if (status.exit_code == 0 || std::chrono::steady_clock::now() > give_up) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}
Ran TestNetwork::run(const std::string& arguments) const { return synod(arguments + options()); }

}  // namespace synod::e2e
