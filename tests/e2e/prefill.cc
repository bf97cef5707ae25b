#include "tests/e2e/prefill.h"

#include <future>

#include "base/env.h"
#include "node/genesis_file.h"
#include "node/identity.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/solo/engine.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "sequencer/core.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::e2e {
namespace {

namespace solo = ordering::solo;
namespace wire = ordering::fabric_wire;

// As a driver hands it to the sequencer.
Result<ordering::Block> block_of(const solo::StoredBlock& stored) {
  SYNOD_TRY(wire::FabricBlock native, wire::parse_block(stored.bytes));
  ordering::Block block;
  block.height = ordering::Height(stored.height);
  block.native_position = native.number;
  block.previous_hash = std::move(native.previous_hash);
  block.hash = stored.hash;
  for (const Bytes& item : native.data) {
    SYNOD_TRY(wire::Envelope envelope, wire::parse_envelope(item));
    if (wire::holds_record(envelope)) block.records.push_back(std::move(envelope.data));
  }
  return block;
}

class Filler {
 public:
  static Result<Filler> open(const testnet::NetworkPlan& plan, const testnet::NodePlan& sequencer) {
    Filler filler;
    const auto random = system_random();
    const auto identity = [&](const testnet::NodePlan& node, protocol::MemberKind kind) {
      return node::open_identity(kind, node.name, node.folder + "/data", *random);
    };
    SYNOD_TRY(filler.sequencer_, identity(sequencer, protocol::MemberKind::sequencer));
    SYNOD_TRY(filler.sender_,
              identity(*plan.with_role(testnet::Role::topology_manager)[0], protocol::MemberKind::participant));
    SYNOD_TRY(filler.recipient_, identity(*plan.with_role(testnet::Role::mediator)[0], protocol::MemberKind::mediator));
    solo::EngineConfig config;
    config.folder = plan.with_role(testnet::Role::orderer)[0]->folder + "/data/log";
    config.sync = false;
    SYNOD_TRY(filler.engine_, solo::Engine::open(config));
    storage::RocksDbOptions options;
    options.path = sequencer.folder + "/data/cache";
    options.columns = sequencer::store_columns();
    SYNOD_TRY(filler.store_, storage::open_rocksdb(options));
    SYNOD_TRY(node::GenesisFile genesis, node::read_genesis(sequencer.folder + "/genesis.bin"));
    filler.synchronizer_ = genesis.genesis.synchronizer;
    SYNOD_TRY(auto opened,
              sequencer::SequencerCore::open({filler.synchronizer_, filler.sequencer_->member},
                                             {genesis.static_parameters, genesis.genesis.snapshot}, *filler.store_));
    filler.core_ = std::move(opened.core);
    SYNOD_RETURN_IF_ERROR(filler.store_->write(opened.writes, storage::Sync::no));
    SYNOD_RETURN_IF_ERROR(filler.follow());
    return filler;
  }

  // One record, in a block of its own.
  Status add(int events) {
    sequencer::SealedBatch batch;
    batch.synchronizer = synchronizer_;
    batch.sequencer = sequencer_->member;
    batch.proposed_time = system_clock()->now();
    batch.number = sequencer::SequenceNumber(static_cast<std::uint64_t>(batch.proposed_time.micros));
    for (int i = 0; i < events; ++i) batch.entries.push_back(submission(i));
    const auto key = *sequencer_->keys->first_signing_key(crypto::KeyUsage::protocol);
    SYNOD_TRY(const Bytes record, sequencer::seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
                return crypto::sign(hash, key);
              }));
    std::promise<ordering::SubmitResult> ordered;
    engine_->submit(wire::make_envelope(wire::EnvelopeType::message, "synod", record, nullptr),
                    [&](ordering::SubmitResult result, ordering::Height) { ordered.set_value(std::move(result)); });
    if (const auto result = ordered.get_future().get(); result.error) return fail(*result.error);
    return follow();
  }

  std::int64_t height() const { return core_->height().value; }

 private:
  Filler() = default;

  sequencer::SealedEntry submission(int number) {
    protocol::SubmissionRequest request;
    request.sender = sender_->member;
    request.message_id = std::to_string(height()) + "-" + std::to_string(number);
    request.batch = protocol::CompressedBatch::compress(
        {protocol::Envelope{"of no meaning", {}, protocol::Recipients::groups({{recipient_->member}})}});
    request.max_sequencing_time = Timestamp::max();
    return {sequencer::SubmissionEntry{
                protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(),
                                       *sender_->keys->first_signing_key(crypto::KeyUsage::protocol), std::nullopt)
                    .serialize()},
            ""};
  }

  // What the log has and the cache has not.
  Status follow() {
    while (core_->height() < engine_->head()) {
      SYNOD_TRY(const auto stored, engine_->read(core_->next_height()));
      SYNOD_TRY(const ordering::Block block, block_of(*stored));
      SYNOD_TRY(const auto effects, core_->on_block(block));
      SYNOD_RETURN_IF_ERROR(store_->write(effects.writes, storage::Sync::no));
    }
    return {};
  }

  std::optional<node::Identity> sequencer_, sender_, recipient_;
  protocol::PhysicalSynchronizerId synchronizer_;
  std::unique_ptr<solo::Engine> engine_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<sequencer::SequencerCore> core_;
};

}  // namespace

Result<History> prefill(const testnet::NetworkPlan& plan, const testnet::NodePlan& sequencer, int blocks,
                        int events_a_block) {
  SYNOD_TRY(Filler filler, Filler::open(plan, sequencer));
  History history;
  for (int i = 0; i < blocks; ++i) {
    SYNOD_RETURN_IF_ERROR(filler.add(events_a_block));
    history.events += static_cast<std::uint64_t>(events_a_block);
  }
  history.height = filler.height();
  return history;
}

}  // namespace synod::e2e
