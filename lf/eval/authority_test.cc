// Who must agree to what, and whose authority an update has. The cases are those of Canton's AuthorizationSpec and
// AuthPropagationSpec.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using ::testing::HasSubstr;

const Party A = "Alice", B = "Bob", C = "Carl", M = "Mary", N = "Nigel";

// A contract names its signatories, observers and maintainers; a choice its controllers and observers.
constexpr const char* kModel = R"(metadata ('authority' : '1.0.0') module M {
  record @serializable T = { sigs: List Party, obs: List Party, maint: List Party } ;
  record @serializable By = { ctl: List Party, see: List Party } ;
  record @serializable Make = { by: M:By, what: M:T } ;
  record @serializable Fetch = { by: M:By, what: ContractId M:T } ;
  record @serializable Find = { by: M:By, key: List Party, count: Int64 } ;
  record @serializable Use = { by: M:By, what: ContractId M:T, then: M:Make } ;
  template (this : T) = {
    signatories M:T {sigs} this ; observers M:T {obs} this ;
    choice @nonConsuming Do (self) (b: M:By) : Unit , controllers M:By {ctl} b , observers M:By {see} b to upure @Unit () ;
    choice End (self) (b: M:By) : Unit , controllers M:By {ctl} b , observers M:By {see} b to upure @Unit () ;
    choice @nonConsuming Make (self) (m: M:Make) : ContractId M:T , controllers M:By {ctl} (M:Make {by} m)
      to create @M:T (M:Make {what} m) ;
    choice @nonConsuming Fetch (self) (f: M:Fetch) : M:T , controllers M:By {ctl} (M:Fetch {by} f)
      to fetch_template @M:T (M:Fetch {what} f) ;
    choice @nonConsuming Use (self) (u: M:Use) : ContractId M:T , controllers M:By {ctl} (M:Use {by} u)
      to exercise @M:T Make (M:Use {what} u) (M:Use {then} u) ;
    key @(List Party) (M:T {maint} this) (\(l: List Party) -> l) ;
  } ;
})";

Value list(const PartySet& parties) {
  std::vector<Value> out;
  for (const auto& p : parties) out.push_back(Value::party(p));
  return Value::list(std::move(out));
}
Value contract(const PartySet& sigs, const PartySet& obs = {}, std::optional<PartySet> maintainers = {}) {
  PartySet first;
  if (!sigs.empty()) first.insert(*sigs.begin());
  return Value::record({list(sigs), list(obs), list(maintainers.value_or(first))});
}
Value by(const PartySet& controllers, const PartySet& observers = {}) {
  return Value::record({list(controllers), list(observers)});
}

class Authority : public ::testing::Test {
 protected:
  Authority() {
    auto entry = assemble_package(kModel, {.version = kLf23});
    EXPECT_TRUE(entry) << (entry ? "" : entry.error().to_string());
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    auto checked = check_package(*entry->package, *store);
    EXPECT_TRUE(checked) << (checked ? "" : checked.error().to_string());
    t_ = {entry->package->id(), "M", "T"};
    engine_ = std::make_unique<Engine>(store);
  }
  Result<InterpretationResult> submit(const PartySet& who, Command command) {
    SubmitContext c;
    c.submitters = who;
    c.submission_seed = Bytes(32, static_cast<char>(++submissions_));
    c.participant_id = "participant1::1220dd";
    return engine_->submit({std::move(command)}, c, contracts_);
  }
  // "ok", or what the refusal says after the name of the node.
  std::string said(const PartySet& who, Command command) {
    auto r = submit(who, std::move(command));
    if (r) return "ok";
    EXPECT_EQ(r.error().id, "DAML_AUTHORIZATION_ERROR") << r.error().to_string();
    const std::string& cause = r.error().cause;
    for (std::string_view mark : {":M:T) ", ") requires"})
      if (auto at = cause.find(mark); at != std::string::npos)
        return cause.substr(at + (mark[0] == ')' ? 2 : mark.size()));
    return cause;
  }
  std::string create(const PartySet& who, Value argument) { return said(who, CreateCommand{t_, std::move(argument)}); }
  std::string exercise(const PartySet& who, const ContractId& id, const char* choice, Value argument) {
    return said(who, ExerciseCommand{t_, id, choice, std::move(argument)});
  }
  ContractId created(const PartySet& sigs, const PartySet& obs = {}) {
    auto r = submit(sigs, CreateCommand{t_, contract(sigs, obs)});
    EXPECT_TRUE(r) << (r ? "" : r.error().to_string());
    return testing::apply(*r, Timestamp{1}, contracts_).at(0);
  }

