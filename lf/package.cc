#include "lf/package.h"

namespace synod::lf {

Package::Package() = default;
Package::~Package() = default;

std::span<const std::string> Package::package_ids() const { return package_ids_; }
std::span<const std::string> Package::dependencies() const { return dependencies_; }
std::span<const std::string> Package::declared_imports() const { return declared_imports_; }
std::span<const Module> Package::modules() const { return modules_; }
std::span<const DataType> Package::data_types() const { return data_types_; }
std::span<const Synonym> Package::synonyms() const { return synonyms_; }
std::span<const ValueDefinition> Package::values() const { return values_; }
std::span<const Template> Package::templates() const { return templates_; }
std::span<const Interface> Package::interfaces() const { return interfaces_; }
std::span<const ExceptionDefinition> Package::exceptions() const { return exceptions_; }

const NameMeaning* Package::find(std::string_view module, std::string_view name) const {
  auto it = names_.find(QualifiedView{module, name});
  return it == names_.end() ? nullptr : &it->second;
}

namespace {

template <typename Definition>
const Definition* pick(const NameMeaning* meaning, std::int32_t NameMeaning::* member,
                       const std::vector<Definition>& definitions) {
  return meaning && meaning->*member >= 0 ? &definitions[static_cast<std::size_t>(meaning->*member)] : nullptr;
}

}  // namespace

const DataType* Package::find_data_type(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::data_type, data_types_);
}
const Synonym* Package::find_synonym(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::synonym, synonyms_);
}
const ValueDefinition* Package::find_value(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::value, values_);
}
const Template* Package::find_template(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::template_, templates_);
}
const Interface* Package::find_interface(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::interface, interfaces_);
}
const ExceptionDefinition* Package::find_exception(std::string_view module, std::string_view name) const {
  return pick(find(module, name), &NameMeaning::exception, exceptions_);
}

const Choice* Package::find_choice(Slice<Choice> choices, std::string_view name) const {
  for (const Choice& choice : items(choices)) {
    if (text(choice.name) == name) return &choice;
  }
  return nullptr;
}

bool Package::has_module(std::string_view module) const {
  for (const Module& m : modules_) {
    if (text(m.name) == module) return true;
  }
  return false;
}

}  // namespace synod::lf
