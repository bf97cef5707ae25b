// Definitions: data types, values, templates, interfaces, exceptions.
#include <algorithm>
#include <map>

#include "lf/archive/dar_error.h"
#include "lf/typing/checker.h"
#include "lf/typing/recursion.h"

namespace synod::lf {

Status check_package(const Package& package, const PackageStore& packages, const CheckLimits& limits) {
  return typing::Checker(package, packages, limits).run();
}

}  // namespace synod::lf

namespace synod::lf::typing {

Checker::Checker(const Package& package, const PackageStore& packages, const CheckLimits& limits)
    : package_(package),
      packages_(packages),
      budget_(limits.max_steps),
      reader_(table_, packages, budget_),
      builtins_(builtin_types(reader_)) {}

Status Checker::run() {
  collisions();
  if (std::string cycle = find_cycle(package_, budget_); !cycle.empty()) fail(std::move(cycle));
  dependency_versions();
  auto each = [&](const auto& definitions, auto check_one) {
    for (const auto& definition : definitions) {
      if (failed()) return;
      definition_ = package_.qualified_name(definition);
      (this->*check_one)(definition);
      scope_.clear();
      unbind(0);
    }
  };
  each(package_.data_types(), &Checker::data_type);
  each(package_.synonyms(), &Checker::synonym);
  each(package_.values(), &Checker::value);
  each(package_.templates(), &Checker::template_);
  each(package_.interfaces(), &Checker::interface);
  each(package_.exceptions(), &Checker::exception);
  if (!failed()) return {};
  auto where = definition_.empty() ? std::string() : " in " + definition_;
  return tl::unexpected<Error>(
      dar_validation_error("package " + package_.name() + " " + package_.version() + where + ": " + error_)
          .with("package", package_.id()));
}

void Checker::fail(std::string what) {
  if (error_.empty()) error_ = what.empty() ? "ill-formed" : std::move(what);
}

// Brings type parameters into scope; their names must differ.
bool Checker::open_params(Slice<TypeParam> params) {
  for (const TypeParam& param : package_.items(params)) {
    bool twice = std::ranges::any_of(scope_, [&](const auto& entry) { return entry.first == param.name; });
    if (twice) return fail("two type parameters " + text(param.name)), false;
    TyKind kind = table_.kind(package_, param.kind);
    if (kind.is_none()) return fail("ill-formed kind"), false;
    scope_.emplace_back(param.name, table_.var(level(), kind));
  }
  return true;
}

void Checker::data_type(const DataType& definition) {
  if (!open_params(definition.params)) return;
  std::vector<std::uint32_t> names;
  for (const NamedType& field : package_.items(definition.fields)) {
    names.push_back(field.name.value);
    read(field.type);
    if (failed()) return;
  }
  for (StringId constructor : package_.items(definition.constructors)) names.push_back(constructor.value);
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end()) return fail("two fields or constructors of one name");
  if (definition.kind == DataKind::interface) {
    if (definition.params.count != 0) return fail("an interface with type parameters");
    if (!package_.find_interface(package_.text(package_.modules()[definition.module].name),
                                 package_.text(definition.name))) {
      return fail("no such interface");
    }
  }
  if (definition.serializable) serializable_data(definition);
}

void Checker::synonym(const Synonym& definition) {
  if (open_params(definition.params)) read(definition.type);
}

void Checker::value(const ValueDefinition& definition) {
  Ty type = read(definition.type);
  if (!failed()) check(definition.body, type);
}

// The record of a template or exception: it has no type parameters.
const DataType* Checker::plain_record(std::uint32_t module, DottedNameId name) {
  const DataType* record = package_.find_data_type(package_.text(package_.modules()[module].name), package_.text(name));
  if (record && record->kind == DataKind::record && record->params.count == 0) return record;
  fail("expected a record without type parameters of this name");
  return nullptr;
}

void Checker::template_(const Template& definition) {
  const DataType* record = plain_record(definition.module, definition.name);
  if (!record) return;
  if (!record->serializable) return fail("the template's record is not serialisable");
  Ty self = table_.con(package_, *record);
  bind(definition.parameter, self);
  if (!definition.precondition.is_none()) check(definition.precondition, builtin(BuiltinType::boolean));
  check(definition.signatories, table_.parties());
  check(definition.observers, table_.parties());
  if (definition.has_key) {
    serializable(definition.key.type, {}, "the key");
    Ty key = read(definition.key.type);
    if (failed()) return;
    check(definition.key.key, key);
    unbind(0);
    check(definition.key.maintainers, table_.arrow(key, table_.parties()));
  }
  for (const Choice& c : package_.items(definition.choices)) {
    unbind(0);
    choice(self, definition.parameter, c);
  }
  for (const Implementation& i : package_.items(definition.implementations)) {
    unbind(0);
    implementation(definition, self, i);
    if (failed()) return;
  }
}

