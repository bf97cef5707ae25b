// Names, kinds, types, and the package as a whole.
#include "lf/text/encoder.h"

#include <algorithm>

#include "lf/archive/package_decoder.h"

namespace synod::lf::text {

Encoder::Encoder(const Package& package)
    : package_(package), version_(package.language_version()), flat_(version_.has_flat_archive()) {
  for (std::uint32_t i = 0; i < package.string_count(); ++i) string_indices_.emplace(package.text(StringId{i}), i);
}

Result<Bytes> Encoder::encode() {
  encode_metadata();
  encode_refs();
  encode_kinds();
  encode_types();
  encode_exprs();
  std::vector<Bytes> modules;
  for (std::uint32_t i = 0; i < package_.modules().size(); ++i) modules.push_back(module(i));
  std::vector<Bytes> dotted_names;
  for (std::uint32_t i = 0; i < package_.dotted_name_count(); ++i) {
    std::string_view rest = package_.text(DottedNameId{i});
    WireWriter segments;
    while (true) {
      auto end = std::min(rest.find('.'), rest.size());
      segments.raw_varint(string_index(rest.substr(0, end)));
      if (end == rest.size()) break;
      rest.remove_prefix(end + 1);
    }
    dotted_names.push_back(segments.take());
  }
  if (!error_.empty()) return fail(invalid_argument("LF_ENCODING_ERROR", error_));

  WireWriter out;
  for (const auto& m : modules) out.bytes(1, m);
  for (std::uint32_t i = 0; i < package_.string_count(); ++i) out.bytes(2, package_.text(StringId{i}));
  for (const auto& s : extra_strings_) out.bytes(2, s);
  for (const auto& segments : dotted_names) {
    WireWriter name;
    name.bytes(1, segments);
    out.bytes(3, name.data());
  }
  out.bytes(4, metadata_);
  for (const auto& t : type_table_) out.bytes(5, t);
  if (flat_) {
    for (const auto& k : kinds_) out.bytes(6, k);
    for (const auto& e : expr_table_) out.bytes(7, e);
  }
  if (version_.has_package_imports()) {
    WireWriter imports;
    for (const auto& id : imports_) imports.bytes(1, id);
    out.bytes(9, imports.data());
  }
  return out.take();
}

std::uint32_t Encoder::string_index(std::string_view text) {
  if (auto it = string_indices_.find(text); it != string_indices_.end()) return it->second;
  auto index = static_cast<std::uint32_t>(package_.string_count() + extra_strings_.size());
  extra_strings_.emplace_back(text);
  string_indices_.emplace(text, index);
  return index;
}

void Encoder::encode_metadata() {
  WireWriter out;
  out.scalar(1, string_index(package_.name()));
  out.scalar(2, string_index(package_.version()));
  if (const auto& upgraded = package_.metadata().upgraded_package_id; !upgraded.empty()) {
    WireWriter id;
    id.scalar(1, string_index(upgraded));
    out.bytes(3, id.data());
  }
  metadata_ = out.take();
}

Bytes Encoder::module_id(std::uint32_t package, DottedNameId module) {
  WireWriter package_ref;
  const std::string& id = package_.package_ids()[package];
  if (package == 0) {
    package_ref.bytes(1, "");
  } else if (version_.has_package_imports() && !is_stable_package(id)) {
    package_ref.varint(4, static_cast<std::uint64_t>(std::ranges::find(imports_, id) - imports_.begin()));
  } else {
    package_ref.varint(3, string_index(id));
  }
  WireWriter out;
  out.bytes(1, package_ref.data());
  out.scalar(2, dotted_name_index(module));
  return out.take();
}

void Encoder::encode_refs() {
  if (version_.has_package_imports()) {
    auto declared = package_.declared_imports();
    imports_.assign(declared.begin(), declared.end());
    for (const auto& id : package_.package_ids().subspan(1)) {
      if (!is_stable_package(id) && std::ranges::find(imports_, id) == imports_.end()) imports_.push_back(id);
    }
  }
  for (std::uint32_t i = 0; i < package_.ref_count(); ++i) {
    const Ref& ref = package_.ref(RefId{i});
    WireWriter out;
    out.bytes(1, module_id(ref.package, ref.module));
    out.scalar(2, dotted_name_index(ref.name));
    refs_.push_back(out.take());
  }
}

// ---- kinds: in 2.1 written where they are used, later in a table

void Encoder::encode_kinds() {
  for (std::uint32_t i = 0; i < package_.kind_count(); ++i) {
    const Kind& k = package_.kind(KindId{i});
    WireWriter out;
    if (k.kind == KindKind::arrow) {
      WireWriter arrow;
      arrow.bytes(1, kind(k.parameter));
      arrow.bytes(2, kind(k.result));
      out.bytes(2, arrow.data());
    } else {
      out.bytes(k.kind == KindKind::star ? 1 : 3, "");
    }
    kinds_.push_back(out.take());
  }
}

Bytes Encoder::kind(KindId id) const {
  if (!flat_) return kinds_[id.value];
  WireWriter out;
  out.varint(4, id.value);
  return out.take();
}

// ---- types: always in a table

Bytes Encoder::type(TypeId id) const {
  WireWriter out;
  out.varint(8, type_index_[id.value]);
  return out.take();
}

std::uint32_t Encoder::add_type(Bytes entry) {
  auto [it, inserted] = type_entries_.emplace(std::move(entry), static_cast<std::uint32_t>(type_table_.size()));
  if (inserted) type_table_.push_back(it->first);
  return it->second;
}

void Encoder::encode_types() {
  for (std::uint32_t i = 0; i < package_.type_count(); ++i) encode_type(TypeId{i});
}

void Encoder::encode_type(TypeId id) {
  const Type& t = package_.type(id);
  WireWriter inner, out;
  bool applied = t.kind == TypeKind::var || t.kind == TypeKind::con || t.kind == TypeKind::builtin;
  auto arguments = [&] {
    if (flat_ && applied) return;
    for (TypeId arg : package_.items(t.args)) inner.bytes(2, type(arg));
  };
  switch (t.kind) {
    case TypeKind::var:
      arguments();
      inner.scalar(3, t.name.value);
      out.bytes(1, inner.data());
      break;
    case TypeKind::con:
      inner.bytes(1, ref(t.ref));
      arguments();
      out.bytes(2, inner.data());
      break;
    case TypeKind::builtin:
      inner.scalar(1, static_cast<std::uint64_t>(t.builtin));
      arguments();
      out.bytes(3, inner.data());
      break;
    case TypeKind::synonym:
      inner.bytes(1, ref(t.ref));
      arguments();
      out.bytes(7, inner.data());
      break;
    case TypeKind::nat:
      out.sint64(6, t.number);
      break;
    case TypeKind::forall:
      inner.bytes(1, type_param(t.param));
      inner.bytes(2, type(t.body));
      out.bytes(4, inner.data());
      break;
    case TypeKind::structure:
      for (const NamedType& field : package_.items(t.fields)) inner.bytes(1, field_type(field.name, field.type));
      out.bytes(5, inner.data());
      break;
    case TypeKind::app:
      if (!flat_) error_ = "Daml-LF 2.1 cannot write the application of a type synonym to further arguments";
      inner.bytes(1, type(t.fun));
      inner.bytes(2, type(package_.items(t.args).front()));
      out.bytes(9, inner.data());
      break;
  }
  auto index = add_type(out.take());
  if (flat_ && applied) {
    for (TypeId arg : package_.items(t.args)) {
      WireWriter head, pair, application;
      head.varint(8, index);
      pair.bytes(1, head.data());
      pair.bytes(2, type(arg));
      application.bytes(9, pair.data());
      index = add_type(application.take());
    }
  }
  type_index_.push_back(index);
}

Bytes Encoder::type_con(TypeId id) const {
  const Type& t = package_.type(id);
  WireWriter out;
  out.bytes(1, ref(t.ref));
  for (TypeId arg : package_.items(t.args)) out.bytes(2, type(arg));
  return out.take();
}

Bytes Encoder::field_type(StringId name, TypeId its_type) const {
  WireWriter out;
  out.bytes(2, type(its_type));
  out.scalar(3, name.value);
  return out.take();
}

Bytes Encoder::type_param(const TypeParam& param) const {
  WireWriter out;
  out.bytes(2, kind(param.kind));
  out.scalar(3, param.name.value);
  return out.take();
}

}  // namespace synod::lf::text
