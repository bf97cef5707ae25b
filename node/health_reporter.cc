#include "node/health_reporter.h"

#include "base/log.h"
#include "rpc/health.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

constexpr Duration kWhenWell = Duration::milliseconds(500);
constexpr Duration kWhenNot = Duration::milliseconds(50);

}  // namespace

HealthReporter::HealthReporter(const Node& node, std::vector<rpc::Health*> healths)
    : node_(node), healths_(std::move(healths)), loop_("health") {
  loop_.post([this] { report(); });
}

HealthReporter::~HealthReporter() { loop_.stop(); }

void HealthReporter::report() {
  synod::admin::v1::NodeStatus status;
  node_.status(status);
  for (rpc::Health* health : healths_) {
    if (status.healthy()) {
      health->set_serving("");
    } else {
      health->set_not_serving("", status.reason());
    }
  }
  if (well_ != status.healthy()) {
    well_ = status.healthy();
    log::info("health", "the node {}", *well_ ? "is serving" : "is not serving: " + status.reason());
  }
  loop_.after(*well_ ? kWhenWell : kWhenNot, [this] { report(); });
}

}  // namespace synod::node
