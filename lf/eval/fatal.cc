#include "lf/eval/fatal.h"

#include "base/bytes.h"
#include "lf/eval/pretty.h"
#include "lf/ledger/value_codec.h"

namespace synod::lf::eval {

void fatal(std::string id, ErrorCategory category, const std::string& what, Resources about) {
  Error error(std::move(id), category, "Interpretation error: Error: " + what);
  error.resources = std::move(about);
  throw Fatal{std::move(error)};
}
std::string resource_of(const Value& value) { return to_base64(encode_value(value)); }
void fatal_bug(const std::string& what) {
  throw Fatal{Error("DAML_INTERPRETATION_ERROR", ErrorCategory::invalid_state_other,
                    "Interpretation error: Error: CRASH: " + what)};
}
void user_error(const std::string& message) {
  fatal("INTERPRETATION_USER_ERROR", ErrorCategory::invalid_state_other, "User abort: " + message,
        {{"EXCEPTION_TEXT", message}});
}
void failure_status(const std::string& id, std::int64_t category, const std::string& message,
                    const std::vector<std::pair<std::string, std::string>>& metadata) {
  const auto number = static_cast<std::int32_t>(category);  // as the reference does; it need not be a category
  Error error("DAML_FAILURE", static_cast<ErrorCategory>(number),
              "Interpretation error: Error: User failure: " + id + " (error category " + std::to_string(number) +
                  "): " + message);
  error.context.emplace_back("error_id", id);
  for (const auto& entry : metadata) error.context.push_back(entry);
  throw Fatal{std::move(error)};
}
void contract_not_found(const ContractId& id) {
  throw Fatal{Error("CONTRACT_NOT_FOUND", ErrorCategory::invalid_state_missing,
                    "Contract could not be found with id " + id.to_hex())
                  .about("CONTRACT_ID", id.to_hex())};
}
void contract_not_active(const ContractId& id, const Identifier& template_id, NodeId consumed_by) {
  fatal("CONTRACT_NOT_ACTIVE", ErrorCategory::invalid_state_missing,
        "Update failed due to fetch of an inactive contract " + id.to_hex() + " (" + pretty(template_id) +
            ").\nThe contract had been consumed in sub-transaction #NodeId(" + std::to_string(consumed_by) + "):",
        {{"TEMPLATE_ID", template_id.to_string()}, {"CONTRACT_ID", id.to_hex()}});
}
void wrongly_typed(const ContractId& id, const Identifier& expected, const Identifier& actual) {
  fatal("WRONGLY_TYPED_CONTRACT", ErrorCategory::invalid_state_other,
        "Update failed due to wrongly typed contract id " + id.to_hex() + "\nExpected contract of type " +
            pretty(expected) + " but got " + pretty(actual),
        {{"CONTRACT_ID", id.to_hex()}, {"TEMPLATE_ID", expected.to_string()}, {"TEMPLATE_ID", actual.to_string()}});
}
void no_such_interface(const ContractId& id, const Identifier& actual, const Identifier& interface) {
  fatal("CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE", ErrorCategory::invalid_argument,
        "Update failed due to contract " + id.to_hex() +
            " not implementing an interface\nExpected contract to implement interface " + pretty(interface) +
            " but contract has type " + pretty(actual),
        {{"CONTRACT_ID", id.to_hex()}, {"TEMPLATE_ID", actual.to_string()}, {"INTERFACE_ID", interface.to_string()}});
}
void translation_failed(const std::optional<ContractId>& id, const Identifier& source, const Identifier& wanted,
                        const Value& argument, const std::string& reason) {
  std::string name = id ? "contract " + id->to_hex() : std::string("a contract");
  fatal("INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED", ErrorCategory::invalid_argument,
        "Translation of " + name + " to a value of type " + pretty(wanted) + " fails.\nReason: " + reason +
            "\nThe contract is purportedly an instance of " + pretty(source) +
            "\nIts contract argument is:  " + pretty(argument),
        {{"NULLABLE_CONTRACT_ID", id ? id->to_hex() : "NULL"},
         {"TEMPLATE_ID", source.to_string()},
         {"TEMPLATE_ID", wanted.to_string()},
         {"CONTRACT_ARG", resource_of(argument)}});
}
void missing_package(const std::string& what) {
  throw Fatal{Error("PACKAGE_NOT_FOUND", ErrorCategory::invalid_state_missing, "Couldn't find " + what)};
}
void value_nesting() {
  fatal("VALUE_NESTING", ErrorCategory::invalid_argument,
        "Value exceeds maximum nesting value of " + std::to_string(kMaxValueNesting));
}
void malformed_text(const std::string& why) {
  fatal("MALFORMED_TEXT", ErrorCategory::invalid_argument, "Text is malformed: " + why);
}
void not_authorized(NodeId node, const std::string& what) {
  fatal("DAML_AUTHORIZATION_ERROR", ErrorCategory::invalid_argument,
        "node NodeId(" + std::to_string(node) + ") " + what);
}

}  // namespace synod::lf::eval
