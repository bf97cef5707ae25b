#include "sequencer/sequencer_node.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "base/crash_point.h"
#include "base/forward_clock.h"
#include "base/log.h"
#include "sequencer/admin_services.h"
#include "sequencer/availability.h"
#include "sequencer/block_queue.h"
#include "sequencer/catch_up.h"
#include "sequencer/deliver_error.h"
#include "sequencer/group_place.h"
#include "sequencer/housekeeping.h"
#include "sequencer/log_component.h"
#include "sequencer/node_state.h"
#include "sequencer/public_services.h"
#include "sequencer/tick.h"

namespace synod::sequencer {
namespace {

constexpr Duration kStoreRetry = Duration::milliseconds(250);
constexpr Duration kHealthCheckReady = Duration::milliseconds(500);
constexpr Duration kHealthCheckStarting = Duration::milliseconds(50);
constexpr Duration kLongestTimer = Duration::seconds(60);
constexpr Duration kLongestHold = Duration::seconds(60);  // for a block that an engine counts and does not give
constexpr std::chrono::milliseconds kHandOverPoll(2);
constexpr Duration kStatusPatience = Duration::milliseconds(500);  // with a loop that is at one thing
constexpr Duration kStatusLimit = Duration::seconds(5);            // with one that has much to do

bool worth_another_attempt(const ordering::SubmitResult& result) {
  if (result.outcome == ordering::SubmitOutcome::unknown) return true;
  return result.error && (result.error->id == "ORDERING_UNAVAILABLE" || result.error->id == "ORDERING_OVERLOADED");
}

}  // namespace

struct SequencerNode::Impl final : NodeState, std::enable_shared_from_this<SequencerNode::Impl> {
  // Blocks come on the log's thread.
  struct Sink final : ordering::BlockSink {
    explicit Sink(Impl& impl) : node(impl) {}
    void on_block(ordering::Block block) override { node.queue_.push(std::move(block)); }
    void on_end(Error error) override {
      node.loop_.post([this, error = std::move(error)] { node.fail_for_good(error); });
    }
    Impl& node;
  };

  Impl(SequencerConfig config, SequencerParts parts)
      : config_(config),
        parts_(std::move(parts)),
        authenticator_(AuthenticationLimits{config.nonce_lifetime, config.token_lifetime, config.max_tokens_per_member,
                                            config.max_nonces},
                       parts_.synchronizer, parts_.random),
        admitted_(config.admitted_bytes),
        reader_(*parts_.store, parts_.synchronizer),
        signer_(config.signed_event_cache_bytes),
        loop_("sequencer"),
        delivery_loop_("seq-deliver"),
        availability_(loop_, delivery_loop_, *parts_.log, config.stall_patience),
        subscriptions_({.max_per_member = config.max_subscriptions_per_member,
                        .fresh_bytes = config.fresh_event_bytes,
                        .bytes_per_read =
                            std::clamp<std::size_t>(config.max_stream_bytes, 1, SubscriptionLimits().bytes_per_read)},
                       delivery_loop_, parts_.clock, reader_, signer_),
        queue_(
            config.catch_up_threads, [this](const ordering::Block& block) { return prepare(block); },
            [this] { loop_.post([this] { take_block(); }); }),
        housekeeping_(*this) {}

  Status open() {
    SYNOD_TRY(auto opened,
              SequencerCore::open(CoreConfig{parts_.synchronizer, parts_.self}, parts_.initial, *parts_.store));
    core_ = std::move(opened.core);
    SYNOD_RETURN_IF_ERROR(access_.load(*parts_.store));
    for (const auto& member : access_.disabled()) authenticator_.block(member, true);
    if (!opened.writes.empty()) SYNOD_RETURN_IF_ERROR(parts_.store->write(opened.writes, storage::Sync::yes));
    refresh_topology();
    publish();
    if (!signing_.key_at(core_->last_time().next())) {
      return fail(
          failed_precondition("SEQUENCER_KEY_MISSING", "none of the protocol keys that the topology registers for " +
                                                           parts_.self.to_string() + " is in the key store"));
    }
    writer_ = std::make_unique<Writer>(config_.writer, parts_.synchronizer, parts_.self,
                                       Writer::first_number(core_->latest_number(parts_.self), parts_.clock->now()),
                                       [this](const crypto::Hash& hash) -> Result<crypto::Signature> {
                                         const auto key = signing_.key_at(core_->last_time().next());
                                         if (!key)
                                           return fail(internal_error("this sequencer has no registered protocol key"));
                                         return crypto::sign_to_return(hash, *key);
                                       });
    writer_->hold();
    return {};
  }

