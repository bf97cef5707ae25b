#include "lf/archive/package_decoder.h"

#include <algorithm>
#include <array>

#include "lf/archive/dar_error.h"

namespace synod::lf {

namespace {

// Levels of messages below the package message that Canton's reader accepts.
constexpr int kNestingLimit = 1000;
constexpr int kNestingLimitFlat = 100;

constexpr std::array<std::string_view, 27> kStablePackages = {
    "0e4a572ab1fb94744abb02243a6bbed6c78fc6e3c8d3f60c655f057692a62816",  // DA.Internal.Erased
    "19f0df5fdaf5a96e137b6ea885fdb378f37bd3166bd9a47ee11518e33fa09a20",  // GHC.Tuple
    "3cde94fe9be5c700fc1d9a8ad2277e2c1214609f8c52a5b4db77e466875b8cb7",  // DA.Validation.Types
    "52854220dc199884704958df38befd5492d78384a032fd7558c38f00e3d778a2",  // DA.Monoid.Types
    "5aee9b21b8e9a4c4975b5f4c4198e6e6e8469df49e2010820e792f393db870f4",  // DA.Types
    "60c61c542207080e97e378ab447cc355ecc47534b3a3ebbff307c4fb8339bc4d",  // DA.Stack.Types
    "6da1f43a10a179524e840e7288b47bda213339b0552d92e87ae811e52f59fc0e",  // DA.Exception.AssertionFailed
    "6f8e6085f5769861ae7a40dccd618d6f747297d59b37cab89b93e2fa80b0c024",  // DA.Internal.Any
    "7adc4c2d07fa3a51173c843cba36e610c1168b2dbbf53076e20c0092eae8763d",  // DA.Internal.Fail.Types
    "86d888f34152dae8729900966b44abcb466b9c111699678de58032de601d2b04",  // DA.Internal.Down
    "91e167fa7a256f21f990c526a0a0df840e99aeef0e67dc1f5415b0309486de74",  // DA.Exception.PreconditionFailed
    "9e70a8b3510d617f8a136213f33d6a903a10ca0eeec76bb06ba55d1ed9680f69",  // DA.Internal.Template
    "a1fa18133ae48cbb616c4c148e78e661666778c3087d099067c7fe1868cbb3a1",  // DA.Action.State.Type
    "ab068e2f920d0e06347975c2a342b71f8b8e3b4be0f02ead9442caac51aa8877",  // DA.Internal.PromotedText
    "b70db8369e1c461d5c70f1c86f526a29e9776c655e6ffc2560f95b05ccb8b946",  // DA.Time.Types
    "bde4bd30749e99603e5afa354706608601029e225d4983324d617825b634253a",  // DA.NonEmpty.Types
    "bfda48f9aa2c89c895cde538ec4b4946c7085959e031ad61bde616b9849155d7",  // DA.Random.Types
    "c280cc3ef501d237efa7b1120ca3ad2d196e089ad596b666bed59a85f3c9a074",  // DA.Internal.Interface.AnyView.Types
    "c3bb0c5d04799b3f11bad7c3c102963e115cf53da3e4afcbcfd9f06ebd82b4ff",  // DA.Set.Types
    "cae345b5500ef6f84645c816f88b9f7a85a9f3c71697984abdf6849f81e80324",  // DA.Logic.Types
    "d095a2ccf6dd36b2415adc4fa676f9191ba63cd39828dc5207b36892ec350cbc",  // DA.Semigroup.Types
    "e5411f3d75f072b944bd88e652112a14a3d409c491fd9a51f5f6eede6d3a3348",  // DA.Internal.NatSyn
    "e7e0adfa881e7dbbb07da065ae54444da7c4bccebcb8872ab0cb5dcf9f3761ce",  // GHC.Types
    "ee33fb70918e7aaa3d3fc44d64a399fb2bf5bcefc54201b1690ecd448551ba88",  // DA.Exception.ArithmeticError
    "f181cd661f7af3a60bdaae4b0285a2a67beb55d6910fc8431dbae21a5825ec0f",  // DA.Exception.GeneralError
    "fa79192fe1cce03d7d8db36471dde4cf6c96e6d0f07e1c391dd49e355af9b38c",  // DA.Date.Types
    "fcee8dfc1b81c449b421410edd5041c16ab59c45bbea85bcb094d1b17c3e9df7",  // GHC.Prim
};

}  // namespace

bool is_stable_package(std::string_view package_id) { return std::ranges::binary_search(kStablePackages, package_id); }

PackageDecoder::PackageDecoder(std::string package_id, LanguageVersion version)
    : version_(version),
      builder_(std::move(package_id), version),
      walker_(version.has_flat_archive() ? kNestingLimitFlat : kNestingLimit) {}

Result<PackagePtr> PackageDecoder::decode(std::string_view package_message) {
  Parts parts;
  if (!split(package_message, parts) || !decode_tables(parts) || !decode_modules(parts)) {
    return tl::unexpected<Error>(dar_parse_error(std::move(error_)));
  }
  return builder_.finish();
}

std::uint64_t PackageDecoder::fail(std::string reason) {
  if (error_.empty()) error_ = std::move(reason);
  return 0;
}

std::uint64_t PackageDecoder::not_supported(std::string what) {
  return fail(std::move(what) + " is not supported by Daml-LF " + version_.to_string());
}

std::uint64_t PackageDecoder::walk(Msg message, std::string_view bytes) {
  auto result = walker_.walk(message, bytes, *this);
  if (!walker_.error().empty()) fail(walker_.error());
  return result;
}

bool PackageDecoder::split(std::string_view package_message, Parts& parts) {
  WireReader reader(package_message);
  while (!reader.at_end()) {
    std::uint32_t number;
    WireType wire;
    std::string_view bytes;
    if (!reader.tag(number, wire)) return fail("Package: malformed protobuf message"), false;
    if (number > 9 || wire != WireType::bytes) {
      return fail("Package: message has unknown field " + std::to_string(number)), false;
    }
    if (!reader.bytes(bytes)) return fail("Package: truncated protobuf message"), false;
    switch (number) {
      case 1:
        parts.modules.push_back(bytes);
        break;
      case 2:
        parts.strings.push_back(bytes);
        break;
      case 3:
        parts.dotted_names.push_back(bytes);
        break;
      case 4:
        if (parts.has_metadata) return fail("Package: metadata given twice"), false;
        parts.metadata = bytes;
        parts.has_metadata = true;
        break;
      case 5:
        parts.types.push_back(bytes);
        break;
      case 6:
        parts.kinds.push_back(bytes);
        break;
      case 7:
        parts.expressions.push_back(bytes);
        break;
      case 8:
        parts.has_no_imports_reason = true;
        break;
      case 9:
        if (parts.has_imports) return fail("Package: imports given twice"), false;
        parts.has_imports = true;
        if (!split_imports(bytes, parts)) return false;
        break;
    }
  }
  if (!parts.has_metadata) return fail("Package.metadata is required in Daml-LF " + version_.to_string()), false;
  if (parts.has_imports && parts.has_no_imports_reason) return fail("Package: imports and a reason for none"), false;
  if ((parts.has_imports || parts.has_no_imports_reason) && !version_.has_package_imports()) {
    return not_supported("a list of package imports"), false;
  }
  if (!parts.kinds.empty() && !version_.has_flat_archive()) return not_supported("a table of kinds"), false;
  if (!parts.expressions.empty() && !version_.has_flat_archive()) return not_supported("a table of expressions"), false;
  return true;
}

bool PackageDecoder::split_imports(std::string_view message, Parts& parts) {
  WireReader reader(message);
  while (!reader.at_end()) {
    std::uint32_t number;
    WireType wire;
    std::string_view bytes;
    if (!reader.tag(number, wire) || number != 1 || wire != WireType::bytes || !reader.bytes(bytes)) {
      return fail("PackageImports: malformed, or with an unknown field"), false;
    }
    parts.imports.push_back(bytes);
  }
  return true;
}

bool PackageDecoder::decode_tables(const Parts& parts) {
  std::size_t text_bytes = 0, module_bytes = 0;
  for (auto s : parts.strings) text_bytes += s.size();
  for (auto m : parts.modules) module_bytes += m.size();
  builder_.reserve(parts.strings.size(), text_bytes, module_bytes / 16);

  for (auto s : parts.strings) {
    if (!is_utf8(s)) return fail("an interned string is not UTF-8"), false;
    strings_.push_back(builder_.string(s));
  }
  for (auto name : parts.dotted_names) {
    walk(Msg::dotted_name, name);
    if (failed()) return false;
  }
  walk(Msg::metadata, parts.metadata);
  if (failed()) return false;

  has_imports_ = parts.has_imports;
  std::vector<std::string> declared;
  for (auto import : parts.imports) {
    if (!is_package_id(import)) return fail("an imported package has the malformed id " + std::string(import)), false;
    declared.emplace_back(import);
    imports_.push_back(builder_.package_index(import));
  }
  builder_.set_declared_imports(std::move(declared));

  for (auto kind : parts.kinds) {
    auto id = walk(Msg::kind, kind);
    if (failed()) return false;
    if (last_case_ == 4) return fail("the kind table has an entry that is itself an index"), false;
    kinds_.push_back(KindId{low(id)});
  }
  in_type_table_ = true;
  for (auto type : parts.types) {
    auto id = walk(Msg::type, type);
    if (failed()) return false;
    if (last_case_ == 8) return fail("the type table has an entry that is itself an index"), false;
    types_.push_back(TypeId{low(id)});
  }
  in_type_table_ = false;
  for (auto expression : parts.expressions) {
    auto id = walk(Msg::expr, expression);
    if (failed()) return false;
    if (last_case_ == 44) return fail("the expression table has an entry that is itself an index"), false;
    exprs_.push_back(ExprId{low(id)});
  }
  return true;
}

bool PackageDecoder::decode_modules(const Parts& parts) {
  for (auto module : parts.modules) {
    walk(Msg::module, module);
    if (failed()) return false;
    bindings_.clear(), alternatives_.clear(), choices_.clear(), keys_.clear(), implementations_.clear();
    instance_bodies_.clear(), ranges_.clear();
  }
  return true;
}

// ---- lookups

StringId PackageDecoder::string_at(std::uint32_t index) {
  if (index < strings_.size()) return strings_[index];
  fail("invalid interned string index " + std::to_string(index));
  return StringId::none();
}

StringId PackageDecoder::name_at(std::uint32_t index) {
  StringId id = string_at(index);
  if (id.is_none()) return id;
  if (is_name_.size() <= id.value) is_name_.resize(builder_.package().string_count());
  auto& state = is_name_[id.value];
  if (state == 0) state = is_name(text(id)) ? 1 : 2;
  if (state == 2) fail("\"" + std::string(text(id)) + "\" is not a Daml-LF name");
  return id;
}

DottedNameId PackageDecoder::dotted_name_at(std::uint32_t index) {
  if (index < dotted_names_.size()) return dotted_names_[index];
  fail("invalid interned dotted name index " + std::to_string(index));
  return DottedNameId::none();
}

std::uint64_t PackageDecoder::need(MessageFields fields, std::uint32_t number, const char* what) {
  const FieldValue* field = fields.find(number);
  return field ? field->value : fail(what);
}

std::vector<TypeId> PackageDecoder::types(MessageFields fields, std::uint32_t number) {
  std::vector<TypeId> result;
  for (const FieldValue& field : fields.all()) {
    if (field.number == number) result.push_back(TypeId{low(field.value)});
  }
  return result;
}

Slice<ExprId> PackageDecoder::exprs(MessageFields fields, std::uint32_t number) {
  std::vector<ExprId> result;
  for (const FieldValue& field : fields.all()) {
    if (field.number == number) result.push_back(ExprId{low(field.value)});
  }
  return builder_.list(result);
}

Slice<NamedType> PackageDecoder::named_types(MessageFields fields, std::uint32_t number) {
  std::vector<NamedType> result;
  for (const FieldValue& field : fields.all()) {
    if (field.number == number) result.push_back(NamedType{StringId{high(field.value)}, TypeId{low(field.value)}});
  }
  return builder_.list(result);
}

Slice<TypeParam> PackageDecoder::type_params(MessageFields fields, std::uint32_t number) {
  std::vector<TypeParam> result;
  for (const FieldValue& field : fields.all()) {
    if (field.number == number) result.push_back(TypeParam{StringId{high(field.value)}, KindId{low(field.value)}});
  }
  return builder_.list(result);
}

Slice<FieldExpr> PackageDecoder::field_exprs(MessageFields fields, std::uint32_t number) {
  std::vector<FieldExpr> result;
  for (const FieldValue& field : fields.all()) {
    if (field.number == number) result.push_back(FieldExpr{StringId{high(field.value)}, ExprId{low(field.value)}});
  }
  return builder_.list(result);
}

bool PackageDecoder::check_flat(std::size_t count, const char* what) {
  if (count == 0) return fail(std::string("unexpected empty ") + what), false;
  if (count > 1 && version_.has_flat_archive()) {
    return fail(std::string("more than one element in ") + what + ", which Daml-LF " + version_.to_string() +
                " writes one by one"),
           false;
  }
  return true;
}

// ---- dispatch

std::uint64_t PackageDecoder::finish(Msg message, MessageFields fields) {
  if (message < Msg::kind) return finish_name(message, fields);
  if (message < Msg::literal) return finish_type(message, fields);
  if (message < Msg::case_alt) return finish_expr(message, fields);
  if (message < Msg::choice) return finish_update(message, fields);
  return finish_definition(message, fields);
}

std::uint64_t PackageDecoder::finish_name(Msg message, MessageFields fields) {
  switch (message) {
    case Msg::unit:
      return 0;
    case Msg::package_ref:
      return package_ref(fields);
    case Msg::module_id: {
      auto package = need(fields, 1, "PackageId.SUM_NOT_SET");
      return pack(low(package), dotted_name_at(fields.scalar(2)).value);
    }
    case Msg::definition_id: {
      auto module = need(fields, 1, "PackageId.SUM_NOT_SET");
      auto name = dotted_name_at(fields.scalar(2));
      if (failed()) return 0;
      return builder_.ref(Ref{high(module), DottedNameId{low(module)}, name}).value;
    }
    case Msg::typed_field:
    case Msg::typed_var:
      return pack(name_at(fields.scalar(3)).value, need_type(fields, 2).value);
    case Msg::kinded_var:
      return pack(name_at(fields.scalar(3)).value, low(need(fields, 2, "Kind.SUM_NOT_SET")));
    case Msg::field_expr:
      return pack(name_at(fields.scalar(3)).value, need_expr(fields, 2).value);
    case Msg::binding: {
      auto binder = need(fields, 1, "Type.SUM_NOT_SET");
      bindings_.push_back(Binding{StringId{high(binder)}, TypeId{low(binder)}, need_expr(fields, 2)});
      return bindings_.size() - 1;
    }
    default:
      return fail("unexpected message");
  }
}

std::uint64_t PackageDecoder::package_ref(MessageFields fields) {
  if (fields.empty()) return fail("PackageId.SUM_NOT_SET");
  auto [number, value] = fields.all().front();
  auto index = static_cast<std::uint32_t>(value);
  switch (number) {
    case 1:
      return 0;
    case 3: {
      StringId id = string_at(index);
      if (failed()) return 0;
      auto package_id = text(id);
      if (!is_package_id(package_id)) return fail("malformed package id \"" + std::string(package_id) + "\"");
      if (version_.has_package_imports() && !is_stable_package(package_id)) {
        return fail("reference to package " + std::string(package_id) + ", which is neither stable nor imported");
      }
      return builder_.package_index(package_id);
    }
    default:
      if (!has_imports_) return fail("reference to an imported package, but the package has no imports");
      if (index >= imports_.size()) return fail("invalid imported package index " + std::to_string(index));
      return imports_[index];
  }
}

}  // namespace synod::lf
