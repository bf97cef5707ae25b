#include "rpc/health.h"

#include "base/log.h"

namespace synod::rpc {

void Health::set_serving(const std::string& service) { set(service, {true, ""}); }

void Health::set_not_serving(const std::string& service, std::string reason) {
  set(service, {false, std::move(reason)});
}

void Health::set(const std::string& service, State state) {
  std::lock_guard lock(mutex_);
  State& known = states_[service];
  if (known.serving != state.serving && !service.empty()) {
    if (state.serving) {
      log::info("health", "{} is serving", service);
    } else {
      log::info("health", "{} is not serving: {}", service, state.reason);
    }
  }
  known = std::move(state);
  if (listener_ != nullptr) listener_->changed(service, known.serving);
}

std::map<std::string, Health::State> Health::snapshot() const {
  std::lock_guard lock(mutex_);
  return states_;
}

bool Health::all_serving() const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, state] : states_) {
    if (!state.serving) return false;
  }
  return true;
}

void Health::attach(HealthListener* listener) {
  std::lock_guard lock(mutex_);
  listener_ = listener;
  if (listener == nullptr) return;
  for (const auto& [name, state] : states_) listener->changed(name, state.serving);
}

}  // namespace synod::rpc
