// Which sealed batches of each sequencer were in the log already, and how far each has proposed time. A record may be
// ordered twice (resubmission after an unknown outcome, a replay by a rival), and out of order.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/sealed_batch.h"
#include "storage/store.h"

namespace synod::sequencer {

class RecordHistory {
 public:
  static constexpr std::string_view kWriterPrefix = "w/";  // w/<sequencer> → StoredWriter
  static constexpr std::string_view kNumberPrefix = "n/";  // n/<sequencer>/<number> → empty

  Status load(const storage::Store& store);

  // Remembers the number. False: it was there before, or is older than the last kRememberedNumbers of this sequencer.
  bool add(const protocol::Member& sequencer, SequenceNumber number, storage::WriteBatch& writes);
  void propose(const protocol::Member& sequencer, Timestamp time, storage::WriteBatch& writes);

  const std::map<protocol::Member, Timestamp>& proposals() const { return proposals_; }
  std::optional<SequenceNumber> latest(const protocol::Member& sequencer) const;

 private:
  struct Numbers {
    SequenceNumber floor;  // numbers up to here are refused
    std::set<SequenceNumber> seen;
  };
  void write(const protocol::Member& sequencer, storage::WriteBatch& writes) const;

  std::map<protocol::Member, Numbers> numbers_;
  std::map<protocol::Member, Timestamp> proposals_;
};

}  // namespace synod::sequencer
