// Builds a lf::Package: interns what lf/ast.h says is interned, and keeps its invariants. Used by the archive decoder
// and by the LF text assembler. Not thread-safe; a builder is used once.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lf/package.h"

namespace synod::lf {

// A Daml-LF name: letters, digits, $ and _, not starting with a digit, at most 1000 characters.
bool is_name(std::string_view text);
// Letters, digits, minus and underscore, at most 255 characters.
bool is_package_name(std::string_view text);
// Dot-separated numbers without leading zeros, e.g. "1.0.12"; at most 255 characters.
bool is_package_version(std::string_view text);
// Letters, digits, minus, underscore and space, at most 64 characters. (A real one is 64 hexadecimal digits.)
bool is_package_id(std::string_view text);

class PackageBuilder {
 public:
  PackageBuilder(std::string package_id, LanguageVersion version);

  void reserve(std::size_t strings, std::size_t text_bytes, std::size_t expressions);

  // The text is copied. Names are not checked here.
  StringId string(std::string_view text);
  DottedNameId dotted_name(std::string_view dotted);
  std::uint32_t package_index(std::string_view package_id);
  RefId ref(Ref ref);

  KindId star();
  KindId nat();
  KindId arrow(KindId parameter, KindId result);

  TypeId type_var(StringId name, std::span<const TypeId> args = {});
  TypeId type_con(RefId ref, std::span<const TypeId> args = {});
  TypeId type_builtin(BuiltinType builtin, std::span<const TypeId> args = {});
  TypeId type_synonym(RefId ref, std::span<const TypeId> args);
  TypeId type_nat(std::uint32_t number);  // 0..37
  TypeId type_forall(TypeParam param, TypeId body);
  TypeId type_struct(std::vector<NamedType> fields);  // sorts them; the caller has excluded duplicates
  TypeId type_app(TypeId fun, TypeId arg);            // flattened where the head allows
  TypeId type_arrow(TypeId from, TypeId to);

  ExprId expr(const Expr& node);
  Expr& last_expr() { return package_->exprs_.back(); }  // to amend the node just built
  LocationId location(const Location& location);

  template <typename T>
  Slice<T> list(std::span<const T> items) {
    auto& pool = std::get<std::vector<T>>(package_->lists_);
    Slice<T> slice{static_cast<std::uint32_t>(pool.size()), static_cast<std::uint32_t>(items.size())};
    pool.insert(pool.end(), items.begin(), items.end());
    return slice;
  }
  template <typename T>
  Slice<T> list(const std::vector<T>& items) {
    return list(std::span<const T>(items));
  }

  std::uint32_t add_module(DottedNameId name);
  void add(const DataType& definition) { package_->data_types_.push_back(definition); }
  void add(const Synonym& definition) { package_->synonyms_.push_back(definition); }
  void add(const ValueDefinition& definition) { package_->values_.push_back(definition); }
  void add(const Template& definition) { package_->templates_.push_back(definition); }
  void add(const Interface& definition) { package_->interfaces_.push_back(definition); }
  void add(const ExceptionDefinition& definition) { package_->exceptions_.push_back(definition); }

  void set_metadata(PackageMetadata metadata) { package_->metadata_ = std::move(metadata); }
  void set_declared_imports(std::vector<std::string> imports) { package_->declared_imports_ = std::move(imports); }

  // What has been built so far, for reading.
  const Package& package() const { return *package_; }

  // Indexes the names and hands the package out. DAR_PARSE_ERROR when a name is defined twice.
  Result<PackagePtr> finish();

 private:
  struct TypeHash {
    const Package* package;
    std::size_t operator()(std::uint32_t id) const;
  };
  struct TypeEqual {
    const Package* package;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };
  struct RefHash {
    std::size_t operator()(const Ref& ref) const;
  };

  std::string_view keep(std::string_view text);
  TypeId intern_type(const Type& type);
  TypeId type_with_args(Type type, std::span<const TypeId> args);
  Status index_names();
  Status check_unique_members() const;

  std::shared_ptr<Package> package_;
  boost::unordered_flat_map<std::string_view, std::uint32_t> strings_;
  boost::unordered_flat_map<std::string_view, std::uint32_t> dotted_names_;
  boost::unordered_flat_map<std::string, std::uint32_t> package_indices_;
  boost::unordered_flat_map<Ref, std::uint32_t, RefHash> refs_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> arrow_kinds_;
  boost::unordered_flat_set<std::uint32_t, TypeHash, TypeEqual> types_;
};

}  // namespace synod::lf
