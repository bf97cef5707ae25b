#include "lf/ledger/api_codec.h"

#include <algorithm>
#include <map>

#include "ledger/commands.pb.h"
#include "ledger/value.pb.h"
#include "lf/package_store.h"
#include "lf/type_schema.h"

namespace synod::lf {
namespace {

constexpr std::int32_t kMinDays = -719162, kMaxDays = 2932896;  // 0001-01-01, 9999-12-31

tl::unexpected<Error> refuse(std::string cause) {
  return fail(invalid_argument("COMMAND_PREPROCESSING_FAILED", std::move(cause)));
}

// ---- from the API
// ----------------------------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(TypeSchema& schema) : schema_(schema) {}

  Result<Value> read(const api::Value& v, const SchemaType& t, int depth) {
    if (depth > kMaxValueNesting) return refuse("Provided value exceeds maximum nesting level of 100");
    auto wrong = [&] { return refuse("mismatching type: expected " + TypeSchema::to_string(t)); };
    switch (t.kind) {
      case SchemaKind::unit:
        return v.has_unit() ? Result<Value>(Value::unit()) : wrong();
      case SchemaKind::boolean:
        return v.sum_case() == api::Value::kBool ? Result<Value>(Value::boolean(v.bool_())) : wrong();
      case SchemaKind::int64:
        return v.sum_case() == api::Value::kInt64 ? Result<Value>(Value::int64(v.int64())) : wrong();
      case SchemaKind::date:
        if (v.sum_case() != api::Value::kDate) return wrong();
        if (v.date() < kMinDays || v.date() > kMaxDays) return refuse("date out of range: " + std::to_string(v.date()));
        return Value::date(Date{v.date()});
      case SchemaKind::timestamp: {
        if (v.sum_case() != api::Value::kTimestamp) return wrong();
        Timestamp time{v.timestamp()};
        if (time < Timestamp::min() || time > Timestamp::max())
          return refuse("timestamp out of range: " + std::to_string(v.timestamp()));
        return Value::timestamp(time);
      }
      case SchemaKind::numeric: {
        if (v.sum_case() != api::Value::kNumeric) return wrong();
        auto n = parse_numeric(v.numeric(), t.scale);
        if (!n) return refuse(n.error().cause);
        return Value::numeric(*n);
      }
      case SchemaKind::party:
        if (v.sum_case() != api::Value::kParty) return wrong();
        if (!is_party_id(v.party())) return refuse("\"" + v.party().substr(0, 260) + "\" is not a party id");
        return Value::party(v.party());
      case SchemaKind::text:
        return v.sum_case() == api::Value::kText ? Result<Value>(Value::text(v.text())) : wrong();
      case SchemaKind::contract_id: {
        if (v.sum_case() != api::Value::kContractId) return wrong();
        SYNOD_TRY(ContractId id, ContractId::from_hex(v.contract_id()));
        return Value::contract_id(std::move(id));
      }
      case SchemaKind::optional: {
        if (!v.has_optional()) return wrong();
        if (!v.optional().has_value()) return Value::none();
        SYNOD_TRY(Value inner, read(v.optional().value(), *t.argument(), depth + 1));
        return Value::some(std::move(inner));
      }
      case SchemaKind::list: {
        if (!v.has_list()) return wrong();
        std::vector<Value> items;
        items.reserve(static_cast<std::size_t>(v.list().elements_size()));
        for (const auto& e : v.list().elements()) {
          SYNOD_TRY(Value item, read(e, *t.argument(), depth + 1));
          items.push_back(std::move(item));
        }
        return Value::list(std::move(items));
      }
      case SchemaKind::text_map: {
        if (!v.has_text_map()) return wrong();
        std::map<std::string, Value> sorted;
        for (const auto& e : v.text_map().entries()) {
          SYNOD_TRY(Value item, read(e.value(), *t.argument(), depth + 1));
          if (!sorted.emplace(e.key(), std::move(item)).second)
            return refuse("key " + e.key() + " is duplicated when trying to build map");
        }
        return Value::text_map({sorted.begin(), sorted.end()});
      }
      case SchemaKind::gen_map: {
        if (!v.has_gen_map()) return wrong();
        std::vector<std::pair<Value, Value>> entries;
        for (const auto& e : v.gen_map().entries()) {
          SYNOD_TRY(Value key, read(e.key(), *t.argument(0), depth + 1));
          SYNOD_TRY(Value item, read(e.value(), *t.argument(1), depth + 1));
          entries.emplace_back(std::move(key), std::move(item));
        }
        return Value::gen_map(std::move(entries));
      }
      case SchemaKind::record:
        if (!v.has_record()) return wrong();
        return record(v.record(), t, depth);
      case SchemaKind::variant: {
        if (!v.has_variant()) return wrong();
        for (const auto& m : schema_.members(t)) {
          if (m.name != v.variant().constructor()) continue;
          SYNOD_TRY(Value inner, read(v.variant().value(), *m.type, depth + 1));
          return Value::variant(v.variant().constructor(), std::move(inner));
        }
        return refuse("unknown constructor " + v.variant().constructor() + " in variant " + t.id.to_string());
      }
      case SchemaKind::enumeration: {
        if (!v.has_enum_()) return wrong();
        for (const auto& m : schema_.members(t))
          if (m.name == v.enum_().constructor()) return Value::enumeration(v.enum_().constructor());
        return refuse("unknown constructor " + v.enum_().constructor() + " in enumeration " + t.id.to_string());
      }
      case SchemaKind::other:
        break;
    }
    return refuse("type is not serializable: " + TypeSchema::to_string(t));
  }

