#include "lf/upgrade/upgrade_check.h"

#include <algorithm>
#include <map>
#include <string>

#include "lf/upgrade/standard_library.h"

namespace synod::lf {

namespace {

class UpgradeCheck {
 public:
  UpgradeCheck(const Package& past, const Package& present, const PackageStore& packages, bool all)
      : past_(past), present_(present), packages_(packages), all_(all) {}

  // What is wrong: everything, or the first thing.
  std::vector<std::string> run() {
    if (present_.language_version() < past_.language_version()) {
      refuse("The upgraded package uses an older LF version (" + present_.language_version().to_string() + " < " +
             past_.language_version().to_string() + ")");
    }
    for (const Module& module : past_.modules()) {
      if (!present_.has_module(past_.text(module.name))) removed("Module", past_.text(module.name));
    }
    for (std::uint32_t i = 0; i < past_.modules().size() && !done(); ++i)
      if (present_.has_module(past_.text(past_.modules()[i].name))) check_module(i);
    return std::move(problems_);
  }

 private:
  bool done() const { return !all_ && !problems_.empty(); }
  void refuse(std::string reason) {
    if (!done()) problems_.push_back(std::move(reason));
  }
  void removed(const char* what, std::string_view name) {
    refuse(std::string(what) + " " + std::string(name) +
           " appears in package that is being upgraded, but does not appear in the upgrading package.");
  }

  void check_module(std::uint32_t module) {
    module_ = past_.text(past_.modules()[module].name);
    past_origins_ = origins(past_);
    present_origins_ = origins(present_);
    auto each = [&](const auto& definitions, auto&& check) {
      for (const auto& definition : definitions)
        if (definition.module == module && !done()) check(definition);
    };
    each(past_.templates(), [&](const Template& t) {
      if (!present_.find_template(module_, past_.text(t.name))) removed("Template", past_.text(t.name));
    });
    each(past_.templates(), [&](const Template& t) { check_template(t); });
    each(past_.templates(), [&](const Template& t) { check_implementations(t); });
    each(past_.data_types(), [&](const DataType& d) {
      if (d.serializable && is_plain(past_, d) && !plain_in_present(d)) removed("Data type", past_.text(d.name));
    });
    each(past_.data_types(), [&](const DataType& d) {
      const DataType* present = is_plain(past_, d) ? plain_in_present(d) : nullptr;
      if (present && d.serializable) check_data_type(d, *present);
    });
  }

  // Interfaces and exceptions may change or go, but then nothing else can have their place.
  bool is_plain(const Package& package, const DataType& d) const {
    return !package.find_interface(module_, package.text(d.name)) &&
           !package.find_exception(module_, package.text(d.name));
  }
  const DataType* plain_in_present(const DataType& past) const {
    const DataType* present = present_.find_data_type(module_, past_.text(past.name));
    return present && is_plain(present_, *present) ? present : nullptr;
  }

  void check_template(const Template& past) {
    std::string name(past_.text(past.name));
    const Template* present = present_.find_template(module_, name);
    if (!present) return;  // said already
    for (const Choice& choice : past_.items(past.choices)) {
      if (!present_.find_choice(present->choices, past_.text(choice.name))) removed("Choice", past_.text(choice.name));
    }
    for (const Choice& choice : past_.items(past.choices)) {
      const Choice* same = present_.find_choice(present->choices, past_.text(choice.name));
      if (same && !same_type(choice.result, same->result, {}, {}))
        refuse("The upgraded choice " + std::string(past_.text(choice.name)) + " cannot change its return type.");
    }
    if (past.has_key && !present->has_key) return refuse("The upgraded template " + name + " cannot remove its key.");
    if (!past.has_key && present->has_key) return refuse("The upgraded template " + name + " cannot add a key.");
    if (past.has_key && !same_type(past.key.type, present->key.type, {}, {}))
      refuse("The upgraded template " + name + " cannot change its key type.");
  }

