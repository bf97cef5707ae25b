#include "testnet/status.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "ordering/engines/engine_cache.h"
#include "synod/admin.grpc.pb.h"
#include "testnet/process.h"

namespace synod::testnet {
namespace {

using synod::admin::v1::NodeStatus;

// The position that matters for a role: blocks for those who order, the ledger end for those who execute.
std::string position(const NodeStatus& status) {
  if (status.has_offset()) return fmt::format("offset {}", status.offset());
  if (status.has_height()) return fmt::format("height {}", status.height());
  return "";
}

std::string details(const NodeStatus& status) {
  std::string text;
  if (status.has_active()) text += status.active() ? "active; " : "passive, takes over when the active one is gone";
  if (status.has_mediator_group()) {
    const auto& group = status.mediator_group();
    text += fmt::format("group {}, {} of {} must agree{}; ", group.index(), group.threshold(), group.active(),
                        group.observing() ? ", observing" : "");
  }
  if (status.has_blocks_read()) text += fmt::format("read {} blocks since start; ", status.blocks_read());
  if (status.has_sequencing_time_micros() && status.sequencing_time_micros() > 0)
    text += "at " + Timestamp{status.sequencing_time_micros()}.to_string();
  return text;
}

boost::json::object to_json(const NodeState& state) {
  boost::json::object node{{"name", state.plan->name},
                           {"organisation", state.plan->organisation},
                           {"role", to_string(state.plan->role)},
                           {"healthy", state.healthy()},
                           {"reason", state.problem},
                           {"memoryBytes", state.memory_bytes},
                           {"publicPort", state.plan->public_port},
                           {"adminPort", state.plan->admin_port}};
  if (state.pid) node["pid"] = *state.pid;
  if (!state.status) return node;
  const NodeStatus& status = *state.status;
  node["member"] = status.member();
  if (status.has_height()) node["height"] = status.height();
  if (status.has_block_hash()) node["blockHash"] = status.block_hash();
  if (status.has_state_hash()) node["stateHash"] = status.state_hash();
  if (status.has_offset()) node["offset"] = status.offset();
  if (status.has_blocks_read()) node["blocksRead"] = status.blocks_read();
  if (status.has_sequencing_time_micros())
    node["sequencingTime"] = Timestamp{status.sequencing_time_micros()}.to_string();
  if (status.has_active()) node["active"] = status.active();
  if (status.has_mediator_group()) {
    const auto& group = status.mediator_group();
    node["mediatorGroup"] = {{"index", group.index()},
                             {"threshold", group.threshold()},
                             {"active", group.active()},
                             {"observing", group.observing()}};
  }
  if (state.plan->role == Role::mediator) {
    node["approved"] = status.approved();
    node["rejected"] = status.rejected();
  }
  boost::json::array deliveries;
  for (const auto& delivery : status.deliveries())
    deliveries.push_back({{"member", delivery.member()}, {"events", delivery.events()}});
  if (!deliveries.empty()) node["deliveries"] = std::move(deliveries);
  return node;
}

boost::json::object to_json(const ProcessState& state) {
  boost::json::object process{{"name", state.process.name},        {"role", state.process.role},
                              {"healthy", state.healthy()},        {"reason", state.problem},
                              {"memoryBytes", state.memory_bytes}, {"port", state.process.port}};
  if (state.pid) process["pid"] = *state.pid;
  return process;
}

}  // namespace

std::optional<NodeStatus> ask(const NodePlan& node, Duration deadline) {
  // A fresh channel each time: a cached one would sit out its back-off after a refused connection.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", node.admin_port),
                                                 grpc::InsecureChannelCredentials(), arguments);
  const auto stub = synod::admin::v1::NodeService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(deadline.micros));
  NodeStatus status;
  if (!stub->GetStatus(&context, {}, &status).ok()) return std::nullopt;
  return status;
}

NodeState state_of(const NodePlan& node) {
  NodeState state{&node, running(node), 0, std::nullopt, ""};
  if (!state.pid) {
    state.problem = "not running";
    return state;
  }
  state.memory_bytes = memory_of(*state.pid).value_or(0);
  // One that does not listen is known at once; one on a busy machine may need its time.
  state.status = ask(node, Duration::seconds(10));
  if (!state.status)
    state.problem = "does not answer; see " + node.log_file();
  else if (!state.status->healthy())
    state.problem = state.status->reason().empty() ? "not ready" : state.status->reason();
  return state;
}

std::vector<NodeState> state_of(const NetworkPlan& plan) {
  std::vector<NodeState> states;
  for (const NodePlan& node : plan.nodes) states.push_back(state_of(node));
  return states;
}

std::vector<ProcessState> state_beside_the_nodes(const NetworkPlan& plan) {
  std::vector<ProcessState> states;
  for (NetworkProcess& process : beside_the_nodes(plan)) {
    ProcessState state{std::move(process), std::nullopt, 0, ""};
    state.pid = state.process.running();
    if (!state.pid) {
      state.problem = "not running";
    } else if (!ordering::engines::listens(state.process.port)) {
      state.problem = "does not listen; see " + state.process.log_file;
    }
    if (state.pid) {
      state.memory_bytes = memory_of(*state.pid).value_or(0);
      for (const pid_t child : descendants_of(*state.pid)) state.memory_bytes += memory_of(child).value_or(0);
    }
    states.push_back(std::move(state));
  }
  return states;
}

std::string as_table(const std::vector<NodeState>& states, const std::vector<ProcessState>& beside) {
  std::string table =
      fmt::format("{:<28} {:<17} {:<8} {:<12} {:>8}  {}\n", "NODE", "ROLE", "HEALTH", "POSITION", "MEMORY", "DETAILS");
  std::uint64_t total = 0;
  const auto row = [&](const std::string& name, const std::string& role, bool healthy, const std::string& position,
                       std::uint64_t memory, const std::string& text) {
    total += memory;
    table += fmt::format("{:<28} {:<17} {:<8} {:<12} {:>5} MB  {}\n", name, role, healthy ? "ok" : "failed", position,
                         memory >> 20, text);
  };
  for (const NodeState& state : states)
    row(state.plan->name, to_string(state.plan->role), state.healthy(), state.status ? position(*state.status) : "",
        state.memory_bytes, state.problem.empty() && state.status ? details(*state.status) : state.problem);
  for (const ProcessState& state : beside)
    row(state.process.name, state.process.role, state.healthy(), "", state.memory_bytes,
        state.problem.empty() ? fmt::format("serves at 127.0.0.1:{}", state.process.port) : state.problem);
  return table + fmt::format("{} nodes{}, {} MB of memory together\n", states.size(),
                             beside.empty() ? "" : fmt::format(" and {} other processes", beside.size()), total >> 20);
}

std::string as_json(const NetworkPlan& plan, const std::vector<NodeState>& states,
                    const std::vector<ProcessState>& beside) {
  boost::json::array nodes, others;
  std::uint64_t total = 0;
  for (const NodeState& state : states) {
    total += state.memory_bytes;
    nodes.push_back(to_json(state));
  }
  for (const ProcessState& state : beside) {
    total += state.memory_bytes;
    others.push_back(to_json(state));
  }
  return boost::json::serialize(boost::json::object{{"network", plan.name},
                                                    {"folder", plan.folder},
                                                    {"memoryBytes", total},
                                                    {"nodes", std::move(nodes)},
                                                    {"besideTheNodes", std::move(others)}}) +
         "\n";
}

}  // namespace synod::testnet
