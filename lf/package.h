// A loaded Daml-LF package: its tables (lf/ast.h), its metadata, and lookups by name. Immutable after it is built,
// hence safe to read from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "lf/ast.h"
#include "lf/language_version.h"

namespace synod::lf {

struct PackageMetadata {
  std::string name;                 // "splice-amulet"
  std::string version;              // "0.1.22": dot-separated numbers
  std::string upgraded_package_id;  // or empty
};

// What a name in a module means. Indices into the package's vectors of that kind, -1 where there is none. Values have a
// name space of their own; a template, interface or exception shares its name with its data type.
struct NameMeaning {
  std::int32_t data_type = -1;
  std::int32_t synonym = -1;
  std::int32_t value = -1;
  std::int32_t template_ = -1;
  std::int32_t interface = -1;
  std::int32_t exception = -1;
};

class Package {
 public:
  // These and the spans are written out in package.cc: many files include this, and each would instantiate all of them.
  Package();
  ~Package();
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;

  const std::string& id() const { return package_ids_.front(); }  // 64 lower-case hex digits: SHA-256 of the payload
  LanguageVersion language_version() const { return version_; }
  const PackageMetadata& metadata() const { return metadata_; }
  const std::string& name() const { return metadata_.name; }
  const std::string& version() const { return metadata_.version; }

  // All packages that the code refers to; the first is this package. Ref::package and Location::package index it.
  std::span<const std::string> package_ids() const;
  // What must be present: the packages referred to and, from 2.2, the declared imports. Sorted, without this package.
  std::span<const std::string> dependencies() const;
  // From 2.2: the declared imports in their order. Empty also when the archive gives a reason for having none.
  std::span<const std::string> declared_imports() const;

  std::string_view text(StringId id) const { return strings_[id.value]; }
  std::string_view text(DottedNameId id) const { return dotted_names_[id.value]; }  // "A.B.C"
  const Kind& kind(KindId id) const { return kinds_[id.value]; }
  const Type& type(TypeId id) const { return types_[id.value]; }
  const Expr& expr(ExprId id) const { return exprs_[id.value]; }
  const Ref& ref(RefId id) const { return refs_[id.value]; }
  const Location& location(LocationId id) const { return locations_[id.value]; }
  template <typename T>
  std::span<const T> items(Slice<T> slice) const {
    return std::span<const T>(std::get<std::vector<T>>(lists_)).subspan(slice.offset, slice.count);
  }

  // Table sizes, for side tables indexed by id.
  std::size_t string_count() const { return strings_.size(); }
  std::size_t dotted_name_count() const { return dotted_names_.size(); }
  std::size_t kind_count() const { return kinds_.size(); }
  std::size_t type_count() const { return types_.size(); }
  std::size_t expr_count() const { return exprs_.size(); }
  std::size_t ref_count() const { return refs_.size(); }

  std::span<const Module> modules() const;
  std::span<const DataType> data_types() const;
  std::span<const Synonym> synonyms() const;
  std::span<const ValueDefinition> values() const;
  std::span<const Template> templates() const;
  std::span<const Interface> interfaces() const;
  std::span<const ExceptionDefinition> exceptions() const;

  // Definitions by name; null when there is none of that kind. Module and name in dotted form.
  const NameMeaning* find(std::string_view module, std::string_view name) const;
  const DataType* find_data_type(std::string_view module, std::string_view name) const;
  const Synonym* find_synonym(std::string_view module, std::string_view name) const;
  const ValueDefinition* find_value(std::string_view module, std::string_view name) const;
  const Template* find_template(std::string_view module, std::string_view name) const;
  const Interface* find_interface(std::string_view module, std::string_view name) const;
  const ExceptionDefinition* find_exception(std::string_view module, std::string_view name) const;
  // A choice of a template or interface of this package; null when it has none of that name.
  const Choice* find_choice(Slice<Choice> choices, std::string_view name) const;
  // Whether there is a module of that dotted name.
  bool has_module(std::string_view module) const;

  // "Module.Name:Entity" of a definition of this package.
  template <typename Definition>
  std::string qualified_name(const Definition& definition) const {
    return std::string(text(modules_[definition.module].name)) + ":" + std::string(text(definition.name));
  }

 private:
  friend class PackageBuilder;

  struct QualifiedView {
    std::string_view module, name;
    bool operator==(const QualifiedView&) const = default;
  };
  struct QualifiedHash {
    std::size_t operator()(const QualifiedView& q) const noexcept {
      std::hash<std::string_view> h;
      return h(q.module) * 0x9e3779b97f4a7c15ull ^ h(q.name);
    }
  };

  LanguageVersion version_;
  PackageMetadata metadata_;
  std::vector<std::string> package_ids_{std::string()};
  std::vector<std::string> dependencies_;
  std::vector<std::string> declared_imports_;

  std::vector<Bytes> text_blocks_;  // what the string views point into
  std::vector<std::string_view> strings_;
  std::vector<std::string_view> dotted_names_;
  std::vector<Kind> kinds_;
  std::vector<Type> types_;
  std::vector<Expr> exprs_;
  std::vector<Ref> refs_;
  std::vector<Location> locations_;
  std::tuple<std::vector<KindId>, std::vector<TypeId>, std::vector<ExprId>, std::vector<StringId>, std::vector<RefId>,
             std::vector<NamedType>, std::vector<TypeParam>, std::vector<FieldExpr>, std::vector<Binding>,
             std::vector<Alternative>, std::vector<Choice>, std::vector<MethodBody>, std::vector<Implementation>>
      lists_;

  std::vector<Module> modules_;
  std::vector<DataType> data_types_;
  std::vector<Synonym> synonyms_;
  std::vector<ValueDefinition> values_;
  std::vector<Template> templates_;
  std::vector<Interface> interfaces_;
  std::vector<ExceptionDefinition> exceptions_;
  std::unordered_map<QualifiedView, NameMeaning, QualifiedHash> names_;
};

using PackagePtr = std::shared_ptr<const Package>;

}  // namespace synod::lf
