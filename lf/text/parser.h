// LF text to syntax tree: recursive descent over tokens, with a limit on nesting, because LF text comes from
// programmers and not from the network. Internal to lf/text; others use assembler.h, which also documents the language.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lf/package_builder.h"
#include "lf/text/token.h"

namespace synod::lf {
class PackageStore;
}

namespace synod::lf::text {

inline constexpr int kMaxTextNesting = 5'000;

class Parser {
 public:
  // `dependencies` resolves quoted package names; it may be null, then packages are named by id only.
  Parser(std::vector<Token> tokens, LanguageVersion version, const PackageStore* dependencies);

  // The package's id is empty: it is known only when the package is encoded.
  Result<PackagePtr> package();

 private:
  class Nested;

  // Tokens.
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token take();
  bool try_symbol(std::string_view symbol);
  bool try_word(std::string_view word);
  void expect(std::string_view symbol);
  void expect_word(std::string_view word);
  // The first error is kept; afterwards only the end is left to read, so that every loop stops.
  void error(std::string what);
  bool failed() const { return !error_.id.empty(); }

  // Names.
  StringId name();
  DottedNameId dotted_name();
  bool at_reference() const;  // [package:]Module.Name:Definition
  RefId reference();
  std::uint32_t package_index(const Token& quoted);
  RefId reference_argument();  // @Module:Name

  // Kinds and types.
  KindId kind();
  KindId simple_kind();
  TypeParam type_binder();
  std::vector<TypeParam> type_binders();
  TypeId type();
  TypeId type_application();
  TypeId simple_type();
  TypeId struct_type();
  TypeId type_argument();  // @type
  bool at_simple_type() const;
  NamedType typed_name();  // name : type
  NamedType binder();      // ( name : type )

  // Expressions.
  ExprId expr();
  ExprId simple_expr();  // what may stand as an argument
  bool at_simple_expr() const;
  ExprId reference_expr();
  ExprId record_expr(TypeId type);
  ExprId constructor_expr(RefId ref);
  ExprId parenthesised();
  ExprId struct_expr();
  ExprId literal();
  bool word_expr(ExprId& result);
  bool interface_expr(const std::string& word, ExprId& result);
  bool update_expr(const std::string& word, ExprId& result);
  ExprId abstraction();
  ExprId type_abstraction();
  ExprId let();
  ExprId case_of();
  Alternative alternative();
  ExprId block();
  ExprId located();
  Binding binding(std::string_view separator);
  FieldExpr field();
  std::vector<FieldExpr> field_list(std::string_view end);
  ExprId add(const Expr& node) { return builder_.expr(node); }
  ExprId application(ExprId function, std::vector<ExprId>& args);
  ExprId empty_party_list();

  // Definitions.
  void metadata();
  void module();
  void definition();
  bool tag(std::string_view name);
  void synonym();
  void record();
  void variant();
  void enumeration();
  void value();
  void exception();
  void template_();
  void interface();
  Choice choice();
  Implementation implementation();

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  const PackageStore* dependencies_;
  PackageBuilder builder_;
  std::uint32_t module_ = 0;
  int nesting_ = 0;
  Error error_;
};

}  // namespace synod::lf::text
