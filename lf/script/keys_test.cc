// Contract keys of LF 2.3, on a ledger in memory. Facts: NextGenContractStateMachine.scala and its tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/script/memory_ledger.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf::script {
namespace {

using ::testing::HasSubstr;

const Party kAlice = "Alice", kBob = "Bob";

// K has a key; on W every choice does something with it.
constexpr const char* kModel = R"(metadata ('keys' : '1.0.0') module M {
  record @serializable K = { owner: Party, watcher: Party, n: Int64 };
  record @serializable W = { p: Party };
  record @serializable Take = {} ; record @serializable Archive = {} ;
  record @serializable Query = { owner: Party, count: Int64 } ;
  record @serializable Fetch = { owner: Party } ;
  record @serializable Twice = { owner: Party } ;
  record @serializable AfterCreate = { owner: Party } ;
  record @serializable ById = { owner: Party, id: ContractId M:K } ;
  template (this : K) = {
    signatories Cons @Party [M:K {owner} this] (Nil @Party) ;
    observers Cons @Party [M:K {watcher} this] (Nil @Party) ;
    choice @nonConsuming Take (self) (u : M:Take) : Int64 , controllers Cons @Party [M:K {owner} this] (Nil @Party) to upure @Int64 (M:K {n} this) ;
    choice Archive (self) (u : M:Archive) : Unit , controllers Cons @Party [M:K {owner} this] (Nil @Party) to upure @Unit () ;
    key @Party (M:K {owner} this) (\(p: Party) -> Cons @Party [p] (Nil @Party)) ;
  } ;
  template (this : W) = {
    signatories Cons @Party [M:W {p} this] (Nil @Party) ;
    choice @nonConsuming Query (self) (q : M:Query) : Option (List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K))
      , controllers Cons @Party [M:W {p} this] (Nil @Party)
      to query_n_by_key @M:K (M:Query {count} q) (M:Query {owner} q) ;
    choice @nonConsuming Fetch (self) (q : M:Fetch) : 'daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K
      , controllers Cons @Party [M:W {p} this] (Nil @Party)
      to fetch_by_key @M:K (M:Fetch {owner} q) ;
    choice @nonConsuming Twice (self) (q : M:Twice) : Int64
      , controllers Cons @Party [M:W {p} this] (Nil @Party)
      to ubind gone: Unit <- exercise_by_key @M:K Archive (M:Twice {owner} q) (M:Archive {}) in
         exercise_by_key @M:K Take (M:Twice {owner} q) (M:Take {}) ;
    choice @nonConsuming AfterCreate (self) (q : M:AfterCreate) : Option (List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K))
      , controllers Cons @Party [M:W {p} this] (Nil @Party)
      to ubind made: ContractId M:K <- create @M:K (M:K { owner = M:AfterCreate {owner} q, watcher = M:AfterCreate {owner} q, n = 99 }) in
         query_n_by_key @M:K 2 (M:AfterCreate {owner} q) ;
    choice @nonConsuming ById (self) (q : M:ById) : Option (List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K))
      , controllers Cons @Party [M:W {p} this] (Nil @Party)
      to ubind known: M:K <- fetch_template @M:K (M:ById {id} q) in
         query_n_by_key @M:K 10 (M:ById {owner} q) ;
  } ;
})";

class Keys : public ::testing::Test {
 protected:
  void SetUp() override {
    SYNOD_NEEDS_SHARED(path, "dars/CantonExamples-3.2.0.dar");  // for the package with the pair type
    static const auto dar = decode_dar(synod::testing::read_file(path));
    ASSERT_TRUE(dar);
    auto entry = assemble_package(kModel, {.version = kLf23, .dependencies = dar->entries});
    ASSERT_TRUE(entry) << entry.error().to_string();
    id_ = entry->package->id();
    auto packages = std::make_shared<PackageStore>();
    packages->add(entry->package);
    for (const auto& e : dar->entries) packages->add(e.package);
    const Status typed = check_package(*entry->package, *packages);
    ASSERT_TRUE(typed) << typed.error().to_string();
    engine_ = std::make_unique<Engine>(packages);
    ledger_ = std::make_unique<MemoryLedger>(packages, *engine_, MemoryLedger::Options{});
    for (const auto& p : {kAlice, kBob}) ASSERT_TRUE(ledger_->allocate_party(p, {}));
  }

