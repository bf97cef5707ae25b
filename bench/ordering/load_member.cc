#include "bench/ordering/load_member.h"

#include "base/check.h"
#include "topology/broadcast.h"

namespace synod::bench {
namespace {

namespace client = sequencer::client;

participant::Identity new_identity(const std::string& name, Random& random) {
  auto identity = participant::open_identity(crypto::memory_key_store(), name, random);
  SYNOD_CHECK(identity);
  return std::move(*identity);
}

}  // namespace

LoadMember::LoadMember(std::string name, client::Endpoint sequencer, std::shared_ptr<EventLoop> loop)
    : LoadClient(std::move(loop)), identity_(new_identity(name, *random_)) {
  client::ClientConfig config;
  config.endpoints = {std::move(sequencer)};
  config.max_pending_sends = 1'000'000;
  config.max_unprocessed_bytes = 256u << 20;
  client::Handlers handlers;
  handlers.snapshot_at = [this](Timestamp at) { return topology_->snapshot_at(at); };
  handlers.on_event = [this](const client::Delivered& delivered) { on_event(delivered); };
  handlers.on_fatal = [this](const Error& error) { stopped(error); };
  handlers.on_connected = [this](const protocol::PhysicalSynchronizerId& id,
                                 const topology::StaticParameters& parameters) {
    auto transactions = participant::onboarding_transactions(identity_, id.logical());
    if (!transactions) return stopped(transactions.error());
    client_->onboard(std::move(*transactions), Duration::seconds(120), [this, id, parameters](Status done) {
      if (!done) return stopped(done.error());
      client_->download_topology([this, id, parameters](Result<std::vector<topology::StoredTransaction>> snapshot) {
        if (!snapshot) return stopped(snapshot.error());
        topology_.emplace(id, parameters);
        if (auto imported = topology_->import(*snapshot); !imported) return stopped(imported.error());
        client_->subscribe(std::nullopt);
        if (!std::exchange(join_reported_, true)) joined_.set_value({});
      });
    });
  };
  client_ = std::make_unique<client::SequencerClient>(
      config, client::ClientParts{identity_.member, identity_.keys, loop_, clock_, random_}, std::move(handlers));
}

LoadMember::~LoadMember() {
  std::promise<void> ended;
  loop_->post([&] {
    client_->stop();
    ended.set_value();
  });
  ended.get_future().wait();
}

void LoadMember::begin_join() {
  loop_->post([this] { client_->start(); });
}

Status LoadMember::wait_joined(Duration patience) {
  auto joined = joined_.get_future();
  if (joined.wait_for(std::chrono::microseconds(patience.micros)) != std::future_status::ready)
    return fail(unavailable("BENCH_MEMBER_NOT_CONNECTED", identity_.member.to_string() + " did not join in time"));
  return joined.get();
}

void LoadMember::stopped(const Error& error) {
  if (!std::exchange(join_reported_, true)) joined_.set_value(fail(error));
  failed(error);
}

void LoadMember::send(Bytes payload, std::uint64_t i) {
  protocol::Submission submission;
  submission.message_id = std::to_string(clock_->monotonic_micros()) + "-" + std::to_string(i);
  protocol::RecipientSet recipients;
  for (const protocol::Member& member : recipients_) recipients.insert(protocol::Recipient(member));
  submission.envelopes.push_back({std::move(payload), {}, protocol::Recipients::together(recipients)});
  submission.max_sequencing_time = clock_->now() + Duration::seconds(120);
  client_->send(std::move(submission), {.amplify = false}, [this](Result<Timestamp> sequenced) {
    if (!sequenced) failed(sequenced.error());
  });
}

Status LoadMember::broadcast(std::vector<topology::SignedTransaction> transactions, Duration patience) {
  auto done = std::make_shared<std::promise<Status>>();
  auto future = done->get_future();
  loop_->post([this, transactions = std::move(transactions), done]() mutable {
    broadcast_on_loop(std::move(transactions), std::move(done));
  });
  if (future.wait_for(std::chrono::microseconds(patience.micros)) != std::future_status::ready)
    return fail(unavailable("BENCH_TOPOLOGY_NOT_IN_FORCE", "a topology broadcast did not take effect in time"));
  return future.get();
}

void LoadMember::broadcast_on_loop(std::vector<topology::SignedTransaction> transactions,
                                   std::shared_ptr<std::promise<Status>> done) {
  protocol::Submission submission;
  submission.message_id = random_->uuid();
  submission.envelopes.push_back(topology::broadcast_envelope(topology_->synchronizer(), transactions));
  submission.max_sequencing_time = clock_->now() + Duration::seconds(120);
  client_->send(std::move(submission), {.amplify = false}, [this, done](Result<Timestamp> sequenced) {
    if (!sequenced) return done->set_value(fail(sequenced.error()));
    in_force_ = done;
    awaited_ = *sequenced + topology_->static_parameters().topology_change_delay;
    client_->await_time(awaited_->next());
  });
}

topology::Snapshot LoadMember::topology_snapshot() {
  std::promise<topology::Snapshot> taken;
  loop_->post([&] { taken.set_value(topology_->head()); });
  return taken.get_future().get();
}

void LoadMember::on_event(const client::Delivered& delivered) {
  ++events_;
  const protocol::SequencedEvent& event = delivered.event;
  if (event.error)
    topology_->observe(event.timestamp);
  else
    topology_->process(event.timestamp, topology::broadcasts_in(event.batch, topology_->synchronizer()));
  client_->processed(event.timestamp);
  if (awaited_ && event.timestamp > *awaited_) {
    awaited_.reset();
    std::exchange(in_force_, nullptr)->set_value({});
  }
  if (event.error || event.batch.envelopes.size() != 1) return;
  const auto envelope = event.batch.decompress_envelope(0, 64u << 20);
  if (envelope) received(envelope->content);
}

}  // namespace synod::bench
