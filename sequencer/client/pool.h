// Which connections may be used, and which one next. Pure bookkeeping; single-threaded.
// Facts: canton-protocol §5.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "protocol/ids.h"
#include "sequencer/client/client.h"
#include "topology/parameters.h"

namespace synod::sequencer::client {

using ConnectionIndex = std::size_t;  // of the endpoint in the configuration

// What a sequencer says about itself while a connection comes up.
struct Attributes {
  protocol::PhysicalSynchronizerId synchronizer;
  protocol::Member sequencer;
  topology::StaticParameters parameters;
  bool operator==(const Attributes&) const = default;
};

class Pool {
 public:
  Pool(std::size_t connections, std::uint32_t trust_threshold, std::uint32_t liveness_margin,
       std::optional<protocol::PhysicalSynchronizerId> pinned, Random& random);
  // See Endpoint::fallback; none is at first.
  void set_fallback(ConnectionIndex index, bool fallback = true) { entries_[index].fallback = fallback; }
  // One more connection; its index.
  ConnectionIndex add();
  // It is not used again.
  void retire(ConnectionIndex index);
  bool retired(ConnectionIndex index) const { return entries_[index].retired; }
  bool is_fallback(ConnectionIndex index) const { return entries_[index].fallback; }

  // A connection has come up. An error: it serves something else than the pool's synchronizer, or something else than
  // before; it must not be tried again. May initialise the pool, see agreed().
  Status validated(ConnectionIndex index, const Attributes& attributes);
  void set_serving(ConnectionIndex index, bool serving);
  void lost(ConnectionIndex index);

  // The synchronizer, once trust_threshold distinct sequencers agree. It stays the same from then on.
  const std::optional<Attributes>& agreed() const { return agreed_; }
  bool usable(ConnectionIndex index) const;
  std::optional<protocol::Member> sequencer_of(ConnectionIndex index) const;
  // Usable sequencers, at most one connection each.
  std::vector<ConnectionIndex> usable() const;

  // A usable connection to a sequencer outside `excluded`; sequencers in turn, from a random start, fallbacks only when
  // there is no other. None: there is none.
  std::optional<ConnectionIndex> pick(const std::set<protocol::Member>& excluded);
  // As pick(), but never a fallback.
  std::optional<ConnectionIndex> pick_preferred(const std::set<protocol::Member>& excluded);

  PoolHealth health() const;
  std::string reason() const;  // in plain words, for health pages

 private:
  struct Entry {
    std::optional<Attributes> attributes;  // kept after a loss, to notice a change
    bool up = false;
    bool serving = false;
    bool refused = false;
    bool fallback = false;
    bool retired = false;
  };
  bool agrees(const Entry& entry) const;
  std::optional<ConnectionIndex> pick_of(bool fallback, const std::set<protocol::Member>& excluded);
  void try_to_agree();

  std::vector<Entry> entries_;
  std::uint32_t trust_threshold_;
  std::uint32_t liveness_margin_;
  std::optional<protocol::PhysicalSynchronizerId> pinned_;
  std::optional<Attributes> agreed_;
  std::uint64_t turn_;
};

}  // namespace synod::sequencer::client
