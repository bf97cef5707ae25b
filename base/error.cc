#include "base/error.h"

namespace synod {

std::string Error::to_string() const {
  std::string text = id + ": " + cause;
  if (context.empty()) return text;
  text += " {";
  const char* separator = "";
  for (const auto& [key, value] : context) {
    text += separator + key + "=" + value;
    separator = ", ";
  }
  return text + "}";
}

Error invalid_argument(std::string id, std::string cause) {
  return {std::move(id), ErrorCategory::invalid_argument, std::move(cause)};
}
Error failed_precondition(std::string id, std::string cause) {
  return {std::move(id), ErrorCategory::invalid_state_other, std::move(cause)};
}
Error not_found(std::string id, std::string cause) {
  return {std::move(id), ErrorCategory::invalid_state_missing, std::move(cause)};
}
Error unavailable(std::string id, std::string cause) {
  return {std::move(id), ErrorCategory::transient_server_failure, std::move(cause)};
}
Error internal_error(std::string cause) { return {"INTERNAL", ErrorCategory::internal, std::move(cause)}; }

Error malformed(std::string_view what, std::string cause) {
  return {"PROTO_DESERIALIZATION_FAILURE", ErrorCategory::invalid_argument,
          std::string(what) + ": " + std::move(cause)};
}

}  // namespace synod
