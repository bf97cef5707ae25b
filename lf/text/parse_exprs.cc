// Expressions, except words that begin one (parse_words.cc).
#include "lf/text/nesting.h"
#include "lf/text/parser.h"

namespace synod::lf::text {

ExprId Parser::expr() {
  Nested nested(nesting_);
  if (nested.too_deep()) error("nested too deeply");
  if (peek().is_word("loc")) return located();
  ExprId result = simple_expr();
  std::vector<ExprId> args;
  while (!failed()) {
    if (peek().is("@")) {
      result = application(result, args);
      std::vector<TypeId> types;
      while (peek().is("@")) types.push_back(type_argument());
      Expr e = Expr::bare(ExprKind::type_app);
      e.first = result;
      e.types = builder_.list(types);
      result = add(e);
    } else if (at_simple_expr()) {
      args.push_back(simple_expr());
    } else {
      break;
    }
  }
  return application(result, args);
}

ExprId Parser::application(ExprId function, std::vector<ExprId>& args) {
  if (args.empty()) return function;
  Expr e = Expr::bare(ExprKind::app);
  e.first = function;
  e.args = builder_.list(args);
  args.clear();
  return add(e);
}

bool Parser::at_simple_expr() const {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::end:
      return false;
    case TokenKind::symbol:
      return token.text == "(" || token.text == "<" || token.text == "\\" || token.text == "/\\";
    case TokenKind::word:
      if (token.only_a_name) return true;
      for (const char* closing : {"in", "of", "with", "to", "catch"}) {
        if (token.text == closing) return false;
      }
      return true;
    default:
      return true;
  }
}

ExprId Parser::simple_expr() {
  Nested nested(nesting_);
  if (nested.too_deep()) error("nested too deeply");
  if (failed()) return add(Expr::bare(ExprKind::builtin_con));
  if (at_reference()) return reference_expr();
  const Token& token = peek();
  if (token.kind == TokenKind::symbol) {
    if (token.text == "(") return parenthesised();
    if (token.text == "<") return struct_expr();
    if (token.text == "\\") return abstraction();
    if (token.text == "/\\") return type_abstraction();
    error("expected an expression");
    return add(Expr::bare(ExprKind::builtin_con));
  }
  if (token.kind != TokenKind::word) return literal();
  ExprId result;
  if (!token.only_a_name && word_expr(result)) return result;
  Expr e = Expr::bare(ExprKind::var);
  e.pair.id = name().value;
  return add(e);
}

// A value, or something made of a data type: record, projection, update, variant or enumeration.
ExprId Parser::reference_expr() {
  RefId ref = reference();
  if (peek().is(":") && peek(1).kind == TokenKind::word) return constructor_expr(ref);
  auto after_reference = at_;
  std::vector<TypeId> types;
  while (peek().is("@")) types.push_back(type_argument());
  if (peek().is("{")) return record_expr(builder_.type_con(ref, types));
  if (!failed()) at_ = after_reference;  // the type arguments belong to the value
  Expr e = Expr::bare(ExprKind::value);
  e.ref = ref;
  return add(e);
}

ExprId Parser::record_expr(TypeId type) {
  expect("{");
  Expr e = Expr::bare(ExprKind::record_con);
  e.type = type;
  bool is_construction = peek().is("}") || (peek().kind == TokenKind::word && peek(1).is("="));
  if (is_construction) {
    auto fields = field_list("}");
    e.fields = builder_.list(fields);
    return add(e);
  }
  if (peek().kind == TokenKind::word && peek(1).is("}")) {
    e.kind = ExprKind::record_proj;
    e.pair.id = name().value;
    expect("}");
    e.first = simple_expr();
    return add(e);
  }
  e.kind = ExprKind::record_upd;
  e.first = expr();
  expect_word("with");
  auto [field_name, field_value] = field();
  e.pair.id = field_name.value;
  e.pair.second = field_value;
  expect("}");
  return add(e);
}

ExprId Parser::constructor_expr(RefId ref) {
  expect(":");
  auto constructor = name();
  std::vector<TypeId> types;
  while (peek().is("@")) types.push_back(type_argument());
  Expr e = Expr::bare(ExprKind::enum_con);
  e.pair.id = constructor.value;
  if (at_simple_expr()) {
    e.kind = ExprKind::variant_con;
    e.type = builder_.type_con(ref, types);
    e.first = simple_expr();
  } else {
    if (!types.empty()) error("expected the argument of a variant constructor");
    e.ref = ref;
  }
  return add(e);
}

// (), a parenthesised expression, or a projection of one: (struct).field
ExprId Parser::parenthesised() {
  expect("(");
  if (try_symbol(")")) {
    Expr unit = Expr::bare(ExprKind::builtin_con);
    unit.con = BuiltinCon::unit;
    return add(unit);
  }
  ExprId inner = expr();
  expect(")");
  if (!try_symbol(".")) return inner;
  Expr e = Expr::bare(ExprKind::struct_proj);
  e.pair.id = name().value;
  e.first = inner;
  return add(e);
}