  // --- NodeState
  // -------------------------------------------------------------------------------------------------------

  const SequencerConfig& config() const override { return config_; }
  const SequencerParts& parts() const override { return parts_; }
  std::shared_ptr<const PublicView> view() const override {
    std::lock_guard lock(public_mutex_);
    return view_;
  }
  MemberAuthenticator& authenticator() override { return authenticator_; }
  Subscriptions& subscriptions() override { return subscriptions_; }
  RateLimits& rates() override { return rates_; }
  AdmittedSubmissions& admitted() override { return admitted_; }
  MemberAccess& access() override { return access_; }
  Housekeeping& housekeeping() override { return housekeeping_; }
  Executor& executor() override { return loop_; }
  const Writer& writer() const override { return *writer_; }
  Status accepting() const override { return availability_.accepting(); }
  void submit(SealedEntry entry, std::function<void(Status)> done) override {
    // What waits for the loop is bounded like what waits for being sealed, or it would grow while the loop is held up.
    const std::size_t bytes = entry.bytes();
    if (queued_bytes_.fetch_add(bytes) + bytes > config_.writer.max_waiting_bytes) {
      queued_bytes_ -= bytes;
      return done(fail(overloaded("Too many requests wait for this sequencer. Retry later or through another one.")));
    }
    loop_.post([this, bytes, entry = std::move(entry), done = std::move(done)]() mutable {
      queued_bytes_ -= bytes;
      if (stopped_) return done(fail(unavailable("SEQUENCER_UNAVAILABLE", "The sequencer is shutting down.")));
      auto effects = writer_->accept(std::move(entry), now());
      if (!effects) return done(fail(effects.error()));
      carry_out(std::move(*effects));
      done({});
    });
  }
  void with_core(std::function<void(const SequencerCore&)> task) override {
    loop_.post([this, task = std::move(task)] { task(*core_); });
  }

  // --- life
  // ------------------------------------------------------------------------------------------------------------

  void start(rpc::Health* health) {
    availability_.start(health);
    started_ = true;
    sink_ = std::make_shared<Sink>(*this);
    subscription_ = parts_.log->subscribe(core_->next_height(), sink_);
    subscription_->request(config_.block_window);
    housekeeping_.start();
    // No request is taken before it is known how far behind the log this sequencer is.
    std::promise<void> looked;
    loop_.post([this, &looked] {
      catch_up_.emplace(core_->height(), parts_.clock->monotonic_micros());
      check_health();
      schedule_tick();
      looked.set_value();
    });
    looked.get_future().wait();
    log::info(kLog, "{} resumes at height {}", parts_.self.to_string(), core_->next_height().value);
  }

  void stop() {
    if (stopped_.exchange(true)) return;
    availability_.close();
    hand_over();
    availability_.stop();
    subscriptions_.close_all();
    loop_.stop();  // first: its tasks use the subscription
    housekeeping_.stop();
    subscription_.reset();
    queue_.stop();
    delivery_loop_.stop();
    finished_ = true;
  }

  // Waits until the log has what was accepted; nothing new is. Not for a loop that is held up.
  void hand_over() {
    const std::int64_t give_up = parts_.clock->monotonic_micros() + config_.stop_patience.micros;
    const auto left = [&] { return std::chrono::microseconds(give_up - parts_.clock->monotonic_micros()); };
    while (left().count() > 0) {
      auto asked = std::make_shared<std::promise<bool>>();
      auto answer = asked->get_future();
      loop_.post([this, asked] { asked->set_value(failed_ || writer_->handed_over()); });
      if (answer.wait_for(left()) != std::future_status::ready || answer.get()) return;
      std::this_thread::sleep_for(std::min<std::chrono::microseconds>(left(), kHandOverPoll));
    }
  }

  // --- blocks
  // ----------------------------------------------------------------------------------------------------------

  PreparedBlock prepare(const ordering::Block& block) { return prepare_block(block, view()->current, &admitted_); }

  // One block a turn of the loop, so that submissions get theirs in between.
  void take_block() {
    if (unapplied_ || failed_) return;
    auto ready = queue_.pop();
    if (!ready) return;
    if (!ready->prepared) ready->prepared = prepare(ready->block);
    auto effects = core_->on_block(ready->block, *ready->prepared);
    if (!effects) return fail_for_good(effects.error());
    if (effects->fork) {
      // What was delivered of late may be wrong already: members turn to the others.
      log::alarm(kLog, "this sequencer is on a fork and stops");
      subscriptions_.close_all();
      return fail_for_good(*effects->fork);
    }
    unapplied_ = std::move(*effects);
    apply();
  }

