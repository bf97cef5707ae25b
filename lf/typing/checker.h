// State of one check_package. Internal.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lf/typing/check_package.h"
#include "lf/typing/type_reader.h"

namespace synod::lf::typing {

// Types of all builtin functions; none for numbers without one.
using BuiltinTypes = std::array<Ty, kMaxBuiltinFunction + 1>;
BuiltinTypes builtin_types(TypeReader& reader);

class Checker {
 public:
  Checker(const Package& package, const PackageStore& packages, const CheckLimits& limits);
  Status run();

 private:
  // An expression being checked. Sub-expressions whose expected types are known beforehand wait in pending_; the other
  // kinds of expressions advance by `stage`.
  struct Frame {
    ExprId expr;
    Ty expected;  // or none
    std::uint32_t stage = 0;
    std::uint32_t vars_mark, scope_mark, values_mark;
    std::uint32_t next_pending, end_pending;
    Ty result = Ty::none();  // known once the pending ones are all right
    Ty held = Ty::none();    // what a stage keeps for the next
  };

  // Definitions (check_definitions.cc).
  void data_type(const DataType& definition);
  void synonym(const Synonym& definition);
  void value(const ValueDefinition& definition);
  void template_(const Template& definition);
  void implementation(const Template& definition, Ty self, const Implementation& implementation);
  void interface(const Interface& definition);
  void exception(const ExceptionDefinition& definition);
  void choice(Ty self, StringId parameter, const Choice& choice);
  bool open_params(Slice<TypeParam> params);
  void serializable(TypeId type, Slice<TypeParam> params, const char* what);
  void serializable_data(const DataType& definition);
  void collisions();
  void dependency_versions();
  const DataType* plain_record(std::uint32_t module, DottedNameId name);

  // Expressions (check_exprs.cc, check_updates.cc).
  void check(ExprId expr, Ty expected);
  void step(Frame& frame, const Expr& e);
  bool atom(const Expr& e);
  void data_expr(Frame& frame, const Expr& e);
  void type_expr(const Expr& e);
  void interface_expr(const Expr& e);
  void update_expr(Frame& frame, const Expr& e);
  void structure(Frame& frame, const Expr& e);
  void structure_access(Frame& frame, const Expr& e);
  void application(Frame& frame, const Expr& e);
  void type_application(Frame& frame, const Expr& e);
  void abstraction(Frame& frame, const Expr& e);
  void type_abstraction(Frame& frame, const Expr& e);
  void bindings(Frame& frame, const Expr& e);
  void case_of(Frame& frame, const Expr& e);
  void try_catch(Frame& frame, const Expr& e);
  void key_expr(const Expr& e);
  bool pattern(const Alternative& alternative, Ty scrutinee, std::size_t& matched, std::size_t& expected);

  void push(ExprId expr, Ty expected);                                       // a sub-expression, result in result_
  void plan(std::initializer_list<std::pair<ExprId, Ty>> parts, Ty result);  // and then done
  void finish(Ty type);
  void bind(StringId name, Ty type);
  void unbind(std::uint32_t mark);

  Ty read(TypeId type);      // of kind *, in the current scope
  Ty read_any(TypeId type);  // of any kind
  Ty any_type(TypeId type);  // what to_any, from_any and type_rep allow
  Ty exception_type(TypeId type);
  Ty builtin(BuiltinType b) { return table_.builtin(b); }
  Ty con_of(RefId ref);
  Found<Template> template_of(RefId ref);
  Found<Interface> interface_of(RefId ref);
  Ty closed(const Package& package, TypeId type);
  bool implements(Found<Template> tpl, Found<Interface> interface) const;
  bool requires_(Found<Interface> requiring, Found<Interface> required) const;
  std::uint32_t level() const { return static_cast<std::uint32_t>(scope_.size()); }
  std::string text(StringId id) const { return std::string(package_.text(id)); }

  void fail(std::string what);
  bool failed() const { return !error_.empty(); }

  const Package& package_;
  const PackageStore& packages_;
  std::uint64_t budget_;
  TypeTable table_;
  TypeReader reader_;
  BuiltinTypes builtins_;
  std::string definition_;  // for messages
  std::string error_;

  std::vector<Frame> frames_;
  std::vector<std::pair<ExprId, Ty>> pending_;
  std::vector<Ty> values_;  // what frames keep, as marked
  Ty result_ = Ty::none();
  std::vector<std::vector<Ty>> vars_;  // by StringId: the innermost last
  std::vector<StringId> bound_;        // in order of binding
  TypeScope scope_;
};

}  // namespace synod::lf::typing