  // Interfaces by package id: those of the package itself are others in its next version.
  void check_implementations(const Template& past) {
    std::string name(past_.text(past.name));
    const Template* present = present_.find_template(module_, name);
    if (!present) return;
    for (const Implementation& implementation : past_.items(past.implementations)) {
      auto interface = identifier(past_, implementation.interface);
      bool kept = std::ranges::any_of(present_.items(present->implementations), [&](const Implementation& other) {
        return identifier(present_, other.interface) == interface;
      });
      if (!kept) {
        refuse("Implementation of interface " + interface.to_string() + " by template " + name +
               " appears in package that is being upgraded, but does not appear in this package.");
      }
    }
  }

  // What a record is for, by its name: a template's contracts, a choice's argument, a constructor's argument, or
  // nothing of these. It must not change.
  struct Origin {
    std::string text;  // as messages have it
    std::string type;  // of a constructor's argument, without its package
    bool is_constructor = false;
    bool operator==(const Origin&) const = default;
  };
  using Origins = std::map<std::string, Origin, std::less<>>;

  Origins origins(const Package& package) const {
    auto here = [&](const auto& d) { return package.text(package.modules()[d.module].name) == module_; };
    Origins out;
    for (const DataType& d : package.data_types()) {
      if (d.kind != DataKind::variant || !here(d)) continue;
      const std::string variant(package.text(d.name));
      for (const NamedType& constructor : package.items(d.fields)) {
        const Type* head = &package.type(constructor.type);
        while (head->kind == TypeKind::app) head = &package.type(head->fun);
        if (head->kind != TypeKind::con) continue;
        auto type = identifier(package, head->ref);
        out[variant + "." + std::string(package.text(constructor.name))] = Origin{
            "variant constructor " + type.entity + " from variant " + variant, type.module + ":" + type.entity, true};
      }
    }
    for (const Template& t : package.templates()) {
      if (!here(t)) continue;
      const std::string name(package.text(t.name));
      const auto dot = name.rfind('.');
      const std::string prefix = dot == std::string::npos ? "" : name.substr(0, dot + 1);
      for (const Choice& c : package.items(t.choices)) {
        const std::string choice(package.text(c.name));
        out[prefix + choice] = Origin{"input type of choice " + choice + " on template " + name, {}, false};
      }
    }
    for (const Template& t : package.templates()) {
      if (here(t))
        out[std::string(package.text(t.name))] = Origin{"template " + std::string(package.text(t.name)), {}, false};
    }
    return out;
  }
  static Origin origin_of(const Origins& origins, std::string_view name) {
    auto it = origins.find(name);
    return it == origins.end() ? Origin{"data type " + std::string(name), {}, false} : it->second;
  }

  void check_data_type(const DataType& past, const DataType& present) {
    std::string_view name = past_.text(past.name);
    const Origin before = origin_of(past_origins_, name), now = origin_of(present_origins_, name);
    if (!present.serializable) {
      return refuse("The upgraded " + now.text +
                    " was serializable and is now unserializable. Datatypes cannot change their serializability via "
                    "upgrades.");
    }
    if (before != now) {
      return refuse("The record " + std::string(name) + " has changed origin from " + before.text + " to " + now.text);
    }
    auto old_params = past_.items(past.params), new_params = present_.items(present.params);
    if (old_params.size() != new_params.size())
      return refuse("The upgraded " + now.text + " has changed the number of type variables it has.");
    for (std::size_t i = 0; i < old_params.size(); ++i) {
      if (!same_kind(old_params[i].kind, new_params[i].kind))
        return refuse("The upgraded " + now.text + " has changed the kind of one of its type variables.");
    }
    if (past.kind != present.kind) {
      static constexpr const char* kVarieties[] = {"record", "variant", "enum", "interface"};
      return refuse("The upgraded data type " + std::string(name) + " has changed from a " +
                    kVarieties[static_cast<int>(past.kind)] + " to a " + kVarieties[static_cast<int>(present.kind)] +
                    ". Datatypes cannot change variety via upgrades.");
    }
    switch (past.kind) {
      case DataKind::record:
        return check_fields(past, present, now);
      case DataKind::variant:
        return check_variant(past, present, now.text);
      case DataKind::enumeration:
        return check_enumeration(past, present, now.text);
      case DataKind::interface:
        return;
    }
  }

