// The same commands give the same transaction: again, in other threads, on a cold and on a warm engine, and on every
// machine, which is what the recorded hash is for. Who changes it breaks agreement with participants that have not
// changed.
#include <gtest/gtest.h>

#include <thread>

#include "crypto/hash.h"
#include "lf/ledger/test_support.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa", kBob = "Bob::1220bb";

// Arithmetic, text, maps, folds, closures, exceptions, and a tree of exercises.
constexpr const char* kProgram = R"(
metadata ('deterministic' : '1.0.0')
module Main {
  record @serializable Item = { name: Text, price: Numeric 10, tags: GenMap Int64 Text } ;
  record @serializable Account = { owner: Party, friend: Party, items: List Main:Item, balance: Numeric 10 } ;
  record @serializable Buy = { count: Int64 } ;
  record @serializable Look = {} ;
  record @serializable Refused = { why: Text } ;
  exception Refused = { message \(e: Main:Refused) -> Main:Refused {why} e } ;

  val range : Int64 -> List Int64 -> List Int64 = \(n: Int64) (tail: List Int64) ->
    case LESS_EQ @Int64 n 0 of True -> tail | False -> Main:range (SUB_INT64 n 1) (Cons @Int64 [n] tail) ;
  val tags : Int64 -> GenMap Int64 Text = \(n: Int64) ->
    FOLDL @(GenMap Int64 Text) @Int64
      (\(m: GenMap Int64 Text) (i: Int64) -> GENMAP_INSERT @Int64 @Text (MOD_INT64 (MUL_INT64 i 37) 101) (SHA256_TEXT (INT64_TO_TEXT i)) m)
      (GENMAP_EMPTY @Int64 @Text) (Main:range n (Nil @Int64)) ;
  val item : Int64 -> Main:Item = \(n: Int64) ->
    Main:Item { name = APPEND_TEXT "item " (INT64_TO_TEXT n),
                price = DIV_NUMERIC @10 @10 @10 0.0000000000 (INT64_TO_NUMERIC @10 0.0000000000 n) 3.0000000000,
                tags = Main:tags n } ;
  val total : List Main:Item -> Numeric 10 = \(items: List Main:Item) ->
    FOLDR @Main:Item @(Numeric 10) (\(i: Main:Item) (sum: Numeric 10) -> ADD_NUMERIC @10 (Main:Item {price} i) sum)
      0.0000000000 items ;

  template (this : Account) = {
    signatories Cons @Party [Main:Account {owner} this] (Nil @Party) ;
    observers Cons @Party [Main:Account {friend} this] (Nil @Party) ;
    choice @nonConsuming Look (self) (arg : Main:Look) : Numeric 10
      , controllers Cons @Party [Main:Account {owner} this] (Nil @Party)
      to try @(Numeric 10)
           (ubind t: Main:Account <- fetch_template @Main:Account self in
            case LESS @(Numeric 10) (Main:total (Main:Account {items} t)) 5.0000000000 of
              True -> upure @(Numeric 10) (throw @(Numeric 10) @Main:Refused (Main:Refused {why = "cheap"}))
            | False -> upure @(Numeric 10) (Main:total (Main:Account {items} t)))
         catch e -> Some @(Update (Numeric 10)) (upure @(Numeric 10) 0.0000000000) ;
    choice @nonConsuming Buy (self) (arg : Main:Buy) : ContractId Main:Account
      , controllers Cons @Party [Main:Account {owner} this] (Nil @Party)
      to case LESS_EQ @Int64 (Main:Buy {count} arg) 0 of
           True -> create @Main:Account this
         | False ->
             ubind
               seen: Numeric 10 <- exercise @Main:Account Look self (Main:Look {}) ;
               next: ContractId Main:Account <- create @Main:Account (Main:Account {
                 owner = Main:Account {owner} this, friend = Main:Account {friend} this,
                 items = Cons @Main:Item [Main:item (Main:Buy {count} arg)] (Main:Account {items} this),
                 balance = SUB_NUMERIC @10 (Main:Account {balance} this) seen })
             in exercise @Main:Account Buy next (Main:Buy {count = SUB_INT64 (Main:Buy {count} arg) 1}) ;
  } ;
}
)";

// Over everything that other participants see of a transaction.
Bytes hash_of(const Transaction& tx) {
  Bytes all;
  auto parties = [&](const PartySet& set) {
    append_i32(all, static_cast<std::int32_t>(set.size()));
    for (const auto& p : set) append_length_prefixed(all, p);
  };
  for (const Node& n : tx.nodes) {
    append_i32(all, static_cast<std::int32_t>(n.action.index()));
    append_i32(all, n.parent);
    append_length_prefixed(all, n.seed.value_or(Bytes()));
    parties(n.informees());
    if (auto* c = n.create()) {
      append_length_prefixed(all, c->contract_id.bytes());
      append_length_prefixed(all, encode_value(c->argument));
    } else if (auto* e = n.exercise()) {
      append_length_prefixed(all, e->contract_id.bytes());
      append_length_prefixed(all, e->choice);
      append_length_prefixed(all, encode_value(e->argument));
      append_length_prefixed(all, encode_value(e->result.value_or(Value::unit())));
    } else if (auto* f = n.fetch()) {
      append_length_prefixed(all, f->contract_id.bytes());
    }
  }
  return crypto::sha256(all);
}

std::string interpret(const Engine& engine, const std::string& package) {
  SubmitContext c;
  c.submitters = {kAlice};
  c.ledger_time = c.preparation_time = Timestamp{1'795'368'346'527'792};
  c.submission_seed = Bytes(32, 's');
  c.participant_id = "participant1::1220dd";
  testing::ContractsInMemory contracts;
  auto numeric = Value::numeric(*parse_numeric("1000.0000000000"));
  auto r = engine.submit(
      {CreateAndExerciseCommand{{package, "Main", "Account"},
                                Value::record({Value::party(kAlice), Value::party(kBob), Value::list({}), numeric}),
                                "Buy",
                                Value::record({Value::int64(12)})}},
      c, contracts);
  return r ? to_hex(hash_of(r->transaction)) : r.error().to_string();
}

TEST(Determinism, TheSameTransactionInEveryThreadAndOnEveryMachine) {
  auto entry = assemble_package(kProgram);
  ASSERT_TRUE(entry) << entry.error().to_string();
  auto store = std::make_shared<PackageStore>();
  store->add(entry->package);
  const std::string& package = entry->package->id();
  const std::string recorded = "4684ca8cafdb0b62ee8c4af304a0ded0ca29936d4def90c5de42366266afce5d";
  Engine warm(store);
  ASSERT_EQ(interpret(warm, package), recorded);

  constexpr int kThreads = 4, kRounds = 5;
  std::vector<std::vector<std::string>> seen(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < kRounds; ++k) {
        Engine cold(store);
        seen[static_cast<std::size_t>(i)].push_back(interpret(cold, package));
        seen[static_cast<std::size_t>(i)].push_back(interpret(warm, package));
      }
    });
  for (auto& t : threads) t.join();
  for (const auto& list : seen) {
    ASSERT_EQ(list.size(), 2u * kRounds);
    for (const auto& hash : list) EXPECT_EQ(hash, recorded);
  }
}

}  // namespace
}  // namespace synod::lf
