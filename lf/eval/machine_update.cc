// Updates: what the program does to the ledger.
#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"
#include "lf/eval/pretty.h"
#include "lf/ledger/contract_hash.h"
#include "lf/ledger/translate.h"

namespace synod::lf::eval {
namespace {

ContractId to_contract_id(const Cell& c) {
  need(c, Tag::contract_id);
  auto id = ContractId::from_bytes(text_of(c));
  if (!id) fatal_bug("malformed contract id");
  return std::move(*id);
}

Cell to_contract_cell(Arena& arena, const ContractId& id) { return make_text(arena, id.bytes(), Tag::contract_id); }

PartySet observers_of(const PartySet& signatories, const PartySet& stakeholders) {
  PartySet out;
  for (const auto& p : stakeholders)
    if (!signatories.contains(p)) out.insert(p);
  return out;
}

// The tail of the message about a changed contract.
std::string key_text(const char* which, const std::optional<KeyWithMaintainers>& key) {
  if (!key) return {};
  return std::string(which) + " maintainers are " + pretty(key->maintainers) + "\n" + which + " key is " +
         pretty(key->key.key);
}

std::string comma_separated(const PartySet& parties) {
  std::string out;
  for (const auto& p : parties) out += (out.empty() ? "" : ",") + p;
  return out;
}

Resources changed_contract(const ContractId& id, const Identifier& source, const Identifier& wanted,
                           const ContractFacts& original, const ContractFacts& now) {
  Resources out{{"CONTRACT_ID", id.to_hex()},
                {"TEMPLATE_ID", source.to_string()},
                {"TEMPLATE_ID", wanted.to_string()},
                {"PACKAGE_NAME", original.package_name},
                {"PACKAGE_NAME", now.package_name}};
  for (const ContractFacts* facts : {&original, &now}) {
    out.emplace_back("PARTIES", comma_separated(facts->signatories));
    out.emplace_back("PARTIES", comma_separated(observers_of(facts->signatories, facts->stakeholders)));
    out.emplace_back("NULLABLE_CONTRACT_KEY", facts->key ? resource_of(facts->key->key.key) : "NULL");
    out.emplace_back("NULLABLE_PACKAGE_NAME", facts->key ? facts->key->key.package_name : "NULL");
    out.emplace_back("NULLABLE_PARTIES", facts->key ? comma_separated(facts->key->maintainers) : "NULL");
  }
  return out;
}

[[noreturn]] void precondition_violated(const TemplateInfo& t, const Cell& argument, Meter& steps) {
  check_value(argument, steps);
  fatal("TEMPLATE_PRECONDITION_VIOLATED", ErrorCategory::invalid_argument,
        "Update failed due to precondition violation when creating " + pretty(t.id) + " with " + pretty(argument));
}

}  // namespace

TransactionBuilder& Machine::builder() {
  if (!setup_.builder) fatal_bug("an update in a pure evaluation");
  return *setup_.builder;
}

Machine::Step Machine::execute(UpdateOp op, const UpdateRef* ref, const Cell* arguments, std::uint32_t n,
                               std::uint32_t top, std::uint32_t ret, Cell& out) {
  Cell first = n > 0 ? arguments[0] : Cell(), second = n > 1 ? arguments[1] : Cell();
  auto template_named = [&]() -> const TemplateInfo& {
    const TemplateInfo* t = program_.template_of(*ref);
    if (!t) missing_package("template " + identifier(*ref->from, ref->ref).to_string());
    return *t;
  };
  auto interface_named = [&]() -> const InterfaceInfo& {
    const InterfaceInfo* i = program_.interface_of(*ref);
    if (!i) missing_package("interface " + identifier(*ref->from, ref->ref).to_string());
    return *i;
  };
  builder();
  switch (op) {
    case UpdateOp::pure:
      out = first;
      return Step::value;
    case UpdateOp::create:
      return create(template_named(), first, top, out);
    case UpdateOp::create_interface:
      return create(template_inside(first), first.box->value, top, out);
    case UpdateOp::fetch:
      return fetch(&template_named(), nullptr, to_contract_id(first), false, top, out);
    case UpdateOp::fetch_interface:
      return fetch(nullptr, &interface_named(), to_contract_id(first), false, top, out);
    case UpdateOp::exercise:
      return exercise(&template_named(), nullptr, ref->member, to_contract_id(first), second, false, top, ret, out);
    case UpdateOp::exercise_interface:
      return exercise(nullptr, &interface_named(), ref->member, to_contract_id(first), second, false, top, ret, out);
    case UpdateOp::get_time:
      used_time_ = true;
      bounds_ = TimeBounds{setup_.ledger_time, setup_.ledger_time};
      out = make_integer(Tag::timestamp, setup_.ledger_time.micros);
      return Step::value;
    case UpdateOp::ledger_time_lt: {
      need(first, Tag::timestamp);
      used_time_ = true;
      Timestamp limit{first.integer};
      bool before = setup_.ledger_time < limit;
      if (before)
        bounds_.max = std::min(bounds_.max, Timestamp{limit.micros - 1});
      else
        bounds_.min = std::max(bounds_.min, limit);
      out = make_bool(before);
      return Step::value;
    }
    case UpdateOp::exercise_by_key: {
      const TemplateInfo& t = template_named();
      return exercise(&t, nullptr, ref->member, fetch_key(t, first, top), second, true, top, ret, out);
    }
    case UpdateOp::fetch_by_key:
      return fetch_by_key(template_named(), first, top, out);
    case UpdateOp::query_n_by_key:
      return query_n_by_key(template_named(), first, second, top, out);
  }
  fatal_bug("unknown update");
}

// ---- facts of a contract
// ---------------------------------------------------------------------------------------------

Machine::Step Machine::contract_facts(const TemplateInfo& t, const Cell& argument, std::uint32_t top,
                                      ContractFacts& facts, Cell& out) {
  Cell c;
  if (t.has_precondition) {
    if (call(t.precondition, {argument}, top, c) == Step::raised) return out = c, Step::raised;
    if (c.tag != Tag::boolean || c.integer == 0) precondition_violated(t, argument, steps_);
  }
  Cell signatories, observers;
  if (call(t.signatories, {argument}, top, signatories) == Step::raised) return out = signatories, Step::raised;
  if (call(t.observers, {argument}, top, observers) == Step::raised) return out = observers, Step::raised;
  facts.template_id = t.id;
  facts.package_name = t.package_name;
  facts.signatories = to_parties(signatories);
  facts.stakeholders = parties_union(facts.signatories, to_parties(observers));
  if (t.definition->has_key) {
    Cell key, function, maintainers;
    if (call(t.key, {argument}, top, key) == Step::raised) return out = key, Step::raised;
    if (call(t.maintainers, {}, top, function) == Step::raised) return out = function, Step::raised;
    if (call(function, {key}, top, maintainers) == Step::raised) return out = maintainers, Step::raised;
    KeyWithMaintainers k;
    k.key.template_id = t.id;
    k.key.package_name = t.package_name;
    k.key.key = to_value(key, arena_);
    k.key.hash = hash_key(t.package_name, t.id, key);
    k.maintainers = to_parties(maintainers);
    facts.key = std::move(k);
  }
  facts.argument = to_value(argument, arena_);
  facts.hash = hash_contract(t.package_name, t.id, argument);
  return Step::value;
}

const ContractFacts& Machine::facts_of(const TemplateInfo& t, const ContractId& id, const Cell& argument,
                                       std::uint32_t top) {
  auto key = std::make_pair(id, t.id.package);
  if (auto it = facts_.find(key); it != facts_.end()) return it->second;
  ContractFacts facts;
  Cell exception;
  if (contract_facts(t, argument, top, facts, exception) == Step::raised) unhandled(exception, top);
  return facts_.emplace(std::move(key), std::move(facts)).first->second;
}

const ContractInstance& Machine::input(const ContractId& id) {
  if (auto it = inputs_.find(id); it != inputs_.end()) return it->second;
  std::optional<ContractInstance> found;
  if (setup_.contracts && !id.is_local()) found = setup_.contracts->find(id);
  if (!found) contract_not_found(id);
  if (found->key) key_seen_by_id(*found);
  return inputs_.emplace(id, std::move(*found)).first->second;
}

Identifier Machine::preferred(const Identifier& template_id, const std::string& package_name) const {
  Identifier id = template_id;
  if (auto it = setup_.package_preference.find(package_name); it != setup_.package_preference.end())
    id.package = it->second;
  else if (setup_.strict_preference)
    fatal("UNRESOLVED_PACKAGE_NAME", ErrorCategory::invalid_state_missing,
          "Update failed due to a failed package name resolution: " + package_name, {{"PACKAGE_NAME", package_name}});
  return id;
}

// The contract under the wanted template, or for an interface under the preferred package of its name; checked to be
// the contract that its id promises, and active.
Machine::Contract Machine::load(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id,
                                std::uint32_t top) {
  auto local = locals_.find(id);
  bool is_local = local != locals_.end();
  const ContractInstance* instance = is_local ? nullptr : &input(id);
  const Identifier& source = is_local ? local->second.info->id : instance->template_id;
  if (auto by = builder().consumed_by(id)) contract_not_active(id, source, *by);
  if (builder().undone(id)) contract_not_found(id);

  if (i) {
    const std::string& name = is_local ? local->second.info->package_name : instance->package_name;
    const Identifier wanted = preferred(source, name);
    t = program_.template_(wanted);
    if (!t && !program_.packages().find(wanted.package))
      missing_package("package " + wanted.package + " while looking for template " + wanted.to_string());
    if (!t || !t->implementation(i->id)) no_such_interface(id, wanted, i->id);
  }
  if (source.module != t->id.module || source.entity != t->id.entity) wrongly_typed(id, t->id, source);
  if (!t->type) fatal_bug("template without a record type: " + t->id.to_string());
  if (is_local && local->second.info == t) {
    Cell argument = local->second.argument;
    return Contract{t, argument, &facts_of(*t, id, argument, top)};
  }

  auto key = std::make_pair(id, t->id.package);
  if (auto known = imported_.find(key); known != imported_.end()) {
    Cell argument = known->second;
    return Contract{t, argument, &facts_of(*t, id, argument, top)};
  }
  ContractFacts original;
  if (is_local) {
    original = facts_of(*local->second.info, id, local->second.argument, top);
  } else {
    original.package_name = instance->package_name;
    original.signatories = instance->signatories;
    original.stakeholders = instance->stakeholders;
    original.key = instance->key;
    original.argument = instance->argument;
  }
  auto translated =
      to_cell(program_, arena_, original.argument, *t->type, {.of_contract = true, .local_ids = is_local});
  if (!translated) translation_failed(id, source, t->id, original.argument, translated.error().cause);
  Cell argument = *translated;
  const ContractFacts& facts = facts_of(*t, id, argument, top);
  PartySet original_observers = observers_of(original.signatories, original.stakeholders);
  PartySet observers = observers_of(facts.signatories, facts.stakeholders);
  bool same_key = facts.key.has_value() == original.key.has_value() &&
                  (!facts.key || (facts.key->maintainers == original.key->maintainers &&
                                  facts.key->key.key == original.key->key.key));
  if (facts.signatories != original.signatories || observers != original_observers || !same_key ||
      facts.package_name != original.package_name)
    fatal("INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED", ErrorCategory::invalid_argument,
          "Validation fails when trying to upgrade the contract " + id.to_hex() + " from " + pretty(source) + " to " +
              pretty(t->id) +
              "\nVerify that neither the signatories, nor the observers, nor the contract key, nor the key's "
              "maintainers, nor the package name have changed" +
              "\noriginal package name is " + original.package_name + "\noriginal signatories are " +
              pretty(original.signatories) + "\noriginal observers are " + pretty(original_observers) +
              "\ntarget package name is " + facts.package_name + "\nrecomputed signatories are " +
              pretty(facts.signatories) + "\nrecomputed observers are " + pretty(observers) + "\n" +
              key_text("original", original.key) + "\n" + key_text("recomputed", facts.key),
          changed_contract(id, source, t->id, original, facts));
  bool authentic =
      is_local ? facts.hash == original.hash : setup_.contracts->authenticate(*instance, facts.hash).has_value();
  if (!authentic)
    fatal("INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED", ErrorCategory::invalid_argument,
          "Error when authenticating contract " + id.to_hex() + " against template " + pretty(t->id) +
              " : failed to authenticate contract\nThe contract is purportedly an instance of " + pretty(source) +
              "\nThe contract argument is " + pretty(facts.argument),
          {{"CONTRACT_ID", id.to_hex()},
           {"TEMPLATE_ID", source.to_string()},
           {"TEMPLATE_ID", t->id.to_string()},
           {"CONTRACT_ARG", resource_of(facts.argument)}});
  imported_.emplace(std::move(key), argument);
  return Contract{t, argument, &facts};
}

// ---- actions
// ---------------------------------------------------------------------------------------------------------

Machine::Step Machine::create(const TemplateInfo& t, const Cell& argument, std::uint32_t top, Cell& out) {
  ContractFacts facts;
  if (contract_facts(t, argument, top, facts, out) == Step::raised) return Step::raised;
  if (facts.key && facts.key->maintainers.empty())
    fatal("CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS", ErrorCategory::invalid_argument,
          "Update failed due to a contract key with an empty set of maintainers when creating " + pretty(t.id) +
              " with " + pretty(facts.argument) + "\nThe computed key is " + pretty(facts.key->key.key),
          {{"TEMPLATE_ID", t.id.to_string()}, {"CONTRACT_ARG", resource_of(facts.argument)}});
  ContractId id = builder().create(facts);
  out = to_contract_cell(arena_, id);
  if (facts.key) keys_[facts.key->key.hash].locals.push_back(id);
  facts_.emplace(std::make_pair(id, t.id.package), std::move(facts));
  locals_.emplace(std::move(id), Local{&t, argument});
  return Step::value;
}

Machine::Step Machine::fetch(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id, bool by_key,
                             std::uint32_t top, Cell& out) {
  Contract contract = load(t, i, id, top);
  builder().fetch(id, *contract.facts, i ? std::optional(i->id) : std::nullopt, by_key);
  out = i ? make_any(arena_, contract.info->type, contract.argument) : contract.argument;
  return Step::value;
}

Cell Machine::must(Step step, const Cell& out, std::uint32_t top) {
  if (step == Step::raised) unhandled(out, top);
  return out;
}

Machine::Step Machine::exercise(const TemplateInfo* t, const InterfaceInfo* i, const std::string& name,
                                const ContractId& id, const Cell& given, bool by_key, std::uint32_t top,
                                std::uint32_t ret, Cell&) {
  Cell argument = given;
  Contract contract = load(t, i, id, top);
  const ChoiceInfo* choice = i ? i->choice(name) : contract.info->choice(name);
  if (!choice) fatal_bug("unknown choice " + name + " of " + (i ? i->id : contract.info->id).to_string());
  Cell self = i ? make_any(arena_, contract.info->type, contract.argument) : contract.argument;
  ExerciseFacts facts;
  facts.contract_id = id;
  if (i) facts.interface_id = i->id;
  facts.choice = name;
  facts.consuming = choice->definition->consuming;
  facts.by_key = by_key;
  Cell c;
  facts.controllers = to_parties(must(call(choice->controllers, {self, argument}, top, c), c, top));
  if (!choice->definition->observers.is_none())
    facts.observers = to_parties(must(call(choice->observers, {self, argument}, top, c), c, top));
  facts.argument = to_value(argument, arena_);
  builder().begin_exercise(*contract.facts, std::move(facts));
  push(FrameKind::end_exercise, top, ret);
  ensure(std::size_t{top} + 5);
  stack_[top] = self;
  stack_[top + 1] = argument;
  stack_[top + 2] = to_contract_cell(arena_, id);
  enter(choice->update, nullptr, top, 0);
  return Step::pushed;
}

void Machine::unhandled(const Cell& exception, std::uint32_t top) {
  const RuntimeType* type = exception.box->type;
  if (type->head != RuntimeType::Head::con) fatal_bug("exception of a type without a name: " + type->key);
  std::string message;
  if (type == program_.arithmetic_error() && exception.box->value.tag == Tag::record) {
    message = text_of(exception.box->value.record->fields()[0]);
  } else {
    const Proto* proto = program_.exception_message(*type->con);
    if (!proto) fatal_bug("message of a value that is no exception: " + type->key);
    Cell value = exception.box->value, function, text;
    Step step = call(*proto, {}, top, function);
    if (step == Step::value) step = call(function, {value}, top, text);
    if (step == Step::value && text.tag == Tag::text) {
      message = text_of(text);
    } else {
      const Cell& second = step == Step::raised && function.tag == Tag::any ? function : text;
      std::string name = second.tag == Tag::any && second.box->type->con ? second.box->type->con->id.qualified_name()
                                                                         : std::string("an exception");
      message = "<Failed to calculate message as " + name + " was thrown during conversion>";
    }
  }
  failure_status("UNHANDLED_EXCEPTION/" + type->con->id.qualified_name(), 9, message, {});
}

// ---- roots
// -----------------------------------------------------------------------------------------------------------

bool Machine::finish_root(Step step, Cell& out, bool keep_exceptions) {
  if (step == Step::pushed)
    step = run(0, out);
  else if (step == Step::raised)
    handle(out, 0);
  if (step == Step::value) return true;
  if (keep_exceptions) return false;
  unhandled(out, 0);
}

bool Machine::create(const TemplateInfo& t, const Cell& argument, Cell& out, bool keep_exceptions) {
  return finish_root(create(t, argument, 0, out), out, keep_exceptions);
}
bool Machine::exercise(const TemplateInfo* t, const InterfaceInfo* i, const std::string& choice, const ContractId& id,
                       const Cell& argument, bool by_key, Cell& out, bool keep_exceptions) {
  return finish_root(exercise(t, i, choice, id, argument, by_key, 0, 0, out), out, keep_exceptions);
}
bool Machine::fetch(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id, bool by_key, Cell& out,
                    bool keep_exceptions) {
  return finish_root(fetch(t, i, id, by_key, 0, out), out, keep_exceptions);
}

Cell Machine::value_of(const Definition& definition) {
  if (definition.is_function) return definition.function;
  Cell out;
  return must(call(definition.proto, {}, 0, out), out, 0);
}

Cell Machine::apply_function(const Cell& function, std::initializer_list<Cell> arguments) {
  Cell out;
  return must(call(function, arguments, 0, out), out, 0);
}

bool Machine::try_value_of(const Definition& definition, Cell& out) {
  if (definition.is_function) return out = definition.function, true;
  return call(definition.proto, {}, 0, out) == Step::value;
}

bool Machine::try_apply(const Cell& function, std::initializer_list<Cell> arguments, Cell& out) {
  return call(function, arguments, 0, out) == Step::value;
}

Error Machine::failure_of(const Cell& exception) {
  try {
    unhandled(exception, 0);
  } catch (Fatal& f) {
    abandon();
    return std::move(f.error);
  }
}

Cell Machine::interface_view(const TemplateInfo&, const ImplementationInfo& implementation, const Cell& argument) {
  Cell out;
  return must(call(implementation.view, {argument}, 0, out), out, 0);
}

}  // namespace synod::lf::eval