void Checker::choice(Ty self, StringId parameter, const Choice& choice) {
  if (failed()) return;
  auto around = definition_;
  definition_ += "." + text(choice.name);
  serializable(choice.argument.type, {}, "the choice argument");
  serializable(choice.result, {}, "the choice result");
  Ty argument = read(choice.argument.type), result = read(choice.result);
  if (failed()) return;
  bind(parameter, self);
  bind(choice.argument.name, argument);
  check(choice.controllers, table_.parties());
  check(choice.observers, table_.parties());
  unbind(0);
  bind(parameter, self);
  bind(choice.self_binder, table_.contract_id(self));
  bind(choice.argument.name, argument);
  check(choice.update, table_.update(result));
  if (!failed()) definition_ = around;
}

void Checker::implementation(const Template& definition, Ty self, const Implementation& implementation) {
  auto interface = interface_of(implementation.interface);
  if (failed()) return;
  const Package& home = *interface.package;
  for (RefId required : home.items(interface->required)) {
    if (!implements({&package_, &definition}, packages_.interface(home, required))) {
      return fail("no implementation of " + identifier(home, required).qualified_name() + ", which " +
                  home.qualified_name(*interface.definition) + " requires");
    }
  }
  auto bodies = package_.items(implementation.methods);
  auto methods = home.items(interface->methods);
  for (const NamedType& method : methods) {
    auto same = [&](const MethodBody& body) { return package_.text(body.name) == home.text(method.name); };
    auto body = std::ranges::find_if(bodies, same);
    if (body == bodies.end()) return fail("no method " + std::string(home.text(method.name)));
    Ty type = closed(home, method.type);
    if (failed()) return;
    unbind(0);
    bind(definition.parameter, self);
    check(body->value, type);
  }
  if (bodies.size() != methods.size()) return fail("a method that the interface does not have");
  Ty view = closed(home, interface->view);
  if (failed()) return;
  unbind(0);
  bind(definition.parameter, self);
  check(implementation.view, view);
}

void Checker::interface(const Interface& definition) {
  const NameMeaning* meaning =
      package_.find(package_.text(package_.modules()[definition.module].name), package_.text(definition.name));
  const DataType* data = meaning && meaning->data_type >= 0
                             ? &package_.data_types()[static_cast<std::size_t>(meaning->data_type)]
                             : nullptr;
  if (!data || data->kind != DataKind::interface || data->params.count != 0)
    return fail("expected an interface type of this name");
  Ty self = table_.con(package_, *data);
  Found<Interface> found{&package_, &definition};
  for (RefId ref : package_.items(definition.required)) {
    auto required = interface_of(ref);
    if (failed()) return;
    if (required.definition == &definition) return fail("an interface that requires itself");
    for (RefId further : required.package->items(required->required)) {
      auto indirect = packages_.interface(*required.package, further);
      if (!indirect || !requires_(found, indirect)) return fail("the required interfaces are not all named");
    }
  }
  for (const NamedType& method : package_.items(definition.methods)) read(method.type);
  for (const Choice& c : package_.items(definition.choices)) {
    unbind(0);
    choice(self, definition.parameter, c);
  }
  if (failed()) return;
  std::vector<Ty> arguments;
  Ty view = read(definition.view);
  if (failed()) return;
  const TyNode* record = table_.as_data(view, arguments);
  if (!record || !arguments.empty() || record->definition->kind != DataKind::record) {
    return fail("the view must be a record without type arguments");
  }
  serializable(definition.view, {}, "the view");
}

void Checker::exception(const ExceptionDefinition& definition) {
  const DataType* record = plain_record(definition.module, definition.name);
  if (!record) return;
  if (!record->serializable) return fail("the exception's record is not serialisable");
  check(definition.message, table_.arrow(table_.con(package_, *record), builtin(BuiltinType::text)));
}

// ---- serialisability: looks at types as they are written; synonyms do not count as serialisable

void Checker::serializable_data(const DataType& definition) {
  for (const TypeParam& param : package_.items(definition.params)) {
    if (package_.kind(param.kind).kind != KindKind::star)
      return fail("a serialisable type with a higher-kinded parameter");
  }
  bool inhabited =
      definition.kind == DataKind::record || definition.fields.count != 0 || definition.constructors.count != 0;
  if (!inhabited || definition.kind == DataKind::interface) return fail("a type without values cannot be serialisable");
  for (const NamedType& field : package_.items(definition.fields))
    serializable(field.type, definition.params, "a field");
}

