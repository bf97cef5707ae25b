// Kinds and types.
#include <algorithm>

#include "lf/archive/package_decoder.h"

namespace synod::lf {

namespace {
constexpr std::int64_t kMaxNat = 37;  // the largest scale of a Numeric
}

std::uint64_t PackageDecoder::finish_type(Msg message, MessageFields fields) {
  // From 2.2 arguments in the type table are applied one by one.
  auto no_arguments = [&] {
    if (in_type_table_ && version_.has_flat_archive() && fields.count(2) != 0) {
      fail("type arguments beside their constructor, which Daml-LF " + version_.to_string() + " applies one by one");
    }
  };
  switch (message) {
    case Msg::kind:
      return kind(fields);
    case Msg::kind_arrow: {
      if (!check_flat(fields.count(1), "kind parameters")) return 0;
      auto result = KindId{low(need(fields, 2, "Kind.SUM_NOT_SET"))};
      for (auto it = fields.all().rbegin(); it != fields.all().rend(); ++it) {
        if (it->number == 1) result = builder_.arrow(KindId{low(it->value)}, result);
      }
      return result.value;
    }
    case Msg::type:
      return type(fields);
    case Msg::type_var:
      no_arguments();
      return builder_.type_var(name_at(fields.scalar(3)), types(fields, 2)).value;
    case Msg::type_con:
      no_arguments();
      return builder_.type_con(need_ref(fields, 1), types(fields, 2)).value;
    case Msg::type_syn:
      return builder_.type_synonym(need_ref(fields, 1), types(fields, 2)).value;
    case Msg::type_builtin:
      no_arguments();
      return type_builtin(fields);
    case Msg::type_forall:
      return type_forall(fields);
    case Msg::type_struct:
      return type_struct(fields);
    case Msg::type_app:
      if (!version_.has_flat_archive()) return not_supported("a type application");
      if (fields.all().size() != 2) return fail("Type.SUM_NOT_SET");
      return builder_.type_app(need_type(fields, 1), need_type(fields, 2)).value;
    default:
      return fail("unexpected message");
  }
}

std::uint64_t PackageDecoder::kind(MessageFields fields) {
  if (fields.empty()) return fail("Kind.SUM_NOT_SET");
  auto [number, value] = fields.all().front();
  last_case_ = number;
  switch (number) {
    case 1:
      return builder_.star().value;
    case 2:
      return value;
    case 3:
      return builder_.nat().value;
    default:
      if (!version_.has_flat_archive()) return not_supported("an interned kind");
      if (value >= kinds_.size()) return fail("invalid interned kind index " + std::to_string(value));
      return kinds_[value].value;
  }
}

std::uint64_t PackageDecoder::type(MessageFields fields) {
  if (fields.empty()) return fail("Type.SUM_NOT_SET");
  auto [number, value] = fields.all().front();
  last_case_ = number;
  if (number == 8) {
    if (value >= types_.size()) return fail("invalid interned type index " + std::to_string(value));
    return types_[value].value;
  }
  if (!in_type_table_) return fail("a type is written outside of the type table");
  if (number == 6) {
    auto nat = static_cast<std::int64_t>(value);
    if (nat < 0 || nat > kMaxNat)
      return fail("a type-level number must be between 0 and 37, not " + std::to_string(nat));
    return builder_.type_nat(static_cast<std::uint32_t>(nat)).value;
  }
  return value;
}

std::uint64_t PackageDecoder::type_builtin(MessageFields fields) {
  auto number = fields.scalar(1);
  auto builtin = lf::builtin_type(number);
  if (!builtin) return not_supported("builtin type " + std::to_string(number));
  return builder_.type_builtin(*builtin, types(fields, 2)).value;
}

std::uint64_t PackageDecoder::type_forall(MessageFields fields) {
  if (!check_flat(fields.count(1), "variables of a quantified type")) return 0;
  TypeId body = need_type(fields, 2);
  if (failed()) return 0;
  for (auto it = fields.all().rbegin(); it != fields.all().rend(); ++it) {
    if (it->number == 1)
      body = builder_.type_forall(TypeParam{StringId{high(it->value)}, KindId{low(it->value)}}, body);
  }
  return body.value;
}

std::uint64_t PackageDecoder::type_struct(MessageFields fields) {
  std::vector<NamedType> members;
  for (const FieldValue& field : fields.all()) {
    members.push_back(NamedType{StringId{high(field.value)}, TypeId{low(field.value)}});
  }
  if (members.empty()) return fail("a struct type without fields");
  std::vector<std::uint32_t> names;
  for (const NamedType& member : members) names.push_back(member.name.value);
  std::ranges::sort(names);
  if (auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    return fail("a struct type has two fields " + std::string(text(StringId{*twice})));
  }
  return builder_.type_struct(std::move(members)).value;
}

}  // namespace synod::lf