  void check_fields(const DataType& past, const DataType& present, const Origin& origin) {
    auto old_fields = past_.items(past.fields);
    auto new_fields = present_.items(present.fields);
    auto find = [&](const NamedType& field) {
      return std::ranges::find_if(new_fields,
                                  [&](const NamedType& f) { return present_.text(f.name) == past_.text(field.name); });
    };
    for (const NamedType& field : old_fields) {
      if (find(field) == new_fields.end())
        return refuse("The upgraded " + origin.text + " is missing some of its original fields.");
    }
    for (const NamedType& field : old_fields) {
      if (!same_type(field.type, find(field)->type, past.params, present.params)) {
        return refuse("The upgraded " + origin.text + " has changed the types of some of its original fields.");
      }
    }
    for (const NamedType& field : new_fields) {
      bool is_old = std::ranges::any_of(
          old_fields, [&](const NamedType& f) { return past_.text(f.name) == present_.text(field.name); });
      const Type& type = present_.type(field.type);
      bool is_optional = type.kind == TypeKind::builtin && type.builtin == BuiltinType::optional;
      if (is_old || is_optional) continue;
      return refuse("The upgraded " + origin.text +
                    (origin.is_constructor ? " has added a field."
                                           : " has added new fields, but those fields are not Optional."));
    }
    if (!same_order(old_fields, new_fields)) {
      refuse("The upgraded " + origin.text +
             " has changed the order of its fields - any new fields must be added at the end of the record.");
    }
  }

  void check_variant(const DataType& past, const DataType& present, const std::string& origin) {
    auto old_constructors = past_.items(past.fields);
    auto new_constructors = present_.items(present.fields);
    for (const NamedType& constructor : old_constructors) {
      auto same = std::ranges::find_if(
          new_constructors, [&](const NamedType& c) { return present_.text(c.name) == past_.text(constructor.name); });
      if (same == new_constructors.end()) return refuse("The upgraded " + origin + " has removed an existing variant.");
      if (!same_type(constructor.type, same->type, past.params, present.params)) {
        return refuse("The upgraded " + origin + " has changed the type of a variant.");
      }
    }
    if (!same_order(old_constructors, new_constructors)) {
      refuse("The upgraded " + origin +
             " has changed the order of its variants - any new variant must be added at the end of the variant.");
    }
  }

  void check_enumeration(const DataType& past, const DataType& present, const std::string& origin) {
    auto old_constructors = past_.items(past.constructors);
    auto new_constructors = present_.items(present.constructors);
    for (StringId constructor : old_constructors) {
      auto same = [&](StringId c) { return present_.text(c) == past_.text(constructor); };
      if (std::ranges::none_of(new_constructors, same))
        return refuse("The upgraded " + origin + " has removed an existing variant.");
    }
    for (std::size_t i = 0; i < old_constructors.size(); ++i) {
      if (past_.text(old_constructors[i]) != present_.text(new_constructors[i])) {
        return refuse("The upgraded " + origin +
                      " has changed the order of its variants - any new variant must be added at the end of the enum.");
      }
    }
  }

  bool same_order(std::span<const NamedType> past, std::span<const NamedType> present) const {
    for (std::size_t i = 0; i < past.size() && i < present.size(); ++i) {
      if (past_.text(past[i].name) != present_.text(present[i].name)) return false;
    }
    return true;
  }

