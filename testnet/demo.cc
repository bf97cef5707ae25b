#include "testnet/demo.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <thread>

#include "base/env.h"
#include "ledger/commands.pb.h"
#include "testnet/applications.h"
#include "testnet/launcher.h"
#include "testnet/ping.h"
#include "testnet/process.h"
#include "testnet/status.h"

namespace synod::testnet {
namespace {

constexpr int kPingsBefore = 20;  // a node dies
constexpr int kPingsAfter = 90;   // while it comes back, and later
constexpr int kPingsWithoutMediator = 40;

double in_millis(std::int64_t micros) { return static_cast<double>(micros) / 1000; }
std::string millis(std::int64_t micros) { return fmt::format("{:.1f} ms", in_millis(micros)); }

// "PAR::coke-participant::1220…": the readable part of a member or party id.
std::string short_name(const std::string& id) {
  const bool member = id.starts_with("PAR::") || id.starts_with("MED::") || id.starts_with("SEQ::");
  const std::size_t begin = member ? 5 : 0;
  return id.substr(begin, id.find("::", begin) - begin);
}

class Demo {
 public:
  Demo(const NetworkPlan& plan, const DemoOptions& options) : plan_(plan), options_(options) {}

  Result<std::string> run() {
    SYNOD_RETURN_IF_ERROR(look_around());
    SYNOD_RETURN_IF_ERROR(prepare_ledgers());
    SYNOD_RETURN_IF_ERROR(ping_both_ways());
    SYNOD_RETURN_IF_ERROR(move_an_iou());
    SYNOD_RETURN_IF_ERROR(what_the_nodes_saw());
    SYNOD_RETURN_IF_ERROR(lose_a_sequencer());
    SYNOD_RETURN_IF_ERROR(lose_a_mediator());
    say("");
    say("Done. `synod testnet status` shows the nodes, `synod testnet logs NODE` what one of them wrote.");
    return boost::json::serialize(report_) + "\n";
  }

 private:
  struct Side {
    const NodePlan* participant;
    std::unique_ptr<LedgerClient> ledger;
    std::string party;
    std::int64_t first_offset = 0;
  };

  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    options_.print(fmt::format(format, std::forward<Args>(args)...));
  }
  static Error unexpected(std::string cause) { return failed_precondition("DEMO_FAILED", std::move(cause)); }

  Status look_around() {
    const auto participants = plan_.with_role(Role::participant);
    if (participants.size() < 2 || plan_.with_role(Role::sequencer).size() < 2)
      return fail(unexpected("the demonstration needs two participants and two sequencers in the network file"));
    for (const NodeState& state : state_of(plan_))
      if (!state.healthy())
        return fail(unavailable("NETWORK_NOT_READY",
                                state.plan->name + ": " + state.problem + "; `synod testnet up` starts it"));
    for (std::size_t i = 0; i < 2; ++i)
      sides_[i] = {participants[i],
                   std::make_unique<LedgerClient>(fmt::format("127.0.0.1:{}", participants[i]->public_port), ""), "",
                   0};
    say("Two organisations, {} and {}, each with its own participant and its own sequencer.",
        sides_[0].participant->organisation, sides_[1].participant->organisation);
    report_["organisations"] =
        boost::json::array{sides_[0].participant->organisation, sides_[1].participant->organisation};
    say("One ordering service puts what the sequencers submit into one log of blocks.");
    return {};
  }

  Status prepare_ledgers() {
    SYNOD_TRY(ping_, load_ping(options_.ping_dar));
    SYNOD_TRY(iou_, load_iou(options_.iou_dar));
    say("");
    say("1. Parties and packages");
    for (Side& side : sides_) {
      SYNOD_RETURN_IF_ERROR(side.ledger->upload_dar(ping_.dar));
      SYNOD_RETURN_IF_ERROR(side.ledger->upload_dar(iou_.dar));
      SYNOD_TRY(side.party, side.ledger->own_party(side.participant->organisation));
      say("   {} hosts party {}", side.participant->name, short_name(side.party));
    }
    SYNOD_TRY(trader_, sides_[1].ledger->own_party(sides_[1].participant->organisation + "-trader"));
    // Each hears of the other's parties, and of the packages before them, through the synchronizer.
    for (const std::string& party : {sides_[0].party, sides_[1].party, trader_})
      for (Side& side : sides_) SYNOD_RETURN_IF_ERROR(side.ledger->await_party(party, options_.patience));
    say("   {} hosts party {}", sides_[1].participant->name, short_name(trader_));
    say("   both have uploaded {} ({}) and {} ({})", ping_.package, ping_.origin, iou_.package, iou_.origin);
    return {};
  }

