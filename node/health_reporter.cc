#include "node/health_reporter.h"

#include "base/log.h"
#include "rpc/health.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

constexpr Duration kWhenWell = Duration::milliseconds(500);
constexpr Duration kWhenNot = Duration::milliseconds(50);

}  // namespace

Status Node::health() const {
  synod::admin::v1::NodeStatus now;
  status(now);
  if (now.healthy()) return {};
  return fail(unavailable("NODE_NOT_WELL", now.reason()));
}

HealthReporter::HealthReporter(const Node& node, std::vector<rpc::Health*> healths)
    : node_(node), healths_(std::move(healths)), loop_("health") {
  loop_.post([this] { report(); });
}

HealthReporter::~HealthReporter() { loop_.stop(); }

void HealthReporter::report() {
  const Status now = node_.health();
  const std::string reason = now ? "" : now.error().cause;
  for (rpc::Health* health : healths_) {
    if (now) {
      health->set_serving("");
    } else {
      health->set_not_serving("", reason);
    }
  }
  if (well_ != now.has_value()) {
    well_ = now.has_value();
    log::info("health", "the node {}", *well_ ? "is serving" : "is not serving: " + reason);
  }
  loop_.after(*well_ ? kWhenWell : kWhenNot, [this] { report(); });
}

}  // namespace synod::node
