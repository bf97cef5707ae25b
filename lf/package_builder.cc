#include "lf/package_builder.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/check.h"
#include "lf/archive/dar_error.h"

namespace synod::lf {

namespace {

constexpr std::size_t kTextBlock = 64 * 1024;
constexpr std::size_t kMaxName = 1000;
// Longer argument lists than any constructor has stay nested: flattening copies the list, and a chain would be
// quadratic.
constexpr std::size_t kMaxFlatArgs = 128;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t mix(std::size_t seed, std::size_t value) { return (seed ^ value) * 0x9e3779b97f4a7c15ull + (seed >> 29); }

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxName || is_digit(text.front())) return false;
  return std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '$' || c == '_'; });
}

bool is_package_name(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  return std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_package_version(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (std::size_t start = 0; start <= text.size();) {
    auto end = std::min(text.find('.', start), text.size());
    auto number = text.substr(start, end - start);
    if (number.empty() || !std::ranges::all_of(number, is_digit) || (number.size() > 1 && number.front() == '0'))
      return false;
    std::int32_t value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) return false;
    start = end + 1;
  }
  return true;
}

bool is_package_id(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::ranges::all_of(text,
                             [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == ' '; });
}

PackageBuilder::PackageBuilder(std::string package_id, LanguageVersion version)
    : package_(std::make_shared<Package>()), types_(0, TypeHash{package_.get()}, TypeEqual{package_.get()}) {
  package_->version_ = version;
  package_->package_ids_ = {std::move(package_id)};
  package_indices_.emplace(package_->id(), 0);
  package_->kinds_ = {Kind{KindKind::star, KindId::none(), KindId::none()},
                      Kind{KindKind::nat, KindId::none(), KindId::none()}};
}

void PackageBuilder::reserve(std::size_t strings, std::size_t text_bytes, std::size_t expressions) {
  strings_.reserve(strings);
  package_->strings_.reserve(strings);
  package_->exprs_.reserve(expressions);
  package_->text_blocks_.emplace_back().reserve(std::max(kTextBlock, text_bytes));
}

std::string_view PackageBuilder::keep(std::string_view text) {
  auto& blocks = package_->text_blocks_;
  if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < text.size()) {
    Bytes block;
    block.reserve(std::max(kTextBlock, text.size()));
    blocks.push_back(std::move(block));  // large enough to be on the heap, so views survive the move
  }
  auto& block = blocks.back();
  block.append(text);
  return std::string_view(block).substr(block.size() - text.size());
}

StringId PackageBuilder::string(std::string_view text) {
  if (auto it = strings_.find(text); it != strings_.end()) return StringId{it->second};
  auto id = static_cast<std::uint32_t>(package_->strings_.size());
  auto kept = keep(text);
  package_->strings_.push_back(kept);
  strings_.emplace(kept, id);
  return StringId{id};
}

DottedNameId PackageBuilder::dotted_name(std::string_view dotted) {
  if (auto it = dotted_names_.find(dotted); it != dotted_names_.end()) return DottedNameId{it->second};
  auto id = static_cast<std::uint32_t>(package_->dotted_names_.size());
  auto kept = keep(dotted);
  package_->dotted_names_.push_back(kept);
  dotted_names_.emplace(kept, id);
  return DottedNameId{id};
}

std::uint32_t PackageBuilder::package_index(std::string_view package_id) {
  auto [it, inserted] = package_indices_.emplace(package_id, static_cast<std::uint32_t>(package_->package_ids_.size()));
  if (inserted) package_->package_ids_.emplace_back(package_id);
  return it->second;
}

std::size_t PackageBuilder::RefHash::operator()(const Ref& ref) const {
  return mix(mix(ref.package + 1, ref.module.value), ref.name.value);
}

RefId PackageBuilder::ref(Ref ref) {
  auto [it, inserted] = refs_.emplace(ref, static_cast<std::uint32_t>(package_->refs_.size()));
  if (inserted) package_->refs_.push_back(ref);
  return RefId{it->second};
}

KindId PackageBuilder::star() { return KindId{0}; }
KindId PackageBuilder::nat() { return KindId{1}; }

KindId PackageBuilder::arrow(KindId parameter, KindId result) {
  auto key = std::uint64_t{parameter.value} << 32 | result.value;
  auto [it, inserted] = arrow_kinds_.emplace(key, static_cast<std::uint32_t>(package_->kinds_.size()));
  if (inserted) package_->kinds_.push_back(Kind{KindKind::arrow, parameter, result});
  return KindId{it->second};
}

// ---- types: pushed first, and taken back when the same type is there already

