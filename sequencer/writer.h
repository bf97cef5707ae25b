// Gets accepted requests into the log: seals them into batches, a few submissions at a time, and submits again
// what does not appear. A core: no clock, no threads; the shell gives it times and carries out its effects.
//
// Idle: a request is sealed and submitted at once. Busy: requests gather for some milliseconds, while submissions are
// outstanding, or while many batches are on their way, and go together in the next batch. A batch counts as written
// when it is seen in a block, not before.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/ordering_log.h"
#include "sequencer/sealed_batch.h"

namespace synod::sequencer {

struct WriterConfig {
  std::size_t max_batch_bytes = 1u << 20;     // a batch is closed at this size; a single larger request goes alone
  std::size_t max_waiting_bytes = 64u << 20;  // requests not sealed yet; more are refused with SEQUENCER_OVERLOADED
  std::size_t max_unordered_batches = 256;    // sealed and not yet seen in a block; below kRememberedNumbers
  // So many submissions that the log has not answered: an engine may take as long for that as for a block.
  std::size_t max_submissions = 4;
  // With so many not yet seen in a block, only full batches are sealed: under load, fewer batches with more in each
  // cost everyone less than they delay.
  std::size_t eager_batches = 8;
  // Busy is when the last so many requests came within busy_time; 0 and more than 10,000: never. Then gather_time
  // passes from one batch to the next: everyone who handles batches has less to do, and what waits for them waits less
  // in all.
  std::size_t busy_requests = 32;
  Duration busy_time = Duration::milliseconds(100);
  Duration gather_time = Duration::milliseconds(10);
  // Accepted by the log, but not in a block that this sequencer has read so long afterwards; doubles up to 16 times.
  Duration resubmit_after = Duration::seconds(2);
  Duration retry_delay =
      Duration::milliseconds(50);  // after a refusal that is worth another attempt; doubles up to 2 s
};

class Writer {
 public:
  struct Submit {
    SequenceNumber number;
    Bytes record;
  };
  struct Effects {
    std::vector<Submit> submit;              // give to OrderingLog::submit, report with on_submitted()
    std::optional<Timestamp> call_again_at;  // on_time() is due then at the latest
  };

  // `first`: first_number(). Whoever may have lived before calls hold() at once.
  Writer(WriterConfig config, protocol::PhysicalSynchronizerId synchronizer, protocol::Member self,
         SequenceNumber first, SignHash sign);

  // Above every number this sequencer ever used, as far as can be known from the latest one in the log that it has read
  // and from its clock. Numbers are microseconds, roughly: what an earlier life may still have on its way lies below.
  static SequenceNumber first_number(std::optional<SequenceNumber> latest, Timestamp now);
  // Seals nothing until begin(), when the blocks that existed at the start have been read: a cache may have lost the
  // latest of its own numbers while its clock was set back, and a batch whose number was there before is dropped by
  // everyone.
  void hold() { held_ = true; }
  bool held() const { return held_; }
  Effects begin(Timestamp now);

  // Takes a request. Errors: SEQUENCER_OVERLOADED; nothing was taken then.
  Result<Effects> accept(SealedEntry entry, Timestamp now);
  // Seals a tick unless something is waiting anyway.
  Effects tick(Timestamp now);
  Effects on_submitted(SequenceNumber number, ordering::SubmitOutcome outcome, bool worth_another_attempt,
                       Timestamp now);
  // What this sequencer has come to (SequencerCore::digest); goes into the batches sealed from now on.
  void applied(ordering::Height height, Bytes digest) {
    seen_height_ = height;
    seen_state_ = std::move(digest);
  }
  // The batch was seen in a block. It may be one of an earlier life, whose clock was ahead of ours.
  Effects on_ordered(SequenceNumber number, Timestamp now);
  // `head`: the newest block known to exist. While this sequencer lags behind the log, a batch that it has not met yet
  // is not missing: it is submitted again only when the blocks that existed when it was due have been read.
  Effects on_time(Timestamp now, ordering::Height head);

  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::size_t unordered() const { return unordered_.size(); }
  SequenceNumber next() const { return next_; }  // of the next batch
  std::optional<SequenceNumber> oldest_unordered() const {
    if (unordered_.empty()) return std::nullopt;
    return unordered_.begin()->first;
  }
  bool idle() const { return waiting_.empty() && unordered_.empty(); }
  bool handed_over() const;  // all that was accepted is in batches that the log has accepted
  std::uint64_t failed_to_seal() const { return failed_to_seal_; }

 private:
  struct Sealed {
    Bytes record;
    bool in_submission = false;                     // the log has not answered yet
    bool accepted = false;                          // the log's last answer
    Timestamp due;                                  // submit again then, unless seen
    Duration delay;                                 // after a refusal
    Duration patience;                              // after an acceptance
    std::optional<ordering::Height> missing_after;  // overdue: missing if not in a block up to here
  };
  void seal_waiting(Timestamp now, Effects& effects);
  Effects finish(Effects effects, Timestamp now) const;
  std::size_t submissions_outstanding() const;
  bool may_seal(Timestamp now) const;
  std::optional<Timestamp> gathering_ends(Timestamp now) const;  // none: not gathering

  WriterConfig config_;
  protocol::PhysicalSynchronizerId synchronizer_;
  protocol::Member self_;
  SequenceNumber next_;
  bool held_ = false;
  ordering::Height seen_height_{-1};
  Bytes seen_state_;
  SignHash sign_;
  std::deque<SealedEntry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::deque<Timestamp> arrivals_;  // of the last busy_requests
  Timestamp last_sealed_ = Timestamp::min();
  std::map<SequenceNumber, Sealed> unordered_;
  std::uint64_t failed_to_seal_ = 0;
};

}  // namespace synod::sequencer