  Status ping_both_ways() {
    say("");
    boost::json::array pings;
    say("2. Pings: one party creates a contract, the other answers it through its own participant");
    for (int direction = 0; direction < 2; ++direction) {
      Side &from = sides_[direction], &to = sides_[1 - direction];
      PingOptions ping;
      ping.count = 5;
      ping.deadline = options_.patience;
      SYNOD_TRY(const PingReport report,
                run_pings(ping_, {from.ledger.get(), from.party}, {to.ledger.get(), to.party}, ping));
      if (!report.failures.empty()) return fail(report.failures.front());
      say("   {} -> {} -> {}: {} answered, first after {}, then {}", short_name(from.party), short_name(to.party),
          short_name(from.party), report.micros.size(), millis(report.micros.front()), millis(report.percentile(0)));
      pings.push_back({{"from", from.party},
                       {"to", to.party},
                       {"answered", report.micros.size()},
                       {"firstMillis", in_millis(report.micros.front())},
                       {"bestMillis", in_millis(report.percentile(0))}});
    }
    report_["pings"] = std::move(pings);
    return {};
  }

  Status step(const std::string& what, Side& actor, const std::string& act_as, const api::Command& command,
              LedgerTransaction& transaction) {
    const std::int64_t begin = clock_->monotonic_micros();
    SYNOD_TRY(transaction, actor.ledger->submit(act_as, command, options_.patience));
    const std::int64_t took = clock_->monotonic_micros() - begin;
    say("   {:<44} {:>9}  offset {:>4} at {}  update {}…", what, millis(took), transaction.offset,
        actor.participant->name, transaction.update_id.substr(4, 12));
    iou_steps_.push_back({{"step", what},
                          {"millis", in_millis(took)},
                          {"participant", actor.participant->name},
                          {"offset", transaction.offset},
                          {"updateId", transaction.update_id}});
    return {};
  }

  Status move_an_iou() {
    Side &issuer = sides_[0], &holder = sides_[1];
    say("");
    say("3. An IOU of {}, held by {}", short_name(issuer.party), short_name(holder.party));
    LedgerTransaction issued, transferred, called;
    SYNOD_RETURN_IF_ERROR(
        step(fmt::format("{} issues 100 USD to {}", short_name(issuer.party), short_name(holder.party)), issuer,
             issuer.party, iou_.create_iou(issuer.party, holder.party, "100.0", "USD"), issued));
    SYNOD_RETURN_IF_ERROR(visible(holder, holder.party, issued.created("Iou"), true));
    SYNOD_RETURN_IF_ERROR(step(fmt::format("{} transfers it to {}", short_name(holder.party), short_name(trader_)),
                               holder, holder.party, iou_.transfer(issued.created("Iou"), trader_), transferred));
    SYNOD_RETURN_IF_ERROR(visible(issuer, issuer.party, transferred.created("Iou"), true));
    SYNOD_RETURN_IF_ERROR(step(fmt::format("{} calls it", short_name(trader_)), holder, trader_,
                               iou_.call(transferred.created("Iou")), called));
    SYNOD_RETURN_IF_ERROR(visible(issuer, issuer.party, transferred.created("Iou"), false));
    SYNOD_RETURN_IF_ERROR(visible(holder, trader_, transferred.created("Iou"), false));
    say("   both participants agree: the IOU is active at neither side");
    report_["iou"] = std::move(iou_steps_);
    return {};
  }

