// The solo engine as a process of its own.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/process.h"
#include "base/testing/temporary_folder.h"
#include "ordering/conformance/stopped.h"
#include "ordering/conformance/world.h"
#include "ordering/fabric_wire/fabric_log.h"

namespace synod::ordering::conformance {

class SoloWorld final : public EngineWorld {
 public:
  SoloWorld() {
    folder_ = synod::testing::new_folder("orderer");
    ::signal(SIGPIPE, SIG_IGN);
  }
  ~SoloWorld() override {
    kill();
    std::filesystem::remove_all(folder_);
  }

  Traits traits() const override { return {}; }

  Status begin() override { return replace_history(); }

  std::unique_ptr<OrderingLog> connect(ClientOptions options) override {
    fabric_wire::FabricLogConfig config;
    config.endpoints = {"127.0.0.1:" + std::to_string(relay_port_)};
    config.submit_timeout = options.submit_timeout;
    config.window_bytes = options.window_bytes;
    config.max_pending_bytes = options.max_pending_bytes;
    config.max_reconnect_delay = Duration::milliseconds(100);
    auto log = fabric_wire::connect_fabric(config);
    return log ? std::move(*log) : nullptr;
  }

  // Somebody's outgoing connection may have taken the port while nobody listened.
  Status start() override {
    Status started = start_once();
    for (int i = 0; i < 600 && !started && started.error().cause.find("ADDRESS_IN_USE") != std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      started = start_once();
    }
    return started;
  }

  void stop() override {
    ::close(input_);
    input_ = -1;
    reap();
  }
  void kill() override {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    reap();
  }
  void pause() override {
    ::kill(process_, SIGSTOP);
    wait_until_stopped(process_);
  }
  void resume() override { ::kill(process_, SIGCONT); }

  Status prune(OrderingLog&, Height before) override {
    const std::string command = "prune " + std::to_string(before.value) + "\n";
    if (::write(input_, command.data(), command.size()) != static_cast<ssize_t>(command.size())) return broken("input");
    const std::string line = read_line();
    return line == "ok" ? Status() : broken(line);
  }

  Status replace_history() override {
    kill();
    std::filesystem::remove_all(folder_);
    return start();
  }

 private:
  static Status broken(std::string cause) { return fail(unavailable("ENGINE_FAILED", "solo: " + std::move(cause))); }

  Status start_once() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return broken("no pipe");
    const std::string port = std::to_string(port_);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(SYNOD_SOLO_ENGINE, SYNOD_SOLO_ENGINE, folder_.c_str(), port.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
    const std::string line = read_line();
    if (line == "ready") return {};
    kill();
    return broken(line);
  }

  std::string read_line() {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  void reap() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    if (input_ >= 0) ::close(input_);
    ::close(output_);
    input_ = output_ = -1;
  }

  std::string folder_;
  const int port_ = free_port();
  const int relay_port_ = relay_to(port_);
  pid_t process_ = 0;
  int input_ = -1;  // of the process
  int output_ = -1;
};

}  // namespace synod::ordering::conformance
