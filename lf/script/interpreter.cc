#include "lf/script/interpreter.h"

#include "lf/eval/fatal.h"
#include "lf/eval/map.h"
#include "lf/script/json_argument.h"
#include "lf/script/submit_error.h"

namespace synod::lf::script {

using namespace eval;

namespace {

// Exceptions that the script library declares itself, without a message that the language knows of.
std::optional<std::string> message_of_pseudo_exception(const Cell& exception) {
  const BoxObject& any = *exception.box;
  if (any.type->head != RuntimeType::Head::con ||
      any.type->con->id.module != "Daml.Script.Internal.Questions.UserManagement")
    return std::nullopt;
  const std::string& name = any.type->con->id.entity;
  if (name == "InvalidUserId") return ScriptValues::text_in(ScriptValues::only_field(any.value));
  if (name != "UserAlreadyExists" && name != "UserNotFound") return std::nullopt;
  std::string id = ScriptValues::text_in(ScriptValues::only_field(ScriptValues::only_field(any.value)));
  return (name == "UserNotFound" ? "User not found: " : "User already exists: ") + id;
}

std::string location(const Cell& frame) {  // (Text, SrcLoc)
  const Cell& at = frame.record->fields()[1];
  auto number = [&](const char* name) {
    return std::to_string(ScriptValues::int_in(ScriptValues::field(at, name)) + 1);
  };
  return ScriptValues::text_in(ScriptValues::field(at, "srcLocModule")) + ":" + number("srcLocStartLine") + ":" +
         number("srcLocStartCol");
}

}  // namespace

Interpreter::Interpreter(Program& program, const Package& library, ScriptLedger& ledger, Options options)
    : program_(program),
      machine_(program, {nullptr, nullptr, Timestamp(), {}, false, options.limits, options.trace}),
      values_(program, machine_, library),
      questions_(values_, ledger) {}

// What may end an evaluation or a question, as a failure.
template <typename F>
Interpreter::Attempt Interpreter::guarded(const Question* question, F&& body) {
  Failure failure;
  try {
    return body();
  } catch (QuestionFailed& f) {
    failure.error = std::move(f.error);
    failure.error_class = std::move(f.error_class);
    failure.text = std::move(f.text);
    if (question && !is_unreadable(failure.error)) failure.kind = Failure::Kind::command;
  } catch (Fatal& f) {
    machine_.abandon();
    failure.error = std::move(f.error);
    if (question) failure.kind = Failure::Kind::command;
  } catch (const OutOfBudget& b) {
    machine_.abandon();
    failure.error = Error("INTERPRETATION_TIME_EXCEEDED", ErrorCategory::contention_on_shared_resources,
                          std::string("the script's budget of ") + b.what +
                              " is used up; raise it if the script is meant to do that much");
  }
  if (question) {
    failure.command = question->name;
    failure.locations = question->locations;
  }
  if (failure.error_class.empty()) failure.error_class = error_class(failure.error, false);
  if (failure.text.empty()) failure.text = failure.error.cause;
  return failure;
}

Interpreter::Failure Interpreter::converted(const Cell& exception) {
  Failure out;
  if (auto message = message_of_pseudo_exception(exception)) {
    out.error = Error("DAML_FAILURE", ErrorCategory::invalid_state_other, "");
    std::string id = "UNHANDLED_EXCEPTION/" + exception.box->type->con->id.qualified_name();
    out.error.cause = "Interpretation error: Error: User failure: " + id + " (error category 9): " + *message;
    out.error.context.emplace_back("error_id", id);
  } else {
    out.error = machine_.failure_of(exception);
  }
  return out;
}

Interpreter::Attempt Interpreter::apply(const Cell& function, std::initializer_list<Cell> arguments) {
  return guarded(nullptr, [&]() -> Attempt {
    Cell out;
    if (machine_.try_apply(function, arguments, out)) return out;
    if (converting()) return converted(out);
    Failure failure;
    failure.kind = Failure::Kind::exception;
    failure.exception = out;
    return failure;
  });
}

// A value of type Script holds a function that yields its free monad.
Interpreter::Attempt Interpreter::begin(const Cell& script) {
  if (script.tag != Tag::record || script.record->count == 0)
    return guarded(nullptr, []() -> Attempt { malformed_question("a Script is a record with a function"); });
  return apply(script.record->fields()[0], {make_unit()});
}

Question Interpreter::question_in(const Cell& free) {
  Cell q = ScriptValues::argument(free);
  while (!ScriptValues::find_field(q, "continue")) q = ScriptValues::only_field(q);
  Question out;
  out.name = ScriptValues::text_in(ScriptValues::field(q, "commandName"));
  if (auto version = ScriptValues::find_field(q, "commandVersion")) out.version = ScriptValues::int_in(*version);
  out.payload = ScriptValues::field(q, "payload");
  out.continuation = ScriptValues::field(q, "continue");
  if (auto frames = ScriptValues::find_field(q, "locations"))
    for (const Cell& frame : ScriptValues::items(*frames)) out.locations.push_back(location(frame));
  return out;
}

// The free value that follows the question's answer, or the failure.
Interpreter::Attempt Interpreter::ask(Question q) {
  auto enter = [&](Scope::Kind kind, bool convert) {
    Cell action = ScriptValues::field(q.payload, "act");
    scopes_.push_back(Scope{kind, convert, q});
    if (kind == Scope::Kind::try_commands) return begin(action);
    Attempt script = apply(action, {make_unit()});
    if (auto* cell = std::get_if<Cell>(&script)) return begin(*cell);
    return script;
  };
  if (q.name == "Catch") return enter(Scope::Kind::catch_exception, false);
  if (q.name == "TryFailureStatus") return enter(Scope::Kind::try_failure_status, true);
  if (q.name == "TryCommands") return enter(Scope::Kind::try_commands, converting());
  if (q.name == "Throw") {
    Cell exception = ScriptValues::field(q.payload, "exc");
    if (converting())
      return guarded(nullptr, [&]() -> Attempt {
        Failure failure = converted(exception);
        failure.locations = q.locations;
        return failure;
      });
    Failure failure;
    failure.kind = Failure::Kind::exception;
    failure.exception = exception;
    failure.locations = q.locations;
    return failure;
  }
  if (q.name == "FailWithStatus") {
    return guarded(nullptr, [&]() -> Attempt {
      Cell status = ScriptValues::field(q.payload, "status");
      std::string id = ScriptValues::text_in(ScriptValues::field(status, "errorId"));
      Cell category =
          ScriptValues::field(status, "category");  // the library passes the number, or the enumeration itself
      std::vector<std::pair<std::string, std::string>> meta;
      for_each_entry(ScriptValues::field(status, "meta").map,
                     [&](const MapNode& n) { meta.emplace_back(text_of(n.key), text_of(n.value)); });
      failure_status(id, ScriptValues::int_in(category), ScriptValues::text_in(ScriptValues::field(status, "message")),
                     meta);
    });
  }
  Attempt answer = guarded(&q, [&]() -> Attempt { return questions_.answer(q); });
  if (auto* cell = std::get_if<Cell>(&answer)) return apply(q.continuation, {*cell});
  return answer;
}

// What a scope makes of a failure inside; empty: it is not for this scope.
std::optional<Cell> Interpreter::handled(const Scope& scope, const Failure& failure) {
  switch (scope.kind) {
    case Scope::Kind::catch_exception:
      if (failure.kind != Failure::Kind::exception) return std::nullopt;
      return values_.left(failure.exception);
    case Scope::Kind::try_failure_status: {
      if (failure.kind != Failure::Kind::interpretation) return std::nullopt;
      auto status = failure_status_of(failure.error, false);
      if (!status) return std::nullopt;
      return values_.left(values_.failure_status(status->id, status->category, status->message, status->meta));
    }
    case Scope::Kind::try_commands:
      if (failure.kind != Failure::Kind::command) return std::nullopt;
      return values_.left(values_.tuple(
          {values_.text(failure.command), values_.text(failure.error_class), values_.text(failure.text)}));
  }
  return std::nullopt;
}

// The innermost scope ends, with a result or a failure; what comes next.
Interpreter::Attempt Interpreter::leave(Attempt outcome) {
  Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  Attempt answer = guarded(nullptr, [&]() -> Attempt {
    if (auto* cell = std::get_if<Cell>(&outcome)) return values_.right(*cell);
    auto& failure = std::get<Failure>(outcome);
    if (auto cell = handled(scope, failure)) return *cell;
    if (failure.kind == Failure::Kind::command) {  // to the scope outside, this scope's own question failed
      failure.text = "Command " + failure.command + " failed: " + failure.text;
      failure.error.cause = "Command " + failure.command + " failed: " + failure.error.cause;
      failure.command = scope.question.name;
      failure.error_class = "FailedCmd";
    }
    return failure;
  });
  if (auto* cell = std::get_if<Cell>(&answer)) return apply(scope.question.continuation, {*cell});
  return answer;
}

std::optional<ScriptError> Interpreter::run(const Definition& script, const Argument* argument) {
  scopes_.clear();
  result_.reset();
  Attempt now = guarded(nullptr, [&]() -> Attempt {
    Cell value;
    if (!machine_.try_value_of(script, value)) return converted(value);
    if (!argument) return begin(value);
    auto given = json_argument(program_, machine_.arena(), argument->type, argument->json);
    if (!given) throw QuestionFailed{std::move(given).error()};
    Attempt called = apply(value, {*given});
    if (auto* cell = std::get_if<Cell>(&called)) return begin(*cell);
    return called;
  });
  for (;;) {
    if (auto* failure = std::get_if<Failure>(&now)) {
      if (scopes_.empty()) return ScriptError{failure->error, failure->command, failure->locations};
      now = leave(std::move(now));
      continue;
    }
    const Cell free = std::get<Cell>(now);
    std::optional<Cell> finished;
    now = guarded(nullptr, [&]() -> Attempt {
      if (ScriptValues::constructor(free) != "Pure") return ask(question_in(free));
      finished = ScriptValues::only_field(ScriptValues::argument(free));  // a pair with the state, which is ()
      return *finished;
    });
    if (!finished) continue;
    if (!scopes_.empty()) {
      now = leave(*finished);
      continue;
    }
    guarded(nullptr, [&]() -> Attempt {
      result_ = values_.ledger_value(*finished);
      return *finished;
    });
    return std::nullopt;
  }
}

}  // namespace synod::lf::script
