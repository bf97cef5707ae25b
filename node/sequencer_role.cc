
#include "base/env.h"
#include "base/files.h"
#include "base/log.h"
#include "node/genesis_file.h"
#include "node/identity.h"
#include "node/node.h"
#include "node/sequencer_log.h"
#include "ordering/ordering_log.h"
#include "rpc/server.h"
#include "sequencer/onboarding_state.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

class SequencerRole final : public Node {
 public:
  void status(synod::admin::v1::NodeStatus& out) const override {
    const sequencer::SequencerStatus status = node->status();
    out.set_member(self.to_string());
    out.set_synchronizer(synchronizer.to_string());
    const Status health = node->health();
    out.set_healthy(static_cast<bool>(health));
    if (!health) out.set_reason(health.error().cause);
    out.set_height(status.core.height.value);
    out.set_block_hash(to_hex(status.core.block_hash));
    out.set_state_hash(status.core.state_hash);
    out.set_sequencing_time_micros(status.core.last_time.micros);
    out.set_blocks_read(static_cast<std::int64_t>(status.core.blocks_applied));
    for (const auto& [member, delivered] : status.delivered) {
      auto& delivery = *out.add_deliveries();
      delivery.set_member(member.to_string());
      delivery.set_events(static_cast<std::int64_t>(delivered.events));
      delivery.set_last_timestamp_micros(delivered.last.micros);
    }
  }

  Status health() const override { return node->health(); }

  // No healths(): the sequencer tells its own server, at once and under the name that its clients ask for.
  std::vector<std::shared_ptr<grpc::Service>> admin_services() override { return node->admin_services(); }
  void stop(Duration deadline) override {
    node->stop();  // ends the subscriptions, which the server would wait for
    server->stop(deadline);
    log->stop(deadline);
  }

  protocol::Member self;
  protocol::PhysicalSynchronizerId synchronizer;
  std::shared_ptr<ordering::OrderingLog> log;
  std::unique_ptr<sequencer::SequencerNode> node;
  std::unique_ptr<rpc::Server> server;
};

// What the sequencer is part of, and what an empty cache begins with.
struct Beginning {
  protocol::PhysicalSynchronizerId synchronizer;
  sequencer::InitialState initial;
};

Result<Beginning> beginning_of(const SequencerSection& section, storage::Store& store) {
  if (section.onboarding_state.empty()) {
    SYNOD_TRY(GenesisFile genesis, read_genesis(section.genesis));
    return Beginning{genesis.genesis.synchronizer, {genesis.static_parameters, std::move(genesis.genesis.snapshot)}};
  }
  SYNOD_TRY(const Bytes bytes, required_file(section.onboarding_state, "ONBOARDING_STATE_NOT_FOUND"));
  SYNOD_TRY(const sequencer::OnboardingState state, sequencer::parse_onboarding_state(bytes));
  SYNOD_TRY(const bool begun, sequencer::has_state(store));
  if (!begun) {
    SYNOD_TRY(const storage::WriteBatch writes, sequencer::install(state));
    SYNOD_RETURN_IF_ERROR(store.write(writes, storage::Sync::yes));
    log::info("sequencer", "begins with the state of a peer at height {}", state.height.value);
  }
  return Beginning{state.synchronizer, {state.static_parameters, {}}};
}

}  // namespace

Result<std::unique_ptr<Node>> start_sequencer(const NodeFile& file) {
  const auto random = system_random();
  SYNOD_TRY(const Identity identity,
            open_identity(protocol::MemberKind::sequencer, file.name, file.data_folder, *random));

  SYNOD_TRY(std::shared_ptr<storage::Store> store,
            open_cache(file.sequencer.cache, file.data_folder, sequencer::store_columns()));
  SYNOD_TRY(Beginning beginning, beginning_of(file.sequencer, *store));

  SYNOD_TRY(std::shared_ptr<ordering::OrderingLog> log, connect_log(file.sequencer, file.data_folder));
  // A batch is one record of the log.
  sequencer::SequencerConfig limits = file.sequencer.limits;
  limits.writer.max_batch_bytes = std::min(limits.writer.max_batch_bytes, log->max_record_bytes() / 8 * 7);

  SYNOD_TRY(auto clock, clock_of(file));
  auto role = std::make_unique<SequencerRole>();
  role->self = identity.member;
  role->synchronizer = beginning.synchronizer;
  role->log = log;
  sequencer::SequencerParts parts{
      beginning.synchronizer, identity.member, std::move(beginning.initial), identity.keys, log, std::move(store),
      std::move(clock),       random};
  SYNOD_TRY(role->node, sequencer::SequencerNode::create(limits, std::move(parts)));
  SYNOD_TRY(role->server, rpc::Server::start(file.public_api.server(), role->node->services()));
  role->node->start(&role->server->health());
  return role;
}

}  // namespace synod::node
