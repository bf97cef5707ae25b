// The linked form of the packages: type descriptors, closed types, templates with their functions, top-level
// definitions. Everything is made on first use, kept for the life of the process, and shared by all machines.
//
// Thread-safe: making things takes one lock, reading compiled code takes none.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "lf/eval/cell.h"
#include "lf/eval/code.h"
#include "lf/package_store.h"

namespace synod::lf::eval {

// A closed type without synonyms. Interned: equal types are one object.
struct RuntimeType {
  enum class Head : std::uint8_t { builtin, con, nat, structure };
  Head head = Head::builtin;
  BuiltinType builtin = BuiltinType::unit;
  std::uint32_t number = 0;  // nat
  const TypeDescriptor* con = nullptr;
  std::vector<const RuntimeType*> args;  // structure: the field types
  std::vector<std::string> names;        // structure
  std::string key;                       // canonical text, also for messages
  // Types of the fields or constructor arguments of an applied data type; filled by Program::members.
  mutable std::atomic<const std::vector<const RuntimeType*>*> members{nullptr};

  bool is(BuiltinType b) const { return head == Head::builtin && builtin == b; }
};
// Daml's order of type representations: negative, zero, positive.
int compare(const RuntimeType& a, const RuntimeType& b);

struct ChoiceInfo {
  const Choice* definition = nullptr;
  std::string name;
  Proto controllers;  // (contract, argument)
  Proto observers;    // (contract, argument)
  Proto update;       // (contract, argument, self); run
  const RuntimeType* argument = nullptr;
  const RuntimeType* result = nullptr;
};

struct ImplementationInfo {
  Identifier interface;
  std::map<std::string, std::unique_ptr<Proto>, std::less<>> methods;  // (contract)
  Proto view;                                                          // (contract)
};

struct TemplateInfo {
  const Package* package = nullptr;
  const Template* definition = nullptr;
  Identifier id;
  std::string package_name;
  const RuntimeType* type = nullptr;  // its record
  bool has_precondition = false;
  Proto precondition, signatories, observers, key;  // (contract)
  Proto maintainers;                                // (): a function of the key
  const RuntimeType* key_type = nullptr;
  std::map<std::string, std::unique_ptr<ChoiceInfo>, std::less<>> choices;
  std::vector<std::unique_ptr<ImplementationInfo>> implementations;

  const ChoiceInfo* choice(std::string_view name) const {
    auto it = choices.find(name);
    return it == choices.end() ? nullptr : it->second.get();
  }
  const ImplementationInfo* implementation(const Identifier& interface) const {
    for (const auto& i : implementations)
      if (i->interface == interface) return i.get();
    return nullptr;
  }
};

struct InterfaceInfo {
  const Package* package = nullptr;
  const Interface* definition = nullptr;
  Identifier id;
  const RuntimeType* view = nullptr;
  std::map<std::string, std::unique_ptr<ChoiceInfo>, std::less<>> choices;
  const ChoiceInfo* choice(std::string_view name) const {
    auto it = choices.find(name);
    return it == choices.end() ? nullptr : it->second.get();
  }
};

// A template, interface, choice or method named by an instruction; resolved on first use.
struct UpdateRef {
  const Package* from = nullptr;
  RefId ref = RefId::none();
  std::string member;              // choice or method
  RefId required = RefId::none();  // unsafe_from_required_interface: the interface that the value has
  mutable std::atomic<const TemplateInfo*> template_info{nullptr};
  mutable std::atomic<const InterfaceInfo*> interface_info{nullptr};
};

class Program {
 public:
  explicit Program(std::shared_ptr<const PackageStore> packages);
  Program(const Program&) = delete;

  const PackageStore& packages() const { return *packages_; }

  const TypeDescriptor* descriptor(const Package& package, const DataType& type);
  const TypeDescriptor* descriptor(const Package& from, RefId ref);  // null: not found

  std::uint32_t symbol(std::string_view name);
  const StructDescriptor* layout(std::vector<std::uint32_t> names);  // any order; sorted here by text

