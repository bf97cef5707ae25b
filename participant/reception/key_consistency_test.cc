#include "participant/reception/key_consistency.h"

#include <gtest/gtest.h>

namespace synod::participant {
namespace {

using lf::ContractId;

ContractId id(char c) {
  return ContractId::from_bytes(Bytes(1, '\0') + Bytes(32, c) + "\xca\x12" + Bytes(32, c)).value();
}

lf::KeyWithMaintainers key(char hash, const lf::Party& maintainer = "bank") {
  return {{{"package", "M", "T"}, "name", lf::Value::text(Bytes(1, hash)), Bytes(32, hash)}, {maintainer}};
}

lf::Node create(char contract, char k = 'k') {
  lf::CreateNode node;
  node.contract_id = id(contract);
  node.key = key(k);
  return {node, "2.3", {}, -1};
}
lf::Node fetch(char contract, bool by_key, char k = 'k') {
  lf::FetchNode node;
  node.contract_id = id(contract);
  node.key = key(k);
  node.by_key = by_key;
  return {node, "2.3", {}, -1};
}
lf::Node consume(char contract, bool by_key = false) {
  lf::ExerciseNode node;
  node.contract_id = id(contract);
  node.key = key('k');
  node.by_key = by_key;
  return {node, "2.3", {}, -1};
}
lf::Node query(const std::string& contracts, bool exhaustive, char k = 'k') {
  lf::QueryByKeyNode node;
  node.key = key(k);
  for (const char c : contracts) node.result.push_back(id(c));
  node.exhaustive = exhaustive;
  return {node, "2.3", {}, -1};
}

// A request with one view for each list of maintainers of key 'k'.
ReceivedRequest request(const std::vector<std::vector<protocol::Party>>& maintainers) {
  ReceivedRequest out;
  for (const auto& parties : maintainers) {
    protocol::ViewParticipantData data;
    data.salt = Bytes(32, 's');
    data.action = protocol::CreateAction{id('x').to_hex(), Bytes(32, 'n')};
    data.resolved_keys.push_back({"", "", "name", Bytes(32, 'k'), parties, {}});
    protocol::ViewCommonData common;
    common.salt = Bytes(32, 's');
    out.views.push_back({protocol::TransactionView(protocol::MerkleLeaf<protocol::ViewCommonData>::of(common),
                                                   protocol::MerkleLeaf<protocol::ViewParticipantData>::of(data), {}),
                         {}});
  }
  return out;
}

bool consistent(std::vector<lf::Node> nodes, bool hosted = true) {
  lf::Transaction transaction;
  transaction.nodes = std::move(nodes);
  const auto status = check_keys(request({{"bank"}}), transaction, [hosted](const lf::Party&) { return hosted; });
  if (!status) {
    EXPECT_EQ(status.error().id, "INCONSISTENT_CONTRACT_KEY");
  }
  return status.has_value();
}

TEST(KeyConsistency, LookupsAgreeWithEachOther) {
  EXPECT_TRUE(consistent({query("ab", false), query("ab", false), query("a", false), query("abc", true)}));
  EXPECT_TRUE(consistent({query("", true), query("", true)}));
  EXPECT_TRUE(consistent({query("ab", true), fetch('a', true), query("ab", true)}));
  EXPECT_FALSE(consistent({query("ab", false), query("ba", false)}));
  EXPECT_FALSE(consistent({query("ab", true), query("abc", true)})) << "the first one came to the end";
  EXPECT_FALSE(consistent({query("ab", false), query("a", true)}));
  EXPECT_FALSE(consistent({query("a", false), fetch('b', true)}));
  EXPECT_FALSE(consistent({query("", false)}));
  EXPECT_FALSE(consistent({query("", true), query("a", false)}));
}

TEST(KeyConsistency, WhatTheTransactionCreatesComesFirstAndWhatItArchivesIsGone) {
  EXPECT_TRUE(consistent({query("a", true), create('n'), query("na", true), create('m'), query("mna", true)}));
  EXPECT_TRUE(consistent({query("ab", true), consume('a'), query("b", true), consume('b', true), query("", true)}));
  EXPECT_TRUE(consistent({create('n'), consume('n'), query("", true)}));
  EXPECT_FALSE(consistent({create('n'), query("an", true)}));
  EXPECT_FALSE(consistent({create('n'), query("a", false)}));
  EXPECT_FALSE(consistent({query("a", true), consume('a'), query("a", true)}));
  EXPECT_FALSE(consistent({consume('a'), fetch('a', false)}));
  EXPECT_FALSE(consistent({create('n'), create('n')}));
  EXPECT_FALSE(consistent({fetch('a', false), create('a')}));
}

TEST(KeyConsistency, AContractUsedByItsIdBelongsToTheKeyAsWell) {
  EXPECT_TRUE(consistent({fetch('a', false), query("ba", true)}));
  EXPECT_TRUE(consistent({fetch('a', false), query("b", false)}));
  EXPECT_TRUE(consistent({consume('a'), query("b", true)}));
  EXPECT_FALSE(consistent({fetch('a', false), query("b", true)})) << "the lookup would have found it";
  EXPECT_FALSE(consistent({query("b", true), fetch('a', false)}));
  EXPECT_TRUE(consistent({query("b", true), fetch('a', false, 'o')})) << "another key";
}

TEST(KeyConsistency, KeysOfOthersAreLeftToThem) {
  EXPECT_TRUE(consistent({query("ab", false), query("ba", false)}, false));
  EXPECT_TRUE(consistent({query("ab", false, 'o'), query("ba", false, 'o')})) << "no view resolves it";
}

TEST(KeyConsistency, ViewsNameTheSameMaintainers) {
  const auto hosted = [](const lf::Party&) { return true; };
  EXPECT_TRUE(check_keys(request({{"a", "b"}, {"b", "a"}}), {}, hosted));
  EXPECT_FALSE(check_keys(request({{"a", "b"}, {"a"}}), {}, hosted));
}

}  // namespace
}  // namespace synod::participant
