#include "tests/sim/traffic.h"

#include <fmt/format.h>

#include "sequencer/client/requests.h"
#include "tests/sim/follower_logic.h"
#include "topology/broadcast.h"
#include "topology/manager.h"

namespace synod::sim {

namespace client = sequencer::client;

TrafficMember::TrafficMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
                             protocol::Member self, Timestamp until)
    : SimMember(world, network, promises, sequencers, std::move(self), FollowerLogic::columns()),
      net_(network),
      all_sequencers_(std::move(sequencers)),
      until_(until) {}

std::unique_ptr<NodeLogic> TrafficMember::make_logic() {
  auto logic = std::make_unique<FollowerLogic>(deployment());
  if (const auto opened = logic->open(deployment(), store()); !opened) {
    world_.violate(name() + " does not restart: " + opened.error().to_string());
    return nullptr;
  }
  current_ = logic.get();
  return logic;
}

const topology::TopologyState* TrafficMember::topology() const { return up() ? &current_->topology() : nullptr; }

void TrafficMember::next_message() {
  after(world_.between(Duration::milliseconds(20), Duration::milliseconds(400)), [this] {
    if (world_.now() >= until_) return;
    const auto choice = world_.random().below(100);
    if (choice < 80)
      send_payloads();
    else if (choice < 90 && self().kind() == protocol::MemberKind::participant)
      send_topology();
    else
      acknowledge();
    next_message();
  });
}

std::set<protocol::Member> TrafficMember::resolved(const protocol::RecipientSet& recipients) const {
  std::set<protocol::Member> members;
  for (const auto& recipient : recipients) {
    if (recipient.is_member())
      members.insert(recipient.member());
    else
      members.insert(deployment().mediator);
  }
  return members;
}

protocol::Envelope TrafficMember::envelope(const protocol::RecipientSet& recipients) {
  const Bytes content = fmt::format("{} {}", name(), ++counter_);
  promises_.intended(content, resolved(recipients), last_timestamp().value_or(Timestamp::min()));
  return {content, {}, protocol::Recipients::together(recipients)};
}

void TrafficMember::send_payloads() {
  auto& random = world_.random();
  const bool mediator = self().kind() == protocol::MemberKind::mediator;
  NodeEffects::Send send;
  send.submission.message_id = fmt::format("{}-{}", name(), ++counter_);
  const bool hasty = world_.chance(100);  // may be too late
  send.submission.max_sequencing_time =
      time() + (hasty ? world_.between(Duration::milliseconds(1), Duration::milliseconds(30)) : Duration::seconds(20));
  const std::size_t envelopes = 1 + random.below(3);
  auto& payloads = payloads_[send.submission.message_id];
  for (std::size_t e = 0; e < envelopes; ++e) {
    protocol::RecipientSet recipients;
    for (const auto& participant : deployment().participants)
      if (world_.chance(500)) recipients.insert(participant);
    if (recipients.empty() || (!mediator && world_.chance(300)))
      recipients.insert(protocol::Recipient::mediator_group(0));
    if (mediator) recipients = {deployment().participants[random.below(deployment().participants.size())]};
    send.submission.envelopes.push_back(envelope(recipients));
    payloads.push_back(send.submission.envelopes.back().content);
  }
  NodeEffects effects;
  effects.sends.push_back(std::move(send));
  carry_out(std::move(effects));
}

void TrafficMember::send_topology() {
  const topology::TopologyManager manager(current_->topology(), keys());
  topology::VettedPackages vetted{self().uid(), {}};
  const std::size_t count = 1 + world_.random().below(3);
  for (std::size_t i = 0; i < count; ++i)
    vetted.packages.push_back(
        {crypto::hash(crypto::HashPurpose::merkle_inner_node, fmt::format("package {} {}", counter_, i))
             .hex()
             .substr(4),
         {},
         {}});
  auto transaction = manager.propose(vetted);
  if (!transaction) return world_.violate(name() + " cannot change its topology: " + transaction.error().to_string());
  NodeEffects::Send send;
  send.submission.message_id = fmt::format("{}-{}", name(), ++counter_);
  send.submission.max_sequencing_time = time() + Duration::seconds(20);
  send.submission.envelopes.push_back(topology::broadcast_envelope(deployment().genesis.synchronizer, {*transaction}));
  NodeEffects effects;
  effects.sends.push_back(std::move(send));
  carry_out(std::move(effects));
}

void TrafficMember::acknowledge() {
  const auto last = last_timestamp();
  if (!last) return;
  const auto key = client::protocol_key(keys(), self(), current_->snapshot_at(last->next()));
  SimSequencer& sequencer = *all_sequencers_[world_.random().below(all_sequencers_.size())];
  net_.send(*this, sequencer,
            [&sequencer, member = self(), request = client::signed_acknowledgement(self(), *last, *key)] {
              sequencer.acknowledge(member, request);
            });
}

void TrafficMember::finished(const std::string& message_id, const Result<Timestamp>& result) {
  const auto found = payloads_.find(message_id);
  if (found == payloads_.end()) return;
  if (result)
    promises_.reported_sequenced(found->second, *result);
  else
    promises_.reported_not_sequenced(found->second);
}

}  // namespace synod::sim