  using TypeEnvironment = std::vector<std::pair<std::string_view, const RuntimeType*>>;
  // Null: not closed, too deep, or names something that is not there.
  const RuntimeType* type(const Package& package, TypeId id, const TypeEnvironment& environment = {});
  const RuntimeType* type(const TypeDescriptor* con, std::vector<const RuntimeType*> args = {});
  const RuntimeType* type(BuiltinType builtin, std::vector<const RuntimeType*> args = {});
  // Of a data type: one per field (record) or constructor (variant), empty for enumerations. Null when it cannot be
  // closed.
  const std::vector<const RuntimeType*>* members(const RuntimeType& type);

  Definition* definition(const Package& package, const ValueDefinition& value);
  Definition* definition(const Package& from, RefId ref);  // null: not found
  // For runtimes that give a definition their own meaning: from now on the value is the identity function. Before
  // anything that uses it runs.
  void replace_with_identity(const Package& package, const ValueDefinition& value);
  // The function abstraction `abs` inside a package, which uses no variables from outside, as if it had a name.
  Definition* function(const Package& package, ExprId abs);
  // How many there are that are no functions.
  std::uint32_t definition_count() const { return definition_count_.load(std::memory_order_acquire); }

  const TemplateInfo* template_(const Package& package, const Template& definition);
  const TemplateInfo* template_(const Identifier& id);  // by package id; null: not found
  const InterfaceInfo* interface(const Package& package, const Interface& definition);
  const InterfaceInfo* interface(const Identifier& id);
  const TemplateInfo* template_of(const UpdateRef& ref);
  const InterfaceInfo* interface_of(const UpdateRef& ref);
  const UpdateRef* update_ref(const Package& from, RefId ref, std::string_view member = {},
                              RefId required = RefId::none());
  // Null when the type has no such exception. Proto of arity 0: a function from the exception to its message.
  const Proto* exception_message(const TypeDescriptor& type);
  // DA.Types.Tuple2 of the stable package: what key operations answer with. Fatal without it, which the type checker
  // sees to.
  const TypeDescriptor* pair_type();
  // DA.Exception.ArithmeticError of the stable package, which need not be loaded. Never null.
  const RuntimeType* arithmetic_error();

  // Compiles on first use.
  const Code& code(const Proto& proto) {
    if (const Code* c = proto.code.load(std::memory_order_acquire)) return *c;
    return compile(const_cast<Proto&>(proto));
  }

  // For constants: lives as long as the Program. Hold the lock.
  Arena& immortal() { return immortal_; }
  std::recursive_mutex& mutex() { return mutex_; }

 private:
  const Code& compile(Proto& proto);
  const RuntimeType* intern(std::unique_ptr<RuntimeType> type);
  const RuntimeType* type_at(const Package& package, TypeId id, const TypeEnvironment& environment, int depth);
  std::unique_ptr<ChoiceInfo> choice(const Package& package, StringId parameter, const Choice& definition);

  std::shared_ptr<const PackageStore> packages_;
  std::recursive_mutex mutex_;
  Arena immortal_{~std::uint64_t{0}};
  std::unordered_map<const DataType*, std::unique_ptr<TypeDescriptor>> descriptors_;
  std::unordered_map<std::string, std::uint32_t> symbols_;
  std::vector<std::string> symbol_texts_;
  std::map<std::vector<std::uint32_t>, std::unique_ptr<StructDescriptor>> layouts_;
  std::unordered_map<std::string, std::unique_ptr<RuntimeType>> types_;
  std::vector<std::unique_ptr<std::vector<const RuntimeType*>>> member_lists_;
  std::unordered_map<const ValueDefinition*, std::unique_ptr<Definition>> definitions_;
  std::map<std::pair<const Package*, ExprId>, std::unique_ptr<Definition>> functions_;
  std::unique_ptr<Definition> make_definition(const Package& package, ExprId body);
  std::atomic<std::uint32_t> definition_count_{0};
  std::unordered_map<const Template*, std::unique_ptr<TemplateInfo>> templates_;
  std::unordered_map<const Interface*, std::unique_ptr<InterfaceInfo>> interfaces_;
  std::unordered_map<const ExceptionDefinition*, std::unique_ptr<Proto>> exception_messages_;
  std::vector<std::unique_ptr<UpdateRef>> update_refs_;
  TypeDescriptor bare_descriptor_;
  std::unique_ptr<RuntimeType> bare_arithmetic_error_;
};

}  // namespace synod::lf::eval
