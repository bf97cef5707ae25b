// The package, its modules and their definitions.
#include "lf/text/parser.h"

namespace synod::lf::text {

// metadata ('name' : 'version' [, upgrades 'package id']) [imports ('package id' ...)]
void Parser::metadata() {
  PackageMetadata metadata;
  expect_word("metadata");
  expect("(");
  if (peek().kind != TokenKind::quoted || !is_package_name(peek().text)) error("expected a quoted package name");
  metadata.name = take().text;
  expect(":");
  if (peek().kind != TokenKind::quoted || !is_package_version(peek().text)) error("expected a quoted package version");
  metadata.version = take().text;
  if (try_symbol(",")) {
    expect_word("upgrades");
    if (peek().kind != TokenKind::quoted) error("expected a quoted package id");
    metadata.upgraded_package_id = take().text;
  }
  expect(")");
  builder_.set_metadata(std::move(metadata));
  if (!try_word("imports")) return;
  std::vector<std::string> imports;
  expect("(");
  while (peek().kind == TokenKind::quoted) imports.push_back(take().text);
  expect(")");
  builder_.set_declared_imports(std::move(imports));
}

void Parser::module() {
  expect_word("module");
  module_ = builder_.add_module(dotted_name());
  expect("{");
  while (!failed() && !peek().is("}")) {
    definition();
    expect(";");
  }
  expect("}");
}

void Parser::definition() {
  if (try_word("synonym")) return synonym();
  if (try_word("record")) return record();
  if (try_word("variant")) return variant();
  if (try_word("enum")) return enumeration();
  if (try_word("val")) return value();
  if (try_word("template")) return template_();
  if (try_word("exception")) return exception();
  if (try_word("interface")) return interface();
  error("expected a definition");
}

bool Parser::tag(std::string_view name) {
  if (!try_symbol("@")) return false;
  expect_word(name);
  return true;
}

void Parser::synonym() {
  Synonym definition{};
  definition.module = module_;
  definition.name = dotted_name();
  auto params = type_binders();
  definition.params = builder_.list(params);
  expect("=");
  definition.type = type();
  builder_.add(definition);
}

void Parser::record() {
  DataType definition{};
  definition.module = module_;
  definition.kind = DataKind::record;
  definition.serializable = tag("serializable");
  definition.name = dotted_name();
  auto params = type_binders();
  definition.params = builder_.list(params);
  expect("=");
  expect("{");
  std::vector<NamedType> fields;
  if (!peek().is("}")) {
    do {
      fields.push_back(typed_name());
    } while (try_symbol(","));
  }
  expect("}");
  definition.fields = builder_.list(fields);
  builder_.add(definition);
}

void Parser::variant() {
  DataType definition{};
  definition.module = module_;
  definition.kind = DataKind::variant;
  definition.serializable = tag("serializable");
  definition.name = dotted_name();
  auto params = type_binders();
  definition.params = builder_.list(params);
  expect("=");
  std::vector<NamedType> constructors;
  if (!peek().is(";")) {
    do {
      constructors.push_back(typed_name());
    } while (try_symbol("|"));
  }
  definition.fields = builder_.list(constructors);
  builder_.add(definition);
}

void Parser::enumeration() {
  DataType definition{};
  definition.module = module_;
  definition.kind = DataKind::enumeration;
  definition.serializable = tag("serializable");
  definition.name = dotted_name();
  expect("=");
  std::vector<StringId> constructors;
  if (!peek().is(";")) {
    do {
      constructors.push_back(name());
    } while (try_symbol("|"));
  }
  definition.constructors = builder_.list(constructors);
  builder_.add(definition);
}

void Parser::value() {
  ValueDefinition definition{};
  definition.module = module_;
  definition.name = dotted_name();
  expect(":");
  definition.type = type();
  expect("=");
  definition.body = expr();
  builder_.add(definition);
}

void Parser::exception() {
  ExceptionDefinition definition{};
  definition.module = module_;
  definition.name = dotted_name();
  expect("=");
  expect("{");
  expect_word("message");
  definition.message = expr();
  try_symbol(";");
  expect("}");
  builder_.add(definition);
}

ExprId Parser::empty_party_list() {
  Expr e = Expr::bare(ExprKind::nil);
  e.type = builder_.type_builtin(BuiltinType::party);
  return add(e);
}

void Parser::template_() {
  Template definition{};
  definition.module = module_;
  expect("(");
  definition.parameter = name();
  expect(":");
  definition.name = dotted_name();
  expect(")");
  expect("=");
  expect("{");
  definition.precondition = definition.signatories = definition.observers = ExprId::none();
  std::vector<Choice> choices;
  std::vector<Implementation> implementations;
  while (!failed() && !peek().is("}")) {
    if (try_word("precondition")) {
      definition.precondition = expr();
    } else if (try_word("signatories")) {
      definition.signatories = expr();
    } else if (try_word("observers")) {
      definition.observers = expr();
    } else if (try_word("choice")) {
      choices.push_back(choice());
    } else if (try_word("implements")) {
      implementations.push_back(implementation());
    } else if (try_word("key")) {
      if (!builder_.package().language_version().has_contract_keys()) error("contract keys need Daml-LF 2.3");
      definition.has_key = true;
      definition.key.type = type_argument();
      definition.key.key = simple_expr();
      definition.key.maintainers = simple_expr();
    } else {
      error("expected part of a template");
    }
    expect(";");
  }
  if (definition.signatories.is_none()) error("expected signatories");
  if (definition.observers.is_none()) definition.observers = empty_party_list();
  expect("}");
  definition.choices = builder_.list(choices);
  definition.implementations = builder_.list(implementations);
  builder_.add(definition);
}

Choice Parser::choice() {
  Choice result{};
  result.consuming = !tag("nonConsuming");
  result.name = name();
  expect("(");
  result.self_binder = name();
  expect(")");
  result.argument = binder();
  expect(":");
  result.result = type();
  expect(",");
  expect_word("controllers");
  result.controllers = expr();
  if (try_symbol(",")) {
    expect_word("observers");
    result.observers = expr();
  } else {
    result.observers = empty_party_list();
  }
  expect_word("to");
  result.update = expr();
  return result;
}

Implementation Parser::implementation() {
  Implementation result{};
  result.interface = reference();
  expect("{");
  expect_word("view");
  expect("=");
  result.view = expr();
  expect(";");
  std::vector<MethodBody> methods;
  while (try_word("method")) {
    auto method = field();
    methods.push_back(MethodBody{method.name, method.value});
    expect(";");
  }
  expect("}");
  result.methods = builder_.list(methods);
  return result;
}

void Parser::interface() {
  Interface definition{};
  definition.module = module_;
  expect("(");
  definition.parameter = name();
  expect(":");
  definition.name = dotted_name();
  expect(")");
  expect("=");
  expect("{");
  expect_word("viewtype");
  definition.view = type();
  expect(";");
  std::vector<RefId> required;
  std::vector<NamedType> methods;
  std::vector<Choice> choices;
  while (!failed() && !peek().is("}")) {
    if (try_word("requires")) {
      required.push_back(reference());
    } else if (try_word("method")) {
      methods.push_back(typed_name());
    } else if (try_word("choice")) {
      choices.push_back(choice());
    } else {
      error("expected part of an interface");
    }
    expect(";");
  }
  expect("}");
  definition.required = builder_.list(required);
  definition.methods = builder_.list(methods);
  definition.choices = builder_.list(choices);
  builder_.add(definition);

  DataType data_type{};
  data_type.module = module_;
  data_type.name = definition.name;
  data_type.kind = DataKind::interface;
  builder_.add(data_type);
}

}  // namespace synod::lf::text
