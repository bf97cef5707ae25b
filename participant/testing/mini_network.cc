#include "participant/testing/mini_network.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace synod::participant {

MiniNetwork::MiniNetwork(std::shared_ptr<lf::PackageStore> packages_in, int participants,
                         topology::DynamicParameters parameters)
    : network(std::move(parameters)), packages(std::move(packages_in)), engine(std::make_shared<lf::Engine>(packages)) {
  for (int i = 1; i <= participants; ++i)
    nodes.push_back({network.join_participant("participant" + std::to_string(i)), nullptr, nullptr, {}});
}

void MiniNetwork::start() {
  topology::VettedPackages vetted;
  for (const auto* package : packages->all()) vetted.packages.push_back({package->id(), std::nullopt, std::nullopt});
  for (auto& node : nodes) {
    vetted.participant = node.member.uid();
    EXPECT_EQ(network.submit(network.sign(vetted, 1, {node.member.uid().ns()})), "");
  }
  clock = network.now() + Duration::seconds(1);
  storage::MemoryStoreOptions options;
  options.columns = ParticipantCore::columns();
  for (auto& node : nodes) {
    node.store = std::make_shared<storage::MemoryStore>(options);
    open(node);
    auto effects = node.core->initialize(network.state->export_at(network.now()));
    if (!effects) throw std::runtime_error(effects.error().to_string());
    apply(node, *effects);
  }
  tick();
}

Status MiniNetwork::submit(int at, const std::string& party, const std::string& command_id,
                           std::vector<lf::Command> commands) {
  CommandSubmission command;
  command.command_id = command_id;
  command.act_as = {party};
  command.commands = std::move(commands);
  return submit(at, std::move(command));
}

Status MiniNetwork::submit(int at, CommandSubmission command) {
  auto& node = nodes[static_cast<std::size_t>(at)];
  command.user_id = "tester";
  auto outcome = node.core->on_command(command, clock);
  apply(node, outcome.effects);
  return outcome.accepted;
}

void MiniNetwork::open(Node& node) {
  CoreConfig config;
  config.participant = node.member;
  config.synchronizer = network.genesis.synchronizer;
  config.static_parameters = network.config.static_parameters;
  if (configure) configure(config);
  node.core = std::make_unique<ParticipantCore>(config, *node.store, *network.keys, engine, packages, *network.random);
  const auto loaded = node.core->load();
  if (!loaded) throw std::runtime_error(loaded.error().to_string());
}

std::string MiniNetwork::host(const std::string& name, int at) {
  const auto& participant = nodes[static_cast<std::size_t>(at)].member;
  const auto uid = protocol::UniqueId::create(name, participant.uid().ns()).value();
  topology::PartyToParticipant mapping{
      uid, 1, {{participant.uid(), topology::Permission::submission, false}}, std::nullopt};
  EXPECT_EQ(network.submit(network.sign(mapping, 1, {participant.uid().ns()})), "");
  return uid.to_string();
}

void MiniNetwork::sequence_next() {
  auto [sender, submission] = std::move(outbox.front());
  outbox.pop_front();
  sequence(sender, submission);
}

void MiniNetwork::run() {
  while (!outbox.empty()) sequence_next();
}

void MiniNetwork::restart_all() {
  for (auto& node : nodes) {
    open(node);
    apply(node, node.core->resume());
  }
}

void MiniNetwork::tick(Duration later) {
  clock = clock + later;
  for (auto& node : nodes) deliver(node, {}, std::nullopt);
}

void MiniNetwork::deliver_to_all(const std::vector<protocol::Envelope>& envelopes) {
  clock = clock + Duration::milliseconds(1);
  for (auto& node : nodes) deliver(node, envelopes, std::nullopt);
}

std::unique_ptr<LedgerStore> MiniNetwork::ledger(int at) {
  return LedgerStore::open(nodes[static_cast<std::size_t>(at)].store).value();
}

std::vector<ActiveContract> MiniNetwork::active(int at) {
  std::vector<ActiveContract> out;
  auto reader = ledger(at);
  EXPECT_TRUE(
      reader->active_contracts(reader->ledger_end(), [&](const ActiveContract& c) { return out.push_back(c), true; }));
  return out;
}

void MiniNetwork::apply(Node& node, const Effects& effects) {
  ASSERT_TRUE(node.store->write(effects.writes, storage::Sync::no));
  const auto index = static_cast<std::size_t>(&node - nodes.data());
  for (const auto& send : effects.sends) outbox.emplace_back(index, send.submission);
  node.completions.insert(node.completions.end(), effects.completions.begin(), effects.completions.end());
}

