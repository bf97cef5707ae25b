// What the conformance suite needs of an engine. One class a kind of engine, in one file: it implements EngineWorld and
// ends with INSTANTIATE_TEST_SUITE_P(name, OrderingConformance, ...), as solo_world_test.cc does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/conformance/relay.h"
#include "ordering/ordering_log.h"

namespace synod::ordering::conformance {

// In what the engines differ by nature. Everything else is the same for all.
struct Traits {
  bool names_leader = true;                    // Health::leader is an endpoint when it is ready
  bool prunes = true;                          // prune() works here; otherwise pruning is no matter of the test
  bool driver_prunes = false;                  // OrderingLog::prune works; otherwise it answers `unsupported`
  bool shares_blocks = true;                   // under load several records make one block
  bool orders_once = true;                     // a record in no doubt is not ordered again
  bool accepted_is_durable = true;             // what is accepted is ordered even if all processes are killed then
  int flood = 5000;                            // records at once that are ordered within seconds, on a busy machine too
  int kills = 5;                               // in tests that kill repeatedly: fewer where a start takes long
  Duration patience = Duration::seconds(600);  // for the engine to serve again after start() or heal()
};

struct ClientOptions {
  Duration submit_timeout = Duration::seconds(20);
  std::size_t window_bytes = 4u << 20;
  std::size_t max_pending_bytes = 64u << 20;
};

// One engine that lives through all tests of the suite: begin() gives each test an empty log on it. Drivers connect
// through relays, so that a connection can break while the engine runs on. A failure to do what a test asks for is
// returned, and fails that test.
class EngineWorld {
 public:
  virtual ~EngineWorld() = default;  // nothing of the engine is left: no process, no file

  // Empty: the engine can be run here. Otherwise what is missing and how to get it; all its tests are skipped then.
  virtual std::string missing() const { return {}; }
  virtual Traits traits() const = 0;

  // Before each test. Afterwards the engine runs and is reachable, and connect() gives drivers of a new, empty log.
  virtual Status begin() = 0;
  virtual std::unique_ptr<OrderingLog> connect(ClientOptions options = {}) = 0;

  virtual Status start() = 0;  // after stop() or kill(), with the log as it was; returns when clients can connect
  virtual void stop() = 0;     // in order
  virtual void kill() = 0;     // SIGKILL of every process of the engine
  virtual void pause() = 0;    // SIGSTOP of every process; none runs any more when it returns
  virtual void resume() = 0;

  // Lets the engine forget blocks below `before`; heights near it may stay, those far below it go.
  virtual Status prune(OrderingLog& log, Height before) = 0;
  // The engine afterwards serves an empty log under the same name. It runs.
  virtual Status replace_history() = 0;

  // Connections of drivers break, new ones are refused; the engine runs on.
  void cut() { set_relays(Relay::Mode::cut); }
  // Connections stay, nothing passes.
  void stall() { set_relays(Relay::Mode::stall); }
  void heal() { set_relays(Relay::Mode::pass); }
  // What all drivers have received of the engine.
  std::size_t bytes_received() const {
    std::size_t sum = 0;
    for (const auto& relay : relays_) sum += relay->bytes_down();
    return sum;
  }

 protected:
  // The port on 127.0.0.1 at which drivers reach the engine's port. The relay lives as long as the world.
  int relay_to(int engine_port);

 private:
  void set_relays(Relay::Mode mode) {
    for (const auto& relay : relays_) relay->set(mode);
  }
  std::vector<std::unique_ptr<Relay>> relays_;
};

}  // namespace synod::ordering::conformance
