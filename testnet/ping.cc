#include "testnet/ping.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/env.h"
#include "ledger/commands.pb.h"

namespace synod::testnet {
namespace {

// What the initiator's stream has shown: answered pings are archived.
class Answers {
 public:
  void saw(const LedgerTransaction& transaction) {
    std::lock_guard lock(mutex_);
    for (const LedgerEvent& event : transaction.events)
      if (event.kind != LedgerEvent::Kind::created) answered_.insert(event.contract_id);
    changed_.notify_all();
  }
  bool wait(const std::string& contract_id, Duration patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::microseconds(patience.micros),
                             [&] { return answered_.erase(contract_id) > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> answered_;
};

// Answers the pings that the responder's stream shows, as many at a time as run.
class Responder {
 public:
  Responder(const PingApplication& application, const Seat& seat, const PingOptions& options)
      : application_(application), seat_(seat), deadline_(options.deadline) {
    for (int i = 0; i < options.parallel; ++i) threads_.emplace_back([this] { answer(); });
  }
  ~Responder() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void saw(const LedgerTransaction& transaction) {
    const std::string contract = transaction.created("Ping");
    if (contract.empty()) return;
    std::lock_guard lock(mutex_);
    pings_.push_back(contract);
    changed_.notify_one();
  }

 private:
  void answer() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopped_ || !pings_.empty(); });
      if (stopped_) return;
      const std::string contract = std::move(pings_.front());
      pings_.pop_front();
      lock.unlock();
      // A failed answer shows as a ping that is never answered.
      (void)seat_.ledger->submit(seat_.party, application_.respond(contract), deadline_);
      lock.lock();
    }
  }

  const PingApplication& application_;
  const Seat& seat_;
  const Duration deadline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pings_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::int64_t PingReport::percentile(double p) const {
  if (micros.empty()) return 0;
  std::vector<std::int64_t> sorted = micros;
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::string PingReport::as_json() const {
  boost::json::object report{
      {"count", micros.size() + failures.size()}, {"succeeded", micros.size()}, {"failed", failures.size()}};
  if (!micros.empty()) {
    report["p50Millis"] = static_cast<double>(percentile(0.5)) / 1000;
    report["p99Millis"] = static_cast<double>(percentile(0.99)) / 1000;
    report["minMillis"] = static_cast<double>(percentile(0)) / 1000;
    report["maxMillis"] = static_cast<double>(percentile(1)) / 1000;
    report["pingsPerSecond"] = per_second();
    report["transactionsPerSecond"] = per_second() * 2;  // a ping is created, and answered
  }
  boost::json::array errors;
  for (const Error& error : failures) errors.push_back(boost::json::string(error.to_string()));
  if (!errors.empty()) report["errors"] = std::move(errors);
  return boost::json::serialize(report) + "\n";
}

Result<PingReport> run_pings(const PingApplication& application, const Seat& initiator, const Seat& responder,
                             const PingOptions& options) {
  SYNOD_TRY(const std::int64_t initiator_begin, initiator.ledger->ledger_end());
  SYNOD_TRY(const std::int64_t responder_begin, responder.ledger->ledger_end());
  Answers answers;
  Responder answering(application, responder, options);
  const auto initiator_stream =
      initiator.ledger->follow(initiator.party, initiator_begin, [&](const LedgerTransaction& t) { answers.saw(t); });
  const auto responder_stream =
      responder.ledger->follow(responder.party, responder_begin, [&](const LedgerTransaction& t) { answering.saw(t); });

  const auto clock = system_clock();
  const auto random = system_random();
  std::mutex mutex;  // guards the report and what follows
  PingReport report;
  int next = 0;
  const auto one_ping = [&]() -> Status {
    const auto created = initiator.ledger->submit(
        initiator.party, application.create_ping(random->uuid(), initiator.party, responder.party), options.deadline);
    if (!created) return fail(created.error());
    if (!answers.wait(created->created("Ping"), options.deadline))
      return fail(Error("PING_UNANSWERED", ErrorCategory::deadline_exceeded_state_unknown,
                        "no answer within " + std::to_string(options.deadline.micros / 1000) + " ms"));
    return {};
  };
  const auto row = [&](int until, bool counted) {
    for (;;) {
      {
        std::lock_guard lock(mutex);
        if (next >= until || (options.cancelled && options.cancelled())) return;
        ++next;
      }
      const std::int64_t begin = clock->monotonic_micros();
      const Status done = one_ping();
      const std::int64_t micros = clock->monotonic_micros() - begin;
      if (counted) {
        std::lock_guard lock(mutex);
        if (done)
          report.micros.push_back(micros);
        else
          report.failures.push_back(done.error());
        const int index = static_cast<int>(report.micros.size() + report.failures.size()) - 1;
        if (options.on_ping) options.on_ping(index, done ? std::optional(micros) : std::nullopt);
      }
      if (options.pause.micros > 0) std::this_thread::sleep_for(std::chrono::microseconds(options.pause.micros));
    }
  };
  const auto run = [&](int count, bool counted) {
    next = 0;
    std::vector<std::thread> rows;
    for (int i = 0; i < options.parallel; ++i) rows.emplace_back(row, count, counted);
    for (std::thread& each : rows) each.join();
  };
  run(options.warm_up, false);
  const std::int64_t begin = clock->monotonic_micros();
  run(options.count, true);
  report.seconds = static_cast<double>(clock->monotonic_micros() - begin) / 1e6;
  return report;
}

}  // namespace synod::testnet
