// Tokens, names, kinds and types.
#include "lf/text/parser.h"

#include <algorithm>

#include "lf/package_store.h"
#include "lf/text/nesting.h"

namespace synod::lf::text {

Parser::Parser(std::vector<Token> tokens, LanguageVersion version, const PackageStore* dependencies)
    : tokens_(std::move(tokens)), dependencies_(dependencies), builder_(std::string(), version) {}

Result<PackagePtr> Parser::package() {
  metadata();
  while (!failed() && peek().kind != TokenKind::end) module();
  if (failed()) return tl::unexpected<Error>(error_);
  return builder_.finish();
}

// ---- tokens

Token Parser::take() {
  Token token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::try_symbol(std::string_view symbol) {
  if (!peek().is(symbol)) return false;
  take();
  return true;
}

bool Parser::try_word(std::string_view word) {
  if (!peek().is_word(word)) return false;
  take();
  return true;
}

void Parser::expect(std::string_view symbol) {
  if (!try_symbol(symbol)) error("expected " + std::string(symbol));
}

void Parser::expect_word(std::string_view word) {
  if (!try_word(word)) error("expected " + std::string(word));
}

void Parser::error(std::string what) {
  if (failed()) return;
  const Token& token = peek();
  error_ = text_error(token, what + (token.kind == TokenKind::end ? ", not the end" : ", not " + token.text));
  at_ = tokens_.size() - 1;
}

// ---- names

StringId Parser::name() {
  if (peek().kind != TokenKind::word) error("expected a name");
  return builder_.string(take().text);
}

DottedNameId Parser::dotted_name() {
  if (peek().kind != TokenKind::word) error("expected a name");
  std::string dotted = take().text;
  while (peek().is(".") && peek(1).kind == TokenKind::word) {
    take();
    dotted += "." + take().text;
  }
  return builder_.dotted_name(dotted);
}

bool Parser::at_reference() const {
  if (peek().kind == TokenKind::quoted) return true;
  std::size_t ahead = 0;
  if (peek(ahead).kind != TokenKind::word) return false;
  ++ahead;
  while (peek(ahead).is(".") && peek(ahead + 1).kind == TokenKind::word) ahead += 2;
  return peek(ahead).is(":") && peek(ahead + 1).kind == TokenKind::word;
}

RefId Parser::reference() {
  std::uint32_t package = 0;
  if (peek().kind == TokenKind::quoted) {
    package = package_index(peek());
    take();
    expect(":");
  }
  auto module = dotted_name();
  expect(":");
  auto definition = dotted_name();
  return builder_.ref(Ref{package, module, definition});
}

std::uint32_t Parser::package_index(const Token& quoted) {
  bool is_hash = quoted.text.size() == 64 && quoted.text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_hash) return builder_.package_index(quoted.text);
  const Package* package = dependencies_ ? dependencies_->preferred(quoted.text) : nullptr;
  if (!package) {
    error("unknown package");
    return 0;
  }
  return builder_.package_index(package->id());
}

RefId Parser::reference_argument() {
  expect("@");
  return reference();
}

// ---- kinds

KindId Parser::kind() {
  Nested nested(nesting_);
  if (nested.too_deep()) return error("nested too deeply"), builder_.star();
  KindId parameter = simple_kind();
  return try_symbol("->") ? builder_.arrow(parameter, kind()) : parameter;
}

KindId Parser::simple_kind() {
  if (try_symbol("*")) return builder_.star();
  if (try_word("nat")) return builder_.nat();
  expect("(");
  KindId inner = failed() ? builder_.star() : kind();
  expect(")");
  return inner;
}

TypeParam Parser::type_binder() {
  if (!try_symbol("(")) return TypeParam{name(), builder_.star()};
  auto variable = name();
  expect(":");
  auto its_kind = kind();
  expect(")");
  return TypeParam{variable, its_kind};
}

std::vector<TypeParam> Parser::type_binders() {
  std::vector<TypeParam> binders;
  while (peek().is("(") || peek().kind == TokenKind::word) binders.push_back(type_binder());
  return binders;
}

// ---- types

TypeId Parser::type() {
  Nested nested(nesting_);
  if (nested.too_deep()) error("nested too deeply");
  TypeId left = type_application();
  return try_symbol("->") ? builder_.type_arrow(left, type()) : left;
}

TypeId Parser::type_application() {
  TypeId result = simple_type();
  while (at_simple_type()) result = builder_.type_app(result, simple_type());
  return result;
}

bool Parser::at_simple_type() const {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::number:
    case TokenKind::quoted:
      return true;
    case TokenKind::word:
      return token.only_a_name || (token.text != "of" && token.text != "in" && token.text != "to");
    case TokenKind::symbol:
      return token.text == "(" || token.text == "<";
    default:
      return false;
  }
}

TypeId Parser::simple_type() {
  if (failed()) return builder_.type_builtin(BuiltinType::unit);
  const Token token = peek();
  if (try_symbol("(")) {
    TypeId inner = type();
    expect(")");
    return inner;
  }
  if (token.kind == TokenKind::number) {
    if (token.value < 0 || token.value > 37) error("expected a number from 0 to 37");
    take();
    return builder_.type_nat(static_cast<std::uint32_t>(std::clamp<std::int64_t>(token.value, 0, 37)));
  }
  if (try_word("forall")) {
    auto binders = type_binders();
    if (binders.empty()) error("expected a type variable");
    expect(".");
    TypeId body = type();
    for (auto it = binders.rbegin(); it != binders.rend(); ++it) body = builder_.type_forall(*it, body);
    return body;
  }
  if (try_symbol("<")) return struct_type();
  if (try_symbol("||")) {
    RefId synonym = reference();
    std::vector<TypeId> args;
    while (at_simple_type()) args.push_back(simple_type());
    expect("||");
    return builder_.type_synonym(synonym, args);
  }
  if (at_reference()) return builder_.type_con(reference());
  if (token.kind != TokenKind::word) {
    error("expected a type");
    return builder_.type_builtin(BuiltinType::unit);
  }
  take();
  if (auto builtin = token.only_a_name ? std::nullopt : builtin_type_named(token.text))
    return builder_.type_builtin(*builtin);
  return builder_.type_var(builder_.string(token.text));
}

TypeId Parser::struct_type() {
  std::vector<NamedType> fields;
  do {
    fields.push_back(typed_name());
  } while (try_symbol(","));
  expect(">");
  auto twice = [&](const NamedType& field) { return std::ranges::count(fields, field.name, &NamedType::name) > 1; };
  if (std::ranges::any_of(fields, twice)) error("expected different field names");
  return builder_.type_struct(std::move(fields));
}

TypeId Parser::type_argument() {
  expect("@");
  return simple_type();
}

NamedType Parser::typed_name() {
  auto variable = name();
  expect(":");
  return NamedType{variable, type()};
}

NamedType Parser::binder() {
  expect("(");
  auto result = typed_name();
  expect(")");
  return result;
}

}  // namespace synod::lf::text