  Result<Value> record(const api::Record& r, const SchemaType& t, int depth) {
    auto members = schema_.members(t);
    if (t.kind != SchemaKind::record) return refuse("expected " + TypeSchema::to_string(t) + ", got a record");
    bool labelled = r.fields_size() > 0 &&
                    std::all_of(r.fields().begin(), r.fields().end(), [](const auto& f) { return !f.label().empty(); });
    std::vector<const api::Value*> given(members.size());
    const api::RecordField* surplus = nullptr;
    for (int i = 0; i < r.fields_size(); ++i) {
      const auto& field = r.fields(i);
      auto at = static_cast<std::size_t>(i);
      if (labelled) {
        auto it = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == field.label(); });
        at = static_cast<std::size_t>(it - members.begin());
      } else if (!field.label().empty() && at < members.size() && members[at].name != field.label()) {
        return refuse("Mismatching record field label '" + field.label() + "' (expecting '" +
                      std::string(members[at].name) + "') for record " + t.id.to_string());
      }
      if (at >= members.size()) {  // a later version of the type may have it; None says nothing
        bool none = field.value().has_optional() && !field.value().optional().has_value();
        if (none) continue;
        surplus = surplus ? surplus : &field;
        continue;
      }
      if (given[at]) return refuse("Duplicate label " + field.label() + " in record");
      given[at] = &field.value();
    }
    for (std::size_t i = 0; i < members.size(); ++i)
      if (!given[i] && members[i].type->kind != SchemaKind::optional)
        return refuse("Missing non-optional field \"" + std::string(members[i].name) +
                      "\", cannot upgrade non-optional fields.");
    std::vector<Value> fields;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (given[i]) {
        SYNOD_TRY(Value v, read(*given[i], *members[i].type, depth + 1));
        fields.push_back(std::move(v));
      } else {
        fields.push_back(Value::none());
      }
    }
    if (surplus) {
      const std::string& label = surplus->label();
      if (surplus->value().has_optional())
        return refuse("An optional contract field" + (label.empty() ? "" : " (\"" + label + "\")") +
                      " with a value of Some may not be dropped during downgrading.");
      return refuse("Found non-optional extra field" + (label.empty() ? "" : " \"" + label + "\"") +
                    ", cannot remove for downgrading.");
    }
    return Value::record(std::move(fields));
  }

 private:
  TypeSchema& schema_;
};

// ---- to the API
// ------------------------------------------------------------------------------------------------------

