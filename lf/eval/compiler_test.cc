// Everything in real packages compiles, and stays small.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "lf/eval/program.h"
#include "lf/ledger/test_support.h"

namespace synod::lf::eval {
namespace {

class CompileDar : public ::testing::TestWithParam<const char*> {};

std::uint64_t instructions_of(const Code& code, std::map<std::string, int>& failures) {
  std::uint64_t n = 0;
  std::vector<const Code*> pending{&code};
  while (!pending.empty()) {
    const Code* c = pending.back();
    pending.pop_back();
    n += c->instructions.size();
    for (const auto& i : c->instructions)
      if (i.op == Op::fail) {
        std::string why(text_of(c->constants[i.c]));
        if (why != "no alternative of a case matches") ++failures[why];
      }
    for (const auto& p : c->owned)
      if (const Code* inner = p->code.load()) pending.push_back(inner);
  }
  return n;
}

TEST_P(CompileDar, WithoutFailures) {
  auto packages = testing::load_dars({GetParam()});
  if (!packages) GTEST_SKIP() << "SKIPPED: needs the DARs in ../shared or $SYNOD_SHARED";
  Program program(packages);
  std::map<std::string, int> failures;
  std::uint64_t instructions = 0, functions = 0;
  auto compile = [&](const Proto& proto) {
    if (!proto.package) return;
    ++functions;
    instructions += instructions_of(program.code(proto), failures);
  };
  for (const Package* package : packages->all()) {
    for (const auto& value : package->values()) compile(program.definition(*package, value)->proto);
    for (const auto& t : package->templates()) {
      const TemplateInfo* info = program.template_(*package, t);
      ASSERT_TRUE(info->type) << info->id.to_string();
      for (const Proto* p : {&info->precondition, &info->signatories, &info->observers, &info->key, &info->maintainers})
        compile(*p);
      for (const auto& [name, choice] : info->choices) {
        EXPECT_TRUE(choice->argument && choice->result) << name;
        for (const Proto* p : {&choice->controllers, &choice->observers, &choice->update}) compile(*p);
      }
      for (const auto& implementation : info->implementations) {
        compile(implementation->view);
        for (const auto& [name, method] : implementation->methods) compile(*method);
      }
    }
    for (const auto& i : package->interfaces())
      for (const auto& [name, choice] : program.interface(*package, i)->choices) compile(choice->update);
  }
  for (const auto& [why, n] : failures) ADD_FAILURE() << why << ": " << n;
  EXPECT_GT(functions, 1000u);
  EXPECT_LT(instructions, functions * 100);
}

INSTANTIATE_TEST_SUITE_P(Shared, CompileDar,
                         ::testing::Values("CantonExamples-3.2.0.dar", "all-kinds-of-1.0.0.dar",
                                           "splice-test-token-v2-1.0.0.dar"));

}  // namespace
}  // namespace synod::lf::eval
