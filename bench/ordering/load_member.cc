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

void LoadMember::on_event(const client::Delivered& delivered) {
  ++events_;
  const protocol::SequencedEvent& event = delivered.event;
  if (event.error)
    topology_->observe(event.timestamp);
  else
    topology_->process(event.timestamp, topology::broadcasts_in(event.batch, topology_->synchronizer()));
  client_->processed(event.timestamp);
  if (event.error || event.batch.envelopes.size() != 1) return;
  const auto envelope = event.batch.decompress_envelope(0, 64u << 20);
  if (envelope) received(envelope->content);
}

}  // namespace synod::bench
