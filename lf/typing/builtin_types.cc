// The types of the builtin functions, written as LF text.
#include "lf/text/parser.h"
#include "lf/typing/checker.h"

namespace synod::lf::typing {

namespace {

constexpr const char* kSource = R"(metadata ('builtins' : '1') module B {
  val TRACE : forall a. Text -> a -> a = ();
  val ERROR : forall a. Text -> a = ();
  val EQUAL : forall a. a -> a -> Bool = ();
  val LESS_EQ : forall a. a -> a -> Bool = ();
  val LESS : forall a. a -> a -> Bool = ();
  val GREATER_EQ : forall a. a -> a -> Bool = ();
  val GREATER : forall a. a -> a -> Bool = ();
  val ADD_INT64 : Int64 -> Int64 -> Int64 = ();
  val SUB_INT64 : Int64 -> Int64 -> Int64 = ();
  val MUL_INT64 : Int64 -> Int64 -> Int64 = ();
  val DIV_INT64 : Int64 -> Int64 -> Int64 = ();
  val MOD_INT64 : Int64 -> Int64 -> Int64 = ();
  val EXP_INT64 : Int64 -> Int64 -> Int64 = ();
  val ADD_NUMERIC : forall (s: nat). Numeric s -> Numeric s -> Numeric s = ();
  val SUB_NUMERIC : forall (s: nat). Numeric s -> Numeric s -> Numeric s = ();
  val MUL_NUMERIC : forall (s: nat) (t: nat) (u: nat). Numeric u -> Numeric s -> Numeric t -> Numeric u = ();
  val DIV_NUMERIC : forall (s: nat) (t: nat) (u: nat). Numeric u -> Numeric s -> Numeric t -> Numeric u = ();
  val ROUND_NUMERIC : forall (s: nat). Int64 -> Numeric s -> Numeric s = ();
  val CAST_NUMERIC : forall (s: nat) (t: nat). Numeric t -> Numeric s -> Numeric t = ();
  val SHIFT_NUMERIC : forall (s: nat) (t: nat). Numeric t -> Numeric s -> Numeric t = ();
  val INT64_TO_NUMERIC : forall (s: nat). Numeric s -> Int64 -> Numeric s = ();
  val NUMERIC_TO_INT64 : forall (s: nat). Numeric s -> Int64 = ();
  val INT64_TO_TEXT : Int64 -> Text = ();
  val NUMERIC_TO_TEXT : forall (s: nat). Numeric s -> Text = ();
  val TIMESTAMP_TO_TEXT : Timestamp -> Text = ();
  val DATE_TO_TEXT : Date -> Text = ();
  val PARTY_TO_TEXT : Party -> Text = ();
  val TEXT_TO_PARTY : Text -> Option Party = ();
  val TEXT_TO_INT64 : Text -> Option Int64 = ();
  val TEXT_TO_NUMERIC : forall (s: nat). Numeric s -> Text -> Option (Numeric s) = ();
  val CONTRACT_ID_TO_TEXT : forall a. ContractId a -> Option Text = ();
  val SHA256_TEXT : Text -> Text = ();
  val EXPLODE_TEXT : Text -> List Text = ();
  val APPEND_TEXT : Text -> Text -> Text = ();
  val IMPLODE_TEXT : List Text -> Text = ();
  val CODE_POINTS_TO_TEXT : List Int64 -> Text = ();
  val TEXT_TO_CODE_POINTS : Text -> List Int64 = ();
  val DATE_TO_UNIX_DAYS : Date -> Int64 = ();
  val UNIX_DAYS_TO_DATE : Int64 -> Date = ();
  val TIMESTAMP_TO_UNIX_MICROSECONDS : Timestamp -> Int64 = ();
  val UNIX_MICROSECONDS_TO_TIMESTAMP : Int64 -> Timestamp = ();
  val COERCE_CONTRACT_ID : forall a b. ContractId a -> ContractId b = ();
  val FOLDL : forall a b. (b -> a -> b) -> b -> List a -> b = ();
  val FOLDR : forall a b. (a -> b -> b) -> b -> List a -> b = ();
  val EQUAL_LIST : forall a. (a -> a -> Bool) -> List a -> List a -> Bool = ();
  val GENMAP_EMPTY : forall a b. GenMap a b = ();
  val GENMAP_INSERT : forall a b. a -> b -> GenMap a b -> GenMap a b = ();
  val GENMAP_LOOKUP : forall a b. a -> GenMap a b -> Option b = ();
  val GENMAP_DELETE : forall a b. a -> GenMap a b -> GenMap a b = ();
  val GENMAP_KEYS : forall a b. GenMap a b -> List a = ();
  val GENMAP_VALUES : forall a b. GenMap a b -> List b = ();
  val GENMAP_SIZE : forall a b. GenMap a b -> Int64 = ();
  val TEXTMAP_EMPTY : forall a. TextMap a = ();
  val TEXTMAP_INSERT : forall a. Text -> a -> TextMap a -> TextMap a = ();
  val TEXTMAP_LOOKUP : forall a. Text -> TextMap a -> Option a = ();
  val TEXTMAP_DELETE : forall a. Text -> TextMap a -> TextMap a = ();
  val TEXTMAP_TO_LIST : forall a. TextMap a -> List <key: Text, value: a> = ();
  val TEXTMAP_SIZE : forall a. TextMap a -> Int64 = ();
  val ANY_EXCEPTION_MESSAGE : AnyException -> Text = ();
  val FAIL_WITH_STATUS : forall a. Text -> FailureCategory -> Text -> TextMap Text -> a = ();
  val KECCAK256_TEXT : Text -> Text = ();
  val SECP256K1_BOOL : Text -> Text -> Text -> Bool = ();
  val SECP256K1_WITH_ECDSA_BOOL : Text -> Text -> Text -> Bool = ();
  val SECP256K1_VALIDATE_KEY : Text -> Bool = ();
  val HEX_TO_TEXT : Text -> Text = ();
  val TEXT_TO_HEX : Text -> Text = ();
  val SHA256_HEX : Text -> Text = ();
})";

const Package& source() {
  static const PackagePtr package = [] {
    auto tokens = text::tokenize(kSource);
    return *text::Parser(std::move(*tokens), kLf23, nullptr).package();
  }();
  return *package;
}

}  // namespace

BuiltinTypes builtin_types(TypeReader& reader) {
  BuiltinTypes types;
  types.fill(Ty::none());
  for (const ValueDefinition& value : source().values()) {
    auto function = builtin_function_named(source().text(value.name));
    types[static_cast<std::size_t>(*function)] = reader.read_closed(source(), value.type);
  }
  return types;
}

}  // namespace synod::lf::typing
