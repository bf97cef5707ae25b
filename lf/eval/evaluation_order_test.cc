// Which check comes first: the parts of templates and choices say when they are evaluated, and every refusal is seen at
// its place among them. The list of cases is that of Canton's EvaluationOrderTest; programs and notation are ours.
//
// A case is an update that runs as a choice of Root, after its preparation. What it must give is what was evaluated
// from then on, and how it ended:
//   pre sig obs key main  precondition, signatories, observers, key and maintainers of a contract
//   ctl cob body          controllers, choice observers and update of a choice
//   [id] [key]            the ledger is asked for a contract, or for contracts with a key
#include <gtest/gtest.h>

#include <sstream>

#include "base/testing/shared_files.h"
#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

const Party kAlice = "alice::1220aa", kBob = "bob::1220bb";

constexpr std::string_view kModel = R"(metadata ('order' : '1.0.0') module M {
  record @serializable Void = {} ;
  record @serializable Deep = { next: Option M:Deep } ;
  record @serializable Key = { who: List Party, at: Option (ContractId M:Plain), deep: M:Deep } ;
  record @serializable Use = { deep: M:Deep, result: Int64 } ;
  record @serializable E = {} ;
  exception E = { message \(e: M:E) -> "E" } ;

  val deep : Int64 -> M:Deep = \(n: Int64) -> case LESS_EQ @Int64 n 0 of True -> M:Deep { next = None @M:Deep }
    | False -> M:Deep { next = Some @M:Deep (M:deep (SUB_INT64 n 1)) } ;
  val just : Party -> List Party = \(p: Party) -> Cons @Party [p] (Nil @Party) ;
  val key : List Party -> Int64 -> M:Key = \(who: List Party) (n: Int64) ->
    M:Key { who = who, at = None @(ContractId M:Plain), deep = M:deep n } ;
  val made : Party -> Bool -> M:Key -> Int64 -> M:K = \(p: Party) (ok: Bool) (k: M:Key) (n: Int64) ->
    M:K { sig = p, obs = p, ok = ok, key = k, deep = M:deep n } ;
  val good : Party -> M:K = \(p: Party) -> M:made p True (M:key (M:just p) 0) 0 ;
  val face : ContractId M:K -> ContractId M:Face = COERCE_CONTRACT_ID @M:K @M:Face ;
  val plain : ContractId M:Plain -> ContractId M:K = COERCE_CONTRACT_ID @M:Plain @M:K ;
  val use : Int64 -> Int64 -> M:Use = \(n: Int64) (m: Int64) -> M:Use { deep = M:deep n, result = m } ;
  val say : Text -> Update Unit = \(t: Text) -> upure @Unit (TRACE @Unit t ()) ;

  interface (this : Face) = {
    viewtype M:Void ;
    method who : Party ;
    choice @nonConsuming Look (self) (n : Int64) : Int64
      , controllers TRACE @(List Party) "ctl" (M:just (call_method @M:Face who this))
      , observers TRACE @(List Party) "cob" (Nil @Party)
      to upure @Int64 (TRACE @Int64 "body" n) ;
  } ;

  record @serializable K = { sig: Party, obs: Party, ok: Bool, key: M:Key, deep: M:Deep } ;
  template (this : K) = {
    precondition TRACE @Bool "pre" (M:K {ok} this) ;
    signatories TRACE @(List Party) "sig" (M:just (M:K {sig} this)) ;
    observers TRACE @(List Party) "obs" (M:just (M:K {obs} this)) ;
    choice Use (self) (u : M:Use) : M:Deep
      , controllers TRACE @(List Party) "ctl" (M:just (M:K {sig} this)), observers TRACE @(List Party) "cob" (Nil @Party)
      to upure @M:Deep (TRACE @M:Deep "body" (M:deep (M:Use {result} u))) ;
    choice End (self) (u : M:Void) : Unit , controllers M:just (M:K {sig} this) to upure @Unit () ;
    implements M:Face { view = TRACE @M:Void "view" (M:Void {}) ; method who = M:K {sig} this ; } ;
    $KEY key @M:Key (TRACE @M:Key "key" (M:K {key} this)) (\(k: M:Key) -> TRACE @(List Party) "main" (M:Key {who} k)) ;
  } ;

  record @serializable Plain = { sig: Party } ;
  template (this : Plain) = {
    signatories M:just (M:Plain {sig} this) ;
    choice End (self) (u : M:Void) : Unit , controllers M:just (M:Plain {sig} this) to upure @Unit () ;
  } ;

  record @serializable Thrower = { sig: Party } ;
  template (this : Thrower) = {
    signatories M:just (M:Thrower {sig} this) ;
    $KEY key @M:Key (M:key (M:just (M:Thrower {sig} this)) 0)
    $KEY   (\(k: M:Key) -> TRACE @(List Party) "main" (throw @(List Party) @M:E (M:E {}))) ;
  } ;

  record @serializable Root = { a: Party, b: Party, k: ContractId M:K, theirs: ContractId M:K, d: ContractId M:Plain, u: ContractId M:K } ;
  template (this : Root) = {
    signatories M:just (M:Root {a} this) ;
$CHOICES
  } ;
})";