tl::unexpected<Error> bad(const SchemaType& t) {
  return fail(internal_error("a stored value is not of type " + TypeSchema::to_string(t)));
}

class Writer {
 public:
  Writer(TypeSchema& schema, bool verbose) : schema_(schema), verbose_(verbose) {}

  Status write(const Value& v, const SchemaType& t, api::Value* out) {
    switch (v.kind()) {
      case ValueKind::unit:
        out->mutable_unit();
        return {};
      case ValueKind::boolean:
        out->set_bool_(v.as_boolean());
        return {};
      case ValueKind::int64:
        out->set_int64(v.as_int64());
        return {};
      case ValueKind::date:
        out->set_date(v.as_date().days);
        return {};
      case ValueKind::timestamp:
        out->set_timestamp(v.as_timestamp().micros);
        return {};
      case ValueKind::numeric:
        out->set_numeric(to_string(v.as_numeric()));
        return {};
      case ValueKind::party:
        out->set_party(v.as_party());
        return {};
      case ValueKind::text:
        out->set_text(v.as_text());
        return {};
      case ValueKind::contract_id:
        out->set_contract_id(v.as_contract_id().to_hex());
        return {};
      case ValueKind::optional:
        if (t.kind != SchemaKind::optional) return bad(t);
        out->mutable_optional();
        if (auto* inner = v.as_optional())
          return write(*inner, *t.argument(), out->mutable_optional()->mutable_value());
        return {};
      case ValueKind::list:
        if (t.kind != SchemaKind::list) return bad(t);
        out->mutable_list();
        for (const auto& item : v.as_list())
          SYNOD_RETURN_IF_ERROR(write(item, *t.argument(), out->mutable_list()->add_elements()));
        return {};
      case ValueKind::text_map:
        if (t.kind != SchemaKind::text_map) return bad(t);
        out->mutable_text_map();
        for (const auto& [key, item] : v.as_text_map()) {
          auto* entry = out->mutable_text_map()->add_entries();
          entry->set_key(key);
          SYNOD_RETURN_IF_ERROR(write(item, *t.argument(), entry->mutable_value()));
        }
        return {};
      case ValueKind::gen_map:
        if (t.kind != SchemaKind::gen_map) return bad(t);
        out->mutable_gen_map();
        for (const auto& [key, item] : v.as_gen_map()) {
          auto* entry = out->mutable_gen_map()->add_entries();
          SYNOD_RETURN_IF_ERROR(write(key, *t.argument(0), entry->mutable_key()));
          SYNOD_RETURN_IF_ERROR(write(item, *t.argument(1), entry->mutable_value()));
        }
        return {};
      case ValueKind::record:
        if (t.kind != SchemaKind::record) return bad(t);
        return record(v, t, out->mutable_record());
      case ValueKind::variant: {
        if (t.kind != SchemaKind::variant) return bad(t);
        auto* variant = out->mutable_variant();
        if (verbose_) ApiCodec::identifier(t.id, variant->mutable_variant_id());
        variant->set_constructor(v.as_variant().constructor);
        for (const auto& m : schema_.members(t))
          if (m.name == v.as_variant().constructor)
            return write(v.as_variant().value, *m.type, variant->mutable_value());
        return bad(t);
      }
      case ValueKind::enumeration:
        if (t.kind != SchemaKind::enumeration) return bad(t);
        if (verbose_) ApiCodec::identifier(t.id, out->mutable_enum_()->mutable_enum_id());
        out->mutable_enum_()->set_constructor(v.as_enum());
        return {};
    }
    return bad(t);
  }

  Status record(const Value& v, const SchemaType& t, api::Record* out) {
    if (t.kind != SchemaKind::record || v.kind() != ValueKind::record) return bad(t);
    auto members = schema_.members(t);
    const auto& fields = v.as_record();
    if (fields.size() > members.size()) return bad(t);
    if (verbose_) ApiCodec::identifier(t.id, out->mutable_record_id());
    std::size_t n = verbose_ ? members.size() : fields.size();  // verbose output spells out the trailing None fields
    for (std::size_t i = 0; i < n; ++i) {
      auto* field = out->add_fields();
      if (verbose_) field->set_label(std::string(members[i].name));
      if (i < fields.size())
        SYNOD_RETURN_IF_ERROR(write(fields[i], *members[i].type, field->mutable_value()));
      else
        field->mutable_value()->mutable_optional();
    }
    return {};
  }

