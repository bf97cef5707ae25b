// Hashes of contracts and keys against values that Canton's own tests hold fixed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"
#include "lf/ledger/contract_hash.h"
#include "lf/ledger/translate.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using eval::Cell;

constexpr const char* kTypes = R"(
  val party : Text -> Party = \(t: Text) -> case TEXT_TO_PARTY t of Some p -> p | None -> ERROR @Party t ;
  enum @serializable Color = Red | Green ; enum @serializable ColorBis = Red | Green ;
  record @serializable Unit = {} ; record @serializable UnitBis = {} ;
  record @serializable Tuple = { _1: Bool, _2: Bool } ; record @serializable TupleBis = { _1: Bool, _2: Bool } ;
  variant @serializable Either = Left: Bool | Right: Bool ; variant @serializable EitherBis = Left: Bool | Right: Bool ;
)";

struct Row {
  std::string contract_hash, key_hash, type, expression;
};

std::vector<Row> recorded() {
  std::vector<Row> rows;
  std::ifstream file("lf/testdata/value_hashes.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    auto first = line.find(" | "), second = line.find(" | ", first + 3);
    rows.push_back(
        {line.substr(0, 64), line.substr(65, 64), line.substr(first + 3, second - first - 3), line.substr(second + 3)});
  }
  return rows;
}

class ValueHashes : public ::testing::Test {
 protected:
  // The values of expressions, each with its type; in the module named.
  void evaluate(const std::string& module, const std::string& definitions,
                const std::vector<std::pair<std::string, std::string>>& typed) {
    std::string text = "metadata ('package-name-0' : '1.0.0') module " + module + " { " + definitions;
    for (std::size_t i = 0; i < typed.size(); ++i)
      text += " val v" + std::to_string(i) + " : " + typed[i].first + " = " + typed[i].second + " ;";
    auto entry = assemble_package(text + " }");
    ASSERT_TRUE(entry) << entry.error().to_string();
    store_ = std::make_shared<PackageStore>();
    store_->add(entry->package);
    auto checked = check_package(*entry->package, *store_);
    ASSERT_TRUE(checked) << checked.error().to_string();
    program_ = std::make_unique<eval::Program>(store_);
    machine_ = std::make_unique<eval::Machine>(*program_, eval::Machine::Setup{});
    const Package& package = *entry->package;
    for (std::size_t i = 0; i < typed.size(); ++i)
      values_.push_back(
          machine_->value_of(*program_->definition(package, *package.find_value(module, "v" + std::to_string(i)))));
  }
  static std::string contract(const Cell& c, const Identifier& id = {"", "module", "name"},
                              const std::string& name = "package-name-0") {
    return to_hex(hash_contract(name, id, c));
  }
  static std::string key(const Cell& c, const Identifier& id = {"", "module", "name"},
                         const std::string& name = "package-name-0") {
    return to_hex(hash_key(name, id, c));
  }

  std::shared_ptr<PackageStore> store_;
  std::unique_ptr<eval::Program> program_;
  std::unique_ptr<eval::Machine> machine_;
  std::vector<Cell> values_;
};

TEST_F(ValueHashes, OfEveryKindOfValue) {
  const auto rows = recorded();
  ASSERT_EQ(rows.size(), 63u);
  std::vector<std::pair<std::string, std::string>> typed;
  for (const auto& row : rows) typed.emplace_back(row.type, row.expression);
  evaluate("Mod", kTypes, typed);
  ASSERT_EQ(values_.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(contract(values_[i]), rows[i].contract_hash) << rows[i].expression;
    EXPECT_EQ(key(values_[i]), rows[i].key_hash) << rows[i].expression;
  }
}

