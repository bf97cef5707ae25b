#include "lf/ledger/transaction_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/testing/shared_files.h"
#include "crypto/hash.h"
#include "lf/engine.h"
#include "lf/ledger/test_support.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"
#include "lf/transaction.pb.h"
#include "lf/value.pb.h"

namespace synod::lf {
namespace {

namespace pt = ::com::digitalasset::daml::lf::transaction;
using ::testing::HasSubstr;

const Party kAlice = "Alice::1220aa", kBob = "Bob::1220bb";

// Every kind of node: creates and exercises with a key and without, by interface and by key, fetches, lookups, and what
// a caught exception leaves.
constexpr const char* kProgram = R"(
metadata ('nodes' : '1.0.0')
module M {
  record @serializable View = {} ;
  record @serializable Thing = { owner: Party, friend: Party, n: Int64 } ;
  record @serializable Go = { depth: Int64 } ;
  record @serializable Touch = {} ;
  record @serializable Archive = {} ;
  record @serializable Oops = { why: Text } ;
  exception Oops = { message \(e: M:Oops) -> M:Oops {why} e } ;
  interface (this : Named) = {
    viewtype M:View ;
    method name : Text ;
    method owner : Party ;
    choice @nonConsuming Touch (self) (arg : M:Touch) : Text
      , controllers Cons @Party [call_method @M:Named owner this] (Nil @Party)
      to upure @Text (call_method @M:Named name this) ;
  } ;
  val one : Party -> List Party = \(p: Party) -> Cons @Party [p] (Nil @Party) ;
  template (this : Thing) = {
    signatories M:one (M:Thing {owner} this) ;
    observers M:one (M:Thing {friend} this) ;
    choice Archive (self) (arg : M:Archive) : Unit , controllers M:one (M:Thing {owner} this) to upure @Unit () ;
    choice @nonConsuming Fail (self) (arg : M:Touch) : Text , controllers M:one (M:Thing {owner} this)
      to ubind seen: M:Thing <- fetch_template @M:Thing self in upure @Text (throw @Text @M:Oops (M:Oops {why = "no"})) ;
    choice @nonConsuming Go (self) (arg : M:Go) : Int64 , controllers M:one (M:Thing {owner} this)
      to case LESS_EQ @Int64 (M:Go {depth} arg) 0 of
           True -> upure @Int64 (M:Thing {n} this)
         | False -> ubind
             seen: M:Thing <- fetch_template @M:Thing self ;
             name: Text <- exercise_interface @M:Named Touch (COERCE_CONTRACT_ID @M:Thing @M:Named self) (M:Touch {}) ;
             caught: Text <- try @Text (exercise @M:Thing Fail self (M:Touch {}))
                             catch e -> Some @(Update Text) (upure @Text "caught") ;
             next: ContractId M:Thing <- create @M:Thing (M:Thing { this with n = ADD_INT64 (M:Thing {n} this) 1 }) ;
             deep: Int64 <- exercise_by_key @M:Thing Go (M:Thing {owner} this) (M:Go { depth = SUB_INT64 (M:Go {depth} arg) 1 }) ;
             gone: Unit <- exercise @M:Thing Archive next (M:Archive {})
           in upure @Int64 (ADD_INT64 deep 1) ;
    key @Party (M:Thing {owner} this) (\(p: Party) -> M:one p) ;
    implements M:Named { view = M:View {} ; method name = INT64_TO_TEXT (M:Thing {n} this) ; method owner = M:Thing {owner} this ; } ;
  } ;
}
)";

struct Program {
  std::string package;
  std::shared_ptr<PackageStore> store = std::make_shared<PackageStore>();
};

const Program& program() {
  static const Program made = [] {
    Program out;
    auto entry = assemble_package(kProgram, {.version = kLf23});
    if (!entry) throw std::runtime_error(entry.error().to_string());
    out.package = entry->package->id();
    out.store->add(entry->package);
    return out;
  }();
  return made;
}

Result<Transaction> interpret(const Engine& engine, char seed, const Limits& limits = {}) {
  SubmitContext context;
  context.submitters = {kAlice};
  context.ledger_time = context.preparation_time = Timestamp{1'795'368'346'527'792};
  context.submission_seed = Bytes(32, seed);
  context.participant_id = "participant1::1220dd";
  testing::ContractsInMemory contracts;
  SYNOD_TRY(auto result,
            engine.submit(
                {CreateAndExerciseCommand{{program().package, "M", "Thing"},
                                          Value::record({Value::party(kAlice), Value::party(kBob), Value::int64(seed)}),
                                          "Go",
                                          Value::record({Value::int64(3)})}},
                context, contracts, limits));
  return std::move(result.transaction);
}

Transaction transaction() {
  auto made = interpret(Engine(program().store), 's');
  if (!made) throw std::runtime_error(made.error().to_string());
  return std::move(*made);
}

TEST(TransactionCodec, GoesThereAndBack) {
  const auto original = transaction();
  std::set<std::size_t> kinds;
  for (const auto& node : original.nodes) kinds.insert(node.action.index());
  EXPECT_EQ(kinds.size(), 4u) << "creates, fetches, exercises, rollbacks";
  const auto bytes = encode_transaction(original);
  const auto decoded = decode_transaction(bytes);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->roots, original.roots);
  ASSERT_EQ(decoded->nodes.size(), original.nodes.size());
  for (std::size_t i = 0; i < original.nodes.size(); ++i) {
    const auto &a = decoded->nodes[i], &b = original.nodes[i];
    EXPECT_EQ(a.parent, b.parent);
    EXPECT_EQ(a.version, b.is_action() ? b.version : a.version);
    EXPECT_EQ(a.informees(), b.informees());
    EXPECT_EQ(a.children(), b.children());
    if (b.exercise()) {
      EXPECT_EQ(a.exercise()->interface_id, b.exercise()->interface_id);
      EXPECT_EQ(a.exercise()->result, b.exercise()->result);
      EXPECT_EQ(a.exercise()->key, b.exercise()->key);
      EXPECT_EQ(a.exercise()->by_key, b.exercise()->by_key);
    }
  }
  EXPECT_EQ(to_hex(encode_transaction(*decoded)), to_hex(bytes));
}

TEST(TransactionCodec, LookupsByKeyToo) {
  Transaction original;
  Node node;
  node.version = "2.3";
  QueryByKeyNode query;
  query.package_name = "nodes";
  query.template_id = {program().package, "M", "Thing"};
  query.key = {{query.template_id, "nodes", Value::party(kAlice), Bytes(32, 'h')}, {kAlice}};
  query.result = {transaction().at(0).create()->contract_id};
  query.exhaustive = false;
  node.action = query;
  original.nodes = {node};
  original.roots = {0};
  const auto decoded = decode_transaction(encode_transaction(original));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  const auto* read = decoded->at(0).query_by_key();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, query.key);
  EXPECT_EQ(read->result, query.result);
  EXPECT_FALSE(read->exhaustive);
}