 private:
  TypeSchema& schema_;
  bool verbose_;
};

Error unknown(const Identifier& id) {
  return not_found("TEMPLATES_OR_INTERFACES_NOT_FOUND", "Templates or interfaces do not exist: " + id.to_string());
}

}  // namespace

ApiCodec::ApiCodec(std::shared_ptr<const PackageStore> packages)
    : packages_(packages), schema_(std::make_shared<TypeSchema>(std::move(packages))) {}

Identifier ApiCodec::identifier(const api::Identifier& id) {
  return Identifier{id.package_id(), id.module_name(), id.entity_name()};
}

void ApiCodec::identifier(const Identifier& id, api::Identifier* out) {
  out->set_package_id(id.package);
  out->set_module_name(id.module);
  out->set_entity_name(id.entity);
}

Result<Identifier> ApiCodec::resolve(const Identifier& id, const PackagePreference& preference) const {
  Identifier out = id;
  if (id.by_package_name()) {
    std::string name = id.package.substr(1);
    if (auto it = preference.find(name); it != preference.end())
      out.package = it->second;
    else if (const Package* package = packages_->preferred(name))
      out.package = package->id();
    else
      return fail(
          not_found("PACKAGE_NAMES_NOT_FOUND",
                    "The following package names do not match upgradable packages uploaded on this participant: [" +
                        name + "]."));
  } else if (!packages_->find(id.package)) {
    return fail(not_found("PACKAGE_NOT_FOUND", "Couldn't find package " + id.package));
  }
  return out;
}

const SchemaType* ApiCodec::record_of(const Identifier& type_id) const {
  auto found = packages_->data_type(type_id);
  return found ? schema_->type(*found.package, *found.definition) : nullptr;
}

Result<ApiCodec::ChoiceTypes> ApiCodec::choice_types(const Identifier& type_id, const std::string& choice) const {
  auto types = [&](const Package& package, Slice<Choice> choices, const char* kind) -> Result<ChoiceTypes> {
    const Choice* c = package.find_choice(choices, choice);
    if (!c) return refuse("unknown choice " + choice + " in " + kind + " " + type_id.to_string());
    return ChoiceTypes{schema_->type(package, c->argument.type), schema_->type(package, c->result)};
  };
  if (auto t = packages_->template_(type_id)) {
    // A template has the choices of its package only; those of its interfaces are exercised through the interface.
    return types(*t.package, t->choices, "template");
  }
  if (auto i = packages_->interface(type_id)) return types(*i.package, i->choices, "interface");
  return fail(unknown(type_id));
}

Result<const SchemaType*> ApiCodec::key_type(const Identifier& template_id) const {
  auto t = packages_->template_(template_id);
  if (!t) return fail(unknown(template_id));
  if (!t->has_key) return refuse("no key is defined for template " + template_id.to_string());
  return schema_->type(*t.package, t->key.type);
}

Result<Value> ApiCodec::template_argument(const Identifier& template_id, const api::Record& record) const {
  const SchemaType* type = packages_->template_(template_id) ? record_of(template_id) : nullptr;
  if (!type) return fail(unknown(template_id));
  return Reader(*schema_).record(record, *type, 0);
}

Result<Value> ApiCodec::choice_argument(const Identifier& type_id, const std::string& choice,
                                        const api::Value& value) const {
  SYNOD_TRY(ChoiceTypes types, choice_types(type_id, choice));
  return Reader(*schema_).read(value, *types.argument, 0);
}

Result<Value> ApiCodec::contract_key(const Identifier& template_id, const api::Value& value) const {
  SYNOD_TRY(const SchemaType* type, key_type(template_id));
  return Reader(*schema_).read(value, *type, 0);
}