  // The other participant commits a moment before or after the one that answered.
  Status visible(Side& side, const std::string& party, const std::string& contract, bool expected) {
    const std::int64_t give_up = clock_->monotonic_micros() + options_.patience.micros;
    while (clock_->monotonic_micros() < give_up) {
      SYNOD_TRY(const std::vector<std::string> active, side.ledger->active(party, iou_.iou()));
      if ((std::find(active.begin(), active.end(), contract) != active.end()) == expected) return {};
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return fail(unexpected(fmt::format("{} does not agree that contract {} is {}", side.participant->name, contract,
                                       expected ? "active" : "archived")));
  }

  Status what_the_nodes_saw() {
    say("");
    say("4. What the nodes saw");
    const std::vector<NodeState> states = state_of(plan_);
    report_["nodes"] = boost::json::parse(as_json(plan_, states, {})).at("nodes");
    for (const NodeState& state : states) {
      if (!state.status) return fail(unavailable("NETWORK_NOT_READY", state.plan->name + ": " + state.problem));
      const auto& status = *state.status;
      switch (state.plan->role) {
        case Role::orderer:
          say("   {}: {} blocks in the log", state.plan->name, status.height() + 1);
          break;
        case Role::sequencer: {
          std::string delivered;
          for (const auto& delivery : status.deliveries())
            if (delivery.events() > 0)
              delivered += fmt::format("{}{} to {}", delivered.empty() ? "" : ", ", delivery.events(),
                                       short_name(delivery.member()));
          say("   {}: at height {}, delivered {}", state.plan->name, status.height(),
              delivered.empty() ? "nothing" : delivered + " events");
          break;
        }
        case Role::mediator: {
          if (status.has_active() && !status.active()) {
            say("   {}: passive", state.plan->name);
            break;
          }
          std::string text = fmt::format("{} approved, {} rejected", status.approved(), status.rejected());
          if (status.has_last_verdict())
            text +=
                fmt::format("; the last one {} update {}…", status.last_verdict().approved() ? "approves" : "rejects",
                            status.last_verdict().root_hash().substr(4, 12));
          say("   {}: verdicts: {}", state.plan->name, text);
          break;
        }
        case Role::participant:
          say("   {}: ledger end at offset {}", state.plan->name, status.offset());
          break;
        case Role::topology_manager:
          break;
      }
    }
    return {};
  }

  // Pings while something happens to the network.
  struct Meanwhile {
    std::atomic<int> answered = 0;
    std::atomic<std::int64_t> slowest = 0;
    std::atomic<bool> given_up = false, one_failed = false;
  };

  Result<PingReport> ping_while(int count, const std::function<Status(Meanwhile&)>& happens) {
    Meanwhile meanwhile;
    PingOptions ping;
    ping.count = count;
    ping.pause = Duration::milliseconds(10);
    ping.deadline = options_.patience;
    ping.cancelled = [&] { return meanwhile.given_up.load(); };
    ping.on_ping = [&](int, std::optional<std::int64_t> micros) {
      if (!micros) {
        meanwhile.one_failed = true;
        return;
      }
      ++meanwhile.answered;
      meanwhile.slowest = std::max(meanwhile.slowest.load(), *micros);
    };
    Result<PingReport> report;
    std::thread pings([&] {
      report =
          run_pings(ping_, {sides_[0].ledger.get(), sides_[0].party}, {sides_[1].ledger.get(), sides_[1].party}, ping);
    });
    const Status outcome = happens(meanwhile);
    if (!outcome) meanwhile.given_up = true;
    pings.join();
    SYNOD_RETURN_IF_ERROR(outcome);
    if (report && !report->failures.empty()) return fail(report->failures.front());
    return report;
  }

  bool wait_for(const Meanwhile& meanwhile, int count) const {
    const std::int64_t give_up = clock_->monotonic_micros() + options_.patience.micros;
    while (meanwhile.answered < count && !meanwhile.one_failed && clock_->monotonic_micros() < give_up)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return meanwhile.answered >= count;
  }

  void say_pings(const PingReport& report, boost::json::object& lost) {
    say("   {} pings in all, none lost: p50 {}, p99 {}", report.micros.size(), millis(report.percentile(0.5)),
        millis(report.percentile(0.99)));
    lost["pings"] = report.micros.size();
    lost["p50Millis"] = in_millis(report.percentile(0.5));
    lost["p99Millis"] = in_millis(report.percentile(0.99));
  }

  Status lose_a_sequencer() {
    const NodePlan& victim = *plan_.with_role(Role::sequencer)[0];
    say("");
    say("5. Nobody is needed: kill -9 of {} while transactions run", victim.name);
    boost::json::object lost;
    lost["name"] = victim.name;
    const auto happens = [&](Meanwhile& meanwhile) -> Status {
      if (!wait_for(meanwhile, kPingsBefore)) return fail(unexpected("pings do not run"));
      const auto before = ask(victim, options_.patience);
      if (!before || !stop(victim, SIGKILL, options_.patience))
        return fail(unexpected(victim.name + " could not be killed"));
      const int at_kill = meanwhile.answered;
      say("   {} dies at height {}, after {} pings", victim.name, before->height(), at_kill);
      if (!wait_for(meanwhile, at_kill + options_.pings_without))
        return fail(unexpected("transactions do not go on without " + victim.name));
      const int without = meanwhile.answered - at_kill;
      say("   {} more pings answered without it; the slowest of all took {}", without, millis(meanwhile.slowest));
      const std::int64_t begin = clock_->monotonic_micros();
      SYNOD_RETURN_IF_ERROR(start(victim));
      SYNOD_RETURN_IF_ERROR(wait_ready(victim, options_.patience));
      const std::int64_t took = clock_->monotonic_micros() - begin;
      const auto after = ask(victim, options_.patience);
      if (!after) return fail(unexpected(victim.name + " does not answer after its restart"));
      say("   {} is back after {}: at height {}, and it has read only {} blocks from the log; the other {} came from "
          "its cache",
          victim.name, millis(took), after->height(), after->blocks_read(), after->height() + 1 - after->blocks_read());
      lost["heightAtKill"] = before->height();
      lost["pingsBefore"] = at_kill;
      lost["pingsWithout"] = without;
      lost["slowestMillis"] = in_millis(meanwhile.slowest);
      lost["restartMillis"] = in_millis(took);
      lost["heightAfter"] = after->height();
      lost["blocksReadAfter"] = after->blocks_read();
      if (after->blocks_read() > after->height() - before->height() + 1)
        return fail(unexpected(victim.name + " read blocks again that it had in its cache"));
      return {};
    };
    const auto report = ping_while(kPingsBefore + options_.pings_without + kPingsAfter, happens);
    if (!report) {
      leave_running(victim);
      return fail(report.error());
    }
    say_pings(*report, lost);
    report_["lostSequencer"] = std::move(lost);
    return {};
  }

  // A mediator process that the network can do without: enough others of its group are left, or a passive replica.
  const NodePlan* dispensable_mediator(std::string& why) const {
    const std::vector<NodeState> states = state_of(plan_);
    for (const NodeState& state : states) {
      if (!state.status || state.plan->role != Role::mediator) continue;
      const auto& status = *state.status;
      if (status.has_active() && status.active()) {
        for (const NodeState& other : states) {
          if (!other.status || !other.status->has_active() || other.status->active()) continue;
          if (other.status->member() != status.member() || !other.healthy()) continue;
          why = fmt::format("{} takes over", other.plan->name);
          return state.plan;
        }
      }
      const auto& group = status.mediator_group();
      if (status.has_mediator_group() && !group.observing() && group.active() > group.threshold()) {
        why = fmt::format("{} of {} must agree", group.threshold(), group.active());
        return state.plan;
      }
    }
    return nullptr;
  }

  Status lose_a_mediator() {
    std::string why;
    const NodePlan* victim = dispensable_mediator(why);
    if (!victim) return {};
    say("");
    say("6. kill -9 of {} while transactions run: {}", victim->name, why);
    boost::json::object lost;
    lost["name"] = victim->name;
    const auto happens = [&](Meanwhile& meanwhile) -> Status {
      if (!wait_for(meanwhile, kPingsBefore)) return fail(unexpected("pings do not run"));
      if (!stop(*victim, SIGKILL, options_.patience)) return fail(unexpected(victim->name + " could not be killed"));
      const int at_kill = meanwhile.answered;
      if (!wait_for(meanwhile, at_kill + kPingsWithoutMediator))
        return fail(unexpected("transactions do not go on without " + victim->name));
      const int without = meanwhile.answered - at_kill;
      say("   {} pings before, {} without it; the slowest of all took {}", at_kill, without, millis(meanwhile.slowest));
      SYNOD_RETURN_IF_ERROR(start(*victim));
      SYNOD_RETURN_IF_ERROR(wait_ready(*victim, options_.patience));
      say("   {} is back", victim->name);
      lost["pingsBefore"] = at_kill;
      lost["pingsWithout"] = without;
      lost["slowestMillis"] = in_millis(meanwhile.slowest);
      return {};
    };
    const auto report = ping_while(kPingsBefore + kPingsWithoutMediator + kPingsAfter, happens);
    if (!report) {
      leave_running(*victim);
      return fail(report.error());
    }
    say_pings(*report, lost);
    report_["lostMediator"] = std::move(lost);
    return {};
  }

  // The network is to be after a failure what it was before.
  void leave_running(const NodePlan& victim) {
    if (running(victim)) return;
    const Status started = start(victim);
    say("   {} {}", victim.name, started ? "is started again" : "stays down: " + started.error().to_string());
  }

  const NetworkPlan& plan_;
  const DemoOptions& options_;
  std::shared_ptr<Clock> clock_ = system_clock();
  Side sides_[2];
  std::string trader_;
  boost::json::object report_;
  boost::json::array iou_steps_;
  PingApplication ping_;
  IouApplication iou_;
};

}  // namespace

Result<std::string> run_demo(const NetworkPlan& plan, const DemoOptions& options) { return Demo(plan, options).run(); }

}  // namespace synod::testnet