  // The core is ahead of the store until this succeeds; nothing is told to anyone before.
  void apply() {
    availability_.waits_for_cache(true);
    passing(crash_points::kBlockUnwritten);
    const Status written = parts_.store->write(unapplied_->writes, storage::Sync::no);
    passing(crash_points::kBlockWritten);
    availability_.waits_for_cache(false);
    if (!written) {
      if (store_error_.empty()) {
        log::error(kLog, "the cache does not take block {}: {}", core_->status().height.value,
                   written.error().to_string());
      }
      store_error_ = "The sequencer's cache cannot be written: " + written.error().cause;
      availability_.set_not_accepting(store_error_);
      loop_.after(kStoreRetry, [this] { apply(); });
      return;
    }
    if (!store_error_.empty()) {
      log::info(kLog, "the cache takes blocks again");
      store_error_.clear();
      availability_.set_not_accepting("");
    }
    const BlockEffects effects = std::move(*unapplied_);
    unapplied_.reset();
    subscription_->request(1);
    writer_->applied(core_->height(), core_->digest());
    if (effects.topology_changed) refresh_topology();
    publish();
    subscriptions_.notify(effects.events);
    for (const SequenceNumber number : effects.own) carry_out(writer_->on_ordered(number, now()));
    if (takes_effect(effects.topology_changed)) {
      revoke();
      judge_health();
    }
    schedule_tick();
    if (queue_.size() > 0) loop_.post([this] { take_block(); });
  }

  void refresh_topology() {
    signing_ = SigningHistory(core_->topology(), parts_.self, *parts_.keys);
    signer_.use(signing_);
    auto members = std::make_shared<std::map<protocol::Member, RegisteredMember>>();
    for (const MemberStatus& member : core_->members()) {
      members->emplace(member.member, RegisteredMember{member.number, member.registered_at});
    }
    members_ = std::move(members);
  }

  // A change of the topology is known, or an earlier one is in force now. Not at each block in between: to look at
  // every member who is connected takes time.
  bool takes_effect(bool changed) {
    bool due = changed;
    if (changed) {
      if (const auto effective = core_->topology().last_effective_change()) topology_due_.insert(*effective);
    }
    while (!topology_due_.empty() && *topology_due_.begin() <= core_->last_time()) {
      topology_due_.erase(topology_due_.begin());
      due = true;
    }
    return due;
  }

  // Access ends when a change is known, and again when it takes effect.
  void revoke() {
    for (const auto& member : authenticator_.revoke_inactive(view()->authentication())) subscriptions_.close(member);
  }

  void publish() {
    auto view = std::make_shared<PublicView>(
        PublicView{core_->current_snapshot(), core_->head_snapshot(), core_->last_time(), members_});
    std::lock_guard lock(public_mutex_);
    view_ = std::move(view);
  }

  void fail_for_good(const Error& error) {
    if (failed_) return;
    failed_ = true;
    log::error(kLog, "no more blocks are taken: {}", error.to_string());
    std::string reason = "The sequencer no longer follows the log: " + error.cause;
    if (error.id == "ORDERING_HEIGHT_PRUNED") {
      reason +=
          ". It can begin with a peer's state: `synod sequencer export-state` there; here an empty cache, and the file "
          "as onboarding-state";
    }
    availability_.set_not_accepting(reason);
  }

  // --- requests into the log
  // -------------------------------------------------------------------------------------------

  void carry_out(Writer::Effects effects) {
    for (Writer::Submit& submit : effects.submit) {
      passing(crash_points::kBatchSealed);
      parts_.log->submit(std::move(submit.record), [weak = weak_from_this(),
                                                    number = submit.number](const ordering::SubmitResult& result) {
        passing(crash_points::kBatchAccepted);
        const auto self = weak.lock();
        if (!self) return;
        if (result.error) log::debug(kLog, "batch {}: {}", number.value, result.error->to_string());
        self->loop_.post([node = self.get(), number, outcome = result.outcome, again = worth_another_attempt(result)] {
          node->carry_out(node->writer_->on_submitted(number, outcome, again, node->now()));
        });
      });
    }
    if (!effects.call_again_at) return;
    if (writer_timer_ != 0 && writer_due_ <= *effects.call_again_at) return;
    if (writer_timer_ != 0) loop_.cancel(writer_timer_);
    writer_due_ = *effects.call_again_at;
    writer_timer_ = loop_.after(std::max(writer_due_ - now(), Duration{}), [this] {
      writer_timer_ = 0;
      const auto head = parts_.log->health().head;
      carry_out(writer_->on_time(now(), head.value_or(core_->height())));
    });
  }

