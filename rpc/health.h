// What this process says about its own parts: the source of grpc.health.v1 and of the admin and HTTP health pages.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace synod::rpc {

// Who is told of every change, under Health's lock: it must not call back.
class HealthListener {
 public:
  virtual ~HealthListener() = default;
  virtual void changed(const std::string& service, bool serving) = 0;
};

// Named services with a state and a reason in plain words. A name that was never set is unknown to gRPC clients (Check
// answers NOT_FOUND, Watch SERVICE_UNKNOWN). The empty name is the whole server.
// Thread rules: any method from any thread.
class Health {
 public:
  struct State {
    bool serving = false;
    std::string reason;  // why it is not serving; empty when it is
  };

  void set_serving(const std::string& service);
  void set_not_serving(const std::string& service, std::string reason);
  std::map<std::string, State> snapshot() const;
  bool all_serving() const;

  // For Server: tells every later change, and the present states at once. Null ends it.
  void attach(HealthListener* listener);

 private:
  void set(const std::string& service, State state);

  mutable std::mutex mutex_;
  std::map<std::string, State> states_;
  HealthListener* listener_ = nullptr;
};

}  // namespace synod::rpc
