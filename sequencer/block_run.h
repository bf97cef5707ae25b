// One block going through the state machine. Private to the core.
#pragma once

#include <vector>

#include "ordering/ordering_log.h"
#include "protocol/complaints.h"
#include "sequencer/core.h"
#include "sequencer/core_state.h"
#include "sequencer/order.h"
#include "sequencer/prepared.h"
#include "sequencer/validate.h"

namespace synod::sequencer {

class BlockRun {
 public:
  explicit BlockRun(CoreState& state);
  // The height and the chain have been checked; takes the block completely.
  BlockEffects run(const ordering::Block& block, const PreparedBlock& prepared);

 private:
  void take_records(const PreparedBlock& prepared);
  // Whether the record is by an active sequencer of this synchronizer and new. Sets its effective proposal.
  bool admit(const PreparedRecord& prepared, Timestamp& proposal);
  void note_group();
  // Sealed before its sequencer could know that it had left: nobody's fault. The client's request runs out and is sent
  // again elsewhere.
  bool was_on_its_way(const SealedBatch& batch, const CheckedSignature& signature) const;
  void compare_states(const SealedBatch& batch);
  void judge_fork();
  Timestamp bounded_proposal(const SealedBatch& batch);
  void submission(const PreparedSubmission& submission, const std::string& traceparent, Timestamp proposed);
  void accepted(const PreparedSubmission& submission, const Accepted& accepted, const std::string& traceparent,
                Timestamp timestamp, const topology::Snapshot& snapshot);
  void acknowledgement(const PreparedAcknowledgement& acknowledgement);
  void process_topology(const PreparedSubmission& submission, Timestamp timestamp);
  void tick_if_due();
  void emit(EventRecord record, const std::vector<protocol::Member>& recipients);
  void drop(const protocol::Member& sender, const std::string& message_id, const Dropped& dropped);
  void report() const;

  struct Item {
    const PreparedEntry* entry;
  };

  CoreState& state_;
  BlockEffects effects_;
  ordering::Height height_;
  topology::Snapshot block_start_;  // the topology as it is right after the last event of the block before
  Timestamp previous_block_time_;   // time of the last event before this block
  Timestamp block_time_;            // the highest proposal in this block
  Timestamp cursor_;                // the last time given away, also to dropped requests
  std::vector<Item> items_;
  std::vector<Ordered> order_;

  // One line a block and kind: whoever may write to the log must not fill our disk with lines.
  std::size_t records_ = 0, requests_ = 0;
  protocol::Complaints undecodable_records_, foreign_records_, parting_records_, far_proposals_, wrong_states_,
      cured_states_;
  protocol::Complaints undecodable_requests_, wrong_requests_, late_requests_;
};

}  // namespace synod::sequencer
