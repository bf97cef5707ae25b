#include "lf/eval/program.h"

#include <algorithm>

#include "lf/eval/compiler.h"
#include "lf/eval/fatal.h"

namespace synod::lf::eval {
namespace {

constexpr int kMaxTypeDepth = 200;
// daml-prim-DA-Types and daml-prim-DA-Exception-ArithmeticError, of the packages whose ids never change.
constexpr std::string_view kPairPackage = "5aee9b21b8e9a4c4975b5f4c4198e6e6e8469df49e2010820e792f393db870f4";
constexpr std::string_view kArithmeticErrorPackage = "ee33fb70918e7aaa3d3fc44d64a399fb2bf5bcefc54201b1690ecd448551ba88";

int rank(const RuntimeType& t, std::size_t args) {
  if (t.head == RuntimeType::Head::structure) return 3;
  if (args > 0) return 4;
  switch (t.head) {
    case RuntimeType::Head::builtin:
      return 0;
    case RuntimeType::Head::con:
      return 1;
    default:
      return 2;
  }
}

// Compares the applications of both heads to their first arguments.
int compare_spine(const RuntimeType& a, std::size_t na, const RuntimeType& b, std::size_t nb) {
  int ra = rank(a, na), rb = rank(b, nb);
  if (ra != rb) return ra < rb ? -1 : 1;
  switch (ra) {
    case 0:
      return static_cast<int>(a.builtin) - static_cast<int>(b.builtin);
    case 1: {
      auto c = a.con->id <=> b.con->id;
      return c < 0 ? -1 : c > 0 ? 1 : 0;
    }
    case 2:
      return static_cast<int>(a.number) - static_cast<int>(b.number);
    case 3: {
      if (a.names != b.names) return a.names < b.names ? -1 : 1;
      for (std::size_t i = 0; i < a.args.size(); ++i)
        if (int c = compare(*a.args[i], *b.args[i])) return c;
      return 0;
    }
    default:
      if (int c = compare_spine(a, na - 1, b, nb - 1)) return c;
      return compare(*a.args[na - 1], *b.args[nb - 1]);
  }
}

void set_function(Proto& proto, const Package& package, std::vector<StringId> parameters, ExprId body,
                  bool run = false) {
  proto.package = &package;
  proto.arity = static_cast<std::uint32_t>(parameters.size());
  proto.parameters = std::move(parameters);
  proto.body = body;
  proto.run = run;
}

}  // namespace

int compare(const RuntimeType& a, const RuntimeType& b) {
  if (&a == &b) return 0;
  bool sa = a.head == RuntimeType::Head::structure, sb = b.head == RuntimeType::Head::structure;
  return compare_spine(a, sa ? 0 : a.args.size(), b, sb ? 0 : b.args.size());
}

Program::Program(std::shared_ptr<const PackageStore> packages) : packages_(std::move(packages)) {}

const TypeDescriptor* Program::descriptor(const Package& package, const DataType& type) {
  std::lock_guard lock(mutex_);
  auto& slot = descriptors_[&type];
  if (!slot) {
    slot = std::make_unique<TypeDescriptor>();
    slot->id = Identifier{package.id(), std::string(package.text(package.modules()[type.module].name)),
                          std::string(package.text(type.name))};
    slot->package = &package;
    slot->definition = &type;
    if (type.kind == DataKind::enumeration) {
      for (auto name : package.items(type.constructors)) slot->names.emplace_back(package.text(name));
    } else if (type.kind != DataKind::interface) {
      for (const auto& f : package.items(type.fields)) slot->names.emplace_back(package.text(f.name));
    }
  }
  return slot.get();
}

const TypeDescriptor* Program::descriptor(const Package& from, RefId ref) {
  auto found = packages_->data_type(from, ref);
  return found ? descriptor(*found.package, *found.definition) : nullptr;
}

std::uint32_t Program::symbol(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto [it, added] = symbols_.try_emplace(std::string(name), static_cast<std::uint32_t>(symbol_texts_.size()));
  if (added) symbol_texts_.emplace_back(name);
  return it->second;
}

const StructDescriptor* Program::layout(std::vector<std::uint32_t> names) {
  std::lock_guard lock(mutex_);
  std::sort(names.begin(), names.end(), [&](auto a, auto b) { return symbol_texts_[a] < symbol_texts_[b]; });
  auto& slot = layouts_[names];
  if (!slot) slot = std::make_unique<StructDescriptor>(StructDescriptor{std::move(names)});
  return slot.get();
}

const RuntimeType* Program::intern(std::unique_ptr<RuntimeType> type) {
  std::string key;
  switch (type->head) {
    case RuntimeType::Head::builtin:
      key = name_of(type->builtin);
      break;
    case RuntimeType::Head::con:
      key = type->con->id.to_string();
      break;
    case RuntimeType::Head::nat:
      key = std::to_string(type->number);
      break;
    case RuntimeType::Head::structure:
      key = "<";
      break;
  }
  for (std::size_t i = 0; i < type->args.size(); ++i) {
    if (type->head == RuntimeType::Head::structure)
      key += (i ? ", " : "") + type->names[i] + ": " + type->args[i]->key;
    else
      key += type->args[i]->args.empty() ? " " + type->args[i]->key : " (" + type->args[i]->key + ")";
  }
  if (type->head == RuntimeType::Head::structure) key += ">";
  if (key.size() > 100'000) return nullptr;
  auto [it, added] = types_.try_emplace(key);
  if (added) {
    type->key = key;
    it->second = std::move(type);
  }
  return it->second.get();
}

const RuntimeType* Program::type(const TypeDescriptor* con, std::vector<const RuntimeType*> args) {
  std::lock_guard lock(mutex_);
  auto t = std::make_unique<RuntimeType>();
  t->head = RuntimeType::Head::con;
  t->con = con;
  t->args = std::move(args);
  return intern(std::move(t));
}

const RuntimeType* Program::type(BuiltinType builtin, std::vector<const RuntimeType*> args) {
  std::lock_guard lock(mutex_);
  auto t = std::make_unique<RuntimeType>();
  t->builtin = builtin;
  t->args = std::move(args);
  return intern(std::move(t));
}

const RuntimeType* Program::type(const Package& package, TypeId id, const TypeEnvironment& environment) {
  std::lock_guard lock(mutex_);
  return type_at(package, id, environment, 0);
}

const RuntimeType* Program::type_at(const Package& package, TypeId id, const TypeEnvironment& environment, int depth) {
  if (depth > kMaxTypeDepth) return nullptr;
  const Type& t = package.type(id);
  auto out = std::make_unique<RuntimeType>();
  auto add_args = [&](Slice<TypeId> args) {
    for (TypeId arg : package.items(args)) {
      const RuntimeType* a = type_at(package, arg, environment, depth + 1);
      if (!a) return false;
      out->args.push_back(a);
    }
    return true;
  };
  // An already closed head applied to more arguments.
  auto apply = [&](const RuntimeType* head, Slice<TypeId> args) -> const RuntimeType* {
    if (!head) return nullptr;
    if (args.count == 0) return head;
    if (head->head != RuntimeType::Head::builtin && head->head != RuntimeType::Head::con) return nullptr;
    out->head = head->head;
    out->builtin = head->builtin;
    out->con = head->con;
    out->args = head->args;
    return add_args(args) ? intern(std::move(out)) : nullptr;
  };
  switch (t.kind) {
    case TypeKind::var: {
      auto name = package.text(t.name);
      for (auto it = environment.rbegin(); it != environment.rend(); ++it)
        if (it->first == name) return apply(it->second, t.args);
      return nullptr;
    }
    case TypeKind::con: {
      out->head = RuntimeType::Head::con;
      out->con = descriptor(package, t.ref);
      if (!out->con || !add_args(t.args)) return nullptr;
      return intern(std::move(out));
    }
    case TypeKind::builtin:
      out->builtin = t.builtin;
      return add_args(t.args) ? intern(std::move(out)) : nullptr;
    case TypeKind::synonym: {
      auto found = packages_->synonym(package, t.ref);
      auto args = package.items(t.args);
      if (!found || found->params.count > args.size()) return nullptr;
      TypeEnvironment inner;
      auto params = found.package->items(found->params);
      for (std::size_t i = 0; i < params.size(); ++i) {
        const RuntimeType* a = type_at(package, args[i], environment, depth + 1);
        if (!a) return nullptr;
        inner.emplace_back(found.package->text(params[i].name), a);
      }
      return apply(type_at(*found.package, found->type, inner, depth + 1),
                   Slice<TypeId>{t.args.offset + found->params.count, t.args.count - found->params.count});
    }
    case TypeKind::nat:
      out->head = RuntimeType::Head::nat;
      out->number = t.number;
      return intern(std::move(out));
    case TypeKind::structure:
      out->head = RuntimeType::Head::structure;
      for (const auto& field : package.items(t.fields)) {
        const RuntimeType* f = type_at(package, field.type, environment, depth + 1);
        if (!f) return nullptr;
        out->args.push_back(f);
        out->names.emplace_back(package.text(field.name));
      }
      return intern(std::move(out));
    case TypeKind::app:
      return apply(type_at(package, t.fun, environment, depth + 1), t.args);
    case TypeKind::forall:
      return nullptr;
  }
  return nullptr;
}

const std::vector<const RuntimeType*>* Program::members(const RuntimeType& type) {
  if (auto* m = type.members.load(std::memory_order_acquire)) return m;
  std::lock_guard lock(mutex_);
  if (type.head != RuntimeType::Head::con || !type.con->definition) return nullptr;
  const DataType& definition = *type.con->definition;
  const Package& package = *type.con->package;
  auto params = package.items(definition.params);
  if (params.size() != type.args.size()) return nullptr;
  auto list = std::make_unique<std::vector<const RuntimeType*>>();
  if (definition.kind == DataKind::record || definition.kind == DataKind::variant) {
    TypeEnvironment environment;
    for (std::size_t i = 0; i < params.size(); ++i)
      environment.emplace_back(package.text(params[i].name), type.args[i]);
    for (const auto& field : package.items(definition.fields)) {
      const RuntimeType* f = type_at(package, field.type, environment, 0);
      if (!f) return nullptr;
      list->push_back(f);
    }
  }
  member_lists_.push_back(std::move(list));
  type.members.store(member_lists_.back().get(), std::memory_order_release);
  return member_lists_.back().get();
}

std::unique_ptr<Definition> Program::make_definition(const Package& package, ExprId body) {
  auto made = std::make_unique<Definition>();
  std::vector<StringId> parameters;
  for (;;) {  // leading abstractions are the parameters
    const Expr& e = package.expr(body);
    if (e.kind == ExprKind::type_abs) {
      body = e.first;
    } else if (e.kind == ExprKind::abs) {
      for (const auto& p : package.items(e.params)) parameters.push_back(p.name);
      body = e.first;
    } else {
      break;
    }
  }
  made->is_function = !parameters.empty();
  if (!made->is_function) made->index = definition_count_.fetch_add(1, std::memory_order_acq_rel);
  set_function(made->proto, package, std::move(parameters), body);
  if (made->is_function) {
    auto* closure = immortal_.make<ClosureObject>();
    closure->proto = &made->proto;
    closure->count = 0;
    made->function.tag = Tag::closure;
    made->function.closure = closure;
  }
  return made;
}

Definition* Program::definition(const Package& package, const ValueDefinition& value) {
  std::lock_guard lock(mutex_);
  auto& slot = definitions_[&value];
  if (!slot) slot = make_definition(package, value.body);
  return slot.get();
}

Definition* Program::function(const Package& package, ExprId abs) {
  std::lock_guard lock(mutex_);
  auto& slot = functions_[{&package, abs}];
  if (!slot) slot = make_definition(package, abs);
  return slot.get();
}

void Program::replace_with_identity(const Package& package, const ValueDefinition& value) {
  Definition* d = definition(package, value);
  d->is_function = true;
  d->function = make_tag(Tag::builtin);
  d->function.aux =
      static_cast<std::uint32_t>(BuiltinFunction::coerce_contract_id);  // which is the identity on any value
}

Definition* Program::definition(const Package& from, RefId ref) {
  auto found = packages_->value(from, ref);
  return found ? definition(*found.package, *found.definition) : nullptr;
}

std::unique_ptr<ChoiceInfo> Program::choice(const Package& package, StringId parameter, const Choice& definition) {
  auto info = std::make_unique<ChoiceInfo>();
  info->definition = &definition;
  info->name = package.text(definition.name);
  std::vector<StringId> two{parameter, definition.argument.name};
  set_function(info->controllers, package, two, definition.controllers);
  set_function(info->observers, package, two, definition.observers);
  set_function(info->update, package, {parameter, definition.argument.name, definition.self_binder}, definition.update,
               true);
  info->argument = type(package, definition.argument.type);
  info->result = type(package, definition.result);
  return info;
}

const TemplateInfo* Program::template_(const Package& package, const Template& definition) {
  std::lock_guard lock(mutex_);
  auto& slot = templates_[&definition];
  if (slot) return slot.get();
  slot = std::make_unique<TemplateInfo>();
  TemplateInfo& info = *slot;
  info.package = &package;
  info.definition = &definition;
  info.id = Identifier{package.id(), std::string(package.text(package.modules()[definition.module].name)),
                       std::string(package.text(definition.name))};
  info.package_name = package.name();
  if (const DataType* record = package.find_data_type(info.id.module, info.id.entity))
    info.type = type(descriptor(package, *record));
  std::vector<StringId> one{definition.parameter};
  info.has_precondition = !definition.precondition.is_none();
  if (info.has_precondition) set_function(info.precondition, package, one, definition.precondition);
  set_function(info.signatories, package, one, definition.signatories);
  set_function(info.observers, package, one, definition.observers);
  if (definition.has_key) {
    set_function(info.key, package, one, definition.key.key);
    set_function(info.maintainers, package, {}, definition.key.maintainers);
    info.key_type = type(package, definition.key.type);
  }
  for (const auto& c : package.items(definition.choices)) {
    auto made = choice(package, definition.parameter, c);
    info.choices.emplace(made->name, std::move(made));
  }
  for (const auto& i : package.items(definition.implementations)) {
    auto made = std::make_unique<ImplementationInfo>();
    made->interface = identifier(package, i.interface);
    for (const auto& m : package.items(i.methods)) {
      auto method = std::make_unique<Proto>();
      set_function(*method, package, one, m.value);
      made->methods.emplace(std::string(package.text(m.name)), std::move(method));
    }
    set_function(made->view, package, one, i.view);
    info.implementations.push_back(std::move(made));
  }
  return slot.get();
}

const InterfaceInfo* Program::interface(const Package& package, const Interface& definition) {
  std::lock_guard lock(mutex_);
  auto& slot = interfaces_[&definition];
  if (slot) return slot.get();
  slot = std::make_unique<InterfaceInfo>();
  slot->package = &package;
  slot->definition = &definition;
  slot->id = Identifier{package.id(), std::string(package.text(package.modules()[definition.module].name)),
                        std::string(package.text(definition.name))};
  slot->view = type(package, definition.view);
  for (const auto& c : package.items(definition.choices)) {
    auto made = choice(package, definition.parameter, c);
    slot->choices.emplace(made->name, std::move(made));
  }
  return slot.get();
}

const TemplateInfo* Program::template_(const Identifier& id) {
  auto found = packages_->template_(id);
  return found ? template_(*found.package, *found.definition) : nullptr;
}

const InterfaceInfo* Program::interface(const Identifier& id) {
  auto found = packages_->interface(id);
  return found ? interface(*found.package, *found.definition) : nullptr;
}

const TemplateInfo* Program::template_of(const UpdateRef& ref) {
  if (auto* known = ref.template_info.load(std::memory_order_acquire)) return known;
  auto found = packages_->template_(*ref.from, ref.ref);
  if (!found) return nullptr;
  const TemplateInfo* info = template_(*found.package, *found.definition);
  ref.template_info.store(info, std::memory_order_release);
  return info;
}

const InterfaceInfo* Program::interface_of(const UpdateRef& ref) {
  if (auto* known = ref.interface_info.load(std::memory_order_acquire)) return known;
  auto found = packages_->interface(*ref.from, ref.ref);
  if (!found) return nullptr;
  const InterfaceInfo* info = interface(*found.package, *found.definition);
  ref.interface_info.store(info, std::memory_order_release);
  return info;
}

const UpdateRef* Program::update_ref(const Package& from, RefId ref, std::string_view member, RefId required) {
  std::lock_guard lock(mutex_);
  auto made = std::make_unique<UpdateRef>();
  made->from = &from;
  made->ref = ref;
  made->member = member;
  made->required = required;
  update_refs_.push_back(std::move(made));
  return update_refs_.back().get();
}

const Proto* Program::exception_message(const TypeDescriptor& type) {
  if (!type.package) return nullptr;
  const ExceptionDefinition* definition = type.package->find_exception(type.id.module, type.id.entity);
  if (!definition) return nullptr;
  std::lock_guard lock(mutex_);
  auto& slot = exception_messages_[definition];
  if (!slot) {
    slot = std::make_unique<Proto>();
    set_function(*slot, *type.package, {}, definition->message);
  }
  return slot.get();
}

const TypeDescriptor* Program::pair_type() {
  const Package* package = packages_->find(kPairPackage);
  const DataType* pair = package ? package->find_data_type("DA.Types", "Tuple2") : nullptr;
  if (!pair) fatal_bug("contract keys need package " + std::string(kPairPackage) + " (DA.Types)");
  return descriptor(*package, *pair);
}

const RuntimeType* Program::arithmetic_error() {
  if (const Package* package = packages_->find(kArithmeticErrorPackage))
    if (const DataType* record = package->find_data_type("DA.Exception.ArithmeticError", "ArithmeticError"))
      return type(descriptor(*package, *record));
  // No loaded program can name the type then, but programs can still fail with it.
  std::lock_guard lock(mutex_);
  if (!bare_arithmetic_error_) {
    bare_descriptor_.id =
        Identifier{std::string(kArithmeticErrorPackage), "DA.Exception.ArithmeticError", "ArithmeticError"};
    bare_descriptor_.names = {"message"};
    bare_arithmetic_error_ = std::make_unique<RuntimeType>();
    bare_arithmetic_error_->head = RuntimeType::Head::con;
    bare_arithmetic_error_->con = &bare_descriptor_;
    bare_arithmetic_error_->key = bare_descriptor_.id.to_string();
  }
  return bare_arithmetic_error_.get();
}

const Code& Program::compile(Proto& proto) {
  std::lock_guard lock(mutex_);
  if (const Code* c = proto.code.load(std::memory_order_acquire)) return *c;
  compile_function(*this, proto);
  return *proto.code.load(std::memory_order_acquire);
}

}  // namespace synod::lf::eval
