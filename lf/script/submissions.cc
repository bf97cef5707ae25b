// The question Submit: commands out of the script's values, results and transaction trees back into them.
#include <algorithm>
#include <type_traits>

#include "lf/script/questions.h"
#include "lf/script/submit_error.h"

namespace synod::lf::script {

using namespace eval;

namespace {

constexpr char kCommands[] = "Daml.Script.Internal.Questions.Commands";
constexpr char kTree[] = "Daml.Script.Internal.Questions.TransactionTree";

// The type of a choice's argument bears the choice's name.
std::string choice_name(const BoxObject& any) {
  if (any.type->head != RuntimeType::Head::con) malformed_question("argument of a choice");
  return any.type->con->id.entity;
}

// Where inside of choices a program failed, participants tell on the side.
QuestionFailed failed(Refusal refusal) {
  QuestionFailed out;
  out.error_class = error_class(refusal);
  out.text = error_text(refusal);
  out.error = std::move(refusal.error);
  for (const auto& [key, value] : out.error.context) {
    if (key != "exercise_trace" || !refusal.status) continue;
    out.error.cause += "\n" + value;
    out.text += "\n" + value;
  }
  return out;
}

}  // namespace

Cell Questions::submit(const Question& q) {
  std::vector<Cell> out;
  for (const Cell& submission : v_.items(v_.field(q.payload, "submissions")))
    out.push_back(submit_one(submission, q.version == 1));
  return v_.list(out);
}

std::pair<Identifier, Value> Questions::contract_key(const Cell& cell, bool stable_keys) {
  Identifier type = v_.type_rep_in(v_.field(cell, "getAnyContractKeyTemplateTypeRep"));
  Cell key = v_.field(cell, "getAnyContractKey");
  return {std::move(type), v_.ledger_value(stable_keys ? v_.any_in(key).value : key)};
}

ScriptCommand Questions::command(const Cell& cell, bool stable_keys) {
  ScriptCommand out;
  Cell c = cell;
  if (c.tag == Tag::record) {
    out.exact_package = v_.field(cell, "explicitPackageId").integer != 0;
    c = v_.field(cell, "command");
  }
  const std::string kind = v_.constructor(c);
  const Cell body = v_.argument(c);
  auto inside = [&](const char* wrapper) -> const BoxObject& {
    return v_.any_in(v_.only_field(v_.field(body, wrapper)));
  };
  auto type_inside = [](const BoxObject& any) {
    if (any.type->head != RuntimeType::Head::con) malformed_question("argument of a create");
    return any.type->con->id;
  };
  if (kind == "Create") {
    const BoxObject& created = inside("argC");
    out.command = CreateCommand{type_inside(created), v_.ledger_value(created.value)};
  } else if (kind == "Exercise") {
    const BoxObject& choice = inside("argE");
    out.command = ExerciseCommand{v_.type_rep_in(v_.field(body, "tplId")), v_.contract_id_in(v_.field(body, "cId")),
                                  choice_name(choice), v_.ledger_value(choice.value)};
  } else if (kind == "ExerciseByKey") {
    const BoxObject& choice = inside("argE");
    auto [type, key] = contract_key(v_.field(body, "keyE"), stable_keys);
    out.command = ExerciseByKeyCommand{v_.type_rep_in(v_.field(body, "tplId")), std::move(key), choice_name(choice),
                                       v_.ledger_value(choice.value)};
  } else if (kind == "CreateAndExercise") {
    const BoxObject& created = inside("tplArgCE");
    const BoxObject& choice = inside("choiceArgCE");
    out.command = CreateAndExerciseCommand{type_inside(created), v_.ledger_value(created.value), choice_name(choice),
                                           v_.ledger_value(choice.value)};
  } else {
    malformed_question("command " + kind);
  }
  return out;
}

Cell Questions::submit_one(const Cell& cell, bool stable_keys) {
  Submission submission;
  submission.act_as = v_.parties_in(v_.field(cell, "sActAs"));
  for (const Cell& p : v_.items(v_.field(cell, "sReadAs"))) submission.read_as.insert(v_.text_in(p));
  for (const Cell& d : v_.items(v_.field(cell, "sDisclosures"))) {
    auto blob = from_hex(v_.text_in(v_.field(d, "blob")));
    if (!blob) malformed_question("blob of a disclosed contract");
    submission.disclosures.push_back(
        {v_.type_rep_in(v_.field(d, "templateId")), v_.contract_id_in(v_.field(d, "contractId")), std::move(*blob)});
  }
  if (auto field = v_.find_field(cell, "sPackagePreference"))
    if (auto preference = v_.optional(*field))
      for (const Cell& p : v_.items(*preference)) submission.package_preference.push_back(v_.text_in(v_.only_field(p)));
  if (auto keys = v_.find_field(cell, "sPrefetchKeys"))
    for (const Cell& k : v_.items(*keys)) submission.prefetch_keys.push_back(contract_key(k, stable_keys));
  for (const Cell& c : v_.items(v_.field(cell, "sCommands"))) submission.commands.push_back(command(c, stable_keys));

  const std::string behaviour = v_.constructor(v_.field(cell, "sErrorBehaviour"));
  Result<SubmitResult> answer = ledger_.submit(submission);
  if (!answer) {
    std::string name = error_class(answer.error(), ledger_.remote());
    throw QuestionFailed{std::move(answer).error(), std::move(name)};
  }
  SubmitResult& result = *answer;
  if (auto* refusal = std::get_if<Refusal>(&result)) {
    if (behaviour == "MustSucceed") throw failed(std::move(*refusal));
    return v_.left(submit_error(v_, *refusal, stable_keys));
  }
  if (behaviour == "MustFail")
    throw QuestionFailed{failed_precondition(kMustFailSucceeded, "Expected submit to fail but it succeeded")};
  const auto& events = std::get<TransactionTree>(result);
  return v_.right(v_.tuple({results(submission.commands, events), tree(events)}));
}

// One result for each root: a create's contract id, an exercise's result as the script's package types it.
Cell Questions::results(const std::vector<ScriptCommand>& commands, const TransactionTree& tree) {
  std::vector<Cell> out;
  std::vector<const TreeEvent*> roots;
  for (const auto& event : tree)
    if (event.parent < 0) roots.push_back(&event);
  std::size_t at = 0;
  auto next = [&]() -> const TreeEvent& {
    if (at >= roots.size())
      throw QuestionFailed{internal_error("the ledger reports fewer results than there were commands")};
    return *roots[at++];
  };
  auto created = [&] {
    out.push_back(v_.library_choice(kCommands, "CommandResult", "CreateResult", v_.contract_id(next().contract_id)));
  };
  auto exercised = [&](const Identifier& type, const std::string& choice) {
    out.push_back(v_.library_choice(kCommands, "CommandResult", "ExerciseResult",
                                    v_.typed(next().result, *v_.choice(type, std::nullopt, choice).result)));
  };
  for (const auto& c : commands)
    std::visit(
        [&](const auto& command) {
          using T = std::decay_t<decltype(command)>;
          if constexpr (std::is_same_v<T, CreateCommand>) {
            created();
          } else if constexpr (std::is_same_v<T, ExerciseCommand>) {
            exercised(command.type_id, command.choice);
          } else if constexpr (std::is_same_v<T, ExerciseByKeyCommand>) {
            exercised(command.template_id, command.choice);
          } else {
            created();
            exercised(command.template_id, command.choice);
          }
        },
        c.command);
  return v_.list(out);
}

Cell Questions::tree(const TransactionTree& events) {
  std::vector<std::vector<Cell>> children(events.size());
  std::vector<Cell> roots;
  for (std::size_t i = events.size(); i-- > 0;) {  // children stand behind their parents
    const TreeEvent& e = events[i];
    Cell event;
    if (e.created) {
      event = v_.library_choice(kTree, "TreeEvent", "CreatedEvent",
                                v_.library_record(kTree, "Created",
                                                  {v_.any_contract_id(e.template_id, e.contract_id),
                                                   v_.any_template(e.template_id, e.argument)}));
    } else {
      std::reverse(children[i].begin(), children[i].end());
      event = v_.library_choice(kTree, "TreeEvent", "ExercisedEvent",
                                v_.library_record(kTree, "Exercised",
                                                  {v_.any_contract_id(e.template_id, e.contract_id), v_.text(e.choice),
                                                   v_.any_choice(e.template_id, e.interface_id, e.choice, e.argument),
                                                   v_.list(children[i])}));
    }
    (e.parent < 0 ? roots : children[static_cast<std::size_t>(e.parent)]).push_back(event);
  }
  std::reverse(roots.begin(), roots.end());
  return v_.library_record(kTree, "TransactionTree", {v_.list(roots)});
}

}  // namespace synod::lf::script
