// Runs one script: a free monad whose questions go to a ScriptLedger. Single-threaded, blocking as the ledger blocks.
//
// Scripts that catch (Catch, TryFailureStatus, TryCommands) run their action in a scope of their own; scopes are on a
// stack here, not on the C++ stack.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lf/eval/machine.h"
#include "lf/script/questions.h"

namespace synod::lf::script {

struct ScriptError {
  Error error;
  std::string command;                 // the question that failed; empty: the script itself
  std::vector<std::string> locations;  // of the question, innermost first
};

class Interpreter {
 public:
  struct Options {
    Limits limits;  // of the script's own evaluation, all questions together
    TraceSink trace;
  };
  // `library` is the package with the type Script that the script has.
  Interpreter(eval::Program& program, const Package& library, ScriptLedger& ledger, Options options);

  // What a script that is a function is called with (json_argument.h).
  struct Argument {
    const eval::RuntimeType& type;
    std::string_view json;
  };
  // Empty: the script came to its end.
  std::optional<ScriptError> run(const eval::Definition& script, const Argument* argument = nullptr);
  // Of the last run that came to its end; null if it is no ledger value.
  const std::optional<Value>& result() const { return result_; }

 private:
  using Cell = eval::Cell;

  struct Failure {
    enum class Kind { exception, interpretation, command } kind = Kind::interpretation;
    Cell exception;       // exception: an Any
    Error error;          // the others
    std::string command;  // of the question that failed; for `command` with what tryCommands shows
    std::string error_class, text;
    std::vector<std::string> locations;
  };
  using Attempt = std::variant<Cell, Failure>;

  struct Scope {
    enum class Kind { catch_exception, try_failure_status, try_commands } kind;
    bool convert;  // exceptions that leave a computation become failure statuses
    Question question;
  };

  template <typename F>
  Attempt guarded(const Question* question, F&& body);
  Attempt apply(const Cell& function, std::initializer_list<Cell> arguments);
  Attempt begin(const Cell& script);
  Attempt ask(Question question);
  Attempt leave(Attempt outcome);
  std::optional<Cell> handled(const Scope& scope, const Failure& failure);
  Failure converted(const Cell& exception);
  bool converting() const { return scopes_.empty() || scopes_.back().convert; }
  Question question_in(const Cell& free);

  eval::Program& program_;
  eval::Machine machine_;
  ScriptValues values_;
  Questions questions_;
  std::vector<Scope> scopes_;
  std::optional<Value> result_;
};

}  // namespace synod::lf::script
