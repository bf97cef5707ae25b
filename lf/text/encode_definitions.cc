// Modules and definitions.
#include "lf/text/encoder.h"

namespace synod::lf::text {

Bytes Encoder::module(std::uint32_t index) {
  WireWriter flags;
  for (std::uint32_t flag : {1, 2, 3}) flags.varint(flag, 1);
  WireWriter out;
  out.scalar(1, dotted_name_index(package_.modules()[index].name));
  out.bytes(2, flags.data());
  for (const Synonym& definition : package_.synonyms()) {
    if (definition.module != index) continue;
    WireWriter inner;
    inner.scalar(2, dotted_name_index(definition.name));
    for (const TypeParam& p : package_.items(definition.params)) inner.bytes(3, type_param(p));
    inner.bytes(4, type(definition.type));
    out.bytes(3, inner.data());
  }
  for (const DataType& definition : package_.data_types()) {
    if (definition.module == index) out.bytes(4, data_type(definition));
  }
  for (const ValueDefinition& definition : package_.values()) {
    if (definition.module != index) continue;
    WireWriter name, inner;
    name.scalar(1, dotted_name_index(definition.name));
    name.bytes(2, type(definition.type));
    inner.bytes(2, name.data());
    inner.bytes(3, expr(definition.body));
    out.bytes(5, inner.data());
  }
  for (const Template& definition : package_.templates()) {
    if (definition.module == index) out.bytes(6, template_(definition));
  }
  for (const ExceptionDefinition& definition : package_.exceptions()) {
    if (definition.module != index) continue;
    WireWriter inner;
    inner.scalar(1, dotted_name_index(definition.name));
    inner.bytes(3, expr(definition.message));
    out.bytes(7, inner.data());
  }
  for (const Interface& definition : package_.interfaces()) {
    if (definition.module == index) out.bytes(8, interface(definition));
  }
  return out.take();
}

Bytes Encoder::data_type(const DataType& definition) {
  WireWriter out, inner;
  out.scalar(2, dotted_name_index(definition.name));
  for (const TypeParam& p : package_.items(definition.params)) out.bytes(3, type_param(p));
  out.scalar(4, definition.serializable);
  for (const NamedType& field : package_.items(definition.fields)) inner.bytes(1, field_type(field.name, field.type));
  switch (definition.kind) {
    case DataKind::record:
      out.bytes(5, inner.data());
      break;
    case DataKind::variant:
      out.bytes(6, inner.data());
      break;
    case DataKind::enumeration: {
      WireWriter constructors;
      for (StringId constructor : package_.items(definition.constructors)) constructors.raw_varint(constructor.value);
      inner.bytes(2, constructors.data());
      out.bytes(7, inner.data());
      break;
    }
    case DataKind::interface:
      out.bytes(8, "");
      break;
  }
  return out.take();
}

Bytes Encoder::choice(const Choice& choice) {
  WireWriter out;
  out.scalar(2, choice.name.value);
  out.scalar(3, choice.consuming);
  out.bytes(4, expr(choice.controllers));
  out.bytes(5, expr(choice.observers));
  out.bytes(6, field_type(choice.argument.name, choice.argument.type));
  out.bytes(8, type(choice.result));
  out.bytes(9, expr(choice.update));
  out.scalar(10, choice.self_binder.value);
  return out.take();
}

Bytes Encoder::template_(const Template& definition) {
  WireWriter out;
  out.scalar(1, dotted_name_index(definition.name));
  out.scalar(2, definition.parameter.value);
  if (!definition.precondition.is_none()) out.bytes(3, expr(definition.precondition));
  out.bytes(4, expr(definition.signatories));
  for (const Choice& c : package_.items(definition.choices)) out.bytes(6, choice(c));
  out.bytes(7, expr(definition.observers));
  if (definition.has_key) {
    WireWriter key;
    key.bytes(1, type(definition.key.type));
    key.bytes(3, expr(definition.key.maintainers));
    key.bytes(4, expr(definition.key.key));
    out.bytes(9, key.data());
  }
  for (const Implementation& implementation : package_.items(definition.implementations)) {
    WireWriter body, message;
    for (const MethodBody& method : package_.items(implementation.methods)) {
      WireWriter inner;
      inner.scalar(1, method.name.value);
      inner.bytes(2, expr(method.value));
      body.bytes(1, inner.data());
    }
    body.bytes(2, expr(implementation.view));
    message.bytes(1, ref(implementation.interface));
    message.bytes(2, body.data());
    out.bytes(10, message.data());
  }
  return out.take();
}

Bytes Encoder::interface(const Interface& definition) {
  WireWriter out;
  out.scalar(2, dotted_name_index(definition.name));
  for (const NamedType& method : package_.items(definition.methods)) {
    WireWriter inner;
    inner.scalar(2, method.name.value);
    inner.bytes(3, type(method.type));
    out.bytes(3, inner.data());
  }
  out.scalar(4, definition.parameter.value);
  for (const Choice& c : package_.items(definition.choices)) out.bytes(5, choice(c));
  out.bytes(6, type(definition.view));
  for (RefId required : package_.items(definition.required)) out.bytes(7, ref(required));
  return out.take();
}

}  // namespace synod::lf::text
