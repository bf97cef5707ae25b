#include "lf/script/submit_error.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "lf/eval/pretty.h"
#include "lf/ledger/value_codec.h"

namespace synod::lf::script {

using eval::Cell;
using eval::make_bool;
using eval::make_int64;
using eval::make_none;

namespace {

constexpr char kModule[] = "Daml.Script.Internal.Questions.Submit.Error";

constexpr std::string_view kError = "Error: ";  // what a ledger in memory begins its texts with
constexpr std::string_view kCrash = "CRASH: ";

// The resources do not say what the constructor needs.
struct Incomplete {};

// The class that would have represented the error.
std::string truncated_class(const std::string& id) {
  static const std::unordered_map<std::string_view, const char*> kClasses{
      {"CONTRACT_NOT_FOUND", "ContractNotFound"},
      {"CONTRACT_NOT_ACTIVE", "ContractNotFound"},
      {"UNSUPPORTED_CONTRACT_ID", "UnsupportedContractId"},
      {"UNRESOLVED_PACKAGE_NAME", "UnresolvedPackageName"},
      {"CONTRACT_KEY_NOT_FOUND", "ContractKeyNotFound"},
      {"CONTRACT_HASHING_ERROR", "ContractHashingError"},
      {"DISCLOSED_CONTRACT_KEY_HASHING_ERROR", "DisclosedContractKeyHashingError"},
      {"DUPLICATE_CONTRACT_KEY", "DuplicateContractKey"},
      {"INCONSISTENT_CONTRACT_KEY", "InconsistentContractKey"},
      {"INTERPRETATION_USER_ERROR", "UserError"},
      {"CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS", "CreateEmptyContractKeyMaintainers"},
      {"FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS", "FetchEmptyContractKeyMaintainers"},
      {"WRONGLY_TYPED_CONTRACT", "WronglyTypedContract"},
      {"CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE", "ContractDoesNotImplementInterface"},
      {"CONTRACT_DOES_NOT_IMPLEMENT_REQUIRING_INTERFACE", "ContractDoesNotImplementRequiringInterface"},
      {"CONTRACT_ID_COMPARABILITY", "ContractIdComparability"},
      {"INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED", "ValidationFailed"},
      {"INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED", "TranslationFailed"},
      {"INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED", "AuthenticationFailed"},
      {"DAML_FAILURE", "FailureStatusError"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING", "MalformedByteEncoding"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY", "MalformedKey"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE", "MalformedSignature"},
  };
  auto it = kClasses.find(id);
  return it == kClasses.end() ? id : it->second;
}

class Builder {
 public:
  Builder(ScriptValues& values, const Refusal& refusal, bool stable_keys)
      : v_(values), refusal_(refusal), error_(refusal.error), stable_keys_(stable_keys) {}

  Cell build();

 private:
  using Fields = std::vector<Cell>;

  Cell make(const std::string& constructor, const Fields& fields) {
    if (v_.library_has(kModule, "SubmitError", constructor))
      return v_.library_variant(kModule, "SubmitError", constructor, fields);
    return v_.library_variant(
        kModule, "SubmitError", "UnknownError",
        {v_.text("Outdated daml-script library failed to represent " + constructor + " error as SubmitError")});
  }

  // The n-th resource, which must be of that type.
  const std::string& resource(std::size_t n, std::string_view type) const {
    if (n >= error_.resources.size() || error_.resources[n].first != type) throw Incomplete{};
    return error_.resources[n].second;
  }
  ContractId contract(std::size_t n) const {
    auto id = ContractId::from_hex(resource(n, "CONTRACT_ID"));
    if (!id) throw Incomplete{};
    return std::move(*id);
  }
  Identifier type(std::size_t n, std::string_view kind = "TEMPLATE_ID") const {
    auto id = parse_identifier(resource(n, kind));
    if (!id) throw Incomplete{};
    return std::move(*id);
  }
  Value value(std::size_t n, std::string_view kind) const { return decoded(resource(n, kind)); }
  static Value decoded(const std::string& base64) {
    auto bytes = from_base64(base64);
    if (!bytes) throw Incomplete{};
    auto out = decode_value(*bytes);
    if (!out) throw Incomplete{};
    return std::move(*out);
  }
  Cell parties(std::size_t n) {
    PartySet out;
    std::string_view rest = resource(n, "PARTIES");
    while (!rest.empty()) {
      auto comma = rest.find(',');
      out.emplace(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return v_.party_list(out);
  }
  Cell key(std::size_t template_at, std::size_t key_at) {
    return v_.any_contract_key(type(template_at), value(key_at, "CONTRACT_KEY"), stable_keys_);
  }
  Cell optional_key(const Identifier& template_id, std::size_t at) {
    const std::string& k = resource(at, "NULLABLE_CONTRACT_KEY");
    if (k == "NULL") return make_none();
    PartySet maintainers;
    std::string_view rest = resource(at + 2, "NULLABLE_PARTIES");
    while (!rest.empty()) {
      auto comma = rest.find(',');
      maintainers.emplace(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return v_.some(v_.tuple({v_.any_contract_key(template_id, decoded(k), stable_keys_), v_.party_list(maintainers)}));
  }

  Cell not_found(const std::vector<ContractId>& ids);
  Cell upgrade(const std::string& constructor, const Fields& fields) {
    return make("UpgradeError", {v_.library_variant(kModule, "UpgradeErrorType", constructor, fields), said()});
  }
  Cell crypto(const std::string& constructor) {
    return make(
        "CryptoError",
        {v_.library_variant(kModule, "CryptoErrorType", constructor, {v_.text(resource(0, "CRYPTO_VALUE"))}), said()});
  }
  // What a participant said, or what a ledger in memory says of the error itself.
  Cell said() {
    if (refusal_.status) return v_.text(refusal_.status->text);
    std::string_view text = error_.cause;
    if (text.starts_with(kError)) text.remove_prefix(kError.size());
    return v_.text(text);
  }
  Cell unknown();

  ScriptValues& v_;
  const Refusal& refusal_;
  const Error& error_;
  bool stable_keys_;
};

Cell Builder::not_found(const std::vector<ContractId>& ids) {
  if (ids.empty()) throw Incomplete{};
  std::vector<Cell> rest;
  for (std::size_t i = 1; i < ids.size(); ++i) rest.push_back(v_.text(ids[i].to_hex()));
  Cell info = make_none();
  constexpr char kInfo[] = "ContractNotFoundAdditionalInfo";
  if (refusal_.lookup && v_.library_has(kModule, kInfo, "NotFound")) {
    const LookupFailure& l = *refusal_.lookup;
    using Why = LookupFailure::Why;
    switch (l.why) {
      case Why::unknown:
        info = v_.some(v_.library_variant(kModule, kInfo, "NotFound", {}));
        break;
      case Why::not_active:
        info = v_.some(v_.library_variant(kModule, kInfo, "NotActive", {v_.any_contract_id(l.template_id, ids[0])}));
        break;
      case Why::not_effective:
        info = v_.some(
            v_.library_variant(kModule, kInfo, "NotEffective",
                               {v_.any_contract_id(l.template_id, ids[0]), v_.text(l.effective_at.to_string())}));
        break;
      case Why::not_visible:
        info = v_.some(v_.library_variant(kModule, kInfo, "NotVisible",
                                          {v_.any_contract_id(l.template_id, ids[0]), v_.party_list(l.act_as),
                                           v_.party_list(l.read_as), v_.party_list(l.informed)}));
        break;
    }
  }
  return make("ContractNotFound", {v_.non_empty(v_.text(ids[0].to_hex()), rest), info});
}

// Errors without a constructor of their own.
Cell Builder::unknown() {
  auto say = [&](const std::string& text) { return make("UnknownError", {v_.text(text)}); };
  if (refusal_.status) return say(refusal_.status->text);
  std::string_view text = error_.cause;
  if (text.starts_with(kError)) text.remove_prefix(kError.size());
  const bool crash = text.starts_with(kCrash);
  if (crash) text.remove_prefix(kCrash.size());
  const std::string plain(text);
  if (error_.id == "PACKAGE_NOT_FOUND") return say("Lookup error: " + plain);
  if (error_.id == kPartiesNotAllocated || error_.id == kDisclosureMalformed)
    return say("Unexpected error type: " + plain);
  if (error_.id == "DAML_INTERPRETATION_ERROR" && crash) return say("SErrorCrash(interpreter," + plain + ")");
  return say(plain);
}

Cell Builder::build() {
  const std::string& id = error_.id;
  auto text = [&](const std::string& s) { return v_.text(s); };
  try {
    if (id == "CONTRACT_NOT_FOUND") {
      // A ledger in memory knows every contract that a script can have heard of.
      if (refusal_.lookup && refusal_.lookup->why == LookupFailure::Why::unknown) return unknown();
      if (error_.resources.size() == 1 && error_.resources[0].first == "CONTRACT_IDS") {
        std::vector<ContractId> ids;  // "[a, b]"
        std::string_view rest = error_.resources[0].second;
        while (!rest.empty()) {
          auto end = rest.find_first_of(", ]");
          if (rest.front() == '[') rest.remove_prefix(1), end = rest.find_first_of(", ]");
          if (auto one = ContractId::from_hex(rest.substr(0, end))) ids.push_back(std::move(*one));
          rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        }
        return not_found(ids);
      }
      return not_found({contract(0)});
    }
    if (id == "CONTRACT_NOT_ACTIVE") return not_found({contract(1)});
    if (id == "UNSUPPORTED_CONTRACT_ID") return make("UnsupportedContractId", {text(contract(0).to_hex())});
    if (id == "UNRESOLVED_PACKAGE_NAME") return make("UnresolvedPackageName", {text(resource(0, "PACKAGE_NAME"))});
    if (id == "CONTRACT_KEY_NOT_FOUND") return make("ContractKeyNotFound", {key(0, 1)});
    if (id == "DAML_AUTHORIZATION_ERROR") return make("AuthorizationError", {said()});
    if (id == "DAML_EFFECTFUL_ROLLBACK_ERROR") return make("EffectfulRollbackError", {said()});
    if (id == "CONTRACT_HASHING_ERROR")
      return make("ContractHashingError", {v_.any_contract_id(type(1), contract(0)), v_.type_rep(type(1)),
                                           v_.any_template(type(1), value(2, "CONTRACT_ARG")), said()});
    if (id == "DISCLOSED_CONTRACT_KEY_HASHING_ERROR")
      return make("DisclosedContractKeyHashingError",
                  {v_.any_contract_id(type(0), contract(1)), key(0, 2), text(resource(3, "CONTRACT_KEY_HASH"))});
    if (id == "DUPLICATE_CONTRACT_KEY")
      return make("DuplicateContractKey", {error_.resources.empty() ? make_none() : v_.some(key(0, 1))});
    if (id == "INCONSISTENT_CONTRACT_KEY") return make("InconsistentContractKey", {key(0, 1)});
    if (id == "LOCAL_VERDICT_LOCKED_KEYS") return make("LocalVerdictLockedKeys", {v_.list({})});
    if (id == "LOCAL_VERDICT_LOCKED_CONTRACTS") return make("LocalVerdictLockedContracts", {v_.list({})});
    if (id == "UNHANDLED_EXCEPTION") return make("UnhandledException", {make_none()});
    if (id == "INTERPRETATION_USER_ERROR") return make("UserError", {text(resource(0, "EXCEPTION_TEXT"))});
    if (id == "TEMPLATE_PRECONDITION_VIOLATED") return make("TemplatePreconditionViolated", {});
    if (id == "CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS")
      return make("CreateEmptyContractKeyMaintainers", {v_.any_template(type(0), value(1, "CONTRACT_ARG"))});
    if (id == "FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS") return make("FetchEmptyContractKeyMaintainers", {key(0, 1)});
    if (id == "WRONGLY_TYPED_CONTRACT")
      return make("WronglyTypedContract",
                  {v_.any_contract_id(type(2), contract(0)), v_.type_rep(type(1)), v_.type_rep(type(2))});
    if (id == "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE")
      return make("ContractDoesNotImplementInterface", {v_.any_contract_id(type(1), contract(0)), v_.type_rep(type(1)),
                                                        v_.type_rep(type(2, "INTERFACE_ID"))});
    if (id == "CONTRACT_DOES_NOT_IMPLEMENT_REQUIRING_INTERFACE")
      return make("ContractDoesNotImplementRequiringInterface",
                  {v_.any_contract_id(type(1), contract(0)), v_.type_rep(type(1)), v_.type_rep(type(2, "INTERFACE_ID")),
                   v_.type_rep(type(3, "INTERFACE_ID"))});
    if (id == "NON_COMPARABLE_VALUES") return make("NonComparableValues", {});
    if (id == "CONTRACT_ID_IN_CONTRACT_KEY") return make("ContractIdInContractKey", {});
    if (id == "CONTRACT_ID_COMPARABILITY") return make("ContractIdComparability", {text(resource(0, "CONTRACT_ID"))});
    if (id == "VALUE_NESTING") return make("ValueNesting", {make_int64(kMaxValueNesting)});
    if (id == "MALFORMED_TEXT") return make("MalformedText", {said()});
    if (id == "INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED") {
      Identifier source = type(1), wanted = type(2);
      return upgrade("ValidationFailed",
                     {v_.any_contract_id(source, contract(0)), v_.type_rep(source), v_.type_rep(wanted),
                      text(resource(3, "PACKAGE_NAME")), text(resource(4, "PACKAGE_NAME")), parties(5), parties(6),
                      optional_key(source, 7), parties(10), parties(11), optional_key(wanted, 12)});
    }
    if (id == "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED") {
      Identifier source = type(1);
      const std::string& hex = resource(0, "NULLABLE_CONTRACT_ID");
      auto contract_id = ContractId::from_hex(hex);
      Cell any = contract_id ? v_.some(v_.any_contract_id(source, *contract_id)) : make_none();
      return upgrade("TranslationFailed", {any, v_.type_rep(source), v_.type_rep(type(2)),
                                           v_.any_template(source, value(3, "CONTRACT_ARG"))});
    }
    if (id == "INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED") {
      Identifier source = type(1);
      return upgrade("AuthenticationFailed", {v_.any_contract_id(source, contract(0)), v_.type_rep(source),
                                              v_.type_rep(type(2)), v_.any_template(source, value(3, "CONTRACT_ARG"))});
    }
    if (id == "DAML_FAILURE") {
      auto status = failure_status_of(error_, refusal_.status.has_value());
      if (!status) throw Incomplete{};
      if (!v_.library_has(kModule, "SubmitError", "FailureStatusError")) return unknown();
      return make("FailureStatusError",
                  {v_.failure_status(status->id, status->category, status->message, status->meta)});
    }
    if (id == "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING") return crypto("MalformedByteEncoding");
    if (id == "INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY") return crypto("MalformedKey");
    if (id == "INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE") return crypto("MalformedSignature");
    if (id == "INTERPRETATION_DEV_ERROR")
      return make("DevError", {v_.library_choice(kModule, "DevErrorType", "UnknownNewFeature"), said()});
  } catch (const Incomplete&) {
    return make("TruncatedError", {text(truncated_class(id)), said()});
  }
  return unknown();
}

}  // namespace

Cell submit_error(ScriptValues& values, const Refusal& refusal, bool stable_keys) {
  return Builder(values, refusal, stable_keys).build();
}

std::string quoted(const PartySet& parties) {
  std::string out;
  for (const auto& p : parties) out += (out.empty() ? "'" : ", '") + p + "'";
  return out;
}

std::string describe(const LookupFailure& f) {
  const std::string which = f.contract_id.to_hex() + " (" + eval::pretty(f.template_id) + ").";
  switch (f.why) {
    case LookupFailure::Why::not_active:
      if (f.consumed_by.empty())
        return "Script failed due to a fetch of an inactive contract " + which +
               "\nThe create of this contract has been rolled back";
      return "Script failed due to a fetch of a consumed contract " + which +
             "\nThe contract had been consumed in transaction " + f.consumed_by;
    case LookupFailure::Why::not_effective:
      return "Script failed due to a fetch of an inactive contract " + which + " that becomes effective at " +
             f.effective_at.to_string();
    case LookupFailure::Why::not_visible:
      return "Script failed due to the failure to fetch the contract " + which +
             "\nThe contract had not been disclosed to the reading parties: actAs: {" + quoted(f.act_as) +
             "} readAs: {" + quoted(f.read_as) + "}.\nThe contract had been disclosed to: " + quoted(f.informed) + ".";
    case LookupFailure::Why::unknown:
      break;
  }
  return std::string(kCrash) + "contract " + f.contract_id.to_hex() + " not found";
}

std::string error_class(const Refusal& refusal) {
  if (refusal.status) return "StatusRuntimeException";
  static const std::unordered_map<std::string_view, const char*> kClasses{
      {"CONTRACT_NOT_FOUND", "ContractNotFound"},
      {"CONTRACT_NOT_ACTIVE", "ContractNotActive"},
      {"UNSUPPORTED_CONTRACT_ID", "UnsupportedContractId"},
      {"CONTRACT_KEY_NOT_FOUND", "ContractKeyNotFound"},
      {"UNRESOLVED_PACKAGE_NAME", "UnresolvedPackageName"},
      {"DAML_AUTHORIZATION_ERROR", "FailedAuthorization"},
      {"DAML_EFFECTFUL_ROLLBACK_ERROR", "EffectfulRollback"},
      {"CONTRACT_HASHING_ERROR", "ContractHashingError"},
      {"DISCLOSED_CONTRACT_KEY_HASHING_ERROR", "DisclosedContractKeyHashingError"},
      {"DUPLICATE_CONTRACT_KEY", "DuplicateContractKey"},
      {"INCONSISTENT_CONTRACT_KEY", "InconsistentContractKey"},
      {"UNHANDLED_EXCEPTION", "UnhandledException"},
      {"INTERPRETATION_USER_ERROR", "UserError"},
      {"TEMPLATE_PRECONDITION_VIOLATED", "TemplatePreconditionViolated"},
      {"CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS", "CreateEmptyContractKeyMaintainers"},
      {"FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS", "FetchEmptyContractKeyMaintainers"},
      {"WRONGLY_TYPED_CONTRACT", "WronglyTypedContract"},
      {"CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE", "ContractDoesNotImplementInterface"},
      {"CONTRACT_DOES_NOT_IMPLEMENT_REQUIRING_INTERFACE", "ContractDoesNotImplementRequiringInterface"},
      {"NON_COMPARABLE_VALUES", "NonComparableValues$"},
      {"CONTRACT_ID_IN_CONTRACT_KEY", "ContractIdInContractKey"},
      {"CONTRACT_ID_COMPARABILITY", "ContractIdComparability"},
      {"VALUE_NESTING", "ValueNesting"},
      {"MALFORMED_TEXT", "MalformedText"},
      {"DAML_FAILURE", "FailureStatus"},
      {"INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED", "Upgrade"},
      {"INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED", "Upgrade"},
      {"INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED", "Upgrade"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING", "Crypto"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY", "Crypto"},
      {"INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE", "Crypto"},
      {"INTERPRETATION_DEV_ERROR", "Dev"},
      {"DAML_INTERPRETATION_ERROR", "RunnerException"},
      {"COMMAND_PREPROCESSING_FAILED", "Internal"},
      {"PACKAGE_NOT_FOUND", "LookupError"},
      {kDisclosureMalformed, "DisclosureDecoding"},
      {kPartiesNotAllocated, "PartiesNotAllocated"},
  };
  if (refusal.lookup && refusal.error.id == "CONTRACT_NOT_FOUND") {
    switch (refusal.lookup->why) {
      case LookupFailure::Why::not_active:
        return "ContractNotActive";
      case LookupFailure::Why::not_effective:
        return "ContractNotEffective";
      case LookupFailure::Why::not_visible:
        return "ContractNotVisible";
      case LookupFailure::Why::unknown:
        return "Internal";
    }
  }
  auto it = kClasses.find(refusal.error.id);
  return it == kClasses.end() ? "RuntimeException" : it->second;
}

std::string error_text(const Refusal& refusal) {
  if (refusal.status) return refusal.status->code + ": " + refusal.status->text;
  if (refusal.error.id == "COMMAND_PREPROCESSING_FAILED") return std::string(kCrash) + refusal.error.cause;
  return refusal.error.cause;
}

std::string error_class(const Error& error, bool remote) {
  static const std::unordered_map<std::string_view, const char*> kClasses{
      {kPartyExists, "PartyAlreadyExists"},          {kInvalidParty, "InvalidPartyName"},
      {kUnknownPackage, "IllegalArgumentException"}, {kLedgerCrashed, "Internal"},
      {kMustFailSucceeded, "SErrorDamlException"},   {kPartiesApart, "ConverterException"},
      {kValueMismatch, "ConverterException"},
  };
  auto it = kClasses.find(error.id);
  return it != kClasses.end() ? it->second : remote ? "StatusRuntimeException" : "RuntimeException";
}

bool is_unreadable(const Error& error) {
  return error.id == kParseError || error.id == kUnknownQuestion || error.id == kInvalidUserId ||
         error.id == kPartyHintMismatch;
}

// The text is "... User failure: ID (error category N): MESSAGE", and the context begins with the id.
std::optional<FailureStatus> failure_status_of(const Error& error, bool remote) {
  if (error.id != "DAML_FAILURE") return std::nullopt;
  constexpr std::string_view kErrorId = "error_id";
  constexpr std::string_view kOfTheLedger[] = {"commands",    "definite_answer", "tid",           "category",
                                               "participant", "error_id",        "exercise_trace"};
  FailureStatus out;
  bool has_id = false;
  for (const auto& [key, value] : error.context) {
    if (!has_id && key == kErrorId) {
      out.id = value;
      has_id = true;
      continue;
    }
    if (remote && std::ranges::find(kOfTheLedger, key) != std::end(kOfTheLedger)) continue;
    out.meta.emplace(key, value);
  }
  const std::string before_category = out.id + " (error category ";
  auto category = error.cause.find(before_category);
  if (category == std::string::npos) return std::nullopt;
  const char* digits = error.cause.data() + category + before_category.size();
  const char* end = error.cause.data() + error.cause.size();
  auto [after, wrong] = std::from_chars(digits, end, out.category);
  constexpr std::string_view kBeforeMessage = "): ";
  std::string_view rest(after, static_cast<std::size_t>(end - after));
  if (wrong != std::errc() || !rest.starts_with(kBeforeMessage)) return std::nullopt;
  out.message = rest.substr(kBeforeMessage.size());
  return out;
}

}  // namespace synod::lf::script
