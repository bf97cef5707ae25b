// The rows of constructors_test.cc: for every constructor of the archive format, a program that has it.
#pragma once

namespace synod::lf {

inline constexpr const char* kModel = R"(
  record @serializable Void = {} ;
  record @serializable R (a: *) = { x: a, n: Int64 } ;
  variant @serializable V (a: *) = L: a | N: Unit ;
  enum @serializable C = Red | Green ;
  record @serializable E = { why: Text } ;
  exception E = { message \(e: M:E) -> M:E {why} e } ;
  record @serializable View = { owner: Party } ;
  record Wide (f: * -> *) (n: nat) = { f: f Int64, n: Numeric n } ;
  synonym Same (a: *) = a ;
  interface (this : Base) = { viewtype M:View ; } ;
  interface (this : Face) = {
    viewtype M:View ; requires M:Base ; method worth : Int64 ;
    choice @nonConsuming Ask (self) (n: Int64) : Int64
      , controllers Cons @Party [M:View {owner} (view_interface @M:Face this)] (Nil @Party)
      to upure @Int64 (ADD_INT64 n (call_method @M:Face worth this)) ;
  } ;
  record @serializable K = { p: Party, n: Int64 } ;
  template (this : K) = {
    precondition LESS @Int64 0 (M:K {n} this) ;
    signatories Cons @Party [M:K {p} this] (Nil @Party) ;
    observers Nil @Party ;
    choice Take (self) (m: Int64) : Int64 , controllers Cons @Party [M:K {p} this] (Nil @Party) , observers Nil @Party
      to upure @Int64 (ADD_INT64 m (M:K {n} this)) ;
    implements M:Base { view = M:View { owner = M:K {p} this } ; } ;
    implements M:Face { view = M:View { owner = M:K {p} this } ; method worth = M:K {n} this ; } ;
    $KEY
  } ;
  val three : Int64 = 3 ;
  val k : Party -> M:K = \(p: Party) -> M:K { p = p, n = 30 } ;
  val face : M:K -> M:Face = \(k: M:K) -> to_interface @M:Face @M:K k ;
  val wide : forall (f: * -> *) (n: nat). M:Wide f n -> Numeric n = /\(f: * -> *) (n: nat). \(w: M:Wide f n) -> M:Wide @f @n {n} w ;
)";

struct Row {
  const char* name;  // message.field of a oneof, or enumeration.VALUE
  const char* type;
  const char* expression;  // of that type; of `Update type` when it begins with a !
  const char* want;
  int since = 1;
  int until = 3;
};

// The party, a contract, and other parts of the expressions below; undefined again at the end.
#define P "(M:T {p} this)"
#define K "(M:k " P ")"
#define MAP "(TEXTMAP_INSERT @Int64 \"a\" 1 (TEXTMAP_EMPTY @Int64))"
#define GEN "(GENMAP_INSERT @Text @Int64 \"a\" 1 (GENMAP_EMPTY @Text @Int64))"
#define KEY                                                                                                          \
  "\"3056301006072a8648ce3d020106052b8104000a03420004bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee02" \
  "0decddbf6e00192011648d13b1c00af770c0c1bb609d4d3a5c98a43772e0e18ef4\""
#define SIGNATURE                                                                                                    \
  "\"3045022100ab8115cb910b82e933cfb8b16818d2e01bedb5976e7c243a89b473bd844aecd302203e07c2d5a8366d2566d23d15d22fa1e3" \
  "df800da0510b8a0f7ebf987dc15f2a82\""
#define THROW "(throw @Int64 @M:E (M:E { why = \"no\" }))"
#define PAIR "'daml-prim-DA-Types':DA.Types:Tuple2"