std::size_t PackageBuilder::TypeHash::operator()(std::uint32_t id) const {
  const Type& t = package->type(TypeId{id});
  auto h = mix(0, static_cast<std::size_t>(t.kind));
  auto args = [&] {
    for (TypeId arg : package->items(t.args)) h = mix(h, arg.value);
  };
  switch (t.kind) {
    case TypeKind::var:
      h = mix(h, t.name.value), args();
      break;
    case TypeKind::con:
    case TypeKind::synonym:
      h = mix(h, t.ref.value), args();
      break;
    case TypeKind::builtin:
      h = mix(h, static_cast<std::size_t>(t.builtin)), args();
      break;
    case TypeKind::app:
      h = mix(h, t.fun.value), args();
      break;
    case TypeKind::nat:
      h = mix(h, t.number);
      break;
    case TypeKind::forall:
      h = mix(mix(mix(h, t.param.name.value), t.param.kind.value), t.body.value);
      break;
    case TypeKind::structure:
      for (const NamedType& field : package->items(t.fields)) h = mix(mix(h, field.name.value), field.type.value);
      break;
  }
  return h;
}

bool PackageBuilder::TypeEqual::operator()(std::uint32_t x, std::uint32_t y) const {
  const Type& a = package->type(TypeId{x});
  const Type& b = package->type(TypeId{y});
  if (a.kind != b.kind) return false;
  auto same_args = [&] { return std::ranges::equal(package->items(a.args), package->items(b.args)); };
  switch (a.kind) {
    case TypeKind::var:
      return a.name == b.name && same_args();
    case TypeKind::con:
    case TypeKind::synonym:
      return a.ref == b.ref && same_args();
    case TypeKind::builtin:
      return a.builtin == b.builtin && same_args();
    case TypeKind::app:
      return a.fun == b.fun && same_args();
    case TypeKind::nat:
      return a.number == b.number;
    case TypeKind::forall:
      return a.param.name == b.param.name && a.param.kind == b.param.kind && a.body == b.body;
    case TypeKind::structure:
      return std::ranges::equal(
          package->items(a.fields), package->items(b.fields),
          [](const NamedType& f, const NamedType& g) { return f.name == g.name && f.type == g.type; });
  }
  return false;
}

TypeId PackageBuilder::intern_type(const Type& type) {
  auto& types = package_->types_;
  auto id = static_cast<std::uint32_t>(types.size());
  types.push_back(type);
  auto [it, inserted] = types_.insert(id);
  if (!inserted) types.pop_back();
  return TypeId{*it};
}

TypeId PackageBuilder::type_with_args(Type type, std::span<const TypeId> args) {
  auto& pool = std::get<std::vector<TypeId>>(package_->lists_);
  auto size = pool.size();
  std::vector<TypeId> own(args.begin(), args.end());  // the span may lie in the pool
  type.args = list(own);
  auto count = package_->types_.size();
  auto id = intern_type(type);
  if (package_->types_.size() == count) pool.resize(size, TypeId::none());
  return id;
}

TypeId PackageBuilder::type_var(StringId name, std::span<const TypeId> args) {
  Type type{};
  type.kind = TypeKind::var;
  type.name = name;
  return type_with_args(type, args);
}

TypeId PackageBuilder::type_con(RefId ref, std::span<const TypeId> args) {
  Type type{};
  type.kind = TypeKind::con;
  type.ref = ref;
  return type_with_args(type, args);
}

TypeId PackageBuilder::type_builtin(BuiltinType builtin, std::span<const TypeId> args) {
  Type type{};
  type.kind = TypeKind::builtin;
  type.builtin = builtin;
  return type_with_args(type, args);
}

TypeId PackageBuilder::type_synonym(RefId ref, std::span<const TypeId> args) {
  Type type{};
  type.kind = TypeKind::synonym;
  type.ref = ref;
  return type_with_args(type, args);
}

TypeId PackageBuilder::type_nat(std::uint32_t number) {
  Type type{};
  type.kind = TypeKind::nat;
  type.number = number;
  return intern_type(type);
}

TypeId PackageBuilder::type_forall(TypeParam param, TypeId body) {
  Type type{};
  type.kind = TypeKind::forall;
  type.param = param;
  type.body = body;
  return intern_type(type);
}

TypeId PackageBuilder::type_struct(std::vector<NamedType> fields) {
  std::ranges::sort(fields, [this](const NamedType& a, const NamedType& b) {
    return package_->text(a.name) < package_->text(b.name);
  });
  auto& pool = std::get<std::vector<NamedType>>(package_->lists_);
  auto size = pool.size();
  Type type{};
  type.kind = TypeKind::structure;
  type.fields = list(fields);
  auto count = package_->types_.size();
  auto id = intern_type(type);
  if (package_->types_.size() == count) pool.resize(size);
  return id;
}

TypeId PackageBuilder::type_app(TypeId fun, TypeId arg) {
  Type head = package_->type(fun);
  switch (head.kind) {
    case TypeKind::var:
    case TypeKind::con:
    case TypeKind::builtin:
    case TypeKind::app: {
      auto known = package_->items(head.args);
      if (known.size() >= kMaxFlatArgs) break;
      std::vector<TypeId> args(known.begin(), known.end());
      args.push_back(arg);
      return type_with_args(head, args);
    }
    default:
      break;
  }
  Type type{};
  type.kind = TypeKind::app;
  type.fun = fun;
  return type_with_args(type, std::span(&arg, 1));
}