ExprId Parser::struct_expr() {
  expect("<");
  Expr e = Expr::bare(ExprKind::struct_con);
  if (peek().is(">") || (peek().kind == TokenKind::word && peek(1).is("="))) {
    auto fields = field_list(">");
    e.fields = builder_.list(fields);
    return add(e);
  }
  e.kind = ExprKind::struct_upd;
  e.first = expr();
  expect_word("with");
  auto [field_name, field_value] = field();
  e.pair.id = field_name.value;
  e.pair.second = field_value;
  expect(">");
  return add(e);
}

FieldExpr Parser::field() {
  auto field_name = name();
  expect("=");
  return FieldExpr{field_name, expr()};
}

std::vector<FieldExpr> Parser::field_list(std::string_view end) {
  std::vector<FieldExpr> fields;
  if (!peek().is(end)) {
    do {
      fields.push_back(field());
    } while (try_symbol(","));
  }
  expect(end);
  return fields;
}

ExprId Parser::literal() {
  Token token = take();
  Expr e = Expr::bare(ExprKind::int64);
  switch (token.kind) {
    case TokenKind::number:
      e.number = token.value;
      break;
    case TokenKind::timestamp:
      e.kind = ExprKind::timestamp;
      e.number = token.value;
      break;
    case TokenKind::date:
      e.kind = ExprKind::date;
      e.number = token.value;
      break;
    case TokenKind::numeric:
      e.kind = ExprKind::numeric;
      e.pair.id = builder_.string(token.text).value;
      break;
    case TokenKind::text:
      e.kind = ExprKind::text;
      e.pair.id = builder_.string(token.text).value;
      break;
    default:
      error("expected an expression");
      break;
  }
  return add(e);
}

ExprId Parser::abstraction() {
  expect("\\");
  std::vector<NamedType> params;
  do {
    params.push_back(binder());
  } while (peek().is("("));
  expect("->");
  Expr e = Expr::bare(ExprKind::abs);
  e.params = builder_.list(params);
  e.first = expr();
  return add(e);
}

ExprId Parser::type_abstraction() {
  expect("/\\");
  auto params = type_binders();
  if (params.empty()) error("expected a type variable");
  expect(".");
  Expr e = Expr::bare(ExprKind::type_abs);
  e.type_params = builder_.list(params);
  e.first = expr();
  return add(e);
}

Binding Parser::binding(std::string_view separator) {
  auto [variable, its_type] = typed_name();
  expect(separator);
  return Binding{variable, its_type, expr()};
}

ExprId Parser::let() {
  std::vector<Binding> bindings;
  do {
    bindings.push_back(binding("="));
  } while (try_symbol(";"));
  expect_word("in");
  Expr e = Expr::bare(ExprKind::let);
  e.bindings = builder_.list(bindings);
  e.first = expr();
  return add(e);
}

ExprId Parser::block() {
  std::vector<Binding> bindings;
  do {
    bindings.push_back(binding("<-"));
  } while (try_symbol(";"));
  expect_word("in");
  Expr e = Expr::bare(ExprKind::update_block);
  e.bindings = builder_.list(bindings);
  e.first = expr();
  return add(e);
}

ExprId Parser::case_of() {
  Expr e = Expr::bare(ExprKind::case_of);
  e.first = expr();
  expect_word("of");
  std::vector<Alternative> alternatives;
  do {
    alternatives.push_back(alternative());
  } while (try_symbol("|"));
  e.alternatives = builder_.list(alternatives);
  return add(e);
}

Alternative Parser::alternative() {
  Alternative alt{};
  if (at_reference()) {
    alt.type = reference();
    expect(":");
    alt.constructor = name();
    alt.pattern = PatternKind::enumeration;
    if (peek().kind == TokenKind::word) {
      alt.pattern = PatternKind::variant;
      alt.binder = name();
    }
  } else if (try_symbol("(")) {
    expect(")");
    alt.pattern = PatternKind::unit;
  } else if (try_word("_")) {
    alt.pattern = PatternKind::default_;
  } else if (try_word("True")) {
    alt.pattern = PatternKind::true_;
  } else if (try_word("False")) {
    alt.pattern = PatternKind::false_;
  } else if (try_word("Nil")) {
    alt.pattern = PatternKind::nil;
  } else if (try_word("None")) {
    alt.pattern = PatternKind::none;
  } else if (try_word("Cons")) {
    alt.pattern = PatternKind::cons;
    alt.binder = name();
    alt.tail = name();
  } else if (try_word("Some")) {
    alt.pattern = PatternKind::some;
    alt.binder = name();
  } else {
    error("expected a pattern");
  }
  expect("->");
  alt.body = expr();
  return alt;
}

// loc(['package':]Module, definition, start line, start column, end line, end column) expression
ExprId Parser::located() {
  expect_word("loc");
  expect("(");
  Location location{};
  if (peek().kind == TokenKind::quoted) {
    location.package = package_index(peek());
    take();
    expect(":");
  }
  location.module = try_word("_") ? DottedNameId::none() : dotted_name();
  expect(",");
  name();
  for (auto member : {&Location::start_line, &Location::start_column, &Location::end_line, &Location::end_column}) {
    expect(",");
    if (peek().kind != TokenKind::number) error("expected a number");
    location.*member = static_cast<std::int32_t>(take().value);
  }
  expect(")");
  ExprId inner = simple_expr();
  if (failed()) return inner;
  Expr copy = builder_.package().expr(inner);
  copy.location = builder_.location(location);
  return add(copy);
}

}  // namespace synod::lf::text