  // --- time
  // ------------------------------------------------------------------------------------------------------------

  // By which it seals. On the loop.
  Timestamp now() {
    return forward_clock_.now(parts_.clock->now(), parts_.clock->monotonic_micros(), core_->last_time());
  }

  std::optional<Timestamp> tick_due() {
    return sequencer::tick_due(*core_, parts_.self, now(), last_tick_, config_.tick_interval);
  }

  void schedule_tick() {
    if (tick_timer_ != 0) loop_.cancel(tick_timer_);
    tick_timer_ = 0;
    const auto due = tick_due();
    // Without a place for blocks there is nothing to tick for; apply() comes back here.
    if (!due || !started_ || failed_ || unapplied_) return;
    const Duration wait = std::clamp(*due - now(), Duration{}, kLongestTimer);
    tick_timer_ = loop_.after(wait, [this] {
      tick_timer_ = 0;
      const auto still_due = tick_due();
      const Timestamp at = now();
      if (still_due && *still_due <= at && !failed_ && !unapplied_) {
        last_tick_ = at;
        carry_out(writer_->tick(at));
      }
      schedule_tick();
    });
  }

  // --- health
  // ----------------------------------------------------------------------------------------------------------

  void check_health() {
    const bool settled = judge_health();
    loop_.after(settled ? kHealthCheckReady : kHealthCheckStarting, [this] { check_health(); });
  }

  // Whether requests are taken; true if they are.
  bool judge_health() {
    const ordering::Health health = parts_.log->health();
    const bool ready = health.state == ordering::Health::State::ready;
    std::string reason;
    if (health.state == ordering::Health::State::read_only || health.state == ordering::Health::State::stopped) {
      reason = "The ordering service takes no requests: " + health.last_error;
    } else if (ready) {
      reason = catching_up(health);
      if (reason.empty()) reason = begin_sealing(health);
      if (reason.empty()) reason = outside_group();
    } else if (catch_up_ && catch_up_->behind()) {
      reason = "The sequencer has not reached the ordering service yet, and does not know what it has missed" +
               (health.last_error.empty() ? "." : ": " + health.last_error);
    }
    if (!failed_ && store_error_.empty()) availability_.set_not_accepting(reason);
    availability_.tell();
    return ready && reason.empty();
  }

  // Once the blocks are read that existed when this sequencer had caught up (Writer::hold). Empty: it has begun.
  std::string begin_sealing(const ordering::Health& health) {
    if (!writer_->held() || !catch_up_) return {};
    const std::int64_t at = parts_.clock->monotonic_micros();
    if (!held_since_) held_since_ = at;
    if (!head_at_start_) head_at_start_ = health.head;
    // A log that was replaced by a copy may be shorter now.
    const auto head = head_at_start_ && health.head ? std::min(*head_at_start_, *health.head) : core_->height();
    const bool read = core_->height() >= head && !unapplied_;
    if (!read && at < *held_since_ + kLongestHold.micros)
      return "The sequencer reads the log up to block " + std::to_string(head.value) + ", where it was at the start.";
    if (!read) log::warn(kLog, "block {} of the log does not come; requests are taken without it", head.value);
    carry_out(writer_->begin(now()));
    return {};
  }

  // Empty once this sequencer has read what it had missed.
  std::string catching_up(const ordering::Health& health) {
    if (!catch_up_ || catch_up_->done()) return {};
    const std::int64_t now = parts_.clock->monotonic_micros();
    catch_up_->observe(core_->height(), health.head, now);
    if (catch_up_->behind() && catch_up_->report_due(now)) log::info(kLog, "reads the log: {}", catch_up_->text());
    if (catch_up_->done()) {
      log::info(kLog, "has read the log up to height {}", core_->height().value);
      return {};
    }
    if (!catch_up_->behind()) return {};
    return "The sequencer reads what it has missed of the log: " + catch_up_->text() + ".";
  }

  // Empty if this sequencer has a part in ordering.
  std::string outside_group() const {
    const auto place = group_place(parts_.self, core_->current_snapshot(), core_->head_snapshot());
    if (place && !place->leaving) return {};
    return parts_.self.to_string() +
           (place ? " is leaving the synchronizer." : " is not an active sequencer of the synchronizer.");
  }

