// Every recorded view is interpreted again and must give the recorded contracts: ids, hashes, stakeholders, bytes.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "canton/transaction_v31.pb.h"
#include "crypto/hash.h"
#include "lf/ledger/test_support.h"
#include "lf/ledger/value_codec.h"

namespace synod::lf {
namespace {

namespace v31 = ::com::digitalasset::canton::protocol::v31;

struct View {
  std::string transaction;
  Timestamp ledger_time, preparation_time;
  v31::ViewParticipantData data;
};

// Removes Canton's wrapper { 1: message, 2: version } (the version takes the last two bytes).
Bytes unwrap(const Bytes& wrapped) {
  std::size_t at = 1, length = 0;
  for (int shift = 0;; shift += 7) {
    auto b = static_cast<unsigned char>(wrapped.at(at++));
    length |= static_cast<std::size_t>(b & 0x7f) << shift;
    if (b < 0x80) break;
  }
  return wrapped.substr(at, length);
}

std::vector<View> recorded_views() {
  std::vector<View> views;
  std::ifstream in("lf/testdata/recorded_views.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    View v;
    int depth;
    std::string hex;
    words >> v.transaction >> depth >> v.ledger_time.micros >> v.preparation_time.micros >> hex;
    EXPECT_TRUE(v.data.ParseFromString(unwrap(*from_hex(hex))));
    views.push_back(std::move(v));
  }
  return views;
}

ContractInstance contract(const Bytes& bytes) {
  auto c = decode_contract(bytes);
  if (!c) {
    ADD_FAILURE() << c.error().to_string();
    return {};
  }
  EXPECT_EQ(to_hex(encode_contract(*c)), to_hex(bytes));
  return *c;
}

// Recipe 10 of the wire facts: the id's suffix commits to the contract hash.
Bytes unicum(const ContractInstance& c, const Bytes& contract_hash) {
  v31::ContractAuthenticationData data;
  EXPECT_TRUE(data.ParseFromString(unwrap(c.authentication_data)));
  auto party_list = [](const PartySet& parties) {
    Bytes out;
    append_i32(out, static_cast<std::int32_t>(parties.size()));
    for (const auto& p : parties) append_length_prefixed(out, p);
    return out;
  };
  PartySet others;
  for (const auto& p : c.stakeholders)
    if (!c.signatories.contains(p)) others.insert(p);
  Bytes m;
  // The salt is a message { 1: kind, 2: bytes }.
  com::digitalasset::canton::crypto::v30::Salt salt;
  EXPECT_TRUE(salt.ParseFromString(data.contract_salt()));
  m += salt.salt();
  append_i64(m, c.created_at.micros / 1'000'000);
  append_i32(m, static_cast<std::int32_t>(c.created_at.micros % 1'000'000 * 1000));
  append_length_prefixed(m, party_list(c.signatories));
  append_length_prefixed(m, party_list(others));
  append_u8(m, 0);
  append_length_prefixed(m, Bytes(1, '\0'));
  m += contract_hash;
  return crypto::hash(crypto::HashPurpose::unicum, m).bytes();
}

ContractId local(const ContractId& id) { return ContractId::local_v1(id.discriminator()); }

class RecordedViews : public ::testing::Test {
 protected:
  void SetUp() override {
    packages_ = testing::load_dars({"canton-builtin-admin-workflow-ping.dar", "CantonExamples-3.2.0.dar"});
    if (!packages_) GTEST_SKIP() << "SKIPPED: needs the DARs in ../shared or $SYNOD_SHARED";
    views_ = recorded_views();
    ASSERT_EQ(views_.size(), 45u);
  }
  std::shared_ptr<PackageStore> packages_;
  std::vector<View> views_;
};

TEST_F(RecordedViews, ContractHashesBelongToTheIds) {
  Engine engine(packages_);
  std::set<ContractId> seen;
  for (const auto& v : views_) {
    std::vector<Bytes> contracts;
    for (const auto& c : v.data.core_inputs()) contracts.push_back(c.contract());
    for (const auto& c : v.data.created_core()) contracts.push_back(c.contract());
    for (const auto& bytes : contracts) {
      ContractInstance c = contract(bytes);
      if (!seen.insert(c.contract_id).second) continue;
      auto hash = engine.contract_hash(c.template_id, c.package_name, c.argument);
      ASSERT_TRUE(hash) << hash.error().to_string();
      EXPECT_EQ(to_hex(c.contract_id.suffix()), "ca12" + to_hex(unicum(c, *hash))) << c.template_id.to_string();
    }
  }
  EXPECT_GT(seen.size(), 20u);
}

TEST_F(RecordedViews, InterpretationGivesTheRecordedContracts) {
  Engine engine(packages_);
  std::map<std::string, testing::ContractsInMemory> inputs;
  for (const auto& v : views_) {
    for (const auto& c : v.data.core_inputs()) inputs[v.transaction].add(contract(c.contract()));
  }
  int creates = 0;
  for (const auto& v : views_) {
    std::map<ContractId, ContractInstance> created;  // by local id
    for (const auto& c : v.data.created_core()) {
      ContractInstance instance = contract(c.contract());
      created.emplace(local(instance.contract_id), instance);
    }
    ReplayContext context;
    context.ledger_time = v.ledger_time;
    context.preparation_time = v.preparation_time;
    ReplayCommand command;
    const auto& action = v.data.action_description();
    if (action.has_create()) {
      auto id = ContractId::from_hex(action.create().contract_id());
      ASSERT_TRUE(id);
      const ContractInstance& c = created.at(local(*id));
      command = ReplayCreate{c.template_id, c.argument};
      context.authorizers = c.signatories;
      context.node_seed = action.create().node_seed();
    } else if (action.has_exercise()) {
      const auto& e = action.exercise();
      auto argument = decode_versioned_value(e.chosen_value());
      ASSERT_TRUE(argument);
      EXPECT_EQ(encode_versioned_value(*argument), e.chosen_value());
      ReplayExercise replay{*parse_identifier(e.template_id()),
                            std::nullopt,
                            *ContractId::from_hex(e.input_contract_id()),
                            e.choice(),
                            *argument,
                            std::nullopt};
      command = replay;
      context.authorizers = PartySet(e.actors().begin(), e.actors().end());
      context.node_seed = e.node_seed();
    } else {
      const auto& f = action.fetch();
      command = ReplayFetch{*parse_identifier(f.template_id()), std::nullopt,
                            *ContractId::from_hex(f.input_contract_id()), std::nullopt};
      context.authorizers = PartySet(f.actors().begin(), f.actors().end());
    }
    auto result = engine.reinterpret(command, context, inputs[v.transaction]);
    ASSERT_TRUE(result) << result.error().to_string();
    const Transaction& tx = result->transaction;
    ASSERT_EQ(tx.roots.size(), 1u);
    std::map<ContractId, const CreateNode*> made;
    for (const auto& n : tx.nodes)
      if (auto* c = n.create()) made.emplace(c->contract_id, c);
    for (const auto& [id, c] : created) {
      auto it = made.find(id);
      ASSERT_NE(it, made.end()) << c.template_id.to_string() << " " << id.to_hex();
      ++creates;
      EXPECT_EQ(it->second->template_id, c.template_id);
      EXPECT_EQ(it->second->package_name, c.package_name);
      EXPECT_EQ(it->second->signatories, c.signatories);
      EXPECT_EQ(it->second->stakeholders, c.stakeholders);
      auto made_local = [&](const ContractId& inner) { return made.contains(local(inner)) ? local(inner) : inner; };
      EXPECT_TRUE(it->second->argument == c.argument.map_contract_ids(made_local))
          << it->second->argument.to_string() << "\n"
          << c.argument.to_string();
    }
    // The same inputs give the same result.
    auto again = engine.reinterpret(command, context, inputs[v.transaction]);
    ASSERT_TRUE(again);
    ASSERT_EQ(again->transaction.nodes.size(), tx.nodes.size());
    for (std::size_t i = 0; i < tx.nodes.size(); ++i) EXPECT_EQ(again->transaction.nodes[i].seed, tx.nodes[i].seed);
  }
  EXPECT_GT(creates, 20);
}

}  // namespace
}  // namespace synod::lf
