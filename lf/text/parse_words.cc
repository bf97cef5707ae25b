// Expressions that begin with a word: constructors, builtins, interface expressions and updates.
#include <map>

#include "lf/text/parser.h"

namespace synod::lf::text {

namespace {

constexpr const char* kFailureCategories[] = {"INVALID_INDEPENDENT_OF_SYSTEM_STATE",
                                              "INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER"};

// word @type expression
const std::map<std::string_view, ExprKind> kTyped = {
    {"Some", ExprKind::some},
    {"to_any", ExprKind::to_any},
    {"from_any", ExprKind::from_any},
    {"to_any_exception", ExprKind::to_any_exception},
    {"from_any_exception", ExprKind::from_any_exception},
    {"upure", ExprKind::update_pure},
    {"uembed_expr", ExprKind::update_embed},
};

// word @interface expression
const std::map<std::string_view, ExprKind> kOnInterface = {
    {"view_interface", ExprKind::view_interface},
    {"signatory_interface", ExprKind::signatory_interface},
    {"observer_interface", ExprKind::observer_interface},
    {"interface_template_type_rep", ExprKind::interface_template_type_rep},
};

// word @interface @template expression [expression]
const std::map<std::string_view, ExprKind> kConversions = {
    {"to_interface", ExprKind::to_interface},
    {"from_interface", ExprKind::from_interface},
    {"unsafe_from_interface", ExprKind::unsafe_from_interface},
    {"to_required_interface", ExprKind::to_required_interface},
    {"from_required_interface", ExprKind::from_required_interface},
    {"unsafe_from_required_interface", ExprKind::unsafe_from_required_interface},
};

// word @template expression
const std::map<std::string_view, ExprKind> kOnTemplate = {
    {"create", ExprKind::update_create},
    {"create_by_interface", ExprKind::update_create_interface},
    {"fetch_template", ExprKind::update_fetch},
    {"fetch_interface", ExprKind::update_fetch_interface},
};

// word @template choice expression expression
const std::map<std::string_view, ExprKind> kExercises = {
    {"exercise", ExprKind::update_exercise},
    {"exercise_interface", ExprKind::update_exercise_interface},
    {"exercise_by_key", ExprKind::update_exercise_by_key},
};

const ExprKind* find(const std::map<std::string_view, ExprKind>& table, const std::string& word) {
  auto it = table.find(word);
  return it == table.end() ? nullptr : &it->second;
}

}  // namespace

bool Parser::word_expr(ExprId& result) {
  const std::string word = peek().text;
  auto constant = [&](BuiltinCon con) {
    take();
    Expr e = Expr::bare(ExprKind::builtin_con);
    e.con = con;
    result = add(e);
    return true;
  };
  if (word == "True") return constant(BuiltinCon::true_);
  if (word == "False") return constant(BuiltinCon::false_);
  if (word == "let") return take(), result = let(), true;
  if (word == "case") return take(), result = case_of(), true;
  for (std::uint8_t i = 0; i < 2; ++i) {
    if (word != kFailureCategories[i]) continue;
    take();
    Expr e = Expr::bare(ExprKind::failure_category);
    e.category = static_cast<FailureCategory>(i);
    result = add(e);
    return true;
  }
  if (auto builtin = builtin_function_named(word)) {
    take();
    if (!builtin_function(static_cast<std::uint64_t>(*builtin), builder_.package().language_version())) {
      error("builtin " + word + " needs a later version of Daml-LF");
    }
    Expr e = Expr::bare(ExprKind::builtin);
    e.builtin = *builtin;
    result = add(e);
    return true;
  }
  if (word == "Nil" || word == "None" || word == "type_rep") {
    take();
    Expr e = Expr::bare(word == "Nil" ? ExprKind::nil : word == "None" ? ExprKind::none : ExprKind::type_rep);
    e.type = type_argument();
    result = add(e);
    return true;
  }
  if (word == "Cons") {
    take();
    Expr e = Expr::bare(ExprKind::cons);
    e.type = type_argument();
    std::vector<ExprId> front;
    expect("[");
    do {
      front.push_back(expr());
    } while (try_symbol(","));
    expect("]");
    e.args = builder_.list(front);
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (word == "throw") {
    take();
    Expr e = Expr::bare(ExprKind::throw_);
    e.type = type_argument();
    e.pair.id = type_argument().value;
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (const ExprKind* kind = find(kTyped, word)) {
    take();
    Expr e = Expr::bare(*kind);
    e.type = type_argument();
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  return interface_expr(word, result) || update_expr(word, result);
}

bool Parser::interface_expr(const std::string& word, ExprId& result) {
  if (const ExprKind* kind = find(kOnInterface, word)) {
    take();
    Expr e = Expr::bare(*kind);
    e.ref = reference_argument();
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (word == "call_method") {
    take();
    Expr e = Expr::bare(ExprKind::call_interface);
    e.ref = reference_argument();
    e.pair.id = name().value;
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (const ExprKind* kind = find(kConversions, word)) {
    take();
    Expr e = Expr::bare(*kind);
    e.ref = reference_argument();
    e.pair.id = reference_argument().value;
    e.first = simple_expr();
    bool two = *kind == ExprKind::unsafe_from_interface || *kind == ExprKind::unsafe_from_required_interface;
    if (two) e.pair.second = simple_expr();
    if (*kind == ExprKind::unsafe_from_interface &&
        !builder_.package().language_version().has_unsafe_from_interface()) {
      error("unsafe_from_interface is part of Daml-LF 2.1 only");
    }
    result = add(e);
    return true;
  }
  return false;
}

bool Parser::update_expr(const std::string& word, ExprId& result) {
  auto needs_keys = [&] {
    if (!builder_.package().language_version().has_contract_keys()) error("contract keys need Daml-LF 2.3");
  };
  if (word == "ubind") return take(), result = block(), true;
  if (word == "uget_time") {
    take();
    result = add(Expr::bare(ExprKind::update_get_time));
    return true;
  }
  if (word == "ledger_time_lt") {
    take();
    Expr e = Expr::bare(ExprKind::update_ledger_time_lt);
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (word == "try") {
    take();
    Expr e = Expr::bare(ExprKind::update_try_catch);
    e.type = type_argument();
    e.first = simple_expr();
    expect_word("catch");
    e.pair.id = name().value;
    expect("->");
    e.pair.second = expr();
    result = add(e);
    return true;
  }
  if (word == "fetch_by_key" || word == "query_n_by_key") {
    take();
    needs_keys();
    Expr e = Expr::bare(word == "fetch_by_key" ? ExprKind::update_fetch_by_key : ExprKind::update_query_n_by_key);
    e.ref = reference_argument();
    result = add(e);
    return true;
  }
  if (const ExprKind* kind = find(kOnTemplate, word)) {
    take();
    Expr e = Expr::bare(*kind);
    e.ref = reference_argument();
    e.first = simple_expr();
    result = add(e);
    return true;
  }
  if (const ExprKind* kind = find(kExercises, word)) {
    take();
    if (*kind == ExprKind::update_exercise_by_key) needs_keys();
    Expr e = Expr::bare(*kind);
    e.ref = reference_argument();
    e.pair.id = name().value;
    e.first = simple_expr();
    e.pair.second = simple_expr();
    result = add(e);
    return true;
  }
  return false;
}

}  // namespace synod::lf::text