  SequencerStatus status() {
    SequencerStatus outside;  // what is known without the loop
    outside.log = parts_.log->health();
    if (const auto taking = accepting(); !taking) {
      outside.accepting = false;
      outside.reason = taking.error().cause;
    }
    outside.delivered = subscriptions_.delivered();
    {
      std::lock_guard lock(public_mutex_);
      outside.core = last_told_;
    }
    auto status = std::make_shared<SequencerStatus>(outside);
    const auto from_core = [this, status] {
      status->core = core_->status();
      status->members = core_->members();
      status->waiting_bytes = writer_->waiting_bytes();
      status->unordered_batches = writer_->unordered();
      if (catch_up_ && !catch_up_->done()) status->catch_up = catch_up_->text();
      std::lock_guard lock(public_mutex_);
      last_told_ = status->core;
    };
    if (finished_ || loop_.in_loop_thread()) {
      from_core();
      return *status;
    }
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    loop_.post([from_core, done] {
      from_core();
      done->set_value();
    });
    const std::int64_t give_up = parts_.clock->monotonic_micros() + kStatusLimit.micros;
    try {
      // The loop may be held up, by a cache that hangs or otherwise; who asks learns of it.
      while (future.wait_for(std::chrono::microseconds(kStatusPatience.micros)) == std::future_status::timeout) {
        const auto why = availability_.stalled(kStatusPatience);
        if (!why && parts_.clock->monotonic_micros() < give_up) continue;
        if (why) {
          outside.accepting = false;
          outside.reason = *why;
        }
        return outside;
      }
      future.get();
    } catch (const std::future_error&) {
      // The loop was stopped and has dropped the task: nobody else touches the core any more.
      from_core();
    }
    return *status;
  }

  const SequencerConfig config_;
  const SequencerParts parts_;
  MemberAuthenticator authenticator_;
  RateLimits rates_;
  AdmittedSubmissions admitted_;
  MemberAccess access_;
  EventReader reader_;
  EventSigner signer_;

  mutable std::mutex public_mutex_;  // guards the next two
  std::shared_ptr<const PublicView> view_;
  CoreStatus last_told_;  // when the status was asked for last

  std::atomic<std::size_t> queued_bytes_ = 0;  // requests that wait for the loop

  // Everything below belongs to loop_.
  std::unique_ptr<SequencerCore> core_;
  std::unique_ptr<Writer> writer_;
  ForwardClock forward_clock_;
  SigningHistory signing_;
  std::shared_ptr<const std::map<protocol::Member, RegisteredMember>> members_;
  std::optional<CatchUp> catch_up_;
  std::optional<ordering::Height> head_at_start_;  // of the log, when this sequencer had caught up
  std::optional<std::int64_t> held_since_;
  std::optional<BlockEffects> unapplied_;  // a block that the store has not taken yet
  bool failed_ = false;
  std::set<Timestamp> topology_due_;  // when changes that are known take effect
  std::string store_error_;
  TimerId writer_timer_ = 0;
  Timestamp writer_due_;
  TimerId tick_timer_ = 0;
  Timestamp last_tick_;
  bool started_ = false;
  std::atomic<bool> stopped_ = false;   // stop() has begun
  std::atomic<bool> finished_ = false;  // no loop runs any more

  EventLoop loop_;
  EventLoop delivery_loop_;
  Availability availability_;
  Subscriptions subscriptions_;
  BlockQueue queue_;
  Housekeeping housekeeping_;
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<ordering::Subscription> subscription_;
};

SequencerNode::SequencerNode(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
SequencerNode::~SequencerNode() { stop(); }

Result<std::unique_ptr<SequencerNode>> SequencerNode::create(SequencerConfig config, SequencerParts parts) {
  auto impl = std::make_shared<Impl>(config, std::move(parts));
  SYNOD_RETURN_IF_ERROR(impl->open());
  return std::unique_ptr<SequencerNode>(new SequencerNode(std::move(impl)));
}

std::vector<std::shared_ptr<grpc::Service>> SequencerNode::services() {
  return {make_api_info_service(), make_connect_service(*impl_), make_authentication_service(*impl_),
          make_sequencer_service(*impl_)};
}

std::vector<std::shared_ptr<grpc::Service>> SequencerNode::admin_services() {
  return {make_administration_service(*impl_), make_pruning_service(*impl_), make_operations_service(*impl_)};
}

void SequencerNode::start(rpc::Health* health) { impl_->start(health); }
void SequencerNode::stop() { impl_->stop(); }
Status SequencerNode::health() const { return impl_->availability_.health(); }
SequencerStatus SequencerNode::status() const { return impl_->status(); }

}  // namespace synod::sequencer
