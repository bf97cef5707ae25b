// Types as the type checker sees them: of any package, without synonyms, interned, so that equality is identity.
//
// Types in scope of a quantifier are never looked at from inside: a quantified variable becomes a numbered `var` while
// its body is worked on, and is closed again (`forall`) afterwards. So equal means equal up to the names of bound
// variables. Every type knows its kind, and an ill-kinded application cannot be built.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lf/package.h"

namespace synod::lf::typing {

using Ty = Id<struct TyTag>;
using TyKind = Id<struct TyKindTag>;
using NameId = Id<struct NameTag>;  // of struct fields, across packages

enum class TyShape : std::uint8_t {
  con,        // definition
  builtin,    // builtin
  nat,        // number
  var,        // number: how many type variables were in scope when it was introduced
  bound,      // number: de Bruijn index, only inside a forall
  app,        // first = function, second = argument
  forall,     // binder = kind of the variable, first = body
  structure,  // fields, sorted by name
};

struct TyNode {
  TyShape shape;
  bool has_var = false;     // a var occurs inside
  std::uint32_t loose = 0;  // 1 + the largest bound index that no forall inside binds; 0: none
  TyKind kind;
  const Package* package = nullptr;
  const DataType* definition = nullptr;
  BuiltinType builtin = BuiltinType::unit;
  std::uint32_t number = 0;
  TyKind binder = TyKind::none();
  Ty first = Ty::none(), second = Ty::none();
  std::vector<std::pair<NameId, Ty>> fields;
};

class TypeTable {
 public:
  TypeTable();

  TyKind star() const { return TyKind{0}; }
  TyKind nat_kind() const { return TyKind{1}; }
  TyKind arrow_kind(TyKind parameter, TyKind result);
  TyKind kind(const Package& package, KindId id);  // none: the kind of numbers right of an arrow

  const TyNode& node(Ty t) const { return nodes_[t.value]; }
  TyKind kind_of(Ty t) const { return nodes_[t.value].kind; }

  Ty con(const Package& package, const DataType& definition);
  Ty builtin(BuiltinType b);
  Ty nat(std::uint32_t number);
  Ty var(std::uint32_t level, TyKind kind);
  Ty app(Ty function, Ty argument);                         // none: ill-kinded
  Ty structure(std::vector<std::pair<NameId, Ty>> fields);  // sorted by the caller's names; see field()
  Ty forall(Ty variable, Ty body);                          // closes the body over the variable
  Ty instantiate(Ty forall, Ty argument);

  Ty builtin(BuiltinType b, Ty argument) { return app(builtin(b), argument); }
  Ty arrow(Ty from, Ty to) { return app(app(builtin(BuiltinType::arrow), from), to); }
  Ty list(Ty element) { return builtin(BuiltinType::list, element); }
  Ty optional(Ty element) { return builtin(BuiltinType::optional, element); }
  Ty update(Ty result) { return builtin(BuiltinType::update, result); }
  Ty contract_id(Ty contract) { return builtin(BuiltinType::contract_id, contract); }
  Ty parties() { return list(builtin(BuiltinType::party)); }

  // Taking types apart; false or none when it is something else.
  bool as_arrow(Ty t, Ty& from, Ty& to) const;
  Ty as_applied(Ty t, BuiltinType b) const;  // the argument of b
  bool is_builtin(Ty t, BuiltinType b) const;
  // The data type at the head of an application, with its arguments; null: another head.
  const TyNode* as_data(Ty t, std::vector<Ty>& arguments) const;

  NameId name(std::string_view text);
  std::string_view text(NameId id) const { return names_[id.value]; }
  Ty field(Ty structure, NameId name) const;  // none: no such field

  std::size_t size() const { return nodes_.size(); }
  std::string to_string(Ty t) const;  // at most about 200 characters

 private:
  struct Hash {
    const std::deque<TyNode>* nodes;
    std::size_t operator()(std::uint32_t id) const;
  };
  struct Equal {
    const std::deque<TyNode>* nodes;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };
  Ty intern(TyNode node);
  template <typename Leaf>
  Ty rewrite(Ty root, Leaf leaf);

  std::deque<TyNode> nodes_;
  boost::unordered_flat_set<std::uint32_t, Hash, Equal> interned_;
  // Short cuts to what is asked for most.
  std::array<Ty, 20> builtins_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> applications_;
  std::vector<std::pair<TyKind, TyKind>> kinds_;  // parameter, result; none for star and nat
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> kind_ids_;
  boost::unordered_flat_map<const Package*, std::vector<TyKind>> package_kinds_;  // by KindId
  std::deque<std::string> names_;
  boost::unordered_flat_map<std::string_view, std::uint32_t> name_ids_;
};

}  // namespace synod::lf::typing