  // Type variables are the same when they are the same parameter of their definitions. Quantified types, structs and
  // synonyms are in no serialisable type, and never the same.
  bool same_type(TypeId past, TypeId present, Slice<TypeParam> past_params, Slice<TypeParam> present_params) const {
    std::vector<std::pair<TypeId, TypeId>> work{{past, present}};
    constexpr std::size_t kMaxSteps = 1'000'000;
    for (std::size_t steps = 0; !work.empty(); ++steps) {
      if (steps > kMaxSteps) return false;
      auto [a_id, b_id] = work.back();
      work.pop_back();
      const Type &a = past_.type(a_id), &b = present_.type(b_id);
      if (a.kind != b.kind) return false;
      switch (a.kind) {
        case TypeKind::nat:
          if (a.number != b.number) return false;
          continue;
        case TypeKind::var:
          if (position(past_, past_params, a.name) != position(present_, present_params, b.name)) return false;
          break;
        case TypeKind::con:
          if (!same_definition(a.ref, b.ref)) return false;
          break;
        case TypeKind::builtin:
          if (a.builtin != b.builtin) return false;
          break;
        default:
          return false;
      }
      auto old_args = past_.items(a.args), new_args = present_.items(b.args);
      if (old_args.size() != new_args.size()) return false;
      for (std::size_t i = 0; i < old_args.size(); ++i) work.emplace_back(old_args[i], new_args[i]);
    }
    return true;
  }

  bool same_kind(KindId past, KindId present) const {
    std::vector<std::pair<KindId, KindId>> work{{past, present}};
    while (!work.empty()) {
      auto [a_id, b_id] = work.back();
      work.pop_back();
      const Kind &a = past_.kind(a_id), &b = present_.kind(b_id);
      if (a.kind != b.kind) return false;
      if (a.kind != KindKind::arrow) continue;
      work.emplace_back(a.parameter, b.parameter);
      work.emplace_back(a.result, b.result);
    }
    return true;
  }

  static std::ptrdiff_t position(const Package& package, Slice<TypeParam> params, StringId name) {
    auto items = package.items(params);
    return std::ranges::find(items, name, &TypeParam::name) - items.begin();
  }

  bool same_definition(RefId past, RefId present) const {
    auto a = identifier(past_, past), b = identifier(present_, present);
    if (a.module != b.module || a.entity != b.entity) return false;
    const Package *from = packages_.package_of(past_, past), *to = packages_.package_of(present_, present);
    if (!from || !to) return a.package == b.package;
    return from->name() == to->name() && !version_less(to->version(), from->version());
  }

  const Package& past_;
  const Package& present_;
  const PackageStore& packages_;
  std::string_view module_;  // the one that is being checked
  Origins past_origins_, present_origins_;
  const bool all_;
  std::vector<std::string> problems_;
};

}  // namespace

bool is_utility_package(const Package& package) {
  return package.templates().empty() && package.interfaces().empty() &&
         std::ranges::none_of(package.data_types(), [](const DataType& d) { return d.serializable; });
}

bool takes_part_in_upgrades(const Package& package) {
  return !is_utility_package(package) && !is_early_standard_library(package.name(), package.id());
}

Status check_standard_library(const Package& package) {
  const bool named = package.name() == "daml-prim" || package.name() == "daml-stdlib";
  if (!named || !takes_part_in_upgrades(package)) return {};
  return fail(invalid_argument("DAML_PRIM_NOT_UTILITY_PACKAGE",
                               "Tried to vet a package " + package.id() + " (" + package.name() + " v" +
                                   package.version() +
                                   "), but this package is not a utility package. All packages named `daml-prim` or "
                                   "`daml-std-lib` must be a utility package."));
}

Status check_upgrade(const Package& past, const Package& present, const PackageStore& packages) {
  const auto problems = UpgradeCheck(past, present, packages, false).run();
  if (problems.empty()) return {};
  auto name = [](const Package& p) { return p.id() + " (" + p.name() + " v" + p.version() + ")"; };
  return fail(invalid_argument("NOT_VALID_UPGRADE_PACKAGE", "Upgrade checks indicate that " + name(present) +
                                                                " cannot be an upgrade of " + name(past) +
                                                                ". Reason: " + problems.front()));
}

std::vector<std::string> upgrade_problems(const Package& past, const Package& present, const PackageStore& packages) {
  return UpgradeCheck(past, present, packages, true).run();
}

}  // namespace synod::lf