Result<Value> ApiCodec::choice_result(const Identifier& type_id, const std::string& choice,
                                      const api::Value& value) const {
  SYNOD_TRY(ChoiceTypes types, choice_types(type_id, choice));
  return Reader(*schema_).read(value, *types.result, 0);
}

Result<Value> ApiCodec::interface_view(const Identifier& interface_id, const api::Record& record) const {
  auto i = packages_->interface(interface_id);
  if (!i) return fail(unknown(interface_id));
  return Reader(*schema_).record(record, *schema_->type(*i.package, i->view), 0);
}

Status ApiCodec::template_argument(const Identifier& template_id, const Value& value, bool verbose,
                                   api::Record* out) const {
  const SchemaType* type = record_of(template_id);
  if (!type) return fail(unknown(template_id));
  return Writer(*schema_, verbose).record(value, *type, out);
}

Status ApiCodec::choice_argument(const Identifier& type_id, const std::string& choice, const Value& value, bool verbose,
                                 api::Value* out) const {
  SYNOD_TRY(ChoiceTypes types, choice_types(type_id, choice));
  return Writer(*schema_, verbose).write(value, *types.argument, out);
}

Status ApiCodec::choice_result(const Identifier& type_id, const std::string& choice, const Value& value, bool verbose,
                               api::Value* out) const {
  SYNOD_TRY(ChoiceTypes types, choice_types(type_id, choice));
  return Writer(*schema_, verbose).write(value, *types.result, out);
}

Status ApiCodec::contract_key(const Identifier& template_id, const Value& value, bool verbose, api::Value* out) const {
  SYNOD_TRY(const SchemaType* type, key_type(template_id));
  return Writer(*schema_, verbose).write(value, *type, out);
}

Status ApiCodec::interface_view(const Identifier& interface_id, const Value& value, bool verbose,
                                api::Record* out) const {
  auto i = packages_->interface(interface_id);
  if (!i) return fail(unknown(interface_id));
  return Writer(*schema_, verbose).record(value, *schema_->type(*i.package, i->view), out);
}

Result<Command> ApiCodec::command(const api::Command& command, const PackagePreference& preference) const {
  switch (command.command_case()) {
    case api::Command::kCreate: {
      const auto& c = command.create();
      CreateCommand out;
      SYNOD_TRY(out.template_id, resolve(identifier(c.template_id()), preference));
      SYNOD_TRY(out.argument, template_argument(out.template_id, c.create_arguments()));
      return Command(std::move(out));
    }
    case api::Command::kExercise: {
      const auto& c = command.exercise();
      ExerciseCommand out;
      SYNOD_TRY(out.type_id, resolve(identifier(c.template_id()), preference));
      SYNOD_TRY(out.contract_id, ContractId::from_hex(c.contract_id()));
      out.choice = c.choice();
      SYNOD_TRY(out.argument, choice_argument(out.type_id, out.choice, c.choice_argument()));
      return Command(std::move(out));
    }
    case api::Command::kExerciseByKey: {
      const auto& c = command.exercise_by_key();
      ExerciseByKeyCommand out;
      SYNOD_TRY(out.template_id, resolve(identifier(c.template_id()), preference));
      SYNOD_TRY(out.key, contract_key(out.template_id, c.contract_key()));
      out.choice = c.choice();
      SYNOD_TRY(out.argument, choice_argument(out.template_id, out.choice, c.choice_argument()));
      return Command(std::move(out));
    }
    case api::Command::kCreateAndExercise: {
      const auto& c = command.create_and_exercise();
      CreateAndExerciseCommand out;
      SYNOD_TRY(out.template_id, resolve(identifier(c.template_id()), preference));
      SYNOD_TRY(out.create_argument, template_argument(out.template_id, c.create_arguments()));
      out.choice = c.choice();
      SYNOD_TRY(out.choice_argument, choice_argument(out.template_id, out.choice, c.choice_argument()));
      return Command(std::move(out));
    }
    case api::Command::COMMAND_NOT_SET:
      break;
  }
  return fail(invalid_argument("MISSING_FIELD", "The submitted command is missing a mandatory field: command"));
}

}  // namespace synod::lf
