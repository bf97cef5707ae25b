// A sequencer in the simulator: the real SequencerCore, Writer, admission and event store behind simulated I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/forward_clock.h"
#include "sequencer/core.h"
#include "sequencer/event_signer.h"
#include "sequencer/event_store.h"
#include "sequencer/writer.h"
#include "storage/memory/memory_store.h"
#include "tests/sim/deployment.h"
#include "tests/sim/promises.h"
#include "tests/sim/sim_log.h"

namespace synod::sim {

class SimSequencer final : public Process {
 public:
  // Where a subscriber's items go: subscription, position in it from 0, signed event.
  using Stream = std::function<void(std::uint64_t subscription, std::uint64_t index, const Bytes& signed_event)>;

  SimSequencer(World& world, Network& network, SimLog& log, Promises& promises, protocol::Member self);

  const protocol::Member& self() const { return self_; }
  storage::MemoryStore& store() { return store_; }

  // Called by arriving messages.
  void send(Process& from, const protocol::Member& sender, const Bytes& signed_request,
            std::function<void(Status)> reply);
  void acknowledge(const protocol::Member& member, const Bytes& signed_request);
  void subscribe(Process& from, const protocol::Member& member, std::uint64_t subscription,
                 std::optional<Timestamp> inclusive, Stream stream);

  std::size_t waiting_bytes() const { return life_state_ ? life_state_->writer->waiting_bytes() : 0; }
  std::size_t unordered_batches() const { return life_state_ ? life_state_->writer->unordered() : 0; }
  static const sequencer::WriterConfig& limits();

  // For the checks at the end.
  const sequencer::SequencerCore* core() const { return life_state_ ? life_state_->core.get() : nullptr; }
  Result<std::vector<sequencer::MemberEvent>> all_events(const protocol::Member& member) const;

 private:
  struct Subscriber {
    Process* process;
    std::uint64_t life;
    std::uint64_t subscription;
    Timestamp next;
    std::uint64_t index = 0;
    Stream stream;
  };
  // What a crash takes away.
  struct Life {
    std::unique_ptr<sequencer::SequencerCore> core;
    std::unique_ptr<sequencer::Writer> writer;
    ordering::Height head_at_start;  // of the log
    ForwardClock forward_clock;
    sequencer::SigningHistory signing;
    sequencer::EventSigner signer{1u << 20};
    std::map<protocol::Member, Subscriber> subscribers;
    std::optional<sequencer::BlockEffects> unapplied;
    std::optional<Timestamp> writer_due;
    Timestamp last_tick;
    Timestamp last_block_seen;
  };

  void boot() override;
  void halt(bool machine) override;
  Timestamp now();  // by which it seals
  void follow_log();
  void watch_log();
  void take(const ordering::Block& block);
  void apply();
  void begin_sealing();
  void refresh_topology();
  void pump(const protocol::Member& member);
  void carry_out(sequencer::Writer::Effects effects);
  std::optional<Timestamp> tick_due();
  void watch_time();

  Network& network_;
  SimLog& log_;
  Promises& promises_;
  const protocol::Member self_;
  const Deployment& deployment_;
  storage::MemoryStore store_;
  std::unique_ptr<Life> life_state_;
};

}  // namespace synod::sim
