// The shape of ledger values as the packages' types describe it: what a converter of values needs to know, without type
// variables, synonyms or references left to resolve.
//
// Types are interned: equal types of one TypeSchema are the same object, and live as long as it does. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lf/identifier.h"
#include "lf/package_store.h"

namespace synod::lf {

enum class SchemaKind : std::uint8_t {
  unit,
  boolean,
  int64,
  date,
  timestamp,
  numeric,
  party,
  text,
  contract_id,  // arguments: the template's record, or `other` for an interface
  optional,     // arguments: element
  list,         // arguments: element
  text_map,     // arguments: value
  gen_map,      // arguments: key, value
  record,
  variant,
  enumeration,  // definition, id; arguments: of its type parameters
  other,        // no ledger value has such a type: functions, updates, Any, interfaces, unknown packages, ...
};

struct SchemaType {
  SchemaKind kind = SchemaKind::other;
  int scale = 0;  // numeric
  std::vector<const SchemaType*> arguments;
  const Package* package = nullptr;      // record, variant, enumeration, and `other` that is an interface
  const DataType* definition = nullptr;  // likewise
  Identifier id;                         // likewise

  const SchemaType* argument(std::size_t i = 0) const { return arguments[i]; }
};

struct SchemaMember {
  std::string_view name;   // field of a record, constructor of a variant or enumeration
  const SchemaType* type;  // null for the constructors of an enumeration
};

class TypeSchema {
 public:
  explicit TypeSchema(std::shared_ptr<const PackageStore> packages);

  // A closed type of a package: the argument or result of a choice, a key, a view.
  const SchemaType* type(const Package& package, TypeId type);
  // A data type without parameters, such as a template's record.
  const SchemaType* type(const Package& package, const DataType& definition);
  // Fields of a record, constructors of a variant or enumeration, in order. Empty for other types.
  std::span<const SchemaMember> members(const SchemaType& type);

  // For messages: "Text", "[Iou:Amount]", "Numeric 10".
  static std::string to_string(const SchemaType& type);

 private:
  using Environment = std::map<StringId, const SchemaType*>;
  using Key = std::vector<std::uintptr_t>;
  struct Frame;

  const SchemaType* evaluate(const Package& package, TypeId type, std::shared_ptr<const Environment> environment);
  const SchemaType* combine(const Frame& frame);
  const SchemaType* data_type(const Package& package, const DataType& definition,
                              std::vector<const SchemaType*> arguments);
  const SchemaType* intern(SchemaType type);
  std::shared_ptr<const Environment> bind(const Package& package, Slice<TypeParam> params,
                                          const std::vector<const SchemaType*>& arguments);

  std::shared_ptr<const PackageStore> packages_;
  std::mutex mutex_;
  std::deque<SchemaType> types_;
  std::map<Key, const SchemaType*> interned_;
  std::map<const SchemaType*, std::vector<SchemaMember>> members_;
  std::map<std::pair<const Package*, TypeId>, const SchemaType*> closed_;
  const SchemaType* other_;
};

}  // namespace synod::lf
