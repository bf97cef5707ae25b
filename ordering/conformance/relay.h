// A TCP relay on 127.0.0.1 whose connections a test can break or hold up.
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <thread>

namespace synod::ordering::conformance {

// Thread rules: any method from any thread. Memory: 64 KiB a direction of a connection.
class Relay {
 public:
  enum class Mode {
    pass,
    cut,    // what is open is reset, what connects is reset at once
    stall,  // connections open, nothing passes
  };

  explicit Relay(int to_port);  // of 127.0.0.1
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }
  void set(Mode mode);
  int attempts() const { return attempts_; }              // to connect, whatever became of them
  std::size_t bytes_down() const { return bytes_down_; }  // passed on from the engine to clients

 private:
  struct Pipe {
    std::string held;  // read and not yet written
    bool ended = false;
  };
  struct Connection {
    int client = -1;
    int engine = -1;
    Pipe up;  // client to engine
    Pipe down;
  };

  void run();
  void accept_one();
  // False: the connection is over.
  static bool move(int from, int to, Pipe& pipe, bool readable, bool writable, std::atomic<std::size_t>& passed);

  const int to_port_;
  int port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<Mode> mode_ = Mode::pass;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> attempts_ = 0;
  std::atomic<std::size_t> bytes_up_ = 0, bytes_down_ = 0;
  std::list<Connection> connections_;  // of the thread
  std::thread thread_;
};

}  // namespace synod::ordering::conformance
