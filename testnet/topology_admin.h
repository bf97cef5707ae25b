// An operator's access to a running test network: its admin ports, and the topology through its topology manager.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "testnet/network_plan.h"
#include "topology/genesis.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc
namespace com::digitalasset::canton::protocol::v30 {
class TopologyMapping;
}

namespace synod::testnet {

std::shared_ptr<grpc::Channel> admin_channel(std::uint16_t port);
std::chrono::system_clock::time_point until(Duration patience);
// The error of a call; `what` says in its cause what was tried.
Status done(const grpc::Status& status, const std::string& what);

const NodePlan& topology_manager(const NetworkPlan& plan);

// Registers a member's keys, if that was not done before. Returns when it has taken effect.
Status introduce(const NetworkPlan& plan, const topology::MemberIdentity& identity, Duration patience);

// Changes what belongs to the synchronizer's owner. Returns when it has taken effect.
enum class TopologyChange { put, remove };
Status authorize(const NetworkPlan& plan, const com::digitalasset::canton::protocol::v30::TopologyMapping& mapping,
                 TopologyChange change, Duration patience, const std::string& what);

}  // namespace synod::testnet
