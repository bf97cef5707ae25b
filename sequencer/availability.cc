#include "sequencer/availability.h"

#include <algorithm>

namespace synod::sequencer {
namespace {

constexpr const char* kServices[] = {"", "sequencer-health-check-service"};
constexpr Duration kWatchEvery = Duration::milliseconds(500);

}  // namespace

Availability::Availability(const EventLoop& core, const EventLoop& delivery, const ordering::OrderingLog& log,
                           Duration stall_patience)
    : core_(core), delivery_(delivery), log_(log), stall_patience_(stall_patience), watch_loop_("seq-watch") {}

void Availability::start(rpc::Health* health) {
  {
    std::lock_guard lock(told_mutex_);
    health_ = health;
  }
  watch_loop_.post([this] { watch(); });
}

void Availability::close() {
  const std::string reason = "The sequencer is shutting down.";
  {
    std::lock_guard lock(reason_mutex_);
    closed_ = true;
    not_accepting_ = reason;
  }
  std::lock_guard lock(told_mutex_);
  if (!health_) return;
  for (const char* service : kServices) health_->set_not_serving(service, reason);
}

void Availability::stop() { watch_loop_.stop(); }

void Availability::set_not_accepting(const std::string& reason) {
  {
    std::lock_guard lock(reason_mutex_);
    if (closed_) return;
    not_accepting_ = reason;
  }
  tell();
}

Status Availability::accepting() const {
  if (const auto why = stalled(stall_patience_)) return fail(unavailable("SEQUENCER_UNAVAILABLE", *why));
  std::lock_guard lock(reason_mutex_);
  if (not_accepting_.empty()) return {};
  return fail(unavailable("SEQUENCER_UNAVAILABLE", not_accepting_));
}

Status Availability::health() const {
  SYNOD_RETURN_IF_ERROR(accepting());
  const ordering::Health log = log_.health();
  if (log.state == ordering::Health::State::ready) return {};
  const std::string state(ordering::to_string(log.state));
  const std::string because = log.last_error.empty() ? "" : ", " + log.last_error;
  return fail(unavailable("SEQUENCER_UNAVAILABLE", "ordering service: " + state + because));
}

std::optional<std::string> Availability::stalled(Duration patience) const {
  const Duration core = core_.busy_for(), delivery = delivery_.busy_for();
  const Duration longest = std::max(core, delivery);
  if (longest < patience) return std::nullopt;
  const bool cache = waits_for_cache_ || delivery > core;  // delivering is reading from the cache
  const std::string what = cache ? "The sequencer's cache has not answered" : "The sequencer has been at one step";
  return what + " for " + std::to_string(longest.micros / 1000) + " ms.";
}

void Availability::watch() {
  tell();
  watch_loop_.after(std::min(kWatchEvery, Duration{stall_patience_.micros / 4}), [this] { watch(); });
}

void Availability::tell() {
  std::lock_guard lock(told_mutex_);
  if (!health_ || closed_) return;
  const Status now = health();
  const std::string problem = now ? "" : now.error().cause;
  if (told_ == problem) return;
  told_ = problem;
  for (const char* service : kServices) {
    if (problem.empty()) {
      health_->set_serving(service);
    } else {
      health_->set_not_serving(service, problem);
    }
  }
}

}  // namespace synod::sequencer