TEST_F(ValueHashes, OfAComplexRecord) {
  evaluate("Module", R"(
    variant @serializable Variant = VariantCons: Int64 ;
    record @serializable Record = { field1: Text, field2: Text } ;
    record @serializable ComplexRecord = {
      fInt0: Int64, fInt1: Int64, fInt2: Int64, fNumeric0: Numeric 10, fNumeric1: Numeric 10, fBool0: Bool, fBool1: Bool,
      fDate0: Date, fDate1: Date, fTime0: Timestamp, fTime1: Timestamp, fText0: Text, fText1: Text, fParty: Party,
      fUnit: Unit, fOpt0: Option Text, fOpt1: Option Text, fList: List Text, fVariant: Module:Variant,
      fRecord: Module:Record, fTextMap: TextMap Int64, fGenMap: GenMap Text Int64 } ;)",
           {{"Module:ComplexRecord",
             R"(Module:ComplexRecord { fInt0 = 0, fInt1 = 123456, fInt2 = -1, fNumeric0 = 0.0000000000,
                fNumeric1 = 0.3333333333, fBool0 = True, fBool1 = False, fDate0 = UNIX_DAYS_TO_DATE 0,
                fDate1 = UNIX_DAYS_TO_DATE 123456, fTime0 = UNIX_MICROSECONDS_TO_TIMESTAMP 0,
                fTime1 = UNIX_MICROSECONDS_TO_TIMESTAMP 123456, fText0 = "", fText1 = "abcd-äöü€",
                fParty = case TEXT_TO_PARTY "Alice" of Some p -> p | None -> ERROR @Party "", fUnit = (),
                fOpt0 = None @Text, fOpt1 = Some @Text "Some", fList = Cons @Text ["A", "B", "C"] (Nil @Text),
                fVariant = Module:Variant:VariantCons 0,
                fRecord = Module:Record { field1 = "field1", field2 = "field2" },
                fTextMap = TEXTMAP_INSERT @Int64 "keyA" 0 (TEXTMAP_INSERT @Int64 "keyB" 1 (TEXTMAP_EMPTY @Int64)),
                fGenMap = GENMAP_INSERT @Text @Int64 "keyA" 0 (GENMAP_INSERT @Text @Int64 "keyB" 1 (GENMAP_EMPTY @Text @Int64)) })"}});
  const Identifier id{"", "Module", "Template"};
  ASSERT_EQ(values_.size(), 1u);
  EXPECT_EQ(contract(values_[0], id), "f6bd0206e6114de43279d53641159d223e9c6f28c2c1bfe65e0bcb2e3a567979");
  EXPECT_EQ(key(values_[0], id), "71c28060678dcc5b193f248769672af758205c0520b12d69c680edbc9d5d0ea6");
}

TEST_F(ValueHashes, OfContractIds) {
  eval::Arena arena(1 << 20);
  const std::pair<const char*, const char*> ids[] = {
      {"0007e7b5534931dfca8e1b485c105bae4e10808bd13ddc8e897f258015f9d921c5",
       "e014ba5964902fb9d833a5be095a10df807e0437b51f913d76ccb92594598ac2"},
      {"0059b59ad7a6b6066e77b91ced54b8282f0e24e7089944685cb8f22f32fcbc4e1b",
       "d4c2cbdf379f4dc762dc857ae220080ed41792cd89e69c6da37c9748efca51a4"}};
  for (auto [id, hash] : ids) {
    const Cell cell = eval::make_text(arena, *from_hex(id), eval::Tag::contract_id);
    EXPECT_EQ(contract(cell), hash);
    EXPECT_THROW(key(cell), eval::Fatal);
    EXPECT_THROW(key(eval::make_some(arena, cell)), eval::Fatal);
    EXPECT_THROW(key(eval::make_cons(arena, cell, eval::make_nil())), eval::Fatal);
  }
}

// What must, and what must not, make a difference.
TEST_F(ValueHashes, WhatTheyTellApart) {
  evaluate("Mod",
           std::string(kTypes) +
               " record @serializable R = { a: Int64, b: Option Int64, c: Option Int64 } ; "
               "record @serializable S = { a: Int64, b: Option Int64 } ; record @serializable L = { x: Int64, b: "
               "Option Int64 } ;",
           {{"List Text", "Cons @Text [\"AA\", \"A\"] (Nil @Text)"},
            {"List Text", "Cons @Text [\"A\", \"AA\"] (Nil @Text)"},
            {"List (List Int64)", "Cons @(List Int64) [Nil @Int64, Cons @Int64 [1] (Nil @Int64)] (Nil @(List Int64))"},
            {"List (List Int64)", "Cons @(List Int64) [Cons @Int64 [1] (Nil @Int64), Nil @Int64] (Nil @(List Int64))"},
            {"Mod:R", "Mod:R { a = 1, b = Some @Int64 2, c = None @Int64 }"},
            {"Mod:R", "Mod:R { a = 1, b = None @Int64, c = Some @Int64 2 }"},
            {"Mod:S", "Mod:S { a = 1, b = Some @Int64 2 }"},
            {"Mod:L", "Mod:L { x = 1, b = Some @Int64 2 }"},
            {"Int64", "0"},
            {"Numeric 0", "0."},
            {"Text", "\"0\""},
            {"Option Int64", "None @Int64"},
            {"List Int64", "Nil @Int64"},
            {"TextMap Int64", "TEXTMAP_EMPTY @Int64"},
            {"GenMap Text Int64", "GENMAP_EMPTY @Text @Int64"}});
  std::set<std::string> contracts, keys;
  for (const Cell& c : values_) {
    EXPECT_TRUE(contracts.insert(contract(c)).second);
    EXPECT_TRUE(keys.insert(key(c)).second);
    for (const Identifier& id :
         {Identifier{"", "module", "other"}, Identifier{"", "other", "name"}, Identifier{"", "module.name", "name"}})
      EXPECT_TRUE(contracts.insert(contract(c, id)).second);
    EXPECT_TRUE(contracts.insert(contract(c, {"", "module", "name"}, "package-name-1")).second);
    EXPECT_EQ(contract(c), contract(c, {"another package id", "module", "name"}));
  }
}

}  // namespace
}  // namespace synod::lf
