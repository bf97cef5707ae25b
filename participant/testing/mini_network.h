// Participants, a sequencer and a mediator in miniature, in one thread: commands from submission to publication.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lf/package_store.h"
#include "participant/core.h"
#include "participant/ledger_store.h"
#include "protocol/confirmation.h"
#include "protocol/envelope_content.h"
#include "storage/memory/memory_store.h"
#include "topology/testing/test_network.h"

namespace synod::participant {

// Sequences what the cores send, one submission at a time, and decides as soon as every quorum is reached or cannot be.
// Parties are hosted before start(). Everyone vets all packages. Failures are GoogleTest's.
class MiniNetwork {
 public:
  struct Node {
    protocol::Member member;
    std::shared_ptr<storage::MemoryStore> store;
    std::unique_ptr<ParticipantCore> core;
    std::vector<Completion> completions;
  };

  MiniNetwork(std::shared_ptr<lf::PackageStore> packages, int participants,
              topology::DynamicParameters parameters = {});

  // A new party on the participant with that index.
  std::string host(const std::string& name, int at);
  void start();

  Status submit(int at, const std::string& party, const std::string& command_id, std::vector<lf::Command> commands);
  Status submit(int at, CommandSubmission command);
  void sequence_next();
  void run();  // until nobody has anything to send
  void restart_all();
  void tick(Duration later = Duration::milliseconds(1));  // an event for everybody with nothing in it
  void deliver_to_all(const std::vector<protocol::Envelope>& envelopes);

  std::unique_ptr<LedgerStore> ledger(int at);
  std::vector<ActiveContract> active(int at);

  topology::testing::TestNetwork network;
  std::vector<Node> nodes;
  std::shared_ptr<lf::PackageStore> packages;
  std::shared_ptr<const lf::Engine> engine;
  std::deque<std::pair<std::size_t, protocol::Submission>> outbox;
  std::vector<protocol::InformeeMessage> informee_messages;
  Timestamp clock;
  bool mediator_answers = true;
  bool restart_often = false;
  std::function<void(CoreConfig&)> configure;        // of the cores; before start()
  std::vector<crypto::Fingerprint> verdict_signers;  // empty: the mediator

 private:
  struct Pending {
    protocol::RootHashMessage root_hash;
    std::set<std::string> awaited;  // view position and party
    std::vector<protocol::Recipients> participants;
    bool done = false;
  };

  void open(Node& node);
  void apply(Node& node, const Effects& effects);
  void deliver(Node& node, const std::vector<protocol::Envelope>& envelopes, std::optional<std::string> message_id);
  void sequence(std::size_t sender, const protocol::Submission& submission);
  void mediate(Timestamp at, const protocol::Submission& submission);
  void respond(const protocol::ConfirmationResponses& responses);

  std::map<Timestamp, Pending> pending_;
};

}  // namespace synod::participant
