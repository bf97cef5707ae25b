// Ledger API v2 messages <-> ledger values and commands, directed by the types of the packages.
//
// From the API: records by label (any order, missing Optional fields are None) or by position when no labels are given;
// results are in normal form, except that the entries of general maps keep their order (the engine sorts them). To the
// API: with `verbose` record labels and type ids are filled in, otherwise left out. Thread-safe. Errors:
// COMMAND_PREPROCESSING_FAILED (types), INVALID_ARGUMENT (malformed literals), PACKAGE_NOT_FOUND,
// PACKAGE_NAMES_NOT_FOUND, TEMPLATES_OR_INTERFACES_NOT_FOUND.
#pragma once

#include <memory>
#include <string>

#include "lf/engine.h"
#include "lf/identifier.h"
#include "lf/value.h"

namespace com::daml::ledger::api::v2 {
class Value;
class Record;
class Command;
class Identifier;
}  // namespace com::daml::ledger::api::v2

namespace synod::lf {

class TypeSchema;
struct SchemaType;

namespace api = ::com::daml::ledger::api::v2;

class ApiCodec {
 public:
  explicit ApiCodec(std::shared_ptr<const PackageStore> packages);

  // A whole command; `#name` packages are resolved here. Malformed or ill-typed: the errors above.
  Result<Command> command(const api::Command& command, const PackagePreference& preference) const;
  // `#name` -> package id through the preference, or the only / newest known package of that name.
  Result<Identifier> resolve(const Identifier& id, const PackagePreference& preference) const;

  // In all of these type_id is a template or an interface of a known package.
  Result<Value> template_argument(const Identifier& template_id, const api::Record& record) const;
  Result<Value> choice_argument(const Identifier& type_id, const std::string& choice, const api::Value& value) const;
  Result<Value> contract_key(const Identifier& template_id, const api::Value& value) const;
  Result<Value> choice_result(const Identifier& type_id, const std::string& choice, const api::Value& value) const;
  Result<Value> interface_view(const Identifier& interface_id, const api::Record& record) const;

  Status template_argument(const Identifier& template_id, const Value& value, bool verbose, api::Record* out) const;
  Status choice_argument(const Identifier& type_id, const std::string& choice, const Value& value, bool verbose,
                         api::Value* out) const;
  Status choice_result(const Identifier& type_id, const std::string& choice, const Value& value, bool verbose,
                       api::Value* out) const;
  Status contract_key(const Identifier& template_id, const Value& value, bool verbose, api::Value* out) const;
  Status interface_view(const Identifier& interface_id, const Value& value, bool verbose, api::Record* out) const;

  static Identifier identifier(const api::Identifier& id);
  static void identifier(const Identifier& id, api::Identifier* out);

 private:
  const SchemaType* record_of(const Identifier& type_id) const;  // null: not a known data type
  struct ChoiceTypes {
    const SchemaType* argument;
    const SchemaType* result;
  };
  Result<ChoiceTypes> choice_types(const Identifier& type_id, const std::string& choice) const;
  Result<const SchemaType*> key_type(const Identifier& template_id) const;

  std::shared_ptr<const PackageStore> packages_;
  std::shared_ptr<TypeSchema> schema_;
};

}  // namespace synod::lf
