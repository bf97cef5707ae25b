#include "sequencer/housekeeping.h"

#include <algorithm>

#include "base/log.h"
#include "sequencer/log_component.h"

namespace synod::sequencer {
namespace {

// As canton-protocol calls it: known to the synchronizer in what is known of the future, and not shut out here.
std::vector<PruningMember> pruning_members(const SequencerCore& core, const MemberAccess& access) {
  const auto head = core.head_snapshot();
  std::vector<PruningMember> members;
  for (MemberStatus& status : core.members()) {
    const bool enabled = head.is_known(status.member) && !access.is_disabled(status.member);
    members.push_back(PruningMember{std::move(status), enabled});
  }
  return members;
}

}  // namespace

void Housekeeping::start() { schedule(); }

void Housekeeping::stop() {
  stopping_ = true;
  loop_.stop();
}

void Housekeeping::schedule() {
  const PruningConfig& config = node_.config().pruning;
  if (!config.automatic && config.log_blocks == 0) return;
  loop_.after(config.interval, [this] {
    if (node_.config().pruning.automatic) prune_events();
    prune_log();  // a matter of its own: the log is everybody's
    schedule();
  });
}

void Housekeeping::prune_events() {
  prune({}, [](const Result<PruneReport>& report) {
    if (!report) {
      log::info(kLog, "pruning: {}", report.error().to_string());
    } else if (report->removed.events + report->removed.entries > 0) {
      log::info(kLog, "pruned {} events ({} bytes) before {}", report->removed.events, report->removed.bytes,
                report->before.to_string());
    }
    if (!report || report->holding_back.empty()) return;
    const auto& slowest = report->holding_back.front();
    log::info(kLog, "{} holds pruning back: it needs events since {}; if it does not return, disable it",
              slowest.status.member.to_string(), slowest.needs_from().to_string());
  });
}

void Housekeeping::prune_log() {
  if (node_.config().pruning.log_blocks == 0) return;
  node_.with_core([this](const SequencerCore& core) {
    const auto before = log_prunable(core.current_snapshot().sequencer_group().active, node_.parts().self,
                                     core.status(), node_.config().pruning.log_blocks);
    if (!before) return;
    node_.parts().log->prune(*before, [before](const Status& pruned) {
      if (!pruned) log::info(kLog, "the ordering log is not pruned: {}", pruned.error().to_string());
      if (pruned) log::debug(kLog, "the ordering log is pruned below {}", before->value);
    });
  });
}

void Housekeeping::members(std::function<void(std::vector<PruningMember>)> done) {
  node_.with_core([this, done = std::move(done)](const SequencerCore& core) {
    auto members = pruning_members(core, node_.access());
    loop_.post([done, members = std::move(members)]() mutable { done(std::move(members)); });
  });
}

void Housekeeping::prune(PruneRequest request, std::function<void(Result<PruneReport>)> done) {
  node_.with_core([this, request, done = std::move(done)](const SequencerCore& core) {
    auto members = pruning_members(core, node_.access());
    loop_.post([this, request, done, members = std::move(members), last_time = core.last_time()] {
      done(prune_now(request, members, last_time));
    });
  });
}

Result<PruneReport> Housekeeping::prune_now(const PruneRequest& request, const std::vector<PruningMember>& members,
                                            Timestamp last_time) {
  const PruningConfig& config = node_.config().pruning;
  storage::Store& store = *node_.parts().store;
  const Timestamp old_enough = node_.parts().clock->now() - request.retention.value_or(config.retention);
  PruneReport report;
  report.safe = std::min(safe_to_prune(members, last_time), last_time);
  report.before = request.before.value_or(std::min(report.safe, old_enough));
  report.holding_back = holding_back(members, request.before.value_or(old_enough));
  if (report.before > report.safe) {
    return fail(failed_precondition("UNSAFE_PRUNING_POINT", "Could not prune at [" + report.before.to_string() +
                                                                "] as the earliest safe pruning point is [" +
                                                                report.safe.to_string() + "]"));
  }
  std::vector<MemberNumber> numbers;
  for (const auto& member : members) numbers.push_back(member.status.number);
  SYNOD_TRY(report.lower_bound, read_lower_bound(store));
  if (request.dry_run) {
    SYNOD_TRY(report.removed, count_before(store, numbers, report.before));
    return report;
  }
  if (report.before <= topology::kGenesisTime.next()) return report;  // nothing is that old
  SYNOD_TRY(report.removed,
            prune_before(store, numbers, report.before, config.batch_entries, [this] { return !stopping_; }));
  SYNOD_TRY(report.lower_bound, read_lower_bound(store));
  return report;
}

}  // namespace synod::sequencer
