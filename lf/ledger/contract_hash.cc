#include "lf/ledger/contract_hash.h"

#include "crypto/hash.h"
#include "lf/eval/fatal.h"
#include "lf/eval/map.h"

namespace synod::lf {

using namespace eval;

namespace {

constexpr std::uint8_t kVersion = 3, kContract = 5, kKey = 9, kKeyVersion = 1;
enum : std::uint8_t {
  kInt64,
  kNumeric,
  kText,
  kTimestamp,
  kParty,
  kBool,
  kUnit,
  kDate,
  kRecord,
  kVariant,
  kEnum,
  kList,
  kOptional,
  kTextMap,
  kGenMap,
  kContractId,
  kEndOfRecord = 0xff,
};

class HashWriter {
 public:
  explicit HashWriter(bool allow_contract_ids) : allow_contract_ids_(allow_contract_ids) {}

  void byte(std::uint8_t b) { append_u8(out_, b); }
  void count(std::uint64_t n) { append_i32(out_, static_cast<std::int32_t>(n)); }
  void string(ByteView s) { append_length_prefixed(out_, s); }
  void dotted(std::string_view name) {
    std::uint64_t n = 1;
    for (char c : name) n += c == '.';
    count(n);
    for (;;) {
      auto dot = name.find('.');
      string(name.substr(0, dot));
      if (dot == std::string_view::npos) return;
      name.remove_prefix(dot + 1);
    }
  }
  void qualified(const Identifier& id) {
    dotted(id.module);
    dotted(id.entity);
  }
  // Two's complement, big-endian, as short as possible, at least one byte.
  void numeric(__int128 n) {
    Bytes bytes;
    for (;;) {
      bytes.insert(bytes.begin(), static_cast<char>(n & 0xff));
      bool negative = (bytes.front() & 0x80) != 0;
      n >>= 8;
      if ((n == 0 && !negative) || (n == -1 && negative)) break;
    }
    string(bytes);
  }

  void value(const Cell& c) {
    switch (c.tag) {
      case Tag::unit:
        return byte(kUnit);
      case Tag::boolean:
        byte(kBool);
        return byte(c.integer != 0);
      case Tag::int64:
        byte(kInt64);
        return append_i64(out_, c.integer);
      case Tag::date:
        byte(kDate);
        return append_i32(out_, static_cast<std::int32_t>(c.integer));
      case Tag::timestamp:
        byte(kTimestamp);
        return append_i64(out_, c.integer);
      case Tag::numeric:
        byte(kNumeric);
        return numeric(c.numeric->unscaled);
      case Tag::text:
        byte(kText);
        return string(text_of(c));
      case Tag::party:
        byte(kParty);
        return string(text_of(c));
      case Tag::contract_id:
        if (!allow_contract_ids_)
          fatal("CONTRACT_ID_IN_CONTRACT_KEY", ErrorCategory::invalid_argument,
                "Contract IDs are not supported in contract keys: " + to_hex(text_of(c)));
        byte(kContractId);
        return string(text_of(c));
      case Tag::none:
        byte(kOptional);
        return byte(0);
      case Tag::some:
        byte(kOptional);
        byte(1);
        return value(c.box->value);
      case Tag::nil:
      case Tag::cons: {
        byte(kList);
        std::uint64_t n = 0;
        for (Cell rest = c; rest.tag == Tag::cons; rest = rest.cons->tail) ++n;
        count(n);
        for (Cell rest = c; rest.tag == Tag::cons; rest = rest.cons->tail) value(rest.cons->head);
        return;
      }
      case Tag::record: {
        byte(kRecord);
        qualified(c.record->type->id);
        std::uint32_t n = c.record->count;
        while (n > 0 && c.record->fields()[n - 1].tag == Tag::none) --n;
        for (std::uint32_t i = 0; i < n; ++i) {
          string(c.record->type->names.at(i));
          value(c.record->fields()[i]);
        }
        return byte(kEndOfRecord);
      }
      case Tag::variant:
        byte(kVariant);
        qualified(c.variant->type->id);
        string(c.variant->type->names.at(c.aux));
        count(c.aux);
        return value(c.variant->argument);
      case Tag::enumeration:
        byte(kEnum);
        qualified(c.type->id);
        string(c.type->names.at(c.aux));
        return count(c.aux);
      case Tag::text_map:
      case Tag::gen_map: {
        bool text_map = c.tag == Tag::text_map;
        byte(text_map ? kTextMap : kGenMap);
        count(map_size(c.map));
        for_each_entry(c.map, [&](const MapNode& n) {
          text_map ? string(text_of(n.key)) : value(n.key);
          value(n.value);
        });
        return;
      }
      default:
        fatal_bug("hash of a value that cannot be stored on the ledger");
    }
  }
  Bytes finish() const { return crypto::sha256(out_); }

 private:
  Bytes out_;
  bool allow_contract_ids_;
};

}  // namespace

Bytes hash_contract(const std::string& package_name, const Identifier& template_id, const Cell& argument) {
  HashWriter w(true);
  w.byte(kVersion);
  w.byte(kContract);
  w.string(package_name);
  w.qualified(template_id);
  w.value(argument);
  return w.finish();
}

Bytes hash_key(const std::string& package_name, const Identifier& template_id, const Cell& key) {
  HashWriter w(false);
  w.byte(kVersion);
  w.byte(kKey);
  w.byte(kKeyVersion);
  w.string(package_name);
  w.qualified(template_id);
  w.value(key);
  return w.finish();
}

}  // namespace synod::lf
