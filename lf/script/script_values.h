// The machine's values as Daml Script sees them: reading what the library asks with, building what it expects as
// answers.
//
// Types are found by module and name: those of the script library in the package that the script was compiled against,
// those of the standard library in whichever package has them. Nothing here depends on the library's version except the
// names; fields that a version does not have are left out.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lf/eval/machine.h"
#include "lf/script/script_ledger.h"

namespace synod::lf::script {

// Ends the question under way; the runner's own exception, like eval::Fatal inside of lf/eval. Class and text are what
// tryCommands shows; empty: those of the error.
struct QuestionFailed {
  Error error;
  std::string error_class = {};
  std::string text = {};
};
[[noreturn]] void malformed_question(const std::string& what);

class ScriptValues {
 public:
  ScriptValues(eval::Program& program, eval::Machine& machine, const Package& library)
      : program_(program), machine_(machine), library_(library) {}

  // ---- reading; what is not of the expected shape fails the question ----
  static eval::Cell field(const eval::Cell& record, std::string_view name);
  static std::optional<eval::Cell> find_field(const eval::Cell& record, std::string_view name);
  static eval::Cell only_field(const eval::Cell& record);
  static std::string constructor(const eval::Cell& c);  // of a variant or enumeration
  static eval::Cell argument(const eval::Cell& variant);
  static std::vector<eval::Cell> items(const eval::Cell& list);
  static std::optional<eval::Cell> optional(const eval::Cell& c);
  static std::string text_in(const eval::Cell& c);
  static std::int64_t int_in(const eval::Cell& c);
  static ContractId contract_id_in(const eval::Cell& c);
  static PartySet parties_in(const eval::Cell& c);     // a list or NonEmpty of parties, not empty
  static Identifier type_rep_in(const eval::Cell& c);  // TemplateTypeRep
  static const eval::BoxObject& any_in(const eval::Cell& c);
  Value ledger_value(const eval::Cell& c);

  // ---- building ----
  eval::Cell text(std::string_view s) { return make_text(machine_.arena(), s); }
  eval::Cell party(std::string_view s) { return make_text(machine_.arena(), s, eval::Tag::party); }
  eval::Cell contract_id(const ContractId& id) {
    return make_text(machine_.arena(), id.bytes(), eval::Tag::contract_id);
  }
  eval::Cell some(const eval::Cell& c) { return make_some(machine_.arena(), c); }
  eval::Cell list(const std::vector<eval::Cell>& items);
  eval::Cell non_empty(const eval::Cell& first, const std::vector<eval::Cell>& rest);
  eval::Cell party_list(const PartySet& parties);
  eval::Cell text_map(const std::map<std::string, std::string>& entries);
  eval::Cell tuple(std::initializer_list<eval::Cell> items);
  eval::Cell left(const eval::Cell& c);
  eval::Cell right(const eval::Cell& c);
  eval::Cell failure_status(const std::string& id, std::int64_t category, const std::string& message,
                            const std::map<std::string, std::string>& meta);
  eval::Cell type_rep(const Identifier& id);  // TemplateTypeRep
  eval::Cell any_template(const Identifier& template_id, const Value& argument);
  eval::Cell any_choice(const Identifier& template_id, const std::optional<Identifier>& interface_id,
                        const std::string& choice, const Value& argument);
  eval::Cell any_contract_id(const Identifier& template_id, const ContractId& id);
  eval::Cell any_contract_key(const Identifier& template_id, const Value& key, bool stable_type);
  eval::Cell view(const Identifier& interface_id, const Value& value);
  eval::Cell party_details(const PartyInfo& party);
  eval::Cell typed(const Value& value, const eval::RuntimeType& type);

  // A record of the script library; fields by position.
  eval::Cell library_record(const std::string& module, const std::string& name, const std::vector<eval::Cell>& fields);
  bool library_has(const std::string& module, const std::string& type, const std::string& constructor) const;
  // A constructor whose argument is a record with these fields, or a unit when it has none.
  eval::Cell library_variant(const std::string& module, const std::string& type, const std::string& constructor,
                             const std::vector<eval::Cell>& fields);
  // A constructor with one plain argument; or an enumeration's.
  eval::Cell library_choice(const std::string& module, const std::string& type, const std::string& constructor,
                            const std::optional<eval::Cell>& argument = {});

  const eval::ChoiceInfo& choice(const Identifier& template_id, const std::optional<Identifier>& interface_id,
                                 const std::string& name);

 private:
  const eval::TypeDescriptor* library_type(const std::string& module, const std::string& name) const;
  const eval::TypeDescriptor* standard_type(const std::string& module, const std::string& name);
  eval::Cell record(const eval::TypeDescriptor* type, const std::vector<eval::Cell>& fields);
  eval::Cell variant(const eval::TypeDescriptor* type, const std::string& constructor, const eval::Cell& argument);

  eval::Program& program_;
  eval::Machine& machine_;
  const Package& library_;
  std::map<std::string, const eval::TypeDescriptor*> standard_types_;
};

}  // namespace synod::lf::script
