#include "sequencer/testing/world.h"

#include "base/check.h"
#include "canton/sequencing_v31.pb.h"
#include "protocol/signed_content.h"
#include "protocol/versioned.h"
#include "sequencer/prepared.h"
#include "topology/broadcast.h"

namespace synod::sequencer::testing {

World::World(topology::DynamicParameters parameters, int sequencer_count) : network(std::move(parameters)) {
  auto& config = network.config;
  mediator = network.mediator;
  sequencers.push_back(network.sequencer);
  for (int i = 2; i <= sequencer_count; ++i) {
    const auto another = network.new_member(protocol::MemberKind::sequencer, "sequencer" + std::to_string(i));
    config.identities.push_back(another);
    config.sequencers.push_back(another.member);
    sequencers.push_back(another.member);
  }
  for (const char* name : {"alpha", "beta", "gamma"}) {
    const auto participant = network.new_member(protocol::MemberKind::participant, name);
    config.identities.push_back(participant);
    config.participants.push_back(participant.member.uid());
    participants.push_back(participant.member);
  }
  auto made = topology::make_genesis(config, *network.keys);
  SYNOD_CHECK(made.has_value());
  genesis = std::move(*made);
  store = std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns(), true});
  open(sequencers[0]);
}

void World::open(const protocol::Member& as) {
  core.reset();
  auto opened = SequencerCore::open(CoreConfig{genesis.synchronizer, as}, initial(), *store);
  SYNOD_CHECK(opened.has_value());
  core = std::move(opened->core);
  SYNOD_CHECK(store->write(opened->writes, storage::Sync::yes).has_value());
}

crypto::SigningKeyPair World::key_of(const protocol::Member& member, crypto::KeyUsage usage) const {
  const auto keys = core->head_snapshot().signing_keys(member, usage);
  SYNOD_CHECK(!keys.empty());
  return *network.keys->signing_key(keys.front().fingerprint());
}

protocol::Envelope World::envelope(std::string content, std::vector<protocol::RecipientSet> groups) {
  return protocol::Envelope{std::move(content), {}, protocol::Recipients::groups(std::move(groups))};
}

protocol::SubmissionRequest World::request(const protocol::Member& sender, std::vector<protocol::Envelope> envelopes,
                                           const RequestOptions& options) const {
  if (options.sign_envelopes) {
    const auto key = key_of(sender);
    for (auto& envelope : envelopes) {
      const auto hash = crypto::hash(crypto::HashPurpose::signed_protocol_message, envelope.content);
      envelope.signatures.push_back(crypto::sign(hash, key));
    }
  }
  protocol::SubmissionRequest request;
  request.sender = sender;
  request.message_id = options.message_id;
  request.batch = protocol::CompressedBatch::compress(envelopes);
  request.max_sequencing_time = options.max_sequencing_time.value_or(Timestamp::max());
  request.aggregation_rule = options.rule;
  request.topology_timestamp = options.topology_timestamp;
  return request;
}

Bytes World::sign(const protocol::SubmissionRequest& request) const {
  return protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(), key_of(request.sender),
                                std::nullopt)
      .serialize();
}

Bytes World::acknowledgement(const protocol::Member& member, Timestamp at) const {
  return protocol::sign_content(crypto::HashPurpose::acknowledgement,
                                protocol::AcknowledgeRequest{member, at}.serialize(), key_of(member), std::nullopt)
      .serialize();
}

SealedEntry World::submission(const protocol::Member& sender, std::vector<protocol::Envelope> envelopes,
                              const RequestOptions& options) const {
  return {SubmissionEntry{sign(request(sender, std::move(envelopes), options))}, ""};
}

protocol::Envelope World::group_change(const std::vector<protocol::Member>& active) const {
  topology::SequencerState group;
  group.synchronizer = genesis.synchronizer.logical();
  for (const auto& member : active) group.active.push_back(member.uid());
  const topology::SignedTransaction change = network.sign(group, 2, {network.owners[0]});
  return topology::broadcast_envelope(genesis.synchronizer, {change});
}

Bytes World::record(const protocol::Member& sequencer, Timestamp proposed, std::vector<SealedEntry> entries,
                    std::optional<std::uint64_t> number) {
  SealedBatch batch;
  batch.synchronizer = genesis.synchronizer;
  batch.sequencer = sequencer;
  batch.number = SequenceNumber(number.value_or(next_number_++));
  batch.proposed_time = proposed;
  batch.entries = std::move(entries);
  batch.seen_height = seen_height;
  const auto key = key_of(sequencer);
  return seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> { return crypto::sign(hash, key); })
      .value();
}

namespace {

// What subscribers are given out of memory must be what they would read.
void check_handed_on(const BlockEffects& effects, const SequencerCore& core, const EventReader& reader) {
  for (const NewEvent& event : effects.events) {
    for (const NewEvent::Reader& to : event.readers) {
      const MemberEvent given = reader.event(*event.record, to.member, to.previous, to.envelopes);
      const auto stored = reader.read(core.member(to.member)->number, to.member, given.timestamp, 1, 1);
      SYNOD_CHECK(stored.has_value() && stored->size() == 1);
      SYNOD_CHECK(stored->front().content == given.content && stored->front().previous == given.previous &&
                  stored->front().traceparent == given.traceparent);
    }
  }
}

}  // namespace

BlockEffects World::block(std::vector<Bytes> records) {
  ordering::Block block;
  block.height = core->next_height();
  block.previous_hash = core->status().block_hash;
  block.hash = "hash of block " + std::to_string(block.height.value);
  block.records = std::move(records);
  auto effects = core->on_block(block);
  SYNOD_CHECK(effects.has_value());
  SYNOD_CHECK(store->write(effects->writes, storage::Sync::no).has_value());
  check_handed_on(*effects, *core, EventReader(*store, genesis.synchronizer));
  return std::move(*effects);
}

BlockEffects World::sequence(Timestamp proposed, std::vector<SealedEntry> entries) {
  std::vector<Bytes> records;
  records.push_back(record(sequencers[0], proposed, std::move(entries)));
  return block(std::move(records));
}

std::vector<World::Seen> World::events(const protocol::Member& member) const {
  const EventReader reader(*store, genesis.synchronizer);
  const auto status = core->member(member);
  SYNOD_CHECK(status.has_value());
  const auto events = reader.read(status->number, member, Timestamp::min(), 100'000, 1u << 30);
  SYNOD_CHECK(events.has_value());
  std::vector<Seen> result;
  for (const MemberEvent& event : *events) {
    protocol::v31::SequencedEvent proto;
    SYNOD_CHECK(proto.ParseFromString(std::string(protocol::unwrap(event.content, 31, "event").value())));
    Seen seen;
    if (proto.has_previous_timestamp()) seen.previous = Timestamp{proto.previous_timestamp()};
    seen.timestamp = Timestamp{proto.timestamp()};
    if (proto.has_message_id()) seen.message_id = proto.message_id();
    if (proto.has_batch()) {
      const auto batch = protocol::CompressedBatch::from_proto(proto.batch(), batch_limits()).value();
      const auto envelopes = batch.decompress(batch_limits()).value();
      for (const auto& envelope : envelopes) {
        seen.contents.push_back(envelope.content);
        seen.signatures.push_back(envelope.signatures.size());
      }
    }
    if (proto.has_deliver_error_reason()) seen.error = proto.deliver_error_reason().message();
    result.push_back(std::move(seen));
  }
  return result;
}

}  // namespace synod::sequencer::testing
