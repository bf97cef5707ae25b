#include "node/replica.h"

#include <future>

#include "base/log.h"

namespace synod::node {
namespace {

constexpr const char* kComponent = "replica";

}  // namespace

Replica::Replica(Parts parts) : parts_(std::move(parts)), loop_("replica") {
  state_.problem = "has not opened its store yet";
  loop_.post([this] { try_to_become_active(); });
}

Replica::~Replica() { stop(); }

void Replica::lost(const Error& error) {
  const std::uint64_t turn = turn_;
  loop_.post([this, error, turn] {
    if (turn == turn_ && store_) step_down(error);
  });
}

void Replica::stop() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  std::promise<void> passive;
  loop_.post([&] {
    if (store_) parts_.deactivate();
    store_.reset();
    passive.set_value();
  });
  passive.get_future().wait();
  loop_.stop();
}

Replica::State Replica::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void Replica::try_to_become_active() {
  if (store_) return;
  auto opened = parts_.open();
  if (!opened) {
    const bool another_is = opened.error().id == "STORAGE_LOCKED";
    const std::string problem = another_is ? "" : "its store cannot be opened: " + opened.error().cause;
    if (problem != state().problem)
      log::info(kComponent, "{}", another_is ? "passive: another replica is active" : "passive: " + problem);
    set(false, problem);
    loop_.after(parts_.interval, [this] { try_to_become_active(); });
    return;
  }
  store_ = std::move(*opened);
  ++turn_;
  log::info(kComponent, "active");
  parts_.activate(store_);
  set(true, "");
  loop_.after(parts_.interval, [this, turn = turn_.load()] {
    if (turn == turn_) look();
  });
}

void Replica::look() {
  if (!store_) return;
  const Status written = store_->write(parts_.probe, storage::Sync::no);
  // A full disk comes and goes; nobody else could write either.
  if (!written && written.error().category != ErrorCategory::background_degradation) return step_down(written.error());
  loop_.after(parts_.interval, [this, turn = turn_.load()] {
    if (turn == turn_) look();
  });
}

void Replica::step_down(const Error& error) {
  log::warn(kComponent, "active no more: {}", error.to_string());
  ++turn_;
  set(false, "has lost its store: " + error.cause);
  parts_.deactivate();
  store_.reset();
  loop_.after(parts_.interval, [this] { try_to_become_active(); });
}

void Replica::set(bool active, std::string problem) {
  std::lock_guard lock(mutex_);
  state_ = {active, std::move(problem)};
}

}  // namespace synod::node