void Checker::serializable(TypeId root, Slice<TypeParam> params, const char* what) {
  std::vector<TypeId> work{root};
  auto refuse = [&] { fail(std::string(what) + " is not serialisable"); };
  while (!work.empty() && !failed()) {
    if (budget_-- <= 1) return fail("the package takes too long to check");
    const Type& t = package_.type(work.back());
    work.pop_back();
    auto args = t.kind == TypeKind::nat || t.kind == TypeKind::forall || t.kind == TypeKind::structure
                    ? std::span<const TypeId>()
                    : package_.items(t.args);
    switch (t.kind) {
      case TypeKind::var: {
        auto known = package_.items(params);
        if (std::ranges::find(known, t.name, &TypeParam::name) == known.end()) return refuse();
        break;
      }
      case TypeKind::con: {
        auto found = packages_.data_type(package_, t.ref);
        if (!found || !found->serializable) return refuse();
        break;
      }
      case TypeKind::builtin:
        switch (t.builtin) {
          case BuiltinType::contract_id:
            args = args.size() == 1 ? args.subspan(1) : args;
            break;  // of anything
          case BuiltinType::numeric: {
            bool fixed = args.size() == 1 && package_.type(args[0]).kind == TypeKind::nat;
            if (!fixed) return refuse();
            args = {};
            break;
          }
          case BuiltinType::list:
          case BuiltinType::optional:
          case BuiltinType::text_map:
            if (args.size() != 1) return refuse();
            break;
          case BuiltinType::gen_map:
            if (args.size() != 2) return refuse();
            break;
          case BuiltinType::unit:
          case BuiltinType::boolean:
          case BuiltinType::int64:
          case BuiltinType::date:
          case BuiltinType::timestamp:
          case BuiltinType::party:
          case BuiltinType::text:
          case BuiltinType::any_exception:
            break;
          default:
            return refuse();
        }
        break;
      default:
        return refuse();
    }
    work.insert(work.end(), args.begin(), args.end());
  }
}

// ---- the package as a whole

void Checker::dependency_versions() {
  for (const std::string& id : package_.dependencies()) {
    const Package* dependency = packages_.find(id);
    if (!dependency) return fail("missing dependency " + id);
    if (package_.language_version() < dependency->language_version()) {
      return fail("Daml-LF " + package_.language_version().to_string() + " package depends on package " +
                  dependency->name() + " of Daml-LF " + dependency->language_version().to_string());
    }
  }
}

// Names must differ by more than case, so that code generators can use them. A variant's constructor may share the name
// of the record that holds its fields.
void Checker::collisions() {
  struct Entity {
    bool is_constructor = false, is_record = false;
    std::string exact;  // as written, to tell the one collision that is allowed
  };
  std::map<std::string, Entity> seen;
  auto add = [&](const std::string& name, bool is_constructor, bool is_record) {
    std::string upper = name;
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    auto [it, inserted] = seen.emplace(std::move(upper), Entity{is_constructor, is_record, name});
    if (inserted) return;
    bool allowed =
        it->second.exact == name && is_constructor != it->second.is_constructor && is_record != it->second.is_record;
    if (!allowed) return fail("names collide: " + name);
    it->second.is_constructor = it->second.is_record = true;
  };
  auto qualified = [&](const auto& definition) {
    return std::string(package_.text(package_.modules()[definition.module].name)) + "." +
           std::string(package_.text(definition.name));
  };
  for (const Module& module : package_.modules()) add(std::string(package_.text(module.name)), false, false);
  for (const DataType& d : package_.data_types()) {
    auto name = qualified(d);
    add(name, false, d.kind == DataKind::record);
    for (const NamedType& field : package_.items(d.fields))
      add(name + "." + text(field.name), d.kind == DataKind::variant, false);
    for (StringId constructor : package_.items(d.constructors)) add(name + "." + text(constructor), false, false);
  }
  for (const Synonym& s : package_.synonyms()) add(qualified(s), false, false);
  for (const Template& t : package_.templates()) {
    for (const Choice& c : package_.items(t.choices)) add(qualified(t) + "." + text(c.name), false, false);
  }
  for (const Interface& i : package_.interfaces()) {
    for (const Choice& c : package_.items(i.choices)) add(qualified(i) + "." + text(c.name), false, false);
  }
}

}  // namespace synod::lf::typing