void MiniNetwork::deliver(Node& node, const std::vector<protocol::Envelope>& envelopes,
                          std::optional<std::string> message_id) {
  protocol::SequencedEvent event;
  event.timestamp = clock;
  event.synchronizer = network.genesis.synchronizer;
  event.message_id = std::move(message_id);
  event.batch = protocol::CompressedBatch::compress(envelopes).filter([&](const protocol::Recipient& r) {
    return r == protocol::Recipient(node.member) || r == protocol::Recipient::all_members();
  });
  auto effects = node.core->on_event(event, {}, "");
  ASSERT_TRUE(effects) << effects.error().to_string();
  apply(node, *effects);
  if (restart_often) open(node);
}

void MiniNetwork::sequence(std::size_t sender, const protocol::Submission& submission) {
  clock = clock + Duration::milliseconds(1);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    bool mine = i == sender;
    for (const auto& envelope : submission.envelopes)
      mine = mine || envelope.recipients.all().contains(protocol::Recipient(nodes[i].member));
    if (mine)
      deliver(nodes[i], submission.envelopes, i == sender ? std::optional(submission.message_id) : std::nullopt);
  }
  mediate(clock, submission);
}

void MiniNetwork::mediate(Timestamp at, const protocol::Submission& submission) {
  for (const auto& envelope : submission.envelopes) {
    if (!envelope.signatures.empty()) {
      auto message = protocol::parse_signed_message(envelope.content);
      ASSERT_TRUE(message);
      if (auto* responses = std::get_if<protocol::ConfirmationResponses>(&*message)) respond(*responses);
      continue;
    }
    auto content = protocol::parse_envelope_content(envelope.content);
    ASSERT_TRUE(content) << content.error().to_string();
    if (auto* root_hash = std::get_if<protocol::RootHashMessage>(&*content)) {
      pending_[at].root_hash = *root_hash;
      pending_[at].participants.push_back(envelope.recipients);
    } else if (auto* informees = std::get_if<protocol::InformeeMessage>(&*content)) {
      informee_messages.push_back(*informees);
      informees->tree.tree().for_each_view(
          [&](const protocol::TransactionView& view, const protocol::ViewPosition& position) {
            for (const auto& quorum : view.common().value().quorums) {
              for (const auto& confirmer : quorum.confirmers)
                pending_[at].awaited.insert(position.to_string() + " " + confirmer.party);
            }
          });
    }
  }
}

void MiniNetwork::respond(const protocol::ConfirmationResponses& responses) {
  auto& request = pending_.at(responses.request_id);
  if (request.done || !mediator_answers) return;
  protocol::Verdict verdict = protocol::Approve{};
  for (const auto& response : responses.responses) {
    if (response.verdict.code != protocol::LocalVerdict::Code::approve) {
      verdict = protocol::ParticipantReject{{{response.confirming_parties, response.verdict, responses.sender}}};
      request.awaited.clear();
    }
    for (const auto& party : response.confirming_parties)
      request.awaited.erase(response.view_position->to_string() + " " + party);
  }
  if (!request.awaited.empty()) return;
  request.done = true;
  const protocol::ConfirmationResult result{network.genesis.synchronizer, protocol::ViewType::transaction,
                                            responses.request_id, request.root_hash.root_hash, verdict};
  const auto mediator_key =
      network.state->head().signing_keys(network.mediator, crypto::KeyUsage::protocol).front().fingerprint();
  std::vector<protocol::RecipientSet> groups;
  for (const auto& node : nodes) groups.push_back({protocol::Recipient(node.member)});
  clock = clock + Duration::milliseconds(1);
  protocol::Envelope envelope{protocol::serialize_signed_message(result), {}, protocol::Recipients::groups(groups)};
  for (const auto& signer : verdict_signers.empty() ? std::vector{mediator_key} : verdict_signers)
    envelope.signatures.push_back(
        crypto::sign(protocol::signed_message_hash(envelope.content), *network.keys->signing_key(signer)));
  for (auto& node : nodes) {
    for (const auto& recipients : request.participants) {
      if (recipients.all().contains(protocol::Recipient(node.member))) {
        deliver(node, {envelope}, std::nullopt);
        break;
      }
    }
  }
}

}  // namespace synod::participant