TEST(TransactionCodec, NodesMayBeNumberedInAnyWay) {
  const auto renumber = [](std::string& id) { id = std::to_string(7 * std::stoi(id) + 1000); };
  pt::Transaction message;
  ASSERT_TRUE(message.ParseFromString(encode_transaction(transaction())));
  for (auto& root : *message.mutable_roots()) renumber(root);
  for (auto& node : *message.mutable_nodes()) {
    renumber(*node.mutable_node_id());
    if (node.has_exercise())
      for (auto& child : *node.mutable_exercise()->mutable_children()) renumber(child);
    if (node.has_rollback())
      for (auto& child : *node.mutable_rollback()->mutable_children()) renumber(child);
  }
  const auto decoded = decode_transaction(message.SerializeAsString());
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(encode_transaction(*decoded), encode_transaction(transaction()));
}

TEST(TransactionCodec, BadInputIsRefused) {
  const auto bytes = encode_transaction(transaction());
  const auto refused = [&](const std::function<void(pt::Transaction&)>& change) -> std::string {
    pt::Transaction message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    change(message);
    const auto decoded = decode_transaction(message.SerializeAsString());
    return decoded ? "" : decoded.error().cause;
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_THAT(refused([](auto& m) { m.set_version("2.1"); }), HasSubstr("newer version 2.3"));
  EXPECT_THAT(refused([](auto& m) { m.set_version("2.dev"); }), HasSubstr("unsupported serialization version"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(0)->set_version("14"); }), HasSubstr("unsupported"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(0)->set_version("2.1"); }), HasSubstr("contract key"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes()->RemoveLast(); }), HasSubstr("missing"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_roots()->RemoveLast(); }), HasSubstr("below no root"));
  EXPECT_THAT(refused([](auto& m) { m.add_roots("0"); }), HasSubstr("twice"));
  EXPECT_THAT(refused([](auto& m) { m.add_roots("zero"); }), HasSubstr("node id"));
  EXPECT_THAT(refused([](auto& m) { m.add_roots("99999999999999999999"); }), HasSubstr("node id"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(1)->set_node_id("0"); }), HasSubstr("twice"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(0)->clear_node_type(); }), HasSubstr("no kind"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(0)->mutable_create()->set_created_at(1); }),
              HasSubstr("created_at"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(0)->mutable_create()->add_non_signatory_stakeholders("né"); }),
              HasSubstr("party"));
  EXPECT_THAT(refused([](auto& m) {
                m.mutable_nodes(0)->mutable_create()->add_non_signatory_stakeholders(std::string(256, 'p'));
              }),
              HasSubstr("party"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(1)->mutable_exercise()->add_authorizers("a"); }),
              HasSubstr("not supported"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_nodes(1)->mutable_exercise()->clear_choice(); }), HasSubstr("choice"));
  EXPECT_FALSE(
      decode_transaction("\x0a\x03"
                         "2.3"
                         "\x78\x01"))
      << "an unknown field";
  EXPECT_FALSE(decode_transaction(bytes, 3)) << "more nodes than wanted";
  for (std::size_t i = 1; i < bytes.size(); i += 13) EXPECT_FALSE(decode_transaction(bytes.substr(0, i)));
}

