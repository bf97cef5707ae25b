#include "ordering/kafka/keeper.h"

#include <future>

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

constexpr Duration kTimeout = Duration::seconds(1);
constexpr Duration kAdminTimeout = Duration::seconds(10);
constexpr int kExamineEvery = 30;  // checks; the settings of a topic seldom change

}  // namespace

Keeper::Keeper(std::shared_ptr<Link> link, std::shared_ptr<Submitter> submitter)
    : link_(std::move(link)), submitter_(std::move(submitter)), delay_(link_->config.min_reconnect_delay) {}

void Keeper::start() {
  {
    std::lock_guard lock(link_->mutex);
    link_->on_trouble = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->check_soon();
    };
  }
  link_->loop.post([self = shared_from_this()] { self->check(); });
}

bool Keeper::stopping() const {
  std::lock_guard lock(link_->mutex);
  return link_->stopping;
}

// One check more than the regular ones, whatever the number of troubles.
void Keeper::check_soon() {
  if (check_posted_.exchange(true)) return;
  link_->loop.after(link_->config.min_reconnect_delay, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->check_posted_ = false;
    if (!self->stopping() && !self->inspect()) self->check_soon();
  });
}

void Keeper::check() {
  if (stopping()) return;
  Duration next = link_->config.check_interval;
  if (!inspect()) {
    next = delay_;
    delay_ = std::min(delay_ * 2, link_->config.max_reconnect_delay);
  } else {
    delay_ = link_->config.min_reconnect_delay;
  }
  link_->loop.after(next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->check();
  });
}

Status Keeper::inspect() {
  if (!client_) {
    auto conf = make_conf(link_->config, {}, nullptr);
    if (!conf) return fail(conf.error());
    SYNOD_TRY(client_, make_client(RD_KAFKA_PRODUCER, std::move(*conf)));
  }
  rd_kafka_poll(client_.get(), 0);
  const auto lost = [&](const Error& error) {
    std::lock_guard lock(link_->mutex);
    link_->connected = false;
    link_->last_error = error.cause;
    return fail(error);
  };
  const auto state = describe_topic(client_.get(), link_->config.topic, kTimeout);
  if (!state) return lost(state.error());
  if (!state->exists) {
    if (link_->config.create_topic)
      if (const Status made = create_topic(client_.get(), link_->config, kAdminTimeout); !made)
        return lost(made.error());
    return lost(unavailable("ORDERING_UNAVAILABLE", "topic " + link_->config.topic + " does not exist yet"));
  }
  if (checks_until_examination_ == 0)
    if (const Status examined = examine(*state); !examined) return lost(examined.error());
  --checks_until_examination_;
  const auto marks = query_watermarks(client_.get(), link_->config.topic, kTimeout);
  if (!marks) return lost(marks.error());
  if (marks->high > 0) link_->saw_head(Height(marks->high - 1));
  std::lock_guard lock(link_->mutex);
  link_->leader = state->leader;
  link_->connected = !state->leader.empty();
  const int needed = link_->config.development ? 1 : 2;
  link_->hindrance = state->in_sync >= needed ? ""
                                              : "only " + std::to_string(state->in_sync) + " of " +
                                                    std::to_string(needed) + " needed replicas are in sync";
  if (link_->connected) link_->last_error.clear();
  if (!link_->connected)
    return fail(unavailable("ORDERING_UNAVAILABLE", link_->last_error = "the topic has no leader"));
  return {};
}

// Whether the topic is fit. It may be put right, or wrong, while we run.
Status Keeper::examine(const TopicState& state) {
  SYNOD_TRY(const TopicSettings settings, describe_settings(client_.get(), link_->config.topic, kTimeout * 3));
  const Status fit = check_fitness(state, settings, link_->config);
  const std::string refusal = fit ? "" : fit.error().to_string();
  if (!refusal.empty() && refusal != told_) log::error("ordering", "{}", refusal);
  told_ = refusal;
  checks_until_examination_ = fit ? kExamineEvery : 0;
  std::lock_guard lock(link_->mutex);
  link_->topic_checked = true;
  link_->topic_refusal = fit ? std::nullopt : std::optional(fit.error());
  if (!fit) link_->last_error = refusal;
  link_->changed.notify_all();
  return fit;
}

// On a thread of its own: it may have to wait for a message to be taken, and the topic is watched meanwhile.
void Keeper::prune(Height before, std::function<void(Status)> done) {
  if (pruning_.exchange(true))
    return done(fail(unavailable("ORDERING_UNAVAILABLE", "the topic is being pruned already; try again later")));
  link_->threads.spawn([self = shared_from_this(), before, done = std::move(done)] {
    Status pruned = self->prune_now(before);
    self->pruning_ = false;
    done(std::move(pruned));
  });
}

// The log is cut at a height whose predecessor's hash some message told: whoever reads from there needs it. If there is
// no such message yet, one is sent.
Result<Height> Keeper::cut_for(Height before, Consumption& consumption) {
  SYNOD_TRY(const Watermarks marks, consumption.watermarks());
  const Height cut(std::min(before.value, marks.high));
  if (cut.value <= marks.low) return Height(marks.low);
  SYNOD_TRY(const Anchored anchored, find_anchor(consumption, marks, cut, [this] { return stopping(); }));
  if (anchored.newest_witnessed && anchored.newest_witnessed->value >= marks.low)
    return anchored.newest_witnessed->next();
  auto sent = std::make_shared<std::promise<SubmitResult>>();
  auto result = sent->get_future();
  submitter_->witness({Height(cut.value - 1), anchored.hash},
                      [sent](SubmitResult outcome) { sent->set_value(std::move(outcome)); });
  const SubmitResult outcome = result.get();
  if (outcome.outcome != SubmitOutcome::accepted) return fail(*outcome.error);
  return cut;
}

Status Keeper::prune_now(Height before) {
  if (!link_->wait_for_topic(std::chrono::milliseconds(100)))
    return fail(unavailable("ORDERING_UNAVAILABLE", "the topic is not usable yet"));
  SYNOD_TRY(const auto consumption, Consumption::open(link_));
  SYNOD_TRY(const Height cut, cut_for(before, *consumption));
  return delete_records(consumption->client(), link_->config.topic, cut.value, kAdminTimeout);
}

}  // namespace synod::ordering::kafka
