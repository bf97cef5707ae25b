// A member's link to its synchronizer: several sequencers behind one interface that sends, receives, and goes on when
// one of them fails. Facts: canton-protocol §1.2, §1.3, §5.
//
// The order of use (each callback on the executor's thread):
//   1. make a SequencerClient, start(): connections come up; on_connected tells the synchronizer's id and parameters
//   2. new participant: verify_active(); if not, onboard(transactions)
//   3. first time: download_topology(), import it into the node's TopologyState
//   4. subscribe(resume point or none): on_event gets every event in order, exactly once
//   5. send() at any time after 3
//
// Thread rules: all methods on the executor's thread, apart from the destructor. All handlers and callbacks run there.
// After stop() none runs any more; callbacks of unfinished calls are dropped.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "protocol/sequenced_event.h"
#include "protocol/submission.h"
#include "sequencer/client/config.h"
#include "topology/parameters.h"
#include "topology/snapshot.h"
#include "topology/transaction.h"

namespace synod::sequencer::client {

// Where a member stands in its stream of events; a node stores this with each event it has processed.
struct ResumePoint {
  Timestamp timestamp;
  // Of the event at that time, to notice a forked sequencer when it is delivered again. Unset: not compared.
  crypto::Hash content_hash;
};

struct Delivered {
  protocol::SequencedEvent event;
  crypto::Hash content_hash;  // purpose 1 over the bytes received; for the ResumePoint
  std::string traceparent;    // of the sender, or empty
  std::size_t bytes = 0;      // as received
};

struct ConnectionStatus {
  std::string name;
  std::string address;
  std::optional<protocol::Member> sequencer;  // once known
  std::string state;                          // connecting, validated, serving, not serving, refused: <why>
  std::string last_error;
  bool subscribed = false;
};

enum class PoolHealth {
  failed,    // too few sequencers to go on
  degraded,  // works, but without the configured margin
  ok,
};

struct Handlers {
  // The pool has its synchronizer. Once.
  std::function<void(const protocol::PhysicalSynchronizerId&, const topology::StaticParameters&)> on_connected;
  // The topology as of that sequencing time, for the sequencer's signature; called right before on_event, when all
  // earlier events have been given to on_event.
  std::function<topology::Snapshot(Timestamp)> snapshot_at;
  // Each event once, in order. The next events keep coming; back-pressure and acknowledgements go by processed().
  std::function<void(Delivered)> on_event;
  std::function<void(PoolHealth, const std::string& reason)> on_health;
  // Nothing can go on: no sequencer serves this synchronizer, or a fork was seen. Also logged as an error.
  std::function<void(const Error&)> on_fatal;
};

struct SendOptions {
  // May be sent more than once; the synchronizer takes it once (sender de-duplication is added if there is no other
  // aggregation rule). False, or a max sequencing time too far for aggregation: one attempt.
  bool amplify = true;
  std::string traceparent;
};

// The sequencing time, or why not: the id of a rejection by the synchronizer (e.g. SEQUENCER_UNKNOWN_RECIPIENTS,
// context `sequencing_time`), SEQUENCER_SUBMISSION_TIMED_OUT when the max sequencing time has passed, or the refusal of
// the sequencers that were asked.
using SendCallback = std::function<void(Result<Timestamp>)>;

struct ClientParts {
  protocol::Member member;
  std::shared_ptr<crypto::KeyStore> keys;  // holds the member's authentication and protocol keys
  std::shared_ptr<Executor> executor;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
};

class SequencerClient {
 public:
  SequencerClient(ClientConfig config, ClientParts parts, Handlers handlers);
  ~SequencerClient();  // any thread; as stop(), but a handler that runs at this moment may still end

  void start();
  void stop();

  // Is the member active on the synchronizer?
  void verify_active(std::function<void(Result<bool>)> done);
  // Registers onboarding transactions and waits until the member is active (bounded by `timeout`).
  void onboard(std::vector<topology::SignedTransaction> transactions, Duration timeout,
               std::function<void(Status)> done);
  // The topology state to begin with, confirmed by trust_threshold sequencers and checked against its hash.
  void download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done);
  // A sequencing time such that whatever is sent later is sequenced after it; none before the first block.
  void get_time(std::function<void(Result<std::optional<Timestamp>>)> done);

  // Once. With a resume point the event at that time is delivered again by the sequencer, compared and left out.
  void subscribe(std::optional<ResumePoint> resume);
  // Everything up to this event has been processed for good: frees its place in the queue and may be acknowledged.
  void processed(Timestamp timestamp);

  // Signs and sends. The callback comes once: when the receipt is seen, or as SendCallback says.
  void send(protocol::Submission submission, SendOptions options, SendCallback done);
  // Makes sure that an event with at least this timestamp will be delivered, without which nobody would notice that the
  // time has passed: sends an empty submission if nothing else comes.
  void await_time(Timestamp timestamp);

  // The sequencers to use from now on, instead of ClientConfig::endpoints: connections to addresses that stay are kept,
  // others are closed or opened. What was given to a sequencer that goes is sent again through the others.
  void set_endpoints(std::vector<Endpoint> endpoints);

  // The newest timestamp delivered or resumed from.
  std::optional<Timestamp> last_timestamp() const;
  // The synchronizer's time as far as this member knows: its own clock's, but not earlier than last_timestamp().
  Timestamp now();
  std::vector<ConnectionStatus> connections() const;
  PoolHealth health() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::sequencer::client
