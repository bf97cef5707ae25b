#include "lf/script/script_values.h"

#include <algorithm>

#include "lf/archive/package_decoder.h"
#include "lf/eval/map.h"
#include "lf/ledger/translate.h"

namespace synod::lf::script {

using namespace eval;

void malformed_question(const std::string& what) {
  throw QuestionFailed{
      invalid_argument(kParseError, "the script library asked in a form that is not understood: " + what)};
}

// ---- reading
// ---------------------------------------------------------------------------------------------------------

std::optional<Cell> ScriptValues::find_field(const Cell& record, std::string_view name) {
  if (record.tag != Tag::record) malformed_question("expected a record with a field " + std::string(name));
  int at = record.record->type->index_of(name);
  if (at < 0) return std::nullopt;
  return record.record->fields()[at];
}

Cell ScriptValues::field(const Cell& record, std::string_view name) {
  if (auto found = find_field(record, name)) return *found;
  malformed_question("no field " + std::string(name) + " in " + record.record->type->id.to_string());
}

Cell ScriptValues::only_field(const Cell& record) {
  if (record.tag != Tag::record || record.record->count < 1) malformed_question("expected a record with a field");
  return record.record->fields()[0];
}

std::string ScriptValues::constructor(const Cell& c) {
  if (c.tag == Tag::enumeration) return c.type->names.at(c.aux);
  if (c.tag != Tag::variant) malformed_question("expected a variant");
  return c.variant->type->names.at(c.aux);
}

Cell ScriptValues::argument(const Cell& variant) {
  if (variant.tag == Tag::enumeration) return make_unit();
  if (variant.tag != Tag::variant) malformed_question("expected a variant");
  return variant.variant->argument;
}

std::vector<Cell> ScriptValues::items(const Cell& list) {
  if (list.tag != Tag::nil && list.tag != Tag::cons) malformed_question("expected a list");
  std::vector<Cell> out;
  for (Cell rest = list; rest.tag == Tag::cons; rest = rest.cons->tail) out.push_back(rest.cons->head);
  return out;
}

std::optional<Cell> ScriptValues::optional(const Cell& c) {
  if (c.tag == Tag::none) return std::nullopt;
  if (c.tag != Tag::some) malformed_question("expected an Optional");
  return c.box->value;
}

std::string ScriptValues::text_in(const Cell& c) {
  if (c.tag != Tag::text && c.tag != Tag::party) malformed_question("expected a text or a party");
  return std::string(text_of(c));
}

std::int64_t ScriptValues::int_in(const Cell& c) {
  if (c.tag != Tag::int64 && c.tag != Tag::timestamp) malformed_question("expected an Int or a Time");
  return c.integer;
}

ContractId ScriptValues::contract_id_in(const Cell& c) {
  if (c.tag != Tag::contract_id) malformed_question("expected a contract id");
  auto id = ContractId::from_bytes(text_of(c));
  if (!id) malformed_question("contract id: " + id.error().cause);
  return std::move(*id);
}

PartySet ScriptValues::parties_in(const Cell& c) {
  PartySet out;
  std::vector<Cell> cells = c.tag == Tag::record ? items(field(c, "tl")) : items(c);
  if (c.tag == Tag::record) cells.push_back(field(c, "hd"));
  for (const Cell& p : cells) out.insert(text_in(p));
  return out;
}

Identifier ScriptValues::type_rep_in(const Cell& c) {
  Cell rep = only_field(c);
  if (rep.tag != Tag::type_rep || rep.runtime_type->head != RuntimeType::Head::con)
    malformed_question("expected the type of a template or interface");
  return rep.runtime_type->con->id;
}

const BoxObject& ScriptValues::any_in(const Cell& c) {
  if (c.tag != Tag::any) malformed_question("expected an Any");
  return *c.box;
}

Value ScriptValues::ledger_value(const Cell& c) { return to_value(c, machine_.arena()); }

// ---- types
// -----------------------------------------------------------------------------------------------------------

const TypeDescriptor* ScriptValues::library_type(const std::string& module, const std::string& name) const {
  const DataType* type = library_.find_data_type(module, name);
  return type ? program_.descriptor(library_, *type) : nullptr;
}

const TypeDescriptor* ScriptValues::standard_type(const std::string& module, const std::string& name) {
  const TypeDescriptor*& known = standard_types_[module + ":" + name];
  if (known) return known;
  // The program may have a module of that name itself, and what the library expects is the standard library's.
  for (const bool stable : {true, false})
    for (const Package* p : program_.packages().all())
      if (is_stable_package(p->id()) == stable)
        if (const DataType* d = p->find_data_type(module, name)) return known = program_.descriptor(*p, *d);
  malformed_question("type " + module + ":" + name + " is in none of the packages");
}

bool ScriptValues::library_has(const std::string& module, const std::string& type,
                               const std::string& constructor) const {
  const TypeDescriptor* found = library_type(module, type);
  return found && found->index_of(constructor) >= 0;
}

// ---- building
// --------------------------------------------------------------------------------------------------------

Cell ScriptValues::list(const std::vector<Cell>& items) {
  Cell out = make_nil();
  for (auto it = items.rbegin(); it != items.rend(); ++it) out = make_cons(machine_.arena(), *it, out);
  return out;
}

Cell ScriptValues::party_list(const PartySet& parties) {
  std::vector<Cell> cells;
  for (const auto& p : parties) cells.push_back(party(p));
  return list(cells);
}

Cell ScriptValues::text_map(const std::map<std::string, std::string>& entries) {
  Meter steps(~std::uint64_t{0});
  const MapNode* root = nullptr;
  for (const auto& [key, value] : entries) root = map_insert(machine_.arena(), root, text(key), text(value), steps);
  return make_map(Tag::text_map, root);
}

Cell ScriptValues::record(const TypeDescriptor* type, const std::vector<Cell>& fields) {
  std::size_t n = type->names.size();
  if (fields.size() < n)
    malformed_question("type " + type->id.to_string() + " has more fields than this runner knows of");
  RecordObject* r = new_record(machine_.arena(), type, n);
  std::copy(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(n), r->fields());
  return cell_of(r);
}

Cell ScriptValues::variant(const TypeDescriptor* type, const std::string& constructor, const Cell& argument) {
  int rank = type->index_of(constructor);
  if (rank < 0) malformed_question("type " + type->id.to_string() + " has no constructor " + constructor);
  if (type->definition->kind == DataKind::enumeration) return make_enum(type, static_cast<std::uint32_t>(rank));
  return make_variant(machine_.arena(), type, static_cast<std::uint32_t>(rank), argument);
}

Cell ScriptValues::tuple(std::initializer_list<Cell> items) {
  return record(standard_type("DA.Types", "Tuple" + std::to_string(items.size())), std::vector<Cell>(items));
}
Cell ScriptValues::non_empty(const Cell& first, const std::vector<Cell>& rest) {
  return record(standard_type("DA.NonEmpty.Types", "NonEmpty"), {first, list(rest)});
}
Cell ScriptValues::left(const Cell& c) { return variant(standard_type("DA.Types", "Either"), "Left", c); }
Cell ScriptValues::right(const Cell& c) { return variant(standard_type("DA.Types", "Either"), "Right", c); }

Cell ScriptValues::failure_status(const std::string& id, std::int64_t category, const std::string& message,
                                  const std::map<std::string, std::string>& meta) {
  return record(standard_type("DA.Internal.Fail.Types", "FailureStatus"),
                {text(id), make_int64(category), text(message), text_map(meta)});
}

Cell ScriptValues::type_rep(const Identifier& id) {
  const TypeDescriptor* descriptor = nullptr;
  if (const Package* package = program_.packages().find(id.package))
    if (const DataType* type = package->find_data_type(id.module, id.entity))
      descriptor = program_.descriptor(*package, *type);
  if (!descriptor) malformed_question("no type " + id.to_string() + " in the packages of this file");
  Cell rep = make_tag(Tag::type_rep);
  rep.runtime_type = program_.type(descriptor);
  return record(standard_type("DA.Internal.Any", "TemplateTypeRep"), {rep});
}

Cell ScriptValues::typed(const Value& value, const RuntimeType& type) {
  auto cell = to_cell(program_, machine_.arena(), value, type, {.local_ids = true});
  if (!cell)
    throw QuestionFailed{invalid_argument(
        kValueMismatch, "a value of the ledger does not have the type that the script knows: " + cell.error().cause)};
  return *cell;
}

Cell ScriptValues::view(const Identifier& interface_id, const Value& value) {
  const InterfaceInfo* i = program_.interface(interface_id);
  if (!i || !i->view) malformed_question("no interface " + interface_id.to_string() + " in the packages of this file");
  return typed(value, *i->view);
}

// Up to Daml 3.2 it has a display name as well.
Cell ScriptValues::party_details(const PartyInfo& info) {
  const TypeDescriptor* type = library_type("Daml.Script.Internal.Questions.PartyManagement", "PartyDetails");
  if (!type) malformed_question("the script library has no PartyDetails");
  std::vector<Cell> fields;
  for (const auto& name : type->names)
    fields.push_back(name == "party" ? party(info.party) : name == "isLocal" ? make_bool(info.local) : make_none());
  return record(type, fields);
}

Cell ScriptValues::any_template(const Identifier& template_id, const Value& argument) {
  const TemplateInfo* t = program_.template_(template_id);
  if (!t || !t->type) malformed_question("no template " + template_id.to_string() + " in the packages of this file");
  return record(standard_type("DA.Internal.Any", "AnyTemplate"),
                {make_any(machine_.arena(), t->type, typed(argument, *t->type))});
}

const ChoiceInfo& ScriptValues::choice(const Identifier& template_id, const std::optional<Identifier>& interface_id,
                                       const std::string& name) {
  const ChoiceInfo* info = nullptr;
  if (interface_id) {
    if (const InterfaceInfo* i = program_.interface(*interface_id)) info = i->choice(name);
  } else if (const TemplateInfo* t = program_.template_(template_id)) {
    info = t->choice(name);
  } else if (const InterfaceInfo* i = program_.interface(template_id)) {
    info = i->choice(name);
  }
  if (!info || !info->argument || !info->result)
    malformed_question("no choice " + name + " of " + interface_id.value_or(template_id).to_string());
  return *info;
}

Cell ScriptValues::any_choice(const Identifier& template_id, const std::optional<Identifier>& interface_id,
                              const std::string& name, const Value& argument) {
  const RuntimeType* type = choice(template_id, interface_id, name).argument;
  return record(
      standard_type("DA.Internal.Any", "AnyChoice"),
      {make_any(machine_.arena(), type, typed(argument, *type)), type_rep(interface_id.value_or(template_id))});
}

Cell ScriptValues::any_contract_id(const Identifier& template_id, const ContractId& id) {
  return library_record("Daml.Script.Internal.Questions.Util", "AnyContractId",
                        {type_rep(template_id), contract_id(id)});
}

Cell ScriptValues::any_contract_key(const Identifier& template_id, const Value& key, bool stable_type) {
  const TemplateInfo* t = program_.template_(template_id);
  if (!t || !t->key_type) malformed_question("no key of template " + template_id.to_string());
  Cell cell = typed(key, *t->key_type);
  if (stable_type)
    return record(standard_type("DA.Internal.Any", "AnyContractKey"),
                  {make_any(machine_.arena(), t->key_type, cell), type_rep(template_id)});
  return library_record("Daml.Script.Internal.Questions.Commands", "AnyContractKey", {cell, type_rep(template_id)});
}

Cell ScriptValues::library_record(const std::string& module, const std::string& name, const std::vector<Cell>& fields) {
  const TypeDescriptor* type = library_type(module, name);
  if (!type) malformed_question("the script library has no type " + module + ":" + name);
  return record(type, fields);
}

Cell ScriptValues::library_choice(const std::string& module, const std::string& type_name,
                                  const std::string& constructor, const std::optional<Cell>& argument) {
  const TypeDescriptor* type = library_type(module, type_name);
  if (!type) malformed_question("the script library has no type " + module + ":" + type_name);
  return variant(type, constructor, argument.value_or(make_unit()));
}

Cell ScriptValues::library_variant(const std::string& module, const std::string& type_name,
                                   const std::string& constructor, const std::vector<Cell>& fields) {
  const TypeDescriptor* type = library_type(module, type_name);
  int rank = type ? type->index_of(constructor) : -1;
  if (rank < 0) malformed_question("the script library has no " + module + ":" + type_name + "." + constructor);
  if (type->definition->kind == DataKind::enumeration) return variant(type, constructor, make_unit());
  const auto* members = program_.members(*program_.type(type));
  const RuntimeType* argument = members ? members->at(static_cast<std::size_t>(rank)) : nullptr;
  if (!argument) malformed_question("type of " + type_name + "." + constructor);
  if (argument->head == RuntimeType::Head::con && argument->con->definition->kind == DataKind::record)
    return variant(type, constructor, record(argument->con, fields));
  return variant(type, constructor, fields.size() == 1 ? fields[0] : make_unit());
}

}  // namespace synod::lf::script