  Identifier t_;
  std::unique_ptr<Engine> engine_;
  testing::ContractsInMemory contracts_;
  int submissions_ = 0;
};

TEST_F(Authority, Create) {
  EXPECT_EQ(create({A, B, M}, contract({A, B})), "ok");
  EXPECT_EQ(create({A, B}, contract({A, B}, {C})), "ok");
  EXPECT_EQ(create({A}, contract({A, B})), "requires authorizers Alice,Bob, but only Alice were given");
  EXPECT_EQ(create({A, B, M}, contract({}, {A}, PartySet{A})), "has no signatories");
  EXPECT_EQ(create({A, B, M}, contract({A, B}, {}, PartySet{A, M})),
            "has maintainers Alice,Mary which are not a subset of the signatories Set(Alice, Bob)");
  EXPECT_EQ(create({A, B, M}, contract({A, B}, {}, PartySet{A, B})), "ok");
}

TEST_F(Authority, Exercise) {
  auto id = created({A, B}, {C});
  EXPECT_EQ(exercise({A, M, N}, id, "End", by({A, M})), "ok");
  EXPECT_EQ(exercise({N}, id, "Do", by({N})), "ok") << "a controller need not be a stakeholder";
  EXPECT_EQ(exercise({A, B, C}, id, "Do", by({})), "has no controllers");
  EXPECT_EQ(exercise({A, N}, id, "Do", by({A, M})), "requires authorizers Alice,Mary, but only Alice,Nigel were given");
  EXPECT_EQ(exercise({A}, id, "Do", by({A}, {M, N})), "ok") << "observers need not agree";
}

TEST_F(Authority, Fetch) {
  auto id = created({A, B}, {C});
  const auto root = [&](const PartySet& sigs) { return created(sigs); };
  auto fetch = [&](const PartySet& who) {
    return exercise(who, root(who), "Fetch", Value::record({by(who), Value::contract_id(id)}));
  };
  EXPECT_EQ(fetch({A}), "ok");
  EXPECT_EQ(fetch({C}), "ok") << "an observer is enough";
  EXPECT_EQ(fetch({M, C}), "ok") << "one is enough";
  EXPECT_EQ(fetch({M, N}),
            "requires one of the stakeholders Set(Alice, Bob, Carl) of the fetched contract to be an authorizer, but "
            "authorizers were Set(Mary, Nigel)");
}

// Inside a choice: the signatories of its contract and the controllers, and nobody else.
TEST_F(Authority, BodyOfAChoice) {
  auto make = [&](const PartySet& sigs, const PartySet& controllers, const PartySet& who, const PartySet& wanted) {
    return exercise(who, created(sigs), "Make", Value::record({by(controllers), contract(wanted)}));
  };
  EXPECT_EQ(make({A}, {B}, {B}, {A, B}), "ok");
  EXPECT_EQ(make({B}, {A}, {A}, {A, B}), "ok");
  EXPECT_EQ(make({A}, {B}, {B}, {A}), "ok");
  EXPECT_EQ(make({A}, {B}, {B}, {A, C}), "requires authorizers Alice,Carl, but only Alice,Bob were given");
  EXPECT_EQ(make({A}, {B}, {B, C}, {A, C}), "requires authorizers Alice,Carl, but only Alice,Bob were given")
      << "what the submitters could do counts no more";
  EXPECT_EQ(make({A}, {B}, {A}, {A, B}), "requires authorizers Bob, but only Alice were given");
}

// A choice inside a choice does not inherit what the outer one could do.
TEST_F(Authority, ChoiceInAChoice) {
  auto nested = [&](const PartySet& outer, const PartySet& inner, const PartySet& inner_controllers,
                    const PartySet& wanted) {
    auto inner_id = created(inner);
    return exercise({B}, created(outer), "Use",
                    Value::record({by({B}), Value::contract_id(inner_id),
                                   Value::record({by(inner_controllers), contract(wanted)})}));
  };
  EXPECT_EQ(nested({A}, {C}, {B}, {B, C}), "ok");
  EXPECT_EQ(nested({A}, {C}, {B}, {A, C}), "requires authorizers Alice,Carl, but only Bob,Carl were given");
  EXPECT_EQ(nested({A}, {C}, {A}, {A, C}), "ok") << "the outer contract's signatory may control the inner choice";
  EXPECT_EQ(nested({A}, {C}, {A, B}, {A, B, C}), "ok");
  EXPECT_EQ(nested({A}, {C}, {C}, {C}), "requires authorizers Carl, but only Alice,Bob were given");
}

}  // namespace
}  // namespace synod::lf