struct Case {
  const char* name;
  const char* prepare;  // bindings
  const char* type;     // of the update's result
  const char* update;
  const char* want;
  int on_key = 1;  // how many contracts with Alice's key the ledger shows
};

#define WHOLE "pre sig obs key main"
const char* const kPair = "'daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K";
const char* const kPairs = "Option (List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:K) M:K))";
const char* const kThrowers = "Option (List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:Thrower) M:Thrower))";
const char* const kCid = "ContractId M:K";

// A and B are the parties, K a contract with Alice's key, THEIRS one of Bob alone, D a contract of another template, U
// an id that the ledger does not know.
const Case kCases[] = {
    {"create", "", kCid, "create @M:K (M:good A)", WHOLE " end"},
    {"create: precondition", "", kCid, "create @M:K (M:made B False (M:key (Nil @Party) 0) 0)",
     "pre TEMPLATE_PRECONDITION_VIOLATED"},
    {"create: nesting before authority", "", kCid, "create @M:K (M:made B True (M:key (M:just B) 0) 100)",
     WHOLE " VALUE_NESTING"},
    {"create: authority", "", kCid, "create @M:K (M:good B)", WHOLE " DAML_AUTHORIZATION_ERROR"},

    {"create by interface", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:good A))", WHOLE " end"},
    {"create by interface: precondition", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:made A False (M:key (M:just A) 0) 0))",
     "pre TEMPLATE_PRECONDITION_VIOLATED"},
    {"create by interface: nesting", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:made A True (M:key (M:just A) 0) 100))",
     WHOLE " VALUE_NESTING"},

    {"exercise", "", "M:Deep", "exercise @M:K Use K (M:use 0 0)", "[id] " WHOLE " ctl cob body end"},
    {"exercise: another template", "", "M:Deep", "exercise @M:K Use (M:plain D) (M:use 0 0)",
     "[id] WRONGLY_TYPED_CONTRACT"},
    {"exercise: unknown", "", "M:Deep", "exercise @M:K Use U (M:use 0 0)", "[id] CONTRACT_NOT_FOUND"},
    {"exercise: argument's nesting", "", "M:Deep", "exercise @M:K Use K (M:use 100 0)",
     "[id] " WHOLE " ctl cob VALUE_NESTING"},
    {"exercise: argument's nesting before authority", "", "M:Deep", "exercise @M:K Use THEIRS (M:use 100 0)",
     "[id] " WHOLE " ctl cob VALUE_NESTING"},
    {"exercise: authority", "", "M:Deep", "exercise @M:K Use THEIRS (M:use 0 0)",
     "[id] " WHOLE " ctl cob DAML_AUTHORIZATION_ERROR"},
    {"exercise: result's nesting", "", "M:Deep", "exercise @M:K Use K (M:use 0 100)",
     "[id] " WHOLE " ctl cob body VALUE_NESTING"},
    {"exercise known", "x: M:K <- fetch_template @M:K K ;", "M:Deep", "exercise @M:K Use K (M:use 0 0)",
     "ctl cob body end"},
    {"exercise known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", "M:Deep",
     "exercise @M:K Use K (M:use 0 0)", "CONTRACT_NOT_ACTIVE"},
    {"exercise known: another template", "x: M:Plain <- fetch_template @M:Plain D ;", "M:Deep",
     "exercise @M:K Use (M:plain D) (M:use 0 0)", "WRONGLY_TYPED_CONTRACT"},
    {"exercise known: archived, another template", "x: Unit <- exercise @M:Plain End D (M:Void {}) ;", "M:Deep",
     "exercise @M:K Use (M:plain D) (M:use 0 0)", "CONTRACT_NOT_ACTIVE"},
    {"exercise local", "c: ContractId M:K <- create @M:K (M:good A) ;", "M:Deep", "exercise @M:K Use c (M:use 0 0)",
     "ctl cob body end"},
    {"exercise local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", "M:Deep",
     "exercise @M:K Use c (M:use 0 0)", "CONTRACT_NOT_ACTIVE"},
    {"exercise local: another template", "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ;", "M:Deep",
     "exercise @M:K Use (M:plain c) (M:use 0 0)", "WRONGLY_TYPED_CONTRACT"},
    {"exercise local: archived, another template",
     "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ; x: Unit <- exercise @M:Plain End c (M:Void {}) "
     ";",
     "M:Deep", "exercise @M:K Use (M:plain c) (M:use 0 0)", "CONTRACT_NOT_ACTIVE"},

    {"exercise interface", "", "Int64", "exercise_interface @M:Face Look (M:face K) 1",
     "[id] " WHOLE " ctl cob body end"},
    {"exercise interface: not implemented", "", "Int64", "exercise_interface @M:Face Look (M:face (M:plain D)) 1",
     "[id] CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"exercise interface: unknown", "", "Int64", "exercise_interface @M:Face Look (M:face U) 1",
     "[id] CONTRACT_NOT_FOUND"},
    {"exercise interface: authority", "", "Int64", "exercise_interface @M:Face Look (M:face THEIRS) 1",
     "[id] " WHOLE " ctl cob DAML_AUTHORIZATION_ERROR"},
    {"exercise interface known", "x: M:K <- fetch_template @M:K K ;", "Int64",
     "exercise_interface @M:Face Look (M:face K) 1", "ctl cob body end"},
    {"exercise interface known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", "Int64",
     "exercise_interface @M:Face Look (M:face K) 1", "CONTRACT_NOT_ACTIVE"},
    {"exercise interface known: not implemented", "x: M:Plain <- fetch_template @M:Plain D ;", "Int64",
     "exercise_interface @M:Face Look (M:face (M:plain D)) 1", "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"exercise interface known: archived, not implemented", "x: Unit <- exercise @M:Plain End D (M:Void {}) ;", "Int64",
     "exercise_interface @M:Face Look (M:face (M:plain D)) 1", "CONTRACT_NOT_ACTIVE"},
    {"exercise interface local", "c: ContractId M:K <- create @M:K (M:good A) ;", "Int64",
     "exercise_interface @M:Face Look (M:face c) 1", "ctl cob body end"},
    {"exercise interface local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", "Int64",
     "exercise_interface @M:Face Look (M:face c) 1", "CONTRACT_NOT_ACTIVE"},
    {"exercise interface local: not implemented", "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ;",
     "Int64", "exercise_interface @M:Face Look (M:face (M:plain c)) 1", "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"exercise interface local: archived, not implemented",
     "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ; x: Unit <- exercise @M:Plain End c (M:Void {}) "
     ";",
     "Int64", "exercise_interface @M:Face Look (M:face (M:plain c)) 1", "CONTRACT_NOT_ACTIVE"},

    {"fetch", "", "M:K", "fetch_template @M:K K", "[id] " WHOLE " end"},
    {"fetch: another template", "", "M:K", "fetch_template @M:K (M:plain D)", "[id] WRONGLY_TYPED_CONTRACT"},
    {"fetch: unknown", "", "M:K", "fetch_template @M:K U", "[id] CONTRACT_NOT_FOUND"},
    {"fetch: authority", "", "M:K", "fetch_template @M:K THEIRS", "[id] " WHOLE " DAML_AUTHORIZATION_ERROR"},
    {"fetch known", "x: M:K <- fetch_template @M:K K ;", "M:K", "fetch_template @M:K K", "end"},
    {"fetch known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", "M:K", "fetch_template @M:K K",
     "CONTRACT_NOT_ACTIVE"},
    {"fetch known: another template", "x: M:Plain <- fetch_template @M:Plain D ;", "M:K",
     "fetch_template @M:K (M:plain D)", "WRONGLY_TYPED_CONTRACT"},
    {"fetch known: archived, another template", "x: Unit <- exercise @M:Plain End D (M:Void {}) ;", "M:K",
     "fetch_template @M:K (M:plain D)", "CONTRACT_NOT_ACTIVE"},
    {"fetch local", "c: ContractId M:K <- create @M:K (M:good A) ;", "M:K", "fetch_template @M:K c", "end"},
    {"fetch local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", "M:K",
     "fetch_template @M:K c", "CONTRACT_NOT_ACTIVE"},
    {"fetch local: another template", "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ;", "M:K",
     "fetch_template @M:K (M:plain c)", "WRONGLY_TYPED_CONTRACT"},
    {"fetch local: archived, another template",
     "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ; x: Unit <- exercise @M:Plain End c (M:Void {}) "
     ";",
     "M:K", "fetch_template @M:K (M:plain c)", "CONTRACT_NOT_ACTIVE"},

    {"fetch interface", "", "M:Face", "fetch_interface @M:Face (M:face K)", "[id] " WHOLE " end"},
    {"fetch interface: not implemented", "", "M:Face", "fetch_interface @M:Face (M:face (M:plain D))",
     "[id] CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"fetch interface: unknown", "", "M:Face", "fetch_interface @M:Face (M:face U)", "[id] CONTRACT_NOT_FOUND"},
    {"fetch interface: authority", "", "M:Face", "fetch_interface @M:Face (M:face THEIRS)",
     "[id] " WHOLE " DAML_AUTHORIZATION_ERROR"},
    {"fetch interface known", "x: M:Face <- fetch_interface @M:Face (M:face K) ;", "M:Face",
     "fetch_interface @M:Face (M:face K)", "end"},
    {"fetch interface known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", "M:Face",
     "fetch_interface @M:Face (M:face K)", "CONTRACT_NOT_ACTIVE"},
    {"fetch interface known: not implemented", "x: M:Plain <- fetch_template @M:Plain D ;", "M:Face",
     "fetch_interface @M:Face (M:face (M:plain D))", "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"fetch interface known: archived, not implemented", "x: Unit <- exercise @M:Plain End D (M:Void {}) ;", "M:Face",
     "fetch_interface @M:Face (M:face (M:plain D))", "CONTRACT_NOT_ACTIVE"},
    {"fetch interface local", "c: ContractId M:K <- create @M:K (M:good A) ;", "M:Face",
     "fetch_interface @M:Face (M:face c)", "end"},
    {"fetch interface local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", "M:Face",
     "fetch_interface @M:Face (M:face c)", "CONTRACT_NOT_ACTIVE"},
    {"fetch interface local: not implemented", "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ;",
     "M:Face", "fetch_interface @M:Face (M:face (M:plain c))", "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE"},
    {"fetch interface local: archived, not implemented",
     "c: ContractId M:Plain <- create @M:Plain (M:Plain { sig = A }) ; x: Unit <- exercise @M:Plain End c (M:Void {}) "
     ";",
     "M:Face", "fetch_interface @M:Face (M:face (M:plain c))", "CONTRACT_NOT_ACTIVE"},
};