  Identifier type(const char* name) const { return {id_, "M", name}; }
  SubmitResult submit(const PartySet& who, Command command) {
    return ledger_->submit({who, {}, {}, {}, {}, {{std::move(command), true}}}).value();
  }
  ContractId create(const Party& owner, const Party& watcher, std::int64_t n) {
    auto result =
        submit({owner},
               CreateCommand{type("K"), Value::record({Value::party(owner), Value::party(watcher), Value::int64(n)})});
    return std::get<TransactionTree>(result).at(0).contract_id;
  }
  // The choice's result or the error's id and cause.
  std::string on_w(const Party& who, const std::string& choice, std::vector<Value> fields) {
    auto result = submit({who}, CreateAndExerciseCommand{type("W"), Value::record({Value::party(who)}), choice,
                                                         Value::record(std::move(fields))});
    if (auto* r = std::get_if<Refusal>(&result)) return r->error.id + ": " + r->error.cause;
    return numbers(std::get<TransactionTree>(result).at(1).result);
  }
  // The n of each contract in a result, which may be one of K, a pair, or an optional list of pairs.
  static std::string numbers(const Value& v) {
    switch (v.kind()) {
      case ValueKind::int64:
        return std::to_string(v.as_int64());
      case ValueKind::optional:
        return v.as_optional() ? numbers(*v.as_optional()) : "none";
      case ValueKind::record:
        return numbers(v.as_record().back());
      case ValueKind::list: {
        std::string out;
        for (const auto& e : v.as_list()) out += (out.empty() ? "" : " ") + numbers(e);
        return out;
      }
      default:
        return v.to_string();
    }
  }
  static Value party(const Party& p) { return Value::party(p); }

  std::string id_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MemoryLedger> ledger_;
};

TEST_F(Keys, QueriesSeeTheNewestFirst) {
  for (int n = 1; n <= 3; ++n) create(kAlice, kBob, n);
  EXPECT_EQ(on_w(kAlice, "Query", {party(kAlice), Value::int64(2)}), "3 2");
  EXPECT_EQ(on_w(kAlice, "Query", {party(kAlice), Value::int64(10)}), "3 2 1");
  EXPECT_EQ(on_w(kBob, "Query", {party(kBob), Value::int64(10)}), "");
  EXPECT_EQ(on_w(kAlice, "Fetch", {party(kAlice)}), "3");
  EXPECT_THAT(on_w(kAlice, "Query", {party(kAlice), Value::int64(0)}), HasSubstr("must be one or more"));
  EXPECT_EQ(numbers(ledger_->query_by_key({kBob}, type("K"), party(kAlice), 2)->at(0).argument), "3");
}

TEST_F(Keys, QueriesNeedTheMaintainersFetchesAStakeholder) {
  create(kAlice, kBob, 1);
  EXPECT_THAT(on_w(kBob, "Query", {party(kAlice), Value::int64(1)}), HasSubstr("DAML_AUTHORIZATION_ERROR"));
  EXPECT_EQ(on_w(kBob, "Fetch", {party(kAlice)}), "1");
  EXPECT_THAT(on_w(kAlice, "Fetch", {party(kBob)}), HasSubstr("CONTRACT_KEY_NOT_FOUND"));
}

TEST_F(Keys, ArchivedContractsLeaveTheQueue) {
  for (int n = 1; n <= 3; ++n) create(kAlice, kBob, n);
  EXPECT_EQ(on_w(kAlice, "Twice", {party(kAlice)}), "2");  // the newest is archived, the next one answers
  EXPECT_EQ(on_w(kAlice, "Query", {party(kAlice), Value::int64(10)}), "2 1");
  auto exercised = submit({kAlice}, ExerciseByKeyCommand{type("K"), party(kAlice), "Take", Value::record({})});
  ASSERT_TRUE(std::holds_alternative<TransactionTree>(exercised)) << std::get<Refusal>(exercised).error.to_string();
  EXPECT_EQ(numbers(std::get<TransactionTree>(exercised).at(0).result), "2");
}

TEST_F(Keys, WhatTheTransactionCreatesComesFirst) {
  for (int n = 1; n <= 3; ++n) create(kAlice, kBob, n);
  EXPECT_EQ(on_w(kAlice, "AfterCreate", {party(kAlice)}), "99 3");
}

TEST_F(Keys, AContractUsedByItsIdStaysInItsPlace) {
  const ContractId first = create(kAlice, kBob, 1);
  create(kAlice, kBob, 2);
  EXPECT_EQ(on_w(kAlice, "ById", {party(kAlice), Value::contract_id(first)}), "2 1");
}

TEST_F(Keys, TransactionsTellTheKeysTheyRelyOn) {
  create(kAlice, kBob, 7);
  struct Lookup : ContractLookup {
    std::optional<ContractInstance> find(const ContractId&) override { return std::nullopt; }
    std::vector<ContractInstance> find_by_key(const GlobalKey&, int n) override {
      return asked = n, std::vector<ContractInstance>{};
    }
    int asked = 0;
  } lookup;
  SubmitContext context;
  context.submitters = {kAlice};
  context.submission_seed = Bytes(32, 's');
  auto result = engine_->submit({CreateAndExerciseCommand{type("W"), Value::record({party(kAlice)}), "Query",
                                                          Value::record({party(kAlice), Value::int64(5)})}},
                                context, lookup);
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(lookup.asked, 5);
  const QueryByKeyNode* query = result->transaction.at(2).query_by_key();
  ASSERT_TRUE(query);
  EXPECT_TRUE(query->exhaustive);
  EXPECT_EQ(query->key.maintainers, PartySet{kAlice});
  EXPECT_EQ(result->transaction.at(2).version, "2.3");
  EXPECT_EQ(query->key.key.hash, engine_->global_key(type("K"), party(kAlice))->hash);
}

}  // namespace
}  // namespace synod::lf::script
