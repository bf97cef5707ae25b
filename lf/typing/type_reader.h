// From the types written in packages to the checker's types: resolves references and type variables, expands synonyms.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lf/package_store.h"
#include "lf/typing/type_table.h"

namespace synod::lf::typing {

// Type variables in scope, by name; the last of a name counts.
using TypeScope = std::vector<std::pair<StringId, Ty>>;

class TypeReader {
 public:
  // `budget` counts down with the work; at zero everything fails.
  TypeReader(TypeTable& table, const PackageStore& packages, std::uint64_t& budget)
      : table_(table), packages_(packages), budget_(budget) {}

  // None: error() says what is wrong. `level` exceeds that of every variable in scope.
  Ty read(const Package& package, TypeId type, const TypeScope& scope, std::uint32_t level);
  Ty read_closed(const Package& package, TypeId type) { return read(package, type, TypeScope(), 0); }

  // Types of a record's fields or a variant's constructors for these type arguments. Null: see error().
  const std::vector<Ty>* members(const TyNode& con, const std::vector<Ty>& arguments, std::uint32_t level);

  Ty con_of(const Package& from, RefId ref);

  const std::string& error() const { return error_; }

 private:
  struct Frame;
  Ty fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    return Ty::none();
  }
  Ty leaf(const Frame& frame);
  Ty applied(const Frame& frame);

  TypeTable& table_;
  const PackageStore& packages_;
  std::uint64_t& budget_;
  std::string error_;
  std::map<std::pair<const Package*, TypeId>, Ty> closed_;
  std::map<std::pair<const DataType*, std::vector<Ty>>, std::vector<Ty>> members_;
};

}  // namespace synod::lf::typing