inline const Row kRows[] = {
    {"Expr.var_interned_str", "Int64", "let x: Int64 = 3 in x", "3"},
    {"Expr.val", "Int64", "M:three", "3"},
    {"Expr.builtin", "Int64", "ADD_INT64 1 2", "3"},
    {"Expr.builtin_con", "Unit", "()", "()"},
    {"Expr.builtin_lit", "Int64", "7", "7"},
    {"Expr.rec_con", "M:Void", "M:Void {}", "{}"},
    {"Expr.rec_proj", "Int64", "M:R @Text {n} (M:R @Text {x = \"\", n = 2})", "2"},
    {"Expr.rec_upd", "Int64", "M:R @Text {n} (M:R @Text { M:R @Text {x = \"\", n = 2} with n = 5 })", "5"},
    {"Expr.variant_con", "M:V Int64", "M:V:L @Int64 4", "L(4)"},
    {"Expr.enum_con", "M:C", "M:C:Green", "Green"},
    {"Expr.struct_con", "Int64", "(<b = 1, a = 2>).a", "2"},
    {"Expr.struct_proj", "Int64", "(<b = 1, a = 2>).b", "1"},
    {"Expr.struct_upd", "Int64", "(<<b = 1, a = 2> with b = 9>).b", "9"},
    {"Expr.app", "Int64", "(\\(x: Int64) (y: Int64) -> SUB_INT64 x y) 9 2", "7"},
    {"Expr.ty_app", "Int64", "(/\\a. \\(x: a) -> x) @Int64 6", "6"},
    {"Expr.abs", "Int64", "(\\(x: Int64) -> x) 5", "5"},
    {"Expr.ty_abs", "Int64", "(/\\(a: *) (b: *). \\(x: a) (y: b) -> y) @Text @Int64 \"\" 4", "4"},
    {"Expr.case", "Int64", "case True of True -> 1 | False -> 2", "1"},
    {"Expr.let", "Int64", "let x: Int64 = 3 in let y: Int64 = 4 in MUL_INT64 x y", "12"},
    {"Expr.nil", "List Int64", "Nil @Int64", "[]"},
    {"Expr.cons", "List Int64", "Cons @Int64 [1, 2] (Cons @Int64 [3] (Nil @Int64))", "[1, 2, 3]"},
    {"Expr.update", "Int64", "!upure @Int64 1", "1"},
    {"Expr.optional_none", "Option Int64", "None @Int64", "None"},
    {"Expr.optional_some", "Option Int64", "Some @Int64 8", "Some 8"},
    {"Expr.to_any", "Bool", "EQUAL @Any (to_any @M:Void (M:Void {})) (to_any @M:Void (M:Void {}))", "True"},
    {"Expr.from_any", "Option M:C", "from_any @M:C (to_any @M:C (M:C:Red))", "Some Red"},
    {"Expr.type_rep", "Bool", "EQUAL @TypeRep (type_rep @M:C) (type_rep @M:Void)", "False"},
    {"Expr.to_any_exception", "Text", "ANY_EXCEPTION_MESSAGE (to_any_exception @M:E (M:E { why = \"m\" }))", "\"m\""},
    {"Expr.from_any_exception", "Option M:E", "from_any_exception @M:E (to_any_exception @M:E (M:E { why = \"m\" }))",
     "Some {\"m\"}"},
    {"Expr.throw", "Int64", THROW, "DAML_FAILURE"},
    {"Expr.to_interface", "Int64", "call_method @M:Face worth (to_interface @M:Face @M:K " K ")", "30"},
    {"Expr.from_interface", "Int64",
     "case from_interface @M:Face @M:K (M:face " K ") of Some k -> M:K {n} k | None -> 0", "30"},
    {"Expr.call_interface", "Int64", "call_method @M:Face worth (M:face " K ")", "30"},
    {"Expr.signatory_interface", "List Party", "signatory_interface @M:Face (M:face " K ")", "['alice::1220aa']"},
    {"Expr.observer_interface", "List Party", "observer_interface @M:Face (M:face " K ")", "[]"},
    {"Expr.view_interface", "Party", "M:View {owner} (view_interface @M:Face (M:face " K "))", "'alice::1220aa'"},
    {"Expr.unsafe_from_interface", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K
     " in upure @Int64 (M:K {n} (unsafe_from_interface @M:Face @M:K (COERCE_CONTRACT_ID @M:K @M:Face c) (M:face " K
     ")))",
     "30", 1, 1},
    {"Expr.interface_template_type_rep", "Bool",
     "EQUAL @TypeRep (type_rep @M:K) (interface_template_type_rep @M:Face (M:face " K "))", "True"},
    {"Expr.to_required_interface", "Party",
     "M:View {owner} (view_interface @M:Base (to_required_interface @M:Base @M:Face (M:face " K ")))",
     "'alice::1220aa'"},
    {"Expr.from_required_interface", "Int64",
     "case from_required_interface @M:Base @M:Face (to_interface @M:Base @M:K " K
     ") of Some f -> call_method @M:Face worth f | None -> 0",
     "30"},
    {"Expr.unsafe_from_required_interface", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K
     " in upure @Int64 (call_method @M:Face worth (unsafe_from_required_interface @M:Base @M:Face (COERCE_CONTRACT_ID "
     "@M:K @M:Base c) (to_interface @M:Base @M:K " K ")))",
     "30"},
    {"Expr.interned_expr", "Int64", "1", "1", 2},

    {"Update.pure", "Int64", "!upure @Int64 2", "2"},
    {"Update.block", "Int64",
     "!ubind x: Int64 <- upure @Int64 1 ; y: Int64 <- upure @Int64 (ADD_INT64 x 1) in upure @Int64 y", "2"},
    {"Update.create", "Int64", "!ubind c: ContractId M:K <- create @M:K " K " in upure @Int64 1", "1"},
    {"Update.exercise", "Int64", "!ubind c: ContractId M:K <- create @M:K " K " in exercise @M:K Take c 5", "35"},
    {"Update.exercise_by_key", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K " in exercise_by_key @M:K Take " P " 5", "35", 3},
    {"Update.fetch", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K " ; k: M:K <- fetch_template @M:K c in upure @Int64 (M:K {n} k)",
     "30"},
    {"Update.get_time", "Timestamp", "!uget_time", "1970-01-01T00:00:01Z"},
    {"Update.query_n_by_key", "Bool",
     "!ubind c: ContractId M:K <- create @M:K " K " ; found: Option (List (" PAIR
     " (ContractId M:K) M:K)) <- query_n_by_key @M:K 1 " P " in upure @Bool (case found of None -> False | Some l -> "
     "(case l of Nil -> False | Cons h t -> EQUAL @(ContractId "
     "M:K) c (" PAIR " @(ContractId M:K) @M:K {_1} h)))",
     "True", 3},
    {"Update.fetch_by_key", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K " ; found: " PAIR " (ContractId M:K) M:K <- fetch_by_key @M:K " P
     " in upure @Int64 (M:K {n} (" PAIR " @(ContractId M:K) @M:K {_2} found))",
     "30", 3},
    {"Update.embed_expr", "Int64", "!uembed_expr @Int64 (upure @Int64 3)", "3"},
    {"Update.try_catch", "Int64",
     "!try @Int64 (upure @Int64 " THROW ") catch e -> Some @(Update Int64) (upure @Int64 4)", "4"},
    {"Update.create_interface", "Int64",
     "!ubind c: ContractId M:Face <- create_by_interface @M:Face (M:face " K ") in exercise_interface @M:Face Ask c 1",
     "31"},
    {"Update.exercise_interface", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K
     " in exercise_interface @M:Face Ask (COERCE_CONTRACT_ID @M:K @M:Face c) 2",
     "32"},
    {"Update.fetch_interface", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K " ; f: M:Face <- fetch_interface @M:Face (COERCE_CONTRACT_ID @M:K "
     "@M:Face c) in upure @Int64 (call_method @M:Face worth f)",
     "30"},
    {"Update.ledger_time_lt", "Bool", "!ledger_time_lt 1970-01-01T00:00:02Z", "True"},

    {"Type.var", "Int64", "(/\\a. \\(x: a) -> x) @Int64 1", "1"},
    {"Type.con", "M:C", "M:C:Red", "Red"},
    {"Type.builtin", "Int64", "1", "1"},
    {"Type.forall", "Int64", "(\\(f: forall a. a -> a) -> f @Int64 3) (/\\a. \\(x: a) -> x)", "3"},
    {"Type.struct", "Int64", "(\\(s: <a: Int64>) -> (s).a) <a = 2>", "2"},
    {"Type.nat", "Numeric 3", "1.500", "1.500"},
    {"Type.syn", "Int64", "(\\(x: ||M:Same Int64||) -> x) 4", "4"},
    {"Type.interned_type", "Int64", "1", "1"},
    {"Type.tapp", "Option Int64", "None @Int64", "None", 2},
    {"Kind.star", "Int64", "(/\\(a: *). \\(x: a) -> x) @Int64 1", "1"},
    {"Kind.arrow", "Numeric 2", "M:wide @Option @2 (M:Wide @Option @2 { f = None @Int64, n = 1.25 })", "1.25"},
    {"Kind.nat", "Numeric 1", "M:wide @List @1 (M:Wide @List @1 { f = Nil @Int64, n = 1.2 })", "1.2"},
    {"Kind.interned_kind", "Int64", "(/\\(a: *). \\(x: a) -> x) @Int64 1", "1", 2},

    {"CaseAlt.default", "Int64", "case 5 of _ -> 6", "6"},
    {"CaseAlt.variant", "Int64", "case M:V:L @Int64 4 of M:V:N u -> 0 | M:V:L n -> n", "4"},
    {"CaseAlt.builtin_con", "Int64", "case False of True -> 1 | False -> 2", "2"},
    {"CaseAlt.nil", "Int64", "case Nil @Int64 of Cons h t -> h | Nil -> 3", "3"},
    {"CaseAlt.cons", "Int64", "case Cons @Int64 [7] (Nil @Int64) of Nil -> 0 | Cons h t -> h", "7"},
    {"CaseAlt.optional_none", "Int64", "case None @Int64 of Some x -> x | None -> 9", "9"},
    {"CaseAlt.optional_some", "Int64", "case Some @Int64 8 of None -> 0 | Some x -> x", "8"},
    {"CaseAlt.enum", "Int64", "case (M:C:Green) of M:C:Red -> 1 | M:C:Green -> 2", "2"},

    {"BuiltinLit.int64", "Int64", "-9223372036854775808", "-9223372036854775808"},
    {"BuiltinLit.timestamp", "Timestamp", "1969-07-21T02:56:15Z", "1969-07-21T02:56:15Z"},
    {"BuiltinLit.numeric_interned_str", "Numeric 2", "-1.50", "-1.50"},
    {"BuiltinLit.text_interned_str", "Text", "\"text\"", "\"text\""},
    {"BuiltinLit.date", "Date", "2020-02-29", "2020-02-29"},
    {"BuiltinLit.failure_category", "Int64", "(\\(c: FailureCategory) -> 1) INVALID_INDEPENDENT_OF_SYSTEM_STATE", "1"},

    {"DefDataType.record", "M:Void", "M:Void {}", "{}"},
    {"DefDataType.variant", "M:V Int64", "M:V:N @Int64 ()", "N(())"},
    {"DefDataType.enum", "M:C", "M:C:Red", "Red"},
    {"DefDataType.interface", "Int64", "call_method @M:Face worth (M:face " K ")", "30"},
    {"SelfOrImportedPackageId.self_package_id", "Int64", "M:three", "3"},
    {"SelfOrImportedPackageId.imported_package_id_interned_str", "Int64", "'library':L:one", "1", 1, 1},
    {"SelfOrImportedPackageId.package_import_id", "Int64", "'library':L:one", "1", 2},
    {"Package.package_imports", "Int64", "'library':L:one", "1", 2},

    {"BuiltinCon.CON_UNIT", "Unit", "()", "()"},
    {"BuiltinCon.CON_FALSE", "Bool", "False", "False"},
    {"BuiltinCon.CON_TRUE", "Bool", "True", "True"},
    {"BuiltinLit.FailureCategory.INVALID_INDEPENDENT_OF_SYSTEM_STATE", "Int64",
     "(\\(c: FailureCategory) -> 1) INVALID_INDEPENDENT_OF_SYSTEM_STATE", "1"},
    {"BuiltinLit.FailureCategory.INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER", "Int64",
     "(\\(c: FailureCategory) -> 2) INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER", "2"},

    {"BuiltinType.UNIT", "Unit", "()", "()"},
    {"BuiltinType.BOOL", "Bool", "True", "True"},
    {"BuiltinType.INT64", "Int64", "1", "1"},
    {"BuiltinType.DATE", "Date", "1970-01-01", "1970-01-01"},
    {"BuiltinType.TIMESTAMP", "Timestamp", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
    {"BuiltinType.NUMERIC", "Numeric 1", "0.0", "0.0"},
    {"BuiltinType.PARTY", "Party", P, "'alice::1220aa'"},
    {"BuiltinType.TEXT", "Text", "\"\"", "\"\""},
    {"BuiltinType.CONTRACT_ID", "Int64", "(\\(c: Option (ContractId M:K)) -> 1) (None @(ContractId M:K))", "1"},
    {"BuiltinType.OPTIONAL", "Option Text", "None @Text", "None"},
    {"BuiltinType.LIST", "List Text", "Nil @Text", "[]"},
    {"BuiltinType.GENMAP", "GenMap Text Int64", GEN, "Map(\"a\" -> 1)"},
    {"BuiltinType.ANY", "Int64", "(\\(a: Any) -> 1) (to_any @M:Void (M:Void {}))", "1"},
    {"BuiltinType.ANY_EXCEPTION", "Int64", "(\\(a: AnyException) -> 1) (to_any_exception @M:E (M:E {why = \"\"}))",
     "1"},
    {"BuiltinType.TYPE_REP", "Int64", "(\\(a: TypeRep) -> 1) (type_rep @M:Void)", "1"},
    {"BuiltinType.ARROW", "Int64", "(\\(f: Int64 -> Int64) -> f 2) (\\(x: Int64) -> x)", "2"},
    {"BuiltinType.UPDATE", "Int64", "(\\(u: Update Int64) -> 1) (upure @Int64 2)", "1"},
    {"BuiltinType.FAILURE_CATEGORY", "Int64", "(\\(c: FailureCategory) -> 1) INVALID_INDEPENDENT_OF_SYSTEM_STATE", "1"},
    {"BuiltinType.TEXTMAP", "TextMap Int64", MAP, "TextMap(a -> 1)"},

    {"BuiltinFunction.TRACE", "Int64", "TRACE @Int64 \"t\" 1", "1"},
    {"BuiltinFunction.ERROR", "Int64", "ERROR @Int64 \"t\"", "INTERPRETATION_USER_ERROR"},
    {"BuiltinFunction.EQUAL", "Bool", "EQUAL @Int64 1 2", "False"},
    {"BuiltinFunction.LESS_EQ", "Bool", "LESS_EQ @Int64 1 2", "True"},
    {"BuiltinFunction.LESS", "Bool", "LESS @Int64 1 2", "True"},
    {"BuiltinFunction.GREATER_EQ", "Bool", "GREATER_EQ @Int64 1 2", "False"},
    {"BuiltinFunction.GREATER", "Bool", "GREATER @Int64 1 2", "False"},
    {"BuiltinFunction.ADD_INT64", "Int64", "ADD_INT64 7 2", "9"},
    {"BuiltinFunction.SUB_INT64", "Int64", "SUB_INT64 7 2", "5"},
    {"BuiltinFunction.MUL_INT64", "Int64", "MUL_INT64 7 2", "14"},
    {"BuiltinFunction.DIV_INT64", "Int64", "DIV_INT64 7 2", "3"},
    {"BuiltinFunction.MOD_INT64", "Int64", "MOD_INT64 7 2", "1"},
    {"BuiltinFunction.EXP_INT64", "Int64", "EXP_INT64 7 2", "49"},
    {"BuiltinFunction.ADD_NUMERIC", "Numeric 1", "ADD_NUMERIC @1 1.5 0.1", "1.6"},
    {"BuiltinFunction.SUB_NUMERIC", "Numeric 1", "SUB_NUMERIC @1 1.5 0.1", "1.4"},
    {"BuiltinFunction.MUL_NUMERIC", "Numeric 1", "MUL_NUMERIC @1 @1 @1 0.0 1.5 2.0", "3.0"},
    {"BuiltinFunction.DIV_NUMERIC", "Numeric 1", "DIV_NUMERIC @1 @1 @1 0.0 3.0 2.0", "1.5"},
    {"BuiltinFunction.ROUND_NUMERIC", "Numeric 1", "ROUND_NUMERIC @1 0 1.6", "2.0"},
    {"BuiltinFunction.CAST_NUMERIC", "Numeric 2", "CAST_NUMERIC @1 @2 0.00 1.6", "1.60"},
    {"BuiltinFunction.SHIFT_NUMERIC", "Numeric 2", "SHIFT_NUMERIC @1 @2 0.00 1.6", "0.16"},
    {"BuiltinFunction.INT64_TO_NUMERIC", "Numeric 1", "INT64_TO_NUMERIC @1 0.0 3", "3.0"},
    {"BuiltinFunction.NUMERIC_TO_INT64", "Int64", "NUMERIC_TO_INT64 @1 3.9", "3"},
    {"BuiltinFunction.INT64_TO_TEXT", "Text", "INT64_TO_TEXT 3", "\"3\""},
    {"BuiltinFunction.NUMERIC_TO_TEXT", "Text", "NUMERIC_TO_TEXT @2 3.10", "\"3.1\""},
    {"BuiltinFunction.TIMESTAMP_TO_TEXT", "Text", "TIMESTAMP_TO_TEXT 1970-01-01T00:00:00Z", "\"1970-01-01T00:00:00Z\""},
    {"BuiltinFunction.DATE_TO_TEXT", "Text", "DATE_TO_TEXT 1970-01-01", "\"1970-01-01\""},
    {"BuiltinFunction.PARTY_TO_TEXT", "Text", "PARTY_TO_TEXT " P, "\"alice::1220aa\""},
    {"BuiltinFunction.TEXT_TO_PARTY", "Option Party", "TEXT_TO_PARTY \"bob\"", "Some 'bob'"},
    {"BuiltinFunction.TEXT_TO_INT64", "Option Int64", "TEXT_TO_INT64 \"12\"", "Some 12"},
    {"BuiltinFunction.TEXT_TO_NUMERIC", "Option (Numeric 1)", "TEXT_TO_NUMERIC @1 0.0 \"12\"", "Some 12.0"},
    {"BuiltinFunction.CONTRACT_ID_TO_TEXT", "Option Text",
     "!ubind c: ContractId M:K <- create @M:K " K " in upure @(Option Text) (CONTRACT_ID_TO_TEXT @M:K c)", "None"},
    {"BuiltinFunction.SHA256_TEXT", "Text", "SHA256_TEXT \"abc\"",
     "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
    {"BuiltinFunction.EXPLODE_TEXT", "List Text", "EXPLODE_TEXT \"ab\"", "[\"a\", \"b\"]"},
    {"BuiltinFunction.APPEND_TEXT", "Text", "APPEND_TEXT \"a\" \"b\"", "\"ab\""},
    {"BuiltinFunction.IMPLODE_TEXT", "Text", "IMPLODE_TEXT (Cons @Text [\"a\", \"b\"] (Nil @Text))", "\"ab\""},
    {"BuiltinFunction.CODE_POINTS_TO_TEXT", "Text", "CODE_POINTS_TO_TEXT (Cons @Int64 [97] (Nil @Int64))", "\"a\""},
    {"BuiltinFunction.TEXT_TO_CODE_POINTS", "List Int64", "TEXT_TO_CODE_POINTS \"a\"", "[97]"},
    {"BuiltinFunction.DATE_TO_UNIX_DAYS", "Int64", "DATE_TO_UNIX_DAYS 1970-01-02", "1"},
    {"BuiltinFunction.UNIX_DAYS_TO_DATE", "Date", "UNIX_DAYS_TO_DATE 1", "1970-01-02"},
    {"BuiltinFunction.TIMESTAMP_TO_UNIX_MICROSECONDS", "Int64", "TIMESTAMP_TO_UNIX_MICROSECONDS 1970-01-01T00:00:01Z",
     "1000000"},
    {"BuiltinFunction.UNIX_MICROSECONDS_TO_TIMESTAMP", "Timestamp", "UNIX_MICROSECONDS_TO_TIMESTAMP 1000000",
     "1970-01-01T00:00:01Z"},
    {"BuiltinFunction.COERCE_CONTRACT_ID", "Int64",
     "!ubind c: ContractId M:K <- create @M:K " K
     " ; k: M:K <- fetch_template @M:K (COERCE_CONTRACT_ID @M:Base @M:K (COERCE_CONTRACT_ID @M:K @M:Base c)) in upure "
     "@Int64 (M:K {n} k)",
     "30"},
    {"BuiltinFunction.FOLDL", "Int64", "FOLDL @Int64 @Int64 SUB_INT64 10 (Cons @Int64 [1, 2] (Nil @Int64))", "7"},
    {"BuiltinFunction.FOLDR", "Int64", "FOLDR @Int64 @Int64 SUB_INT64 10 (Cons @Int64 [1, 2] (Nil @Int64))", "9"},
    {"BuiltinFunction.EQUAL_LIST", "Bool", "EQUAL_LIST @Int64 (EQUAL @Int64) (Nil @Int64) (Nil @Int64)", "True"},
    {"BuiltinFunction.GENMAP_EMPTY", "GenMap Text Int64", "GENMAP_EMPTY @Text @Int64", "Map()"},
    {"BuiltinFunction.GENMAP_INSERT", "GenMap Text Int64", GEN, "Map(\"a\" -> 1)"},
    {"BuiltinFunction.GENMAP_LOOKUP", "Option Int64", "GENMAP_LOOKUP @Text @Int64 \"a\" " GEN, "Some 1"},
    {"BuiltinFunction.GENMAP_DELETE", "GenMap Text Int64", "GENMAP_DELETE @Text @Int64 \"a\" " GEN, "Map()"},
    {"BuiltinFunction.GENMAP_KEYS", "List Text", "GENMAP_KEYS @Text @Int64 " GEN, "[\"a\"]"},
    {"BuiltinFunction.GENMAP_VALUES", "List Int64", "GENMAP_VALUES @Text @Int64 " GEN, "[1]"},
    {"BuiltinFunction.GENMAP_SIZE", "Int64", "GENMAP_SIZE @Text @Int64 " GEN, "1"},
    {"BuiltinFunction.TEXTMAP_EMPTY", "TextMap Int64", "TEXTMAP_EMPTY @Int64", "TextMap()"},
    {"BuiltinFunction.TEXTMAP_INSERT", "TextMap Int64", MAP, "TextMap(a -> 1)"},
    {"BuiltinFunction.TEXTMAP_LOOKUP", "Option Int64", "TEXTMAP_LOOKUP @Int64 \"b\" " MAP, "None"},
    {"BuiltinFunction.TEXTMAP_DELETE", "TextMap Int64", "TEXTMAP_DELETE @Int64 \"b\" " MAP, "TextMap(a -> 1)"},
    {"BuiltinFunction.TEXTMAP_TO_LIST", "Int64",
     "case TEXTMAP_TO_LIST @Int64 " MAP " of Nil -> 0 | Cons h t -> (h).value", "1"},
    {"BuiltinFunction.TEXTMAP_SIZE", "Int64", "TEXTMAP_SIZE @Int64 " MAP, "1"},
    {"BuiltinFunction.ANY_EXCEPTION_MESSAGE", "Text",
     "ANY_EXCEPTION_MESSAGE (to_any_exception @M:E (M:E { why = \"m\" }))", "\"m\""},
    {"BuiltinFunction.FAIL_WITH_STATUS", "Unit",
     "FAIL_WITH_STATUS @Unit \"ID\" INVALID_INDEPENDENT_OF_SYSTEM_STATE \"why\" (TEXTMAP_EMPTY @Text)", "DAML_FAILURE"},
    {"BuiltinFunction.KECCAK256_TEXT", "Text", "KECCAK256_TEXT \"616263\"",
     "\"4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45\""},
    {"BuiltinFunction.SECP256K1_BOOL", "Bool", "SECP256K1_BOOL " SIGNATURE " \"616263\" " KEY, "True"},
    {"BuiltinFunction.HEX_TO_TEXT", "Text", "HEX_TO_TEXT \"6162\"", "\"ab\""},
    {"BuiltinFunction.TEXT_TO_HEX", "Text", "TEXT_TO_HEX \"ab\"", "\"6162\""},
    {"BuiltinFunction.SHA256_HEX", "Text", "SHA256_HEX \"616263\"",
     "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
    {"BuiltinFunction.SECP256K1_WITH_ECDSA_BOOL", "Bool",
     "SECP256K1_WITH_ECDSA_BOOL " SIGNATURE " (SHA256_HEX \"616263\") " KEY, "True"},
    {"BuiltinFunction.SECP256K1_VALIDATE_KEY", "Bool", "SECP256K1_VALIDATE_KEY " KEY, "True", 3},
};

#undef P
#undef K
#undef MAP
#undef GEN
#undef KEY
#undef SIGNATURE
#undef THROW

// Rows with this type need a real DAR.
inline constexpr const char* kPairType = PAIR;
#undef PAIR

}  // namespace synod::lf
