// JSON as arguments of scripts: every type, and what is refused.
#include "lf/script/json_argument.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/eval/machine.h"
#include "lf/ledger/translate.h"
#include "lf/text/assembler.h"

namespace synod::lf::script {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* type;
  const char* json;
  const char* want;  // the value; or after "!" a part of the error
};

const Case kCases[] = {
    {"Unit", "{}", "()"},
    {"Unit", "1", "!argument: expected a value of type Unit"},
    {"Bool", "true", "True"},
    {"Int64", "42", "42"},
    {"Int64", "\"-9223372036854775808\"", "-9223372036854775808"},
    {"Int64", "1.5", "!expected"},
    {"Int64", "\"1x\"", "!expected"},
    {"Int64", "18446744073709551615", "!expected"},
    {"Numeric 2", "1.5", "1.50"},
    {"Numeric 2", "3", "3.00"},
    {"Numeric 10", "\"1.0600000001\"", "1.0600000001"},
    {"Numeric 2", "\"one\"", "!expected"},
    {"Text", "\"a\"", "\"a\""},
    {"Text", "1", "!expected"},
    {"Party", "\"Alice\"", "'Alice'"},
    {"Date", "\"2020-02-29\"", "2020-02-29"},
    {"Date", "\"2021-02-29\"", "!expected"},
    {"Timestamp", "\"2020-02-29T01:02:03.5Z\"", "2020-02-29T01:02:03.500Z"},
    {"ContractId M:R", "\"00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "00aa"},
    {"ContractId M:R", "\"xyz\"", "!expected"},
    {"Option Int64", "null", "None"},
    {"Option Int64", "1", "Some 1"},
    {"Option (Option Int64)", "null", "None"},
    {"Option (Option Int64)", "[]", "Some None"},
    {"Option (Option Int64)", "[1]", "Some Some 1"},
    {"Option (Option Int64)", "1", "!expected [] or [value]"},
    {"List Int64", "[1, 2]", "[1, 2]"},
    {"List Int64", "[1, \"x\"]", "!argument[1]: expected a value of type Int64"},
    {"TextMap Int64", "{\"b\": 2, \"a\": 1}", "TextMap(a -> 1, b -> 2)"},
    {"GenMap Int64 Text", "[[2, \"b\"], [1, \"a\"]]", "Map(1 -> \"a\", 2 -> \"b\")"},
    {"GenMap Int64 Text", "[[1]]", "!expected [key, value]"},
    {"M:R", "{\"n\": 1, \"note\": \"x\"}", "{1, Some \"x\"}"},
    {"M:R", "{\"n\": 1}", "{1}"},
    {"M:R", "[1, null]", "{1}"},
    {"M:R", "[1]", "!expected 2 fields"},
    {"M:R", "{\"note\": null}", "!argument: missing field 'n'"},
    {"M:R", "{\"n\": \"x\"}", "!argument.n: expected a value of type Int64"},
    {"M:V Int64", "{\"tag\": \"One\", \"value\": 1}", "One(1)"},
    {"M:V Int64", "{\"tag\": \"Two\", \"value\": 1}", "!unknown constructor 'Two'"},
    {"M:V Int64", "{\"tag\": \"One\"}", "!expected an object with 'tag' and 'value'"},
    {"M:E", "\"Red\"", "Red"},
    {"M:E", "\"Blue\"", "!unknown constructor 'Blue'"},
    {"Int64 -> Int64", "1", "!no JSON stands for a value of type"},
    {"Int64", "[", "!the argument is no JSON"},
};

TEST(JsonArguments, AreValuesOfTheirType) {
  std::string text = R"(metadata ('arguments' : '1.0.0') module M {
    record @serializable R = { n: Int64, note: Option Text } ;
    variant @serializable V (a: *) = One: a | None_: Unit ;
    enum @serializable E = Red | Green ;)";
  for (std::size_t i = 0; i < std::size(kCases); ++i)
    text +=
        "val f" + std::to_string(i) + " : (" + kCases[i].type + ") -> Unit = \\(x: " + kCases[i].type + ") -> () ;\n";
  const auto entry = assemble_package(text + "}");
  ASSERT_TRUE(entry) << entry.error().to_string();
  const Package& package = *entry->package;
  auto packages = std::make_shared<PackageStore>();
  packages->add(entry->package);
  eval::Program program(packages);
  eval::Arena arena(1 << 20);
  for (std::size_t i = 0; i < std::size(kCases); ++i) {
    const Case& c = kCases[i];
    const ValueDefinition* value = package.find_value("M", "f" + std::to_string(i));
    ASSERT_TRUE(value);
    const eval::RuntimeType* type = program.type(package, package.items(package.type(value->type).args)[0]);
    ASSERT_TRUE(type) << c.type;
    const auto cell = json_argument(program, arena, *type, c.json);
    const std::string said = cell ? to_value(*cell, arena).to_string() : "!" + cell.error().cause;
    if (c.want[0] == '!') {
      EXPECT_FALSE(cell) << c.type << " " << c.json << ": " << said;
      EXPECT_THAT(said, HasSubstr(c.want + 1)) << c.type << " " << c.json;
    } else {
      EXPECT_THAT(said, HasSubstr(c.want)) << c.type << " " << c.json;
    }
  }
  // Nothing is nested deeper than the parser allows.
  const std::string deep(200, '[');
  EXPECT_FALSE(json_argument(program, arena, *program.type(BuiltinType::unit), deep));
}

}  // namespace
}  // namespace synod::lf::script
