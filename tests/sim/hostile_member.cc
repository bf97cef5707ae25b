#include "tests/sim/hostile_member.h"

#include <fmt/format.h>

#include "protocol/envelope_content.h"
#include "sequencer/client/requests.h"
#include "tests/sim/follower_logic.h"
#include "topology/broadcast.h"
#include "topology/manager.h"

namespace synod::sim {

namespace client = sequencer::client;

constexpr std::size_t kMemory = 20;

HostileMember::HostileMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
                             Timestamp until)
    : SimMember(world, network, promises, sequencers, Deployment::instance().hostile, FollowerLogic::columns()),
      net_(network),
      all_sequencers_(std::move(sequencers)),
      until_(until) {}

std::unique_ptr<NodeLogic> HostileMember::make_logic() {
  auto logic = std::make_unique<FollowerLogic>(deployment());
  if (const auto opened = logic->open(deployment(), store()); !opened) {
    world_.violate(name() + " does not restart: " + opened.error().to_string());
    return nullptr;
  }
  current_ = logic.get();
  return logic;
}

void HostileMember::overhear(const protocol::Submission& submission, Timestamp sequenced) {
  overheard_.push_back({submission.envelopes, sequenced});
  if (overheard_.size() > kMemory) overheard_.pop_front();
  for (const auto& envelope : submission.envelopes) {
    if (!envelope.signatures.empty()) continue;
    const auto content = protocol::parse_envelope_content(envelope.content);
    const auto* root_hash = content ? std::get_if<protocol::RootHashMessage>(&*content) : nullptr;
    if (!root_hash) continue;
    requests_.push_back({sequenced, root_hash->root_hash});
    if (requests_.size() > kMemory) requests_.pop_front();
    break;
  }
}

void HostileMember::next_misdeed() {
  after(world_.between(Duration::milliseconds(20), Duration::milliseconds(300)), [this] {
    if (world_.now() >= until_) return;
    if (works()) misbehave();
    next_misdeed();
  });
}

void HostileMember::misbehave() {
  ++misdeeds_;
  switch (world_.random().below(9)) {
    case 0:
      return send_garbage();
    case 1:
      return replay(false);
    case 2:
      return replay(true);
    case 3:
    case 4:
      return tamper();
    case 5:
      return answer_for_another();
    case 6:
      return decide_for_the_mediator();
    case 7:
      return change_the_topology_of_another();
    default:
      return send_what_no_member_sends();
  }
}

void HostileMember::send(std::vector<protocol::Envelope> envelopes) {
  NodeEffects::Send send;
  send.submission.message_id = fmt::format("{}-{}", name(), ++counter_);
  send.submission.max_sequencing_time = time() + Duration::seconds(5);
  send.submission.envelopes = std::move(envelopes);
  NodeEffects effects;
  effects.sends.push_back(std::move(send));
  carry_out(std::move(effects));
}

const protocol::Member& HostileMember::participant() {
  return deployment().participants[world_.random().below(deployment().participants.size())];
}

protocol::Recipients HostileMember::somebody() {
  std::vector<protocol::RecipientSet> groups;
  for (const auto& member : deployment().participants) {
    if (!world_.chance(600)) continue;
    groups.push_back({member});
    if (world_.chance(300)) groups.back().insert(protocol::Recipient::mediator_group(0));
  }
  if (groups.empty() || world_.chance(300)) groups.push_back({protocol::Recipient::mediator_group(0)});
  return protocol::Recipients::groups(std::move(groups));
}

const HostileMember::Overheard* HostileMember::overheard() {
  return overheard_.empty() ? nullptr : &overheard_[world_.random().below(overheard_.size())];
}

std::optional<HostileMember::Request> HostileMember::request() {
  if (requests_.empty()) return std::nullopt;
  return requests_[world_.random().below(requests_.size())];
}

crypto::SigningKeyPair HostileMember::own_key() {
  return client::protocol_key(keys(), self(), current_->snapshot_at(time())).value();
}

void HostileMember::send_garbage() {
  std::vector<protocol::Envelope> envelopes;
  for (std::size_t i = 0; i < 1 + world_.random().below(5); ++i) {
    const Bytes content = world_.random().bytes(world_.random().below(200));
    envelopes.push_back({content, {}, somebody()});
    if (world_.chance(300)) envelopes.back() = protocol::signed_envelope(content, own_key(), somebody());
  }
  send(std::move(envelopes));
}

void HostileMember::replay(bool in_part) {
  const auto* original = overheard();
  if (!original) return;
  auto envelopes = original->envelopes;
  if (in_part) {
    std::erase_if(envelopes, [&](const auto&) { return world_.chance(400); });
    for (auto& envelope : envelopes)
      if (world_.chance(400)) envelope.recipients = somebody();
  }
  if (!envelopes.empty()) send(std::move(envelopes));
}