// Only with contract keys. A ledger that is asked for a key answers with whole contracts, so no [id] follows; it is
// asked again when what it gave is archived already.
const Case kKeyCases[] = {
    {"create: the key is taken", "x: ContractId M:K <- create @M:K (M:good A) ;", kCid, "create @M:K (M:good A)",
     WHOLE " end"},
    {"create: no maintainers", "", kCid, "create @M:K (M:made B True (M:key (Nil @Party) 0) 0)",
     WHOLE " CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS"},
    {"create: contract id in the key", "", kCid,
     "create @M:K (M:made B True (M:Key { M:key (M:just B) 0 with at = Some @(ContractId M:Plain) D }) 0)",
     WHOLE " CONTRACT_ID_IN_CONTRACT_KEY"},
    {"create: key's nesting", "", kCid, "create @M:K (M:made B True (M:key (M:just B) 100) 0)", WHOLE " VALUE_NESTING"},
    {"create by interface: no maintainers", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:made A True (M:key (Nil @Party) 0) 0))",
     WHOLE " CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS"},
    {"create by interface: contract id in the key", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:made A True (M:Key { M:key (M:just A) 0 with at = Some "
     "@(ContractId M:Plain) D }) 0))",
     WHOLE " CONTRACT_ID_IN_CONTRACT_KEY"},
    {"create by interface: key's nesting", "", "ContractId M:Face",
     "create_by_interface @M:Face (to_interface @M:Face @M:K (M:made A True (M:key (M:just A) 100) 0))",
     WHOLE " VALUE_NESTING"},

    {"exercise: the key was said to have no contract", "x: PAIRS <- query_n_by_key @M:K 1 (M:key (M:just A) 0) ;",
     "M:Deep", "exercise @M:K Use K (M:use 0 0)", "[id] INCONSISTENT_CONTRACT_KEY", 0},
    {"fetch: the key was said to have no contract", "x: PAIRS <- query_n_by_key @M:K 1 (M:key (M:just A) 0) ;", "M:K",
     "fetch_template @M:K K", "[id] INCONSISTENT_CONTRACT_KEY", 0},

    {"exercise by key", "", "M:Deep", "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)",
     "main [key] " WHOLE " ctl cob body end"},
    {"exercise by key: argument's nesting", "", "M:Deep", "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 100 0)",
     "main [key] " WHOLE " ctl cob VALUE_NESTING"},
    {"exercise by key: result's nesting", "", "M:Deep", "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 100)",
     "main [key] " WHOLE " ctl cob body VALUE_NESTING"},
    {"exercise by key: unknown", "", "M:Deep", "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)",
     "main [key] CONTRACT_KEY_NOT_FOUND", 0},
    {"exercise by key: no maintainers", "", "M:Deep", "exercise_by_key @M:K Use (M:key (Nil @Party) 0) (M:use 0 100)",
     "main FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS"},
    {"exercise by key: contract id in the key", "", "M:Deep",
     "exercise_by_key @M:K Use (M:Key { M:key (M:just A) 0 with at = Some @(ContractId M:Plain) D }) (M:use 0 100)",
     "main CONTRACT_ID_IN_CONTRACT_KEY"},
    {"exercise by key known", "x: M:K <- fetch_template @M:K K ;", "M:Deep",
     "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)", "main [key] ctl cob body end"},
    {"exercise by key known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", "M:Deep",
     "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)", "main [key] [key] CONTRACT_KEY_NOT_FOUND"},
    {"exercise by key local", "c: ContractId M:K <- create @M:K (M:good A) ;", "M:Deep",
     "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)", "main ctl cob body end"},
    {"exercise by key local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", "M:Deep",
     "exercise_by_key @M:K Use (M:key (M:just A) 0) (M:use 0 0)", "main [key] CONTRACT_KEY_NOT_FOUND", 0},

    {"fetch by key", "", kPair, "fetch_by_key @M:K (M:key (M:just A) 0)", "main [key] " WHOLE " end"},
    {"fetch by key: unknown", "", kPair, "fetch_by_key @M:K (M:key (M:just A) 0)", "main [key] CONTRACT_KEY_NOT_FOUND",
     0},
    {"fetch by key: authority", "", kPair, "fetch_by_key @M:K (M:key (M:just B) 0)",
     "main [key] " WHOLE " DAML_AUTHORIZATION_ERROR"},
    {"fetch by key: no maintainers", "", kPair, "fetch_by_key @M:K (M:key (Nil @Party) 0)",
     "main FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS"},
    {"fetch by key: contract id in the key", "", kPair,
     "fetch_by_key @M:K (M:Key { M:key (M:just A) 0 with at = Some @(ContractId M:Plain) D })",
     "main CONTRACT_ID_IN_CONTRACT_KEY"},
    {"fetch by key: nesting", "", kPair, "fetch_by_key @M:K (M:key (M:just A) 100)", "main VALUE_NESTING"},
    {"fetch by key known", "x: M:K <- fetch_template @M:K K ;", kPair, "fetch_by_key @M:K (M:key (M:just A) 0)",
     "main [key] end"},
    {"fetch by key known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", kPair,
     "fetch_by_key @M:K (M:key (M:just A) 0)", "main [key] [key] CONTRACT_KEY_NOT_FOUND"},
    {"fetch by key local", "c: ContractId M:K <- create @M:K (M:good A) ;", kPair,
     "fetch_by_key @M:K (M:key (M:just A) 0)", "main end"},
    {"fetch by key local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", kPair,
     "fetch_by_key @M:K (M:key (M:just A) 0)", "main [key] CONTRACT_KEY_NOT_FOUND", 0},

    {"query 1", "", kPairs, "query_n_by_key @M:K 1 (M:key (M:just A) 0)", "main [key] " WHOLE " end", 1},
    {"query 2", "", kPairs, "query_n_by_key @M:K 2 (M:key (M:just A) 0)", "main [key] " WHOLE " " WHOLE " end", 2},
    {"query 3", "", kPairs, "query_n_by_key @M:K 3 (M:key (M:just A) 0)",
     "main [key] " WHOLE " " WHOLE " " WHOLE " end", 3},
    {"query: authority before the ledger", "", kPairs, "query_n_by_key @M:K 1 (M:key (M:just B) 0)",
     "main DAML_AUTHORIZATION_ERROR"},
    {"query: maintainers throw", "", kThrowers, "query_n_by_key @M:Thrower 5 (M:key (M:just A) 0)", "DAML_FAILURE"},
    {"query: an exception in maintainers is not caught", "", kThrowers,
     "try @(THROWERS) (query_n_by_key @M:Thrower 5 (M:key (M:just A) 0)) catch e -> Some @(Update (THROWERS)) (upure "
     "@(THROWERS) (None @(List ('daml-prim-DA-Types':DA.Types:Tuple2 (ContractId M:Thrower) M:Thrower))))",
     "DAML_FAILURE"},
    {"query known", "x: M:K <- fetch_template @M:K K ;", kPairs, "query_n_by_key @M:K 2 (M:key (M:just A) 0)",
     "main [key] " WHOLE " end", 2},
    {"query known: archived", "x: Unit <- exercise @M:K End K (M:Void {}) ;", kPairs,
     "query_n_by_key @M:K 1 (M:key (M:just A) 0)", "main [key] [key] end"},
    {"query local 1", "c: ContractId M:K <- create @M:K (M:good A) ;", kPairs,
     "query_n_by_key @M:K 1 (M:key (M:just A) 0)", "main end"},
    {"query local 2", "c: ContractId M:K <- create @M:K (M:good A) ;", kPairs,
     "query_n_by_key @M:K 2 (M:key (M:just A) 0)", "main [key] " WHOLE " end"},
    {"query local: archived",
     "c: ContractId M:K <- create @M:K (M:good A) ; x: Unit <- exercise @M:K End c (M:Void {}) ;", kPairs,
     "query_n_by_key @M:K 1 (M:key (M:just A) 0)", "main [key] " WHOLE " end"},
    {"query: no such key", "", kPairs, "query_n_by_key @M:K 2 (M:key (M:just A) 0)", "main [key] end", 0},
    {"query: no maintainers", "", kPairs, "query_n_by_key @M:K 2 (M:key (Nil @Party) 0)",
     "main FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS"},
    {"query: contract id in the key", "", kPairs,
     "query_n_by_key @M:K 2 (M:Key { M:key (M:just A) 0 with at = Some @(ContractId M:Plain) D })",
     "main CONTRACT_ID_IN_CONTRACT_KEY"},
    {"query: nesting", "", kPairs, "query_n_by_key @M:K 2 (M:key (M:just A) 100)", "main VALUE_NESTING"},
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

// Whole words only.
std::string expanded(const std::string& text) {
  static const std::pair<std::string_view, std::string> kWords[] = {
      {"A", "(M:Root {a} this)"}, {"B", "(M:Root {b} this)"}, {"K", "(M:Root {k} this)"},
      {"D", "(M:Root {d} this)"}, {"U", "(M:Root {u} this)"}, {"THEIRS", "(M:Root {theirs} this)"},
      {"PAIRS", kPairs},          {"THROWERS", kThrowers}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 0;
    while (i + n < text.size() && (std::isalnum(static_cast<unsigned char>(text[i + n])) || text[i + n] == ':')) ++n;
    std::string word = text.substr(i, std::max<std::size_t>(n, 1));
    for (const auto& [name, meaning] : kWords)
      if (word == name) word = meaning;
    out += word;
    i += std::max<std::size_t>(n, 1);
  }
  return out;
}

class Order : public ::testing::TestWithParam<bool>, public ContractLookup {
 protected:
  bool with_keys() const { return GetParam(); }
  std::vector<const Case*> cases() const {
    std::vector<const Case*> out;
    for (const Case& c : kCases) out.push_back(&c);
    if (with_keys())
      for (const Case& c : kKeyCases) out.push_back(&c);
    return out;
  }

  void SetUp() override {
    std::vector<Dar::Entry> dependencies;
    if (with_keys()) {
      SYNOD_NEEDS_SHARED(path, "dars/canton-builtin-admin-workflow-ping.dar");  // for the package with the pair type
      auto dar = decode_dar(synod::testing::read_file(path));
      ASSERT_TRUE(dar);
      dependencies = dar->entries;
    }
    std::string choices;
    int number = 0;
    for (const Case* c : cases())
      choices += "    choice @nonConsuming C" + std::to_string(number++) +
                 " (self) (arg : M:Void) : Unit , controllers M:just (M:Root {a} this) to ubind " +
                 expanded(c->prepare) + " s: Unit <- M:say \"start\" ; result: " + expanded(c->type) + " <- " +
                 expanded(c->update) + " ; f: Unit <- M:say \"end\" in upure @Unit () ;\n";
    std::string text = replaced(std::string(kModel), "$CHOICES", choices);
    if (with_keys()) {
      text = replaced(text, "$KEY", "");
    } else {
      for (std::size_t at; (at = text.find("$KEY")) != std::string::npos;) text.erase(at, text.find('\n', at) - at);
    }
    auto entry = assemble_package(text, {.version = with_keys() ? kLf23 : kLf22, .dependencies = dependencies});
    ASSERT_TRUE(entry) << entry.error().to_string();
    auto store = std::make_shared<PackageStore>();
    for (const auto& d : dependencies) store->add(d.package);
    store->add(entry->package);
    auto checked = check_package(*entry->package, *store);
    ASSERT_TRUE(checked) << checked.error().to_string();
    package_ = entry->package->id();
    engine_ = std::make_unique<Engine>(store);
    auto plain = created(kAlice, "Plain", {Value::party(kAlice)});
    theirs_ = created(kBob, "K", k(kBob));
    for (int i = 0; i < 3; ++i) on_key_.push_back(created(kAlice, "K", k(kAlice)));
    root_ = {
        Value::party(kAlice),
        Value::party(kBob),
        Value::contract_id(on_key_[0]),
        Value::contract_id(theirs_),
        Value::contract_id(plain),
        Value::contract_id(*ContractId::from_bytes(Bytes(1, '\0') + Bytes(32, 'u') + "\xca\x12" + Bytes(32, 'v')))};
  }

  static std::vector<Value> k(const Party& p) {
    Value deep = Value::record({Value::none()});
    Value key = Value::record({Value::list({Value::party(p)}), Value::none(), deep});
    return {Value::party(p), Value::party(p), Value::boolean(true), key, deep};
  }
  Result<InterpretationResult> submit(const Party& who, Command command) {
    SubmitContext c;
    c.submitters = {who};
    c.submission_seed = Bytes(32, static_cast<char>(++submissions_));
    c.participant_id = "participant1::1220dd";
    c.trace = [this](std::string_view message) { log_ += std::string(message) + " "; };
    return engine_->submit({std::move(command)}, c, *this);
  }
  ContractId created(const Party& who, const char* entity, std::vector<Value> fields) {
    auto result = submit(who, CreateCommand{{package_, "M", entity}, Value::record(std::move(fields))});
    EXPECT_TRUE(result) << result.error().to_string();
    return testing::apply(*result, Timestamp{1}, contracts_).at(0);
  }

  std::optional<ContractInstance> find(const ContractId& id) override {
    log_ += "[id] ";
    return contracts_.find(id);
  }
  std::vector<ContractInstance> find_by_key(const GlobalKey& key, int n) override {
    log_ += "[key] ";
    std::vector<ContractInstance> out;
    const Value& who = key.key.as_record()[0];
    if (who == Value::list({Value::party(kBob)})) return {*contracts_.find(theirs_)};
    for (int i = 0; i < std::min(n, visible_); ++i)
      out.push_back(*contracts_.find(on_key_[static_cast<std::size_t>(i)]));
    return out;
  }

  std::string run(int number) {
    log_.clear();
    auto result = submit(
        kAlice, CreateAndExerciseCommand{
                    {package_, "M", "Root"}, Value::record(root_), "C" + std::to_string(number), Value::record({})});
    auto start = log_.find("start ");
    std::string seen = start == std::string::npos ? "(never started) " + log_ : log_.substr(start + 6);
    if (!result) return seen + result.error().id;
    return seen.substr(0, seen.size() - 1);
  }

  std::string package_;
  std::unique_ptr<Engine> engine_;
  testing::ContractsInMemory contracts_;
  ContractId theirs_;
  std::vector<ContractId> on_key_;
  std::vector<Value> root_;
  std::string log_;
  int visible_ = 1;
  int submissions_ = 0;
};

std::string without_keys(const std::string& want) {
  std::istringstream words(want);
  std::string out;
  for (std::string word; words >> word;)
    if (word != "key" && word != "main") out += (out.empty() ? "" : " ") + word;
  return out;
}

TEST_P(Order, EveryCase) {
  int number = 0;
  for (const Case* c : cases()) {
    visible_ = c->on_key;
    EXPECT_EQ(run(number++), with_keys() ? c->want : without_keys(c->want)) << c->name;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Order, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "WithKeys" : "WithoutKeys"; });

}  // namespace
}  // namespace synod::lf
