// Modules and what they define.
#include <algorithm>

#include "lf/archive/package_decoder.h"

namespace synod::lf {

namespace {
constexpr std::size_t kMaxDottedName = 1000;
}

std::uint64_t PackageDecoder::finish_definition(Msg message, MessageFields fields) {
  switch (message) {
    case Msg::choice:
      return choice(fields);
    case Msg::instance_method:
      return pack(name_at(fields.scalar(1)).value, need_expr(fields, 2).value);
    case Msg::instance_body: {
      std::vector<MethodBody> methods;
      for (const FieldValue& field : fields.all()) {
        if (field.number == 1) methods.push_back(MethodBody{StringId{high(field.value)}, ExprId{low(field.value)}});
      }
      instance_bodies_.push_back(InstanceBody{builder_.list(methods), need_expr(fields, 2)});
      return instance_bodies_.size() - 1;
    }
    case Msg::template_key:
      if (!version_.has_contract_keys()) return not_supported("a contract key");
      keys_.push_back(Key{need_type(fields, 1), need_expr(fields, 4), need_expr(fields, 3)});
      return keys_.size() - 1;
    case Msg::implements: {
      auto body = need(fields, 2, "Expr.SUM_NOT_SET");
      RefId interface = need_ref(fields, 1);
      if (failed()) return 0;
      implementations_.push_back(
          Implementation{interface, instance_bodies_[body].methods, instance_bodies_[body].view});
      return implementations_.size() - 1;
    }
    case Msg::template_:
      return template_(fields);
    case Msg::interface_method:
      return pack(name_at(fields.scalar(2)).value, need_type(fields, 3).value);
    case Msg::interface:
      return interface(fields);
    case Msg::exception:
      exceptions_.push_back(ExceptionDefinition{0, dotted_name_at(fields.scalar(1)), need_expr(fields, 3)});
      return 0;
    case Msg::fields: {
      auto list = named_types(fields, 1);
      return pack(list.offset, list.count);
    }
    case Msg::constructors: {
      std::vector<StringId> names;
      for (const FieldValue& field : fields.all()) names.push_back(name_at(low(field.value)));
      auto list = builder_.list(names);
      return pack(list.offset, list.count);
    }
    case Msg::data_type:
      return data_type(fields);
    case Msg::synonym:
      synonyms_.push_back(Synonym{0, dotted_name_at(fields.scalar(2)), type_params(fields, 3), need_type(fields, 4)});
      return 0;
    case Msg::named_type:
      return pack(dotted_name_at(fields.scalar(1)).value, need_type(fields, 2).value);
    case Msg::value: {
      auto name = need(fields, 2, "Type.SUM_NOT_SET");
      values_.push_back(ValueDefinition{0, DottedNameId{high(name)}, TypeId{low(name)}, need_expr(fields, 3)});
      return 0;
    }
    case Msg::feature_flags:
      return fields.scalar(1) && fields.scalar(2) && fields.scalar(3) ? 1 : 0;
    case Msg::module:
      return module(fields);
    case Msg::dotted_name: {
      std::string dotted;
      for (const FieldValue& field : fields.all()) {
        auto segment = text(name_at(low(field.value)));
        if (failed()) return 0;
        if (dotted.size() + segment.size() > kMaxDottedName) return fail("a dotted name is too long");
        if (!dotted.empty()) dotted += '.';
        dotted += segment;
      }
      if (dotted.empty()) return fail("a dotted name without segments");
      dotted_names_.push_back(builder_.dotted_name(dotted));
      return 0;
    }
    case Msg::upgraded:
      return fields.scalar(1);
    case Msg::metadata:
      return metadata(fields);
    default:
      return fail("unexpected message");
  }
}

std::uint64_t PackageDecoder::choice(MessageFields fields) {
  Choice c{};
  c.name = name_at(fields.scalar(2));
  c.consuming = fields.scalar(3) != 0;
  c.self_binder = name_at(fields.scalar(10));
  auto argument = need(fields, 6, "Type.SUM_NOT_SET");
  c.argument = NamedType{StringId{high(argument)}, TypeId{low(argument)}};
  c.result = need_type(fields, 8);
  c.controllers = need_expr(fields, 4);
  c.observers = need_expr(fields, 5);
  c.update = need_expr(fields, 9);
  choices_.push_back(c);
  return choices_.size() - 1;
}

std::uint64_t PackageDecoder::template_(MessageFields fields) {
  std::vector<Choice> choices;
  std::vector<Implementation> implementations;
  Template t{};
  t.name = dotted_name_at(fields.scalar(1));
  t.parameter = name_at(fields.scalar(2));
  t.precondition = ExprId::none();
  t.signatories = need_expr(fields, 4);
  t.observers = need_expr(fields, 7);
  for (const FieldValue& field : fields.all()) {
    switch (field.number) {
      case 3:
        t.precondition = ExprId{low(field.value)};
        break;
      case 6:
        choices.push_back(choices_[field.value]);
        break;
      case 9:
        t.has_key = true;
        t.key = keys_[field.value];
        break;
      case 10:
        implementations.push_back(implementations_[field.value]);
        break;
    }
  }
  t.choices = builder_.list(choices);
  t.implementations = builder_.list(implementations);
  templates_.push_back(t);
  return 0;
}

std::uint64_t PackageDecoder::interface(MessageFields fields) {
  std::vector<Choice> choices;
  std::vector<RefId> required;
  Interface i{};
  i.name = dotted_name_at(fields.scalar(2));
  i.parameter = name_at(fields.scalar(4));
  i.methods = named_types(fields, 3);
  i.view = need_type(fields, 6);
  for (const FieldValue& field : fields.all()) {
    if (field.number == 5) choices.push_back(choices_[field.value]);
    if (field.number == 7) required.push_back(RefId{low(field.value)});
  }
  i.choices = builder_.list(choices);
  i.required = builder_.list(required);
  interfaces_.push_back(i);
  return 0;
}

std::uint64_t PackageDecoder::data_type(MessageFields fields) {
  DataType d{};
  d.name = dotted_name_at(fields.scalar(2));
  d.params = type_params(fields, 3);
  d.serializable = fields.scalar(4) != 0;
  bool has_constructors = false;
  for (const FieldValue& field : fields.all()) {
    if (field.number < 5) continue;
    has_constructors = true;
    switch (field.number) {
      case 5:
      case 6:
        d.kind = field.number == 5 ? DataKind::record : DataKind::variant;
        d.fields = Slice<NamedType>{high(field.value), low(field.value)};
        break;
      case 7:
        d.kind = DataKind::enumeration;
        d.constructors = Slice<StringId>{high(field.value), low(field.value)};
        if (d.params.count != 0) return fail("an enumeration with type parameters");
        break;
      default:
        d.kind = DataKind::interface;
        break;
    }
  }
  if (!has_constructors) return fail("DefDataType.DATACONS_NOT_SET");
  data_types_.push_back(d);
  return 0;
}

std::uint64_t PackageDecoder::module(MessageFields fields) {
  const FieldValue* flags = fields.find(2);
  if (!flags || flags->value == 0) return fail("a module with deprecated feature flag settings");
  auto index = builder_.add_module(dotted_name_at(fields.scalar(1)));
  auto move_to_package = [&](auto& definitions) {
    for (auto& definition : definitions) {
      definition.module = index;
      builder_.add(definition);
    }
    definitions.clear();
  };
  move_to_package(data_types_);
  move_to_package(synonyms_);
  move_to_package(values_);
  move_to_package(templates_);
  move_to_package(interfaces_);
  move_to_package(exceptions_);
  return index;
}

std::uint64_t PackageDecoder::metadata(MessageFields fields) {
  PackageMetadata metadata;
  auto name = string_at(fields.scalar(1));
  auto version = string_at(fields.scalar(2));
  if (failed()) return 0;
  metadata.name = text(name);
  metadata.version = text(version);
  if (!is_package_name(metadata.name)) return fail("malformed package name \"" + metadata.name + "\"");
  if (!is_package_version(metadata.version)) return fail("malformed package version \"" + metadata.version + "\"");
  if (const FieldValue* upgraded = fields.find(3)) {
    auto id = string_at(low(upgraded->value));
    if (failed()) return 0;
    metadata.upgraded_package_id = text(id);
    if (!is_package_id(metadata.upgraded_package_id)) return fail("malformed id of the upgraded package");
  }
  builder_.set_metadata(std::move(metadata));
  return 0;
}

}  // namespace synod::lf