void HostileMember::tamper() {
  const auto* original = overheard();
  if (!original || original->envelopes.empty()) return;
  auto envelopes = original->envelopes;
  for (std::size_t changes = 1 + world_.random().below(3); changes > 0; --changes) {
    Bytes& content = envelopes[world_.random().below(envelopes.size())].content;
    if (content.empty()) continue;
    const std::size_t at = world_.random().below(content.size());
    content[at] = static_cast<char>(content[at] ^ (1 << world_.random().below(8)));
  }
  send(std::move(envelopes));
}

void HostileMember::answer_for_another() {
  const auto victim = request();
  if (!victim) return;
  protocol::ConfirmationResponses responses;
  responses.request_id = victim->id;
  responses.root_hash = victim->root_hash;
  responses.synchronizer = deployment().genesis.synchronizer;
  const auto& who = participant();
  responses.sender = who.uid();
  protocol::ConfirmationResponse response;
  response.verdict.code =
      world_.chance(500) ? protocol::LocalVerdict::Code::approve : protocol::LocalVerdict::Code::reject;
  if (response.verdict.code == protocol::LocalVerdict::Code::reject)
    response.verdict.reason =
        protocol::RpcStatus::of(Error("LOCAL_VERDICT_TEST", ErrorCategory::contention_on_shared_resources, "because"));
  response.confirming_parties = {who.uid().to_string()};
  response.view_position = protocol::ViewPosition{{{}}};
  responses.responses = {response};
  const auto to = protocol::Recipients::together({protocol::Recipient::mediator_group(0)});
  send({protocol::signed_envelope(protocol::serialize_signed_message(responses), own_key(), to)});
}

void HostileMember::decide_for_the_mediator() {
  const auto victim = request();
  if (!victim) return;
  protocol::ConfirmationResult result{deployment().genesis.synchronizer, protocol::ViewType::transaction, victim->id,
                                      victim->root_hash, protocol::Approve{}};
  if (world_.chance(500))
    result.verdict = protocol::MediatorReject{
        protocol::RpcStatus::of(Error("MEDIATOR_TEST", ErrorCategory::malicious_or_faulty, "because")), true};
  std::vector<protocol::RecipientSet> everybody;
  for (const auto& member : deployment().participants) everybody.push_back({member});
  send({protocol::signed_envelope(protocol::serialize_signed_message(result), own_key(),
                                  protocol::Recipients::groups(std::move(everybody)))});
}

void HostileMember::change_the_topology_of_another() {
  const auto& victim = participant();
  topology::Mapping mapping = topology::VettedPackages{victim.uid(), {}};
  if (world_.chance(500)) {
    mapping = topology::PartyToParticipant{
        victim.uid(), 1, {{self().uid(), topology::Permission::submission, false}}, std::nullopt};
  }
  const auto serial = static_cast<std::uint32_t>(1 + world_.random().below(3));
  auto transaction = topology::Transaction::create(topology::Operation::add_replace, serial, mapping);
  if (!transaction) return;
  auto signature = topology::sign_transaction(keys(), self().uid().ns(), transaction->hash());
  if (!signature) return;
  auto made = topology::SignedTransaction::create(std::move(*transaction), {std::move(*signature)}, world_.chance(500));
  if (!made) return;
  auto envelope = topology::broadcast_envelope(deployment().genesis.synchronizer, {std::move(*made)});
  if (world_.chance(200)) envelope.recipients = somebody();
  send({std::move(envelope)});
}

// To a sequencer itself, past everything that a client takes care of.
void HostileMember::send_what_no_member_sends() {
  SimSequencer& sequencer = *all_sequencers_[world_.random().below(all_sequencers_.size())];
  protocol::SubmissionRequest request;
  request.sender = world_.chance(500) ? participant() : self();
  request.message_id = fmt::format("{}-{}", name(), ++counter_);
  request.batch = protocol::CompressedBatch::compress({{"x", {}, somebody()}});
  request.max_sequencing_time = time() + Duration::seconds(5);
  if (world_.chance(300)) request.topology_timestamp = time();
  if (world_.chance(300)) request.aggregation_rule = protocol::AggregationRule::mediator_group(0);
  Bytes bytes = client::signed_submission(request, own_key(), std::nullopt);
  if (world_.chance(500)) bytes[world_.random().below(bytes.size())] ^= 4;
  if (world_.chance(200)) bytes.resize(world_.random().below(bytes.size()));
  net_.send(*this, sequencer, [this, &sequencer, life = life(), bytes] {
    if (up() && this->life() == life) sequencer.send(*this, self(), bytes, [](const Status&) {});
  });
}

}  // namespace synod::sim
