#include "lf/ledger/value_codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "lf/ledger/wire_parts.h"
#include "lf/package_builder.h"
#include "lf/transaction.pb.h"
#include "lf/value.pb.h"

namespace synod::lf {

namespace pb = ::com::digitalasset::daml::lf::value;
namespace pt = ::com::digitalasset::daml::lf::transaction;

namespace {

constexpr std::int32_t kFirstDay = -719162, kLastDay = 2932896;  // 0001-01-01, 9999-12-31
// One level of a value takes at most three nested messages.
constexpr int kParserDepth = 4 * kMaxValueNesting + 20;

using wire::has_unknown;
using wire::parse;

void write(const Value& v, pb::Value& out) {
  switch (v.kind()) {
    case ValueKind::unit:
      out.mutable_unit();
      break;
    case ValueKind::boolean:
      out.set_bool_(v.as_boolean());
      break;
    case ValueKind::int64:
      out.set_int64(v.as_int64());
      break;
    case ValueKind::date:
      out.set_date(v.as_date().days);
      break;
    case ValueKind::timestamp:
      out.set_timestamp(v.as_timestamp().micros);
      break;
    case ValueKind::numeric:
      out.set_numeric(to_string(v.as_numeric()));
      break;
    case ValueKind::party:
      out.set_party(v.as_party());
      break;
    case ValueKind::text:
      out.set_text(v.as_text());
      break;
    case ValueKind::contract_id:
      out.set_contract_id(v.as_contract_id().bytes());
      break;
    case ValueKind::optional:
      out.mutable_optional();
      if (auto* inner = v.as_optional()) write(*inner, *out.mutable_optional()->mutable_value());
      break;
    case ValueKind::list:
      out.mutable_list();
      for (const auto& item : v.as_list()) write(item, *out.mutable_list()->add_elements());
      break;
    case ValueKind::text_map:
      out.mutable_text_map();
      for (const auto& [key, item] : v.as_text_map()) {
        auto* entry = out.mutable_text_map()->add_entries();
        entry->set_key(key);
        write(item, *entry->mutable_value());
      }
      break;
    case ValueKind::gen_map:
      out.mutable_map();
      for (const auto& [key, item] : v.as_gen_map()) {
        auto* entry = out.mutable_map()->add_entries();
        write(key, *entry->mutable_key());
        write(item, *entry->mutable_value());
      }
      break;
    case ValueKind::record:
      out.mutable_record();
      for (const auto& field : v.as_record()) write(field, *out.mutable_record()->add_fields()->mutable_value());
      break;
    case ValueKind::variant:
      out.mutable_variant()->set_constructor(v.as_variant().constructor);
      write(v.as_variant().value, *out.mutable_variant()->mutable_value());
      break;
    case ValueKind::enumeration:
      out.mutable_enum_()->set_value(v.as_enum());
      break;
  }
}

Result<Value> read(const pb::Value& v, int depth) {
  if (depth > kMaxValueNesting) return fail(malformed("value", "nesting exceeds " + std::to_string(kMaxValueNesting)));
  if (has_unknown(v)) return fail(malformed("value", "unknown field"));
  switch (v.sum_case()) {
    case pb::Value::kUnit:
      return Value::unit();
    case pb::Value::kBool:
      return Value::boolean(v.bool_());
    case pb::Value::kInt64:
      return Value::int64(v.int64());
    case pb::Value::kDate:
      if (v.date() < kFirstDay || v.date() > kLastDay) return fail(malformed("value", "date out of range"));
      return Value::date(Date{v.date()});
    case pb::Value::kTimestamp:
      if (Timestamp{v.timestamp()} < Timestamp::min() || Timestamp{v.timestamp()} > Timestamp::max())
        return fail(malformed("value", "timestamp out of range"));
      return Value::timestamp(Timestamp{v.timestamp()});
    case pb::Value::kNumeric: {
      SYNOD_TRY(Numeric n, parse_numeric(v.numeric()));
      return Value::numeric(n);
    }
    case pb::Value::kParty:
      if (!is_party_id(v.party())) return fail(malformed("value", "a party id is not one"));
      return Value::party(v.party());
    case pb::Value::kText:
      return Value::text(v.text());
    case pb::Value::kContractId: {
      SYNOD_TRY(ContractId id, ContractId::from_bytes(v.contract_id()));
      return Value::contract_id(std::move(id));
    }
    case pb::Value::kOptional: {
      if (!v.optional().has_value()) return Value::none();
      SYNOD_TRY(Value inner, read(v.optional().value(), depth + 1));
      return Value::some(std::move(inner));
    }
    case pb::Value::kList: {
      std::vector<Value> items;
      items.reserve(static_cast<std::size_t>(v.list().elements_size()));
      for (const auto& e : v.list().elements()) {
        SYNOD_TRY(Value item, read(e, depth + 1));
        items.push_back(std::move(item));
      }
      return Value::list(std::move(items));
    }
    case pb::Value::kTextMap: {
      std::vector<std::pair<std::string, Value>> entries;
      for (const auto& e : v.text_map().entries()) {
        if (!entries.empty() && !(entries.back().first < e.key()))
          return fail(malformed("value", "keys of a text map are not ascending"));
        SYNOD_TRY(Value item, read(e.value(), depth + 1));
        entries.emplace_back(e.key(), std::move(item));
      }
      return Value::text_map(std::move(entries));
    }
    case pb::Value::kMap: {  // the order of general keys needs their types; to_cell checks it
      std::vector<std::pair<Value, Value>> entries;
      for (const auto& e : v.map().entries()) {
        SYNOD_TRY(Value key, read(e.key(), depth + 1));
        SYNOD_TRY(Value item, read(e.value(), depth + 1));
        entries.emplace_back(std::move(key), std::move(item));
      }
      return Value::gen_map(std::move(entries));
    }
    case pb::Value::kRecord: {
      std::vector<Value> fields;
      fields.reserve(static_cast<std::size_t>(v.record().fields_size()));
      for (const auto& f : v.record().fields()) {
        SYNOD_TRY(Value field, read(f.value(), depth + 1));
        fields.push_back(std::move(field));
      }
      const bool not_normal = !fields.empty() && fields.back().is_none();
      return Value::record(std::move(fields), not_normal);
    }
    case pb::Value::kVariant: {
      SYNOD_TRY(Value inner, read(v.variant().value(), depth + 1));
      if (!is_name(v.variant().constructor())) return fail(malformed("value", "a constructor is not a name"));
      return Value::variant(v.variant().constructor(), std::move(inner));
    }
    case pb::Value::kEnum:
      if (!is_name(v.enum_().value())) return fail(malformed("value", "a constructor is not a name"));
      return Value::enumeration(v.enum_().value());
    case pb::Value::SUM_NOT_SET:
      break;
  }
  return fail(malformed("value", "no alternative is set"));
}

template <typename F>
void for_each_segment(const std::string& dotted, F&& f) {
  std::size_t from = 0;
  for (;;) {
    auto dot = dotted.find('.', from);
    f(dotted.substr(from, dot - from));
    if (dot == std::string::npos) return;
    from = dot + 1;
  }
}

template <typename Segments>
std::string join(const Segments& segments) {
  std::string out;
  for (const auto& s : segments) out += (out.empty() ? "" : ".") + s;
  return out;
}

}  // namespace

namespace wire {

bool parse(google::protobuf::MessageLite& message, ByteView bytes) {
  google::protobuf::io::ArrayInputStream raw(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream in(&raw);
  in.SetRecursionLimit(kParserDepth);
  return message.ParseFromCodedStream(&in) && in.ConsumedEntireMessage();
}

bool has_unknown(const google::protobuf::Message& m) { return !m.GetReflection()->GetUnknownFields(m).empty(); }

bool is_version(const std::string& version) { return version == "2.1" || version == "2.3"; }

void write(const Identifier& id, pb::Identifier& out) {
  out.set_package_id(id.package);
  for_each_segment(id.module, [&](std::string s) { out.add_module_name(std::move(s)); });
  for_each_segment(id.entity, [&](std::string s) { out.add_name(std::move(s)); });
}

Result<Identifier> read(const pb::Identifier& id) {
  Identifier out{id.package_id(), join(id.module_name()), join(id.name())};
  if (out.package.empty() || out.module.empty() || out.entity.empty())
    return fail(malformed("identifier", "a part is empty"));
  return out;
}

void write(const KeyWithMaintainers& key, pt::KeyWithMaintainers& out) {
  out.set_key(encode_value(key.key.key));
  for (const auto& p : key.maintainers) out.add_maintainers(p);
  out.set_hash(key.key.hash);
}

Result<KeyWithMaintainers> read(const pt::KeyWithMaintainers& in, const Identifier& template_id,
                                const std::string& package_name, const std::string& version) {
  if (version == "2.1") return fail(malformed("contract key", "unexpected at serialization version 2.1"));
  if (in.hash().size() != 32) return fail(malformed("contract key", "the hash is not 32 bytes long"));
  KeyWithMaintainers out;
  out.key.template_id = template_id;
  out.key.package_name = package_name;
  SYNOD_TRY(out.key.key, decode_value(in.key()));
  out.key.hash = in.hash();
  SYNOD_TRY(out.maintainers, parties(in.maintainers()));
  return out;
}

Result<PartySet> parties(const google::protobuf::RepeatedPtrField<std::string>& in) {
  for (const auto& party : in)
    if (!is_party_id(party)) return fail(malformed("party", "a party id is not one"));
  return PartySet(in.begin(), in.end());
}

void write_stakeholders(const PartySet& signatories, const PartySet& stakeholders,
                        const std::optional<KeyWithMaintainers>& key,
                        google::protobuf::RepeatedPtrField<std::string>& non_maintainer_signatories,
                        google::protobuf::RepeatedPtrField<std::string>& non_signatory_stakeholders) {
  for (const auto& p : signatories)
    if (!key || !key->maintainers.contains(p)) non_maintainer_signatories.Add(std::string(p));
  for (const auto& p : stakeholders)
    if (!signatories.contains(p)) non_signatory_stakeholders.Add(std::string(p));
}

void write(const ContractInstance& contract, pt::FatContractInstance& fat) {
  fat.set_contract_id(contract.contract_id.bytes());
  fat.set_package_name(contract.package_name);
  write(contract.template_id, *fat.mutable_template_id());
  fat.set_create_arg(encode_value(contract.argument));
  if (contract.key) write(*contract.key, *fat.mutable_contract_key_with_maintainers());
  write_stakeholders(contract.signatories, contract.stakeholders, contract.key,
                     *fat.mutable_non_maintainer_signatories(), *fat.mutable_non_signatory_stakeholders());
  fat.set_created_at(contract.created_at.micros);
  fat.set_authentication_data(contract.authentication_data);
}

Result<ContractInstance> read(const pt::FatContractInstance& fat, const std::string& version) {
  if (has_unknown(fat)) return fail(malformed("contract", "unknown field"));
  ContractInstance out;
  out.version = version;
  SYNOD_TRY(out.contract_id, ContractId::from_bytes(fat.contract_id()));
  out.package_name = fat.package_name();
  SYNOD_TRY(out.template_id, read(fat.template_id()));
  SYNOD_TRY(out.argument, decode_value(fat.create_arg()));
  if (fat.has_contract_key_with_maintainers()) {
    SYNOD_TRY(auto key, read(fat.contract_key_with_maintainers(), out.template_id, out.package_name, version));
    out.signatories = key.maintainers;
    out.key = std::move(key);
  }
  SYNOD_TRY(const auto others, parties(fat.non_maintainer_signatories()));
  out.signatories.insert(others.begin(), others.end());
  out.stakeholders = out.signatories;
  SYNOD_TRY(const auto observers, parties(fat.non_signatory_stakeholders()));
  out.stakeholders.insert(observers.begin(), observers.end());
  if (out.signatories.empty()) return fail(malformed("contract", "no signatories"));
  out.created_at = Timestamp{fat.created_at()};
  out.authentication_data = fat.authentication_data();
  return out;
}

}  // namespace wire

Bytes encode_value(const Value& value) {
  pb::Value out;
  write(value, out);
  return out.SerializeAsString();
}

Result<Value> decode_value(ByteView bytes) {
  pb::Value v;
  if (!parse(v, bytes)) return fail(malformed("value", "not a Value message"));
  return read(v, 0);
}

Bytes encode_versioned_value(const Value& value, const std::string& version) {
  pb::VersionedValue out;
  out.set_version(version);
  out.set_value(encode_value(value));
  return out.SerializeAsString();
}

namespace {

Result<pb::VersionedValue> parse_versioned(ByteView bytes) {
  pb::VersionedValue v;
  if (!parse(v, bytes)) return fail(malformed("versioned value", "not a VersionedValue message"));
  if (!wire::is_version(v.version()))
    return fail(malformed("versioned value", "unsupported serialization version '" + v.version() + "'"));
  return v;
}

}  // namespace

Result<Value> decode_versioned_value(ByteView bytes) {
  SYNOD_TRY(const auto v, parse_versioned(bytes));
  return decode_value(v.value());
}

Result<std::string> version_of_value(ByteView versioned) {
  SYNOD_TRY(const auto v, parse_versioned(versioned));
  return v.version();
}

Bytes encode_identifier(const Identifier& id) {
  pb::Identifier out;
  wire::write(id, out);
  return out.SerializeAsString();
}

Bytes encode_contract(const ContractInstance& contract) {
  pt::FatContractInstance fat;
  wire::write(contract, fat);
  pt::Versioned out;
  out.set_version(contract.version);
  out.set_payload(fat.SerializeAsString());
  return out.SerializeAsString();
}

Result<ContractInstance> decode_contract(ByteView bytes) {
  pt::Versioned versioned;
  if (!parse(versioned, bytes)) return fail(malformed("contract", "not a Versioned message"));
  if (!wire::is_version(versioned.version()))
    return fail(malformed("contract", "unsupported serialization version '" + versioned.version() + "'"));
  if (has_unknown(versioned)) return fail(malformed("contract", "unknown field"));
  pt::FatContractInstance fat;
  if (!parse(fat, versioned.payload())) return fail(malformed("contract", "not a FatContractInstance message"));
  return wire::read(fat, versioned.version());
}

}  // namespace synod::lf
