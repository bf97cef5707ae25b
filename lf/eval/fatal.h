// Errors that end an interpretation, with Canton's ids and texts (pretty.h). Inside lf/eval they travel as C++
// exceptions, because they can come from any depth of the machine; Engine turns them into Results. Fact of the texts:
// Pretty.scala; of ids and categories: CommandExecutionErrors.scala, RejectionGenerators.scala.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "lf/identifier.h"
#include "lf/transaction.h"

namespace synod::lf::eval {

struct Fatal {
  Error error;
};

// "Interpretation error: Error: <what>". Resources are those of CommandExecutionErrors, in its order: clients take them
// apart.
using Resources = std::vector<std::pair<std::string, std::string>>;
[[noreturn]] void fatal(std::string id, ErrorCategory category, const std::string& what, Resources about = {});
[[noreturn]] void fatal_bug(const std::string& what);      // INTERPRETATION internal: an ill-typed package or a bug
[[noreturn]] void user_error(const std::string& message);  // ERROR builtin
// The error's category is the program's number, whatever it is.
[[noreturn]] void failure_status(const std::string& id, std::int64_t category, const std::string& message,
                                 const std::vector<std::pair<std::string, std::string>>& metadata);
[[noreturn]] void contract_not_found(const ContractId& id);
[[noreturn]] void contract_not_active(const ContractId& id, const Identifier& template_id, NodeId consumed_by);
[[noreturn]] void wrongly_typed(const ContractId& id, const Identifier& expected, const Identifier& actual);
[[noreturn]] void no_such_interface(const ContractId& id, const Identifier& actual, const Identifier& interface);
[[noreturn]] void missing_package(const std::string& what);
[[noreturn]] void malformed_text(const std::string& why);
[[noreturn]] void value_nesting();
// A contract's argument that does not fit the template it is wanted as; no id: an interface value.
[[noreturn]] void translation_failed(const std::optional<ContractId>& id, const Identifier& source,
                                     const Identifier& wanted, const Value& argument, const std::string& reason);
std::string resource_of(const Value& value);  // CONTRACT_ARG, CONTRACT_KEY
[[noreturn]] void not_authorized(NodeId node, const std::string& what);

}  // namespace synod::lf::eval
