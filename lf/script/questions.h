// Answers to the questions that Daml scripts ask their ledger. Control flow (Catch, Throw, ...) is the interpreter's.
// Fact of names, versions and payloads: ScriptF.scala, in all its versions since Daml 3.0.
#pragma once

#include <string>

#include "lf/script/script_ledger.h"
#include "lf/script/script_values.h"

namespace synod::lf::script {

struct Question {
  std::string name;
  std::int64_t version = 1;
  eval::Cell payload;
  eval::Cell continuation;
  std::vector<std::string> locations;  // "Module:line:column", innermost first
};

class Questions {
 public:
  Questions(ScriptValues& values, ScriptLedger& ledger) : v_(values), ledger_(ledger) {}
  // Throws QuestionFailed, and what the values' machine throws.
  eval::Cell answer(const Question& question);

 private:
  using Cell = eval::Cell;

  // What the ledger says, or the end of the question.
  template <typename T>
  T answered(Result<T> result);

  // submissions.cc
  Cell submit(const Question& question);
  Cell submit_one(const Cell& submission, bool stable_keys);
  ScriptCommand command(const Cell& cell, bool stable_keys);
  std::pair<Identifier, Value> contract_key(const Cell& cell, bool stable_keys);
  Cell results(const std::vector<ScriptCommand>& commands, const TransactionTree& tree);
  Cell tree(const TransactionTree& tree);

  // questions.cc
  bool contracts(const Question& question, Cell& out);
  bool parties_and_time(const Question& question, Cell& out);
  bool users(const Question& question, Cell& out);
  bool packages(const Question& question, Cell& out);
  bool signatures(const Question& question, Cell& out);
  ParticipantName participant(const Cell& payload);
  Cell created(const ActiveContract& contract, const Identifier& as);
  Cell user(const User& user);
  UserRight right(const Cell& cell);
  Cell right(const UserRight& right);
  std::vector<UserRight> rights_in(const Cell& cell);
  Cell optional_rights(const std::optional<std::vector<UserRight>>& rights);

  ScriptValues& v_;
  ScriptLedger& ledger_;
};

}  // namespace synod::lf::script
