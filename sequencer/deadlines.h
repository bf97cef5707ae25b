// Confirmation requests whose verdict is outstanding. Their deadlines pass by sequencing time, which stands still when
// nothing is sequenced; so somebody must notice them. Facts: canton-protocol §3 (deadlines).
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/batch.h"
#include "storage/store.h"
#include "topology/parameters.h"

namespace synod::sequencer {

class Deadlines {
 public:
  static constexpr std::string_view kPrefix = "d/";  // in the state column: d/<request time> → two deadlines

  Status load(const storage::Store& store);

  // A confirmation request was delivered.
  void add(Timestamp request, const topology::DynamicParameters& parameters, storage::WriteBatch& writes);
  // A verdict for it was delivered.
  void remove(Timestamp request, storage::WriteBatch& writes);
  // Forgets requests that nobody waits for any more.
  void expire(Timestamp now, storage::WriteBatch& writes);

  // The first deadline at or after `from`, if any.
  std::optional<Timestamp> next_from(Timestamp from) const;
  std::size_t size() const { return pending_.size(); }

 private:
  struct Request {
    Timestamp response;  // answers count up to here
    Timestamp decision;  // the verdict counts up to here
  };
  std::map<Timestamp, Request> pending_;
};

// The requests (by their sequencing times) that verdicts among these envelopes decide.
std::vector<Timestamp> decided_requests(const std::vector<protocol::Envelope>& envelopes);

}  // namespace synod::sequencer