TypeId PackageBuilder::type_arrow(TypeId from, TypeId to) {
  TypeId args[] = {from, to};
  return type_builtin(BuiltinType::arrow, args);
}

ExprId PackageBuilder::expr(const Expr& node) {
  package_->exprs_.push_back(node);
  return ExprId{static_cast<std::uint32_t>(package_->exprs_.size() - 1)};
}

LocationId PackageBuilder::location(const Location& location) {
  package_->locations_.push_back(location);
  return LocationId{static_cast<std::uint32_t>(package_->locations_.size() - 1)};
}

std::uint32_t PackageBuilder::add_module(DottedNameId name) {
  package_->modules_.push_back(Module{name});
  return static_cast<std::uint32_t>(package_->modules_.size() - 1);
}

Status PackageBuilder::index_names() {
  Package& p = *package_;
  std::set<DottedNameId> modules;
  for (const Module& module : p.modules_) {
    if (!modules.insert(module.name).second) {
      return fail(dar_parse_error("collision on module name " + std::string(p.text(module.name))));
    }
  }
  p.names_.reserve(p.data_types_.size() + p.values_.size() + p.synonyms_.size());
  std::string collision;
  auto index = [&](const auto& definitions, std::int32_t NameMeaning::* member, auto excludes) {
    for (std::size_t i = 0; i < definitions.size() && collision.empty(); ++i) {
      const auto& definition = definitions[i];
      auto& meaning =
          p.names_[Package::QualifiedView{p.text(p.modules_[definition.module].name), p.text(definition.name)}];
      if (meaning.*member >= 0 || excludes(meaning)) collision = p.qualified_name(definition);
      meaning.*member = static_cast<std::int32_t>(i);
    }
  };
  auto is_definition = [](const NameMeaning& m) { return m.data_type >= 0 || m.synonym >= 0 || m.value >= 0; };
  index(p.data_types_, &NameMeaning::data_type, is_definition);
  index(p.synonyms_, &NameMeaning::synonym, is_definition);
  index(p.values_, &NameMeaning::value, is_definition);
  index(p.templates_, &NameMeaning::template_, [](const NameMeaning&) { return false; });
  index(p.exceptions_, &NameMeaning::exception, [](const NameMeaning& m) { return m.template_ >= 0; });
  index(p.interfaces_, &NameMeaning::interface,
        [](const NameMeaning& m) { return m.template_ >= 0 || m.exception >= 0; });
  if (!collision.empty()) return fail(dar_parse_error("collision on definition name " + collision));
  return {};
}

Status PackageBuilder::check_unique_members() const {
  const Package& p = *package_;
  std::vector<std::uint32_t> names;
  auto unique = [&](const auto& items, auto id) {
    names.clear();
    for (const auto& item : items) names.push_back(id(item).value);
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) == names.end();
  };
  auto by_name = [](const auto& item) { return item.name; };
  for (const Template& t : p.templates_) {
    if (!unique(p.items(t.choices), by_name)) {
      return fail(dar_parse_error("collision on choice name in template " + p.qualified_name(t)));
    }
    if (!unique(p.items(t.implementations), [](const Implementation& i) { return i.interface; })) {
      return fail(dar_parse_error("repeated interface implementation in template " + p.qualified_name(t)));
    }
    for (const Implementation& i : p.items(t.implementations)) {
      if (!unique(p.items(i.methods), by_name)) {
        return fail(dar_parse_error("repeated method in interface instance of template " + p.qualified_name(t)));
      }
    }
  }
  for (const Interface& i : p.interfaces_) {
    if (!unique(p.items(i.choices), by_name)) {
      return fail(dar_parse_error("collision on choice name in interface " + p.qualified_name(i)));
    }
    if (!unique(p.items(i.methods), by_name)) {
      return fail(dar_parse_error("repeated method in interface " + p.qualified_name(i)));
    }
  }
  return {};
}

Result<PackagePtr> PackageBuilder::finish() {
  SYNOD_RETURN_IF_ERROR(index_names());
  SYNOD_RETURN_IF_ERROR(check_unique_members());
  Package& p = *package_;
  p.dependencies_.assign(p.package_ids_.begin() + 1, p.package_ids_.end());
  p.dependencies_.insert(p.dependencies_.end(), p.declared_imports_.begin(), p.declared_imports_.end());
  std::ranges::sort(p.dependencies_);
  p.dependencies_.erase(std::unique(p.dependencies_.begin(), p.dependencies_.end()), p.dependencies_.end());
  return PackagePtr(std::move(package_));
}

}  // namespace synod::lf
