// Contract keys on participants: what commands find by key, what the views say of it, and how others check it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"
#include "participant/reception/request_checks.h"
#include "participant/testing/mini_network.h"

namespace synod::participant {
namespace {

using lf::Value;

struct Model {
  std::string id;
  std::shared_ptr<lf::PackageStore> packages;
};

// examples/accounts.lf, with the pairs from the examples of Canton.
const Model* model() {
  static const auto made = []() -> std::optional<Model> {
    const auto path = testing::shared_path("dars/CantonExamples-3.2.0.dar");
    if (!path) return std::nullopt;
    const auto dar = lf::decode_dar(testing::read_file(*path));
    if (!dar) throw std::runtime_error(dar.error().to_string());
    const auto entry = lf::assemble_package(testing::read_file("examples/accounts.lf"),
                                            {.version = lf::kLf23, .dependencies = dar->entries});
    if (!entry) throw std::runtime_error(entry.error().to_string());
    auto packages = std::make_shared<lf::PackageStore>();
    for (const auto& item : dar->entries) packages->add(item.package);
    packages->add(entry->package);
    if (const auto typed = lf::check_package(*entry->package, *packages); !typed)
      throw std::runtime_error(typed.error().to_string());
    return Model{entry->package->id(), packages};
  }();
  return made ? &*made : nullptr;
}

// The bank at the first participant; a clerk and Olga at the second; Otto at the third.
class Bank : public MiniNetwork {
 public:
  Bank() : MiniNetwork(model()->packages, 3) {
    bank = host("Bank", 0);
    clerk = host("Clerk", 1);
    olga = host("Olga", 1);
    otto = host("Otto", 2);
    start();
  }

  lf::Identifier type(const char* name) const { return {model()->id, "Accounts", name}; }
  lf::Command account(const std::string& owner, std::int64_t number, std::int64_t balance) const {
    return lf::CreateCommand{type("Account"), Value::record({Value::party(bank), Value::party(owner),
                                                             Value::int64(number), Value::int64(balance)})};
  }
  lf::Command at_desk(const std::string& who, const std::string& choice, std::vector<Value> fields) const {
    return lf::CreateAndExerciseCommand{type("Desk"), Value::record({Value::party(bank), Value::party(who)}), choice,
                                        Value::record(std::move(fields))};
  }
  lf::Command by_number(std::int64_t number, const std::string& choice, std::vector<Value> fields) const {
    return lf::ExerciseByKeyCommand{type("Account"), Value::record({Value::party(bank), Value::int64(number)}), choice,
                                    Value::record(std::move(fields))};
  }

  // Runs it to its end; the error's id, or what the first exercise gave.
  std::string outcome(int at, CommandSubmission command) {
    command.command_id = "command " + std::to_string(++commands_);
    if (const auto accepted = submit(at, command); !accepted) return accepted.error().id;
    run();
    const auto& done = nodes[static_cast<std::size_t>(at)].completions.back();
    EXPECT_EQ(done.command_id, command.command_id);
    if (done.rejection) return done.rejection->id;
    const auto update = ledger(at)->update_by_id(done.update_id);
    EXPECT_TRUE(update && *update);
    for (const auto& event : (*update)->transaction()->events)
      if (const auto* exercise = std::get_if<ExercisedEvent>(&event)) return shown(*exercise->result);
    return "done";
  }
  std::string outcome(int at, lf::PartySet act_as, std::vector<lf::Command> list, lf::PartySet read_as = {}) {
    CommandSubmission command;
    command.act_as = std::move(act_as);
    command.read_as = std::move(read_as);
    command.commands = std::move(list);
    return outcome(at, std::move(command));
  }
  std::vector<std::int64_t> balances(int at) {
    std::vector<std::int64_t> out;
    for (const auto& item : active(at))
      if (item.contract.template_id == type("Account")) out.push_back(item.contract.argument.as_record()[3].as_int64());
    return out;
  }

  std::string bank, clerk, olga, otto;

 private:
  // The balances of a lookup's accounts, or the number itself.
  static std::string shown(const Value& value) {
    if (value.kind() == lf::ValueKind::int64) return std::to_string(value.as_int64());
    if (value.kind() != lf::ValueKind::optional) return "done";
    std::string out = "[";
    for (const auto& pair : value.as_optional()->as_list())
      out += (out.size() > 1 ? " " : "") + std::to_string(pair.as_record()[1].as_record()[3].as_int64());
    return out + "]";
  }

