// A participant that only sends and receives: the load of the ordering benchmark.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/ordering/load_client.h"
#include "participant/node/identity.h"
#include "sequencer/client/client.h"
#include "topology/state.h"

namespace synod::bench {

class LoadMember final : public LoadClient {
 public:
  // Connects to that sequencer alone. Keys are in memory: the member lives as long as the benchmark. Several members
  // may share a loop.
  LoadMember(std::string name, sequencer::client::Endpoint sequencer, std::shared_ptr<EventLoop> loop);
  ~LoadMember() override;

  const protocol::Member& id() const { return identity_.member; }
  // Joins the synchronizer and subscribes: begin_join() at once, wait_joined() when it is done.
  void begin_join();
  Status wait_joined(Duration patience);

  std::uint64_t events() const { return events_; }  // received so far

  // Who gets what it sends.
  void send_to(std::vector<protocol::Member> recipients) { recipients_ = std::move(recipients); }

  // After wait_joined(). Broadcasts topology transactions, of others as well, in one message, and waits until they are
  // in force: until an event of a later time has come.
  Status broadcast(std::vector<topology::SignedTransaction> transactions, Duration patience);
  // The topology as this member knows it now.
  topology::Snapshot topology_snapshot();

 private:
  void broadcast_on_loop(std::vector<topology::SignedTransaction> transactions,
                         std::shared_ptr<std::promise<Status>> done);
  void send(Bytes payload, std::uint64_t i) override;
  void on_event(const sequencer::client::Delivered& delivered);
  void stopped(const Error& error);

  participant::Identity identity_;
  std::optional<topology::TopologyState> topology_;
  std::unique_ptr<sequencer::client::SequencerClient> client_;
  std::promise<Status> joined_;
  bool join_reported_ = false;
  std::atomic<std::uint64_t> events_ = 0;
  std::vector<protocol::Member> recipients_;
  std::optional<Timestamp> awaited_;  // an event later than this, for in_force_
  std::shared_ptr<std::promise<Status>> in_force_;
};

}  // namespace synod::bench
