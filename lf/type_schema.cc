#include "lf/type_schema.h"

#include <optional>

namespace synod::lf {

namespace {

// A type that takes more steps than this to write out describes no value anybody could send.
constexpr std::size_t kMaxSteps = 100'000;

std::optional<SchemaKind> scalar_kind(BuiltinType builtin) {
  switch (builtin) {
    case BuiltinType::unit:
      return SchemaKind::unit;
    case BuiltinType::boolean:
      return SchemaKind::boolean;
    case BuiltinType::int64:
      return SchemaKind::int64;
    case BuiltinType::date:
      return SchemaKind::date;
    case BuiltinType::timestamp:
      return SchemaKind::timestamp;
    case BuiltinType::party:
      return SchemaKind::party;
    case BuiltinType::text:
      return SchemaKind::text;
    default:
      return std::nullopt;
  }
}

struct Container {
  SchemaKind kind;
  std::size_t arguments;
};

std::optional<Container> container(BuiltinType builtin) {
  switch (builtin) {
    case BuiltinType::contract_id:
      return Container{SchemaKind::contract_id, 1};
    case BuiltinType::optional:
      return Container{SchemaKind::optional, 1};
    case BuiltinType::list:
      return Container{SchemaKind::list, 1};
    case BuiltinType::text_map:
      return Container{SchemaKind::text_map, 1};
    case BuiltinType::gen_map:
      return Container{SchemaKind::gen_map, 2};
    default:
      return std::nullopt;
  }
}

}  // namespace

// A type whose arguments are being evaluated.
struct TypeSchema::Frame {
  const Package* package;
  TypeId type;
  std::shared_ptr<const Environment> environment;
  std::vector<const SchemaType*> arguments;
};

TypeSchema::TypeSchema(std::shared_ptr<const PackageStore> packages) : packages_(std::move(packages)) {
  types_.emplace_back();
  other_ = &types_.back();
}

const SchemaType* TypeSchema::type(const Package& package, TypeId type) {
  std::lock_guard lock(mutex_);
  auto [it, inserted] = closed_.emplace(std::pair(&package, type), nullptr);
  if (inserted) {
    it->second = evaluate(package, type, std::make_shared<Environment>());
  }
  return it->second;
}

const SchemaType* TypeSchema::type(const Package& package, const DataType& definition) {
  std::lock_guard lock(mutex_);
  return data_type(package, definition, {});
}

std::span<const SchemaMember> TypeSchema::members(const SchemaType& type) {
  std::lock_guard lock(mutex_);
  auto [it, inserted] = members_.emplace(&type, std::vector<SchemaMember>());
  if (inserted && type.definition) {
    const Package& package = *type.package;
    const DataType& definition = *type.definition;
    std::vector<SchemaMember> members;
    for (StringId name : package.items(definition.constructors)) members.push_back({package.text(name), nullptr});
    auto environment = bind(package, definition.params, type.arguments);
    for (const NamedType& field : package.items(definition.fields)) {
      members.push_back({package.text(field.name), evaluate(package, field.type, environment)});
    }
    it->second = std::move(members);
  }
  return it->second;
}

std::shared_ptr<const TypeSchema::Environment> TypeSchema::bind(const Package& package, Slice<TypeParam> params,
                                                                const std::vector<const SchemaType*>& arguments) {
  auto environment = std::make_shared<Environment>();
  auto names = package.items(params);
  for (std::size_t i = 0; i < names.size() && i < arguments.size(); ++i) (*environment)[names[i].name] = arguments[i];
  return environment;
}

const SchemaType* TypeSchema::evaluate(const Package& package, TypeId type,
                                       std::shared_ptr<const Environment> environment) {
  std::vector<Frame> stack{Frame{&package, type, std::move(environment), {}}};
  for (std::size_t steps = 0; steps < kMaxSteps; ++steps) {
    Frame& frame = stack.back();
    const Type& t = frame.package->type(frame.type);
    bool has_arguments = t.kind == TypeKind::con || t.kind == TypeKind::builtin || t.kind == TypeKind::synonym;
    if (has_arguments && frame.arguments.size() < t.args.count) {
      stack.push_back(
          Frame{frame.package, frame.package->items(t.args)[frame.arguments.size()], frame.environment, {}});
      continue;
    }
    if (t.kind == TypeKind::synonym) {
      auto synonym = packages_->synonym(*frame.package, t.ref);
      if (synonym && synonym->params.count == t.args.count) {
        frame = Frame{synonym.package, synonym->type, bind(*synonym.package, synonym->params, frame.arguments), {}};
        continue;
      }
    }
    const SchemaType* result = combine(frame);
    stack.pop_back();
    if (stack.empty()) return result;
    stack.back().arguments.push_back(result);
  }
  return other_;
}

const SchemaType* TypeSchema::combine(const Frame& frame) {
  const Type& t = frame.package->type(frame.type);
  switch (t.kind) {
    case TypeKind::var: {
      auto it = frame.environment->find(t.name);
      return it == frame.environment->end() || t.args.count != 0 ? other_ : it->second;
    }
    case TypeKind::con: {
      auto found = packages_->data_type(*frame.package, t.ref);
      return found ? data_type(*found.package, *found.definition, frame.arguments) : other_;
    }
    case TypeKind::builtin: {
      SchemaType type;
      if (auto scalar = scalar_kind(t.builtin); scalar && t.args.count == 0) {
        type.kind = *scalar;
        return intern(std::move(type));
      }
      if (t.builtin == BuiltinType::numeric && t.args.count == 1) {
        const Type& scale = frame.package->type(frame.package->items(t.args)[0]);
        if (scale.kind != TypeKind::nat) return other_;
        type.kind = SchemaKind::numeric;
        type.scale = static_cast<int>(scale.number);
        return intern(std::move(type));
      }
      if (auto shape = container(t.builtin); shape && shape->arguments == t.args.count) {
        type.kind = shape->kind;
        type.arguments = frame.arguments;
        return intern(std::move(type));
      }
      return other_;
    }
    default:
      return other_;
  }
}

const SchemaType* TypeSchema::data_type(const Package& package, const DataType& definition,
                                        std::vector<const SchemaType*> arguments) {
  SchemaType type;
  switch (definition.kind) {
    case DataKind::record:
      type.kind = SchemaKind::record;
      break;
    case DataKind::variant:
      type.kind = SchemaKind::variant;
      break;
    case DataKind::enumeration:
      type.kind = SchemaKind::enumeration;
      break;
    case DataKind::interface:
      type.kind = SchemaKind::other;
      break;
  }
  if (definition.params.count != arguments.size()) return other_;
  type.arguments = std::move(arguments);
  type.package = &package;
  type.definition = &definition;
  return intern(std::move(type));
}

const SchemaType* TypeSchema::intern(SchemaType type) {
  Key key{static_cast<std::uintptr_t>(type.kind), static_cast<std::uintptr_t>(type.scale),
          reinterpret_cast<std::uintptr_t>(type.definition)};
  for (const SchemaType* argument : type.arguments) key.push_back(reinterpret_cast<std::uintptr_t>(argument));
  auto [it, inserted] = interned_.emplace(std::move(key), nullptr);
  if (inserted) {
    if (type.definition) {
      const Package& package = *type.package;
      type.id = Identifier{package.id(), std::string(package.text(package.modules()[type.definition->module].name)),
                           std::string(package.text(type.definition->name))};
    }
    types_.push_back(std::move(type));
    it->second = &types_.back();
  }
  return it->second;
}

std::string TypeSchema::to_string(const SchemaType& root) {
  static constexpr const char* names[] = {"Unit",  "Bool", "Int",        "Date",     "Time", "Numeric",
                                          "Party", "Text", "ContractId", "Optional", "[",    "TextMap",
                                          "Map",   "",     "",           "",         "?"};
  // Pieces still to be written, the next one last.
  struct Piece {
    const SchemaType* type;
    const char* text;
    bool in_parentheses;
  };
  constexpr std::size_t kMaxLength = 1000;
  std::string out;
  std::vector<Piece> work{{&root, nullptr, false}};
  while (!work.empty()) {
    Piece piece = work.back();
    work.pop_back();
    if (out.size() > kMaxLength) return out + "...";
    if (piece.text) {
      out += piece.text;
      continue;
    }
    const SchemaType& type = *piece.type;
    bool is_list = type.kind == SchemaKind::list;
    bool parentheses =
        piece.in_parentheses && !is_list && (!type.arguments.empty() || type.kind == SchemaKind::numeric);
    if (parentheses) out += '(';
    out += type.definition ? type.id.qualified_name() : names[static_cast<int>(type.kind)];
    if (type.kind == SchemaKind::numeric) out += " " + std::to_string(type.scale);
    if (is_list) {
      work.push_back({nullptr, "]", false});
    } else if (parentheses) {
      work.push_back({nullptr, ")", false});
    }
    for (auto it = type.arguments.rbegin(); it != type.arguments.rend(); ++it) {
      work.push_back({*it, nullptr, !is_list});
      if (!is_list) work.push_back({nullptr, " ", false});
    }
  }
  return out;
}

}  // namespace synod::lf