  int commands_ = 0;
};

class ContractKeys : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!model()) GTEST_SKIP() << "SKIPPED: needs CantonExamples in ../shared/dars";
    net = std::make_unique<Bank>();
    net->restart_often = GetParam();
  }
  void open(std::int64_t number, std::vector<std::int64_t> balances) {
    for (const auto balance : balances)
      ASSERT_EQ(net->outcome(0, {net->bank}, {net->account(net->olga, number, balance)}), "done");
  }
  std::string count(std::int64_t number, std::int64_t most) {
    return net->outcome(0, {net->bank}, {net->at_desk(net->bank, "Count", {Value::int64(number), Value::int64(most)})});
  }
  std::unique_ptr<Bank> net;
};
INSTANTIATE_TEST_SUITE_P(, ContractKeys, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Restarting" : "Running"; });

TEST_P(ContractKeys, LookupsGiveTheNewestFirst) {
  open(1, {10, 20, 30});
  open(2, {99});
  EXPECT_EQ(count(1, 2), "[30 20]");
  EXPECT_EQ(count(1, 10), "[30 20 10]");
  EXPECT_EQ(count(3, 10), "[]");
}

TEST_P(ContractKeys, ACommandMayNameItsContractByKey) {
  open(1, {10, 20});
  EXPECT_EQ(net->outcome(1, {net->olga}, {net->by_number(1, "Read", {})}), "20");
  EXPECT_EQ(net->outcome(0, {net->bank}, {net->by_number(1, "Archive", {})}), "done");
  EXPECT_EQ(net->outcome(1, {net->olga}, {net->by_number(1, "Read", {})}), "10");
  EXPECT_EQ(net->outcome(0, {net->bank}, {net->by_number(1, "Archive", {})}), "done");
  EXPECT_EQ(net->outcome(1, {net->olga}, {net->by_number(1, "Read", {})}), "CONTRACT_KEY_NOT_FOUND");
}

// Otto's participant sees nothing but the view of his account, whose root is an exercise by key.
TEST_P(ContractKeys, EachOwnerChecksTheViewOfHisAccount) {
  open(1, {100});
  ASSERT_EQ(net->outcome(0, {net->bank}, {net->account(net->otto, 2, 5)}), "done");
  EXPECT_EQ(net->outcome(0, {net->bank},
                         {net->at_desk(net->bank, "Move", {Value::int64(1), Value::int64(2), Value::int64(30)})}),
            "done");
  EXPECT_EQ(net->balances(0), (std::vector<std::int64_t>{70, 35}));
  EXPECT_EQ(net->balances(1), (std::vector<std::int64_t>{70}));
  EXPECT_EQ(net->balances(2), (std::vector<std::int64_t>{35}));
  EXPECT_EQ(net->outcome(2, {net->otto}, {net->by_number(2, "Read", {})}), "35");
}

// The second exercise finds what the first one created.
TEST_P(ContractKeys, WhatTheTransactionMakesIsFoundInIt) {
  open(1, {100});
  EXPECT_EQ(net->outcome(0, {net->bank},
                         {net->at_desk(net->bank, "Move", {Value::int64(1), Value::int64(1), Value::int64(30)})}),
            "done");
  EXPECT_EQ(net->balances(1), (std::vector<std::int64_t>{100}));
  EXPECT_EQ(
      net->outcome(
          0, {net->bank},
          {net->account(net->olga, 1, 7), net->at_desk(net->bank, "Count", {Value::int64(1), Value::int64(10)}),
           net->by_number(1, "Archive", {}), net->at_desk(net->bank, "Count", {Value::int64(1), Value::int64(1)})}),
      "[7 100]");
  EXPECT_EQ(count(1, 10), "[100]");
}

TEST_P(ContractKeys, AContractUsedByItsIdStaysInItsPlace) {
  open(1, {10, 20, 30});
  const auto middle = net->active(0).at(1).contract.contract_id;
  EXPECT_EQ(
      net->outcome(0, {net->bank}, {net->at_desk(net->bank, "Close", {Value::int64(1), Value::contract_id(middle)})}),
      "[30 10]");
  EXPECT_EQ(count(1, 10), "[30 10]");
}

// The clerk has no stake in accounts: what is found depends on who reads along.
TEST_P(ContractKeys, OnlyWhatTheReadersHaveAStakeInIsFound) {
  open(1, {10, 20});
  ASSERT_EQ(net->outcome(0, {net->bank}, {net->account(net->otto, 1, 30)}), "done");
  ASSERT_EQ(net->outcome(0, {net->bank},
                         {lf::CreateCommand{net->type("Desk"),
                                            Value::record({Value::party(net->bank), Value::party(net->clerk)})}}),
            "done");
  const auto desk = net->active(0).back().contract.contract_id;
  const std::vector<lf::Command> look = {
      lf::ExerciseCommand{net->type("Desk"), desk, "Count", Value::record({Value::int64(1), Value::int64(10)})}};
  EXPECT_EQ(net->outcome(1, {net->clerk}, look), "[]");
  EXPECT_EQ(net->outcome(1, {net->clerk}, look, {net->olga}), "[20 10]");
  CommandSubmission disclosing;
  disclosing.act_as = {net->clerk};
  disclosing.read_as = {net->olga};
  disclosing.commands = look;
  disclosing.disclosed_contracts = {net->active(2).front().contract};
  EXPECT_EQ(net->outcome(1, disclosing), "[30 20 10]") << "disclosed ones come first";
}

TEST_P(ContractKeys, OneOfTwoCommandsForTheSameKeyWins) {
  open(1, {10});
  ASSERT_TRUE(net->submit(0, net->bank, "first", {net->by_number(1, "Change", {Value::int64(1)})}));
  ASSERT_TRUE(net->submit(0, net->bank, "second", {net->by_number(1, "Change", {Value::int64(2)})}));
  net->run();
  const auto& completions = net->nodes[0].completions;
  ASSERT_EQ(completions.size(), 3u);
  EXPECT_FALSE(completions[1].rejection);
  ASSERT_TRUE(completions[2].rejection);
  EXPECT_EQ(completions[2].rejection->id, "LOCAL_VERDICT_LOCKED_CONTRACTS");
  EXPECT_EQ(net->balances(1), (std::vector<std::int64_t>{11}));
}

// What a participant makes of a command's request when somebody changed the participant data of its last view.
std::string verdict(Bank& net, lf::Command command, const std::function<void(protocol::ViewParticipantData&)>& change) {
  static int attempts = 0;
  net.outbox.clear();
  EXPECT_TRUE(net.submit(0, net.bank, "attempt " + std::to_string(++attempts), {std::move(command)}));
  const auto& own = net.nodes[0].member;
  const auto synchronizer = net.network.genesis.synchronizer;
  const auto received = protocol::CompressedBatch::compress(net.outbox.front().second.envelopes)
                            .filter([&](const protocol::Recipient& r) { return r == protocol::Recipient(own); })
                            .decompress({});
  const auto sorted = sort_envelopes(received.value(), synchronizer, net.clock);
  protocol::OpenedViewKeys opened;
  auto request = read_request(net.clock, sorted, own, synchronizer, *net.network.keys, opened, {});
  if (!request || request->views.empty()) return "no request";
  auto& view = request->views.back().view;
  auto data = view.participant().value();
  change(data);
  view = protocol::TransactionView(view.common(), protocol::MerkleLeaf<protocol::ViewParticipantData>::of(data),
                                   view.subviews());
  const auto snapshot = net.nodes[0].core->current_snapshot();
  const lf::Limits limits;
  const auto checked = check_request(*request, {snapshot, own, *net.engine, *net.packages, limits});
  if (checked.not_conformant) return *checked.not_conformant;
  return checked.internally_inconsistent.value_or("fine");
}

TEST_P(ContractKeys, WhatAViewSaysOfKeysMustBeWhatItsActionFinds) {
  using Data = protocol::ViewParticipantData;
  using ::testing::HasSubstr;
  open(1, {10, 20});
  const auto look = net->at_desk(net->bank, "Count", {Value::int64(1), Value::int64(5)});
  const auto after = [&](const std::function<void(protocol::ResolvedKey&)>& change) {
    return verdict(*net, look, [&](Data& data) {
      ASSERT_EQ(data.resolved_keys.size(), 1u);
      ASSERT_EQ(data.resolved_keys.front().contract_ids.size(), 2u);
      change(data.resolved_keys.front());
    });
  };
  EXPECT_EQ(after([](auto&) {}), "fine");
  EXPECT_EQ(after([](auto& key) { std::reverse(key.contract_ids.begin(), key.contract_ids.end()); }), "fine")
      << "the order is what the submitter saw";
  EXPECT_THAT(after([](auto& key) { key.contract_ids.pop_back(); }), HasSubstr("resolved keys"));
  EXPECT_THAT(after([](auto& key) { key.contract_ids.push_back(key.contract_ids.front()); }),
              HasSubstr("resolved keys"));
  EXPECT_THAT(after([&](auto& key) { key.maintainers = {net->olga}; }), HasSubstr("resolved keys"));
  EXPECT_THAT(after([](auto& key) { key.hash[0] ^= 1; }), HasSubstr("resolved keys"));
  EXPECT_THAT(after([](auto& key) { key.key = "?"; }), HasSubstr("versioned value"));
  EXPECT_THAT(after([](auto& key) { key.contract_ids.front() = "00"; }), HasSubstr("ContractId"));
  EXPECT_THAT(verdict(*net, look, [](Data& data) { data.core_inputs.pop_back(); }), HasSubstr("differs"));

  // An exercise by key of another contract than the key stands for first.
  const auto take = net->by_number(1, "Change", {Value::int64(1)});
  EXPECT_EQ(verdict(*net, take, [](Data&) {}), "fine");
  const auto oldest = net->active(0).front().contract;
  EXPECT_THAT(verdict(*net, take,
                      [&](Data& data) {
                        data.core_inputs.push_back({lf::encode_contract(oldest), true});
                        std::get<protocol::ExerciseAction>(data.action).input_contract_id = oldest.contract_id.to_hex();
                      }),
              HasSubstr("differs"));
}

}  // namespace
}  // namespace synod::participant
