#include "lf/package_store.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

namespace synod::lf {

bool version_less(std::string_view a, std::string_view b) {
  auto take = [](std::string_view& rest) {
    auto end = std::min(rest.find('.'), rest.size());
    long number = 0;
    std::from_chars(rest.data(), rest.data() + end, number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return number;
  };
  while (!a.empty() && !b.empty()) {
    long x = take(a), y = take(b);
    if (x != y) return x < y;
  }
  return a.empty() && !b.empty();
}

bool PackageStore::add(PackagePtr package) {
  std::unique_lock lock(mutex_);
  auto [it, inserted] = by_id_.emplace(package->id(), package);
  if (!inserted) return false;
  auto& versions = by_name_[package->name()];
  auto at = std::ranges::upper_bound(versions, package->version(), version_less, &Package::version);
  versions.insert(at, package.get());
  return true;
}

const Package* PackageStore::find_locked(std::string_view package_id) const {
  auto it = by_id_.find(package_id);
  return it == by_id_.end() ? nullptr : it->second.get();
}

const Package* PackageStore::find(std::string_view package_id) const {
  std::shared_lock lock(mutex_);
  return find_locked(package_id);
}

PackagePtr PackageStore::share(std::string_view package_id) const {
  std::shared_lock lock(mutex_);
  auto it = by_id_.find(package_id);
  return it == by_id_.end() ? nullptr : it->second;
}

const Package* PackageStore::find(std::string_view name, std::string_view version) const {
  for (const Package* package : versions_of(name)) {
    if (package->version() == version) return package;
  }
  return nullptr;
}

std::vector<const Package*> PackageStore::versions_of(std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto it = by_name_.find(name);
  return it == by_name_.end() ? std::vector<const Package*>() : it->second;
}

const Package* PackageStore::preferred(std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second.back();
}

std::vector<const Package*> PackageStore::all() const {
  std::shared_lock lock(mutex_);
  std::vector<const Package*> packages;
  for (const auto& [id, package] : by_id_) packages.push_back(package.get());
  std::ranges::sort(packages, {}, &Package::id);
  return packages;
}

Result<std::vector<const Package*>> PackageStore::closure(std::string_view package_id) const {
  std::shared_lock lock(mutex_);
  auto not_there = [](std::string_view id) {
    return fail(not_found("PACKAGE_NOT_FOUND", "Could not find package " + std::string(id)));
  };
  const Package* root = find_locked(package_id);
  if (!root) return not_there(package_id);
  struct Visit {
    const Package* package;
    std::size_t next = 0;
  };
  std::vector<const Package*> order;
  std::set<const Package*> seen{root};
  std::vector<Visit> path{Visit{root}};
  while (!path.empty()) {
    Visit& visit = path.back();
    if (visit.next == visit.package->dependencies().size()) {
      order.push_back(visit.package);
      path.pop_back();
      continue;
    }
    const std::string& id = visit.package->dependencies()[visit.next++];
    const Package* dependency = find_locked(id);
    if (!dependency) return not_there(id);
    if (seen.insert(dependency).second) path.push_back(Visit{dependency});
  }
  return order;
}

const Package* PackageStore::package_of(const Package& from, RefId ref) const {
  auto index = from.ref(ref).package;
  return index == 0 ? &from : find(from.package_ids()[index]);
}

const Package* PackageStore::package_of(const Identifier& id) const {
  return id.by_package_name() ? preferred(std::string_view(id.package).substr(1)) : find(id.package);
}

namespace {

template <typename Definition>
Found<Definition> follow(const Package& from, RefId id, const Package* package,
                         const Definition* (Package::*find)(std::string_view, std::string_view) const) {
  if (!package) return {};
  const Ref& ref = from.ref(id);
  return {package, (package->*find)(from.text(ref.module), from.text(ref.name))};
}

template <typename Definition>
Found<Definition> follow(const Identifier& id, const Package* package,
                         const Definition* (Package::*find)(std::string_view, std::string_view) const) {
  if (!package) return {};
  return {package, (package->*find)(id.module, id.entity)};
}

}  // namespace

Found<DataType> PackageStore::data_type(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_data_type);
}
Found<Synonym> PackageStore::synonym(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_synonym);
}
Found<ValueDefinition> PackageStore::value(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_value);
}
Found<Template> PackageStore::template_(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_template);
}
Found<Interface> PackageStore::interface(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_interface);
}
Found<ExceptionDefinition> PackageStore::exception(const Package& from, RefId ref) const {
  return follow(from, ref, package_of(from, ref), &Package::find_exception);
}
Found<Template> PackageStore::template_(const Identifier& id) const {
  return follow(id, package_of(id), &Package::find_template);
}
Found<Interface> PackageStore::interface(const Identifier& id) const {
  return follow(id, package_of(id), &Package::find_interface);
}
Found<DataType> PackageStore::data_type(const Identifier& id) const {
  return follow(id, package_of(id), &Package::find_data_type);
}

Identifier identifier(const Package& from, RefId id) {
  const Ref& ref = from.ref(id);
  return Identifier{from.package_ids()[ref.package], std::string(from.text(ref.module)),
                    std::string(from.text(ref.name))};
}

}  // namespace synod::lf
