// A synchronizer with two sequencers, a mediator and three participants from the genesis on, whose keys are at hand;
// and a core with a store in memory that takes blocks made by hand.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequencer/core.h"
#include "sequencer/event_store.h"
#include "storage/memory/memory_store.h"
#include "topology/testing/test_network.h"

namespace synod::sequencer::testing {

struct RequestOptions {
  std::string message_id = "message";
  std::optional<Timestamp> max_sequencing_time;  // default: far away
  std::optional<protocol::AggregationRule> rule;
  bool sign_envelopes = false;
  std::optional<Timestamp> topology_timestamp;
};

class World {
 public:
  explicit World(topology::DynamicParameters parameters = {}, int sequencer_count = 2);

  crypto::SigningKeyPair key_of(const protocol::Member& member,
                                crypto::KeyUsage usage = crypto::KeyUsage::protocol) const;
  InitialState initial() const { return InitialState{network.config.static_parameters, genesis.snapshot}; }
  void open(const protocol::Member& as);  // (again, from the store)

  // Requests.
  static protocol::Envelope envelope(std::string content, std::vector<protocol::RecipientSet> groups);
  protocol::SubmissionRequest request(const protocol::Member& sender, std::vector<protocol::Envelope> envelopes,
                                      const RequestOptions& options = {}) const;
  Bytes sign(const protocol::SubmissionRequest& request) const;
  Bytes acknowledgement(const protocol::Member& member, Timestamp at) const;
  SealedEntry submission(const protocol::Member& sender, std::vector<protocol::Envelope> envelopes,
                         const RequestOptions& options = {}) const;
  // A topology broadcast of the first sequencer: from its effective time on, these are the active ones.
  protocol::Envelope group_change(const std::vector<protocol::Member>& active) const;

  // Records and blocks.
  Bytes record(const protocol::Member& sequencer, Timestamp proposed, std::vector<SealedEntry> entries,
               std::optional<std::uint64_t> number = {});
  BlockEffects block(std::vector<Bytes> records);
  // One record of the first sequencer in a block of its own.
  BlockEffects sequence(Timestamp proposed, std::vector<SealedEntry> entries);

  // All events of a member, decoded.
  struct Seen {
    std::optional<Timestamp> previous;
    Timestamp timestamp;
    std::optional<std::string> message_id;
    std::vector<std::string> contents;    // of the envelopes
    std::vector<std::size_t> signatures;  // on each envelope
    std::string error;                    // text of a rejection
  };
  std::vector<Seen> events(const protocol::Member& member) const;

  topology::testing::TestNetwork network;
  std::vector<protocol::Member> sequencers;
  std::vector<protocol::Member> participants;
  protocol::Member mediator;
  topology::Genesis genesis;
  std::shared_ptr<storage::MemoryStore> store;
  std::unique_ptr<SequencerCore> core;

  ordering::Height seen_height{-1};  // what the next records say their sequencer had applied

  static constexpr Timestamp kStart{1'700'000'000'000'000};

 private:
  std::uint64_t next_number_ = 1;
};

}  // namespace synod::sequencer::testing
