// The packages a process has loaded: by id, and by name and version; and what a reference of one package means in
// another.
//
// Packages are added and never removed, so pointers handed out stay valid as long as the store. Thread-safe: readers
// share a lock, an addition takes it alone.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "lf/identifier.h"
#include "lf/package.h"

namespace synod::lf {

// A definition together with the package that holds it. False when it was not found.
template <typename Definition>
struct Found {
  const Package* package = nullptr;
  const Definition* definition = nullptr;
  explicit operator bool() const { return definition != nullptr; }
  const Definition* operator->() const { return definition; }
};

// Package versions order by their numbers, then by length: "1.2" < "1.2.0" < "1.10".
bool version_less(std::string_view a, std::string_view b);

class PackageStore {
 public:
  // Returns whether it was new. The dependencies need not be there yet.
  bool add(PackagePtr package);

  const Package* find(std::string_view package_id) const;  // null: not loaded
  PackagePtr share(std::string_view package_id) const;
  const Package* find(std::string_view name, std::string_view version) const;
  // All packages of a name, ascending by version; several may share a version (tests, upload order decides then).
  std::vector<const Package*> versions_of(std::string_view name) const;
  // The highest version: what a name means where no vetting or preference says otherwise. Null: no such name.
  const Package* preferred(std::string_view name) const;
  std::vector<const Package*> all() const;

  // The package and everything it needs, dependencies before dependants. PACKAGE_NOT_FOUND names what is missing.
  Result<std::vector<const Package*>> closure(std::string_view package_id) const;

  // Following a reference of `from`. Not found: the package is not loaded, or has no such definition.
  const Package* package_of(const Package& from, RefId ref) const;
  Found<DataType> data_type(const Package& from, RefId ref) const;
  Found<Synonym> synonym(const Package& from, RefId ref) const;
  Found<ValueDefinition> value(const Package& from, RefId ref) const;
  Found<Template> template_(const Package& from, RefId ref) const;
  Found<Interface> interface(const Package& from, RefId ref) const;
  Found<ExceptionDefinition> exception(const Package& from, RefId ref) const;

  // By identifier; `package` may be an id or "#name", which takes the preferred version.
  const Package* package_of(const Identifier& id) const;
  Found<Template> template_(const Identifier& id) const;
  Found<Interface> interface(const Identifier& id) const;
  Found<DataType> data_type(const Identifier& id) const;

 private:
  const Package* find_locked(std::string_view package_id) const;

  struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, PackagePtr, StringHash, std::equal_to<>> by_id_;
  std::map<std::string, std::vector<const Package*>, std::less<>> by_name_;  // ascending by version
};

// The identifier of what a reference means, for values and messages.
Identifier identifier(const Package& from, RefId ref);

}  // namespace synod::lf
