// The parts of SequencerClient put together. Everything runs on the executor's thread.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "sequencer/client/client.h"
#include "sequencer/client/connection.h"
#include "sequencer/client/event_validator.h"
#include "sequencer/client/pool.h"
#include "sequencer/client/send_tracker.h"
#include "sequencer/client/synchronizer_clock.h"

namespace synod::sequencer::client {

class SequencerClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ClientConfig config, ClientParts parts, Handlers handlers);

  void start();
  void stop();
  void verify_active(std::function<void(Result<bool>)> done);
  void onboard(std::vector<topology::SignedTransaction> transactions, Duration timeout,
               std::function<void(Status)> done);
  void download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done);
  void get_time(std::function<void(Result<std::optional<Timestamp>>)> done);
  void subscribe(std::optional<ResumePoint> resume);
  void processed(Timestamp timestamp);
  void send(protocol::Submission submission, SendOptions options, SendCallback done);
  void await_time(Timestamp timestamp);
  void set_endpoints(std::vector<Endpoint> endpoints);
  std::optional<Timestamp> last_timestamp() const;
  Timestamp now();  // of the synchronizer, as far as this member knows
  std::vector<ConnectionStatus> connections() const;
  PoolHealth health() const { return pool_.health(); }
  std::shared_ptr<Executor> executor() const { return parts_->executor; }

 private:
  // client.cc: connections and calls
  void open_connection(ConnectionIndex index, const Endpoint& endpoint);
  Status validated(ConnectionIndex index, const Attributes& attributes);
  void lost(ConnectionIndex index, const Error& error);
  void pool_changed();
  void fatal(const Error& error);
  void want_authentication();
  // Runs `use` with a usable connection outside `excluded`, waiting for one at most config.call_timeout.
  void with_connection(std::set<protocol::Member> excluded, std::function<void(Result<ConnectionIndex>)> use);
  void with_connection_until(std::int64_t deadline, std::set<protocol::Member> excluded,
                             std::function<void(Result<ConnectionIndex>)> use);
  void poll_active(std::int64_t deadline, std::function<void(Status)> done);
  struct Download;
  void download_step(std::shared_ptr<Download> download);
  void download_failed(const std::shared_ptr<Download>& download, const Error& error);
  // Posts `task` after `delay` unless stopped by then.
  TimerId after(Duration delay, std::function<void()> task);
  std::int64_t mono() const { return parts_->clock->monotonic_micros(); }

  // events.cc: subscriptions, delivery, acknowledgements
  void ensure_subscriptions();
  void start_subscription(ConnectionIndex index, const protocol::Member& sequencer);
  void subscription_ended(ConnectionIndex index, const Error& error, bool faulty);
  void leave_unusable();
  void move_subscription(ConnectionIndex from, ConnectionIndex to);
  // Moves a subscription from a fallback to a preferred sequencer that has been usable for config.return_delay.
  void consider_return();
  std::set<protocol::Member> not_now() const;  // subscribed already, or failed a moment ago
  void received(ConnectionIndex index, Bytes bytes, std::string traceparent, std::size_t credit);
  void deliver_ready();
  void deliver(ReceivedEvent event);
  void release(const protocol::Member& sequencer, std::size_t credit);
  void acknowledge_later();
  void acknowledge();

  // sends.cc: submissions and the passing of time
  void pump_sends();
  void attempt(const std::string& message_id, ConnectionIndex connection);
  // A receipt is late: asks those who owe it, and those who should deliver it, whether they live.
  void probe_silent(const std::string& message_id);
  // Nobody takes it with its rule: once more without, to one sequencer only.
  Status give_up_repeating(const std::string& message_id);
  void complete(std::vector<Completion> completions);
  void observe(const protocol::SequencedEvent& event);
  void schedule_tick();
  void tick_if_needed();
  void tick_if_quiet();
  void tick();
  std::optional<Timestamp> awaited() const;

  struct PendingSend {
    Bytes signed_request;
    std::string traceparent;
    SendCallback done;
    bool deduplicated = false;  // by the rule that was added here
    // This machine's clocks when it was first given to a sequencer.
    std::optional<std::pair<Timestamp, std::int64_t>> sent;
    // Sequencers refused it only because its max sequencing time is too far away for the rule.
    bool too_far = false;
    bool otherwise = false;  // something else happened to it: somebody may have it
  };
  struct Subscription {
    protocol::Member sequencer;
  };
  struct Backoff {
    Duration delay;
    std::int64_t until = 0;
  };

  std::shared_ptr<const ClientConfig> config_;
  std::shared_ptr<const ClientParts> parts_;
  Handlers handlers_;
  Pool pool_;
  std::vector<std::unique_ptr<Connection>> connections_;  // indexes stay; retired ones are stopped
  bool stopped_ = false;
  bool connected_ = false;
  bool authentication_wanted_ = false;
  std::optional<PoolHealth> reported_health_;

  SynchronizerClock clock_;

  bool subscribed_ = false;
  std::optional<ResumePoint> resume_;
  std::optional<EventValidator> validator_;
  std::map<ConnectionIndex, Subscription> subscriptions_;
  std::map<ConnectionIndex, Backoff> backoff_;
  std::optional<std::int64_t> preferred_since_;  // a preferred sequencer could replace a fallback since then
  bool delivering_ = false;
  struct Unprocessed {
    Timestamp timestamp;
    std::vector<std::pair<protocol::Member, std::size_t>> credits;
  };
  std::deque<Unprocessed> unprocessed_;
  std::optional<Timestamp> last_delivered_;
  std::int64_t last_event_at_ = 0;  // monotonic µs; the subscription's begin counts
  std::optional<Timestamp> processed_;
  std::optional<Timestamp> acknowledged_;

  SendTracker tracker_;
  std::map<std::string, PendingSend> sends_;
  bool pumping_ = false;
  std::optional<std::int64_t> pump_timer_at_;
  std::set<Timestamp> awaited_;
  std::optional<std::int64_t> tick_timer_at_;
  std::optional<std::string> tick_in_flight_;
};

}  // namespace synod::sequencer::client