// A None at the end of a record is as good as nothing, but what was signed as a contract should not have it.
TEST(ValueCodec, RemembersTrailingNone) {
  ::com::digitalasset::daml::lf::value::Value written;
  auto* record = written.mutable_optional()->mutable_value()->mutable_record();
  record->add_fields()->mutable_value()->set_int64(1);
  record->add_fields()->mutable_value()->mutable_optional();
  auto value = decode_value(written.SerializeAsString());
  ASSERT_TRUE(value) << value.error().to_string();
  const Value plain = Value::some(Value::record({Value::int64(1)}));
  EXPECT_EQ(*value, plain);
  EXPECT_TRUE(value->as_optional()->has_dropped_none());
  EXPECT_TRUE(value->map_contract_ids([](const ContractId& id) { return id; }).as_optional()->has_dropped_none());
  EXPECT_FALSE(plain.as_optional()->has_dropped_none());
  EXPECT_FALSE(decode_value(encode_value(*value))->as_optional()->has_dropped_none());
}

TEST(TransactionCodec, TheLimitOfNodesNamesItsSetting) {
  Limits limits;
  limits.max_nodes = 5;
  const auto made = interpret(Engine(program().store), 's', limits);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().id, "INTERPRETATION_TIME_EXCEEDED");
  EXPECT_THAT(made.error().cause, HasSubstr("interpretation.max-nodes"));
}

// By submission seed. Every machine is compared with what is recorded; see lf/eval/determinism_test.cc.
TEST(TransactionCodec, EveryThreadAndMachineMakesTheSameBytes) {
  const std::map<char, std::string> recorded = {
      {'s', "1d350dfe2e051e3b3bdd9494106ff56ee0cc261c212eb266e7ea422c11eb06c1"},
      {'t', "17d61c47c4c1f07e0d8cf76884ba35c007b0a5679a423bc615d547b4eeec50aa"},
      {'u', "1adedee9d98794a77defdeee9425f2811354c522349f11710a95a6ca1d512509"}};
  const auto check = [&](const Engine& engine) {
    std::map<char, std::string> hashes;
    for (const auto& [seed, hash] : recorded) {
      const auto made = interpret(engine, seed);
      hashes[seed] = made ? to_hex(crypto::sha256(encode_transaction(*made))) : made.error().to_string();
    }
    return hashes;
  };
  const Engine warm(program().store);
  std::vector<std::map<char, std::string>> seen(4);
  std::vector<std::thread> threads;
  for (auto& hashes : seen)
    threads.emplace_back([&] {
      hashes = check(warm);
      const auto again = check(Engine(program().store));
      if (again != hashes) hashes = {{'!', "a cold engine makes something else"}};
    });
  for (auto& thread : threads) thread.join();
  for (const auto& hashes : seen) EXPECT_EQ(hashes, recorded);
}

}  // namespace
}  // namespace synod::lf
