// Syntax tree to package message, the inverse of lf/archive/package_decoder.h. Internal to lf/text; others use
// assembler.h.
//
// The strings and types keep their order, so encoding what was decoded from an encoding gives the same bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lf/archive/wire_writer.h"
#include "lf/package.h"

namespace synod::lf::text {

class Encoder {
 public:
  explicit Encoder(const Package& package);

  // The LF2 package message in the package's own language version. LF_ENCODING_ERROR for a tree that the version cannot
  // say.
  Result<Bytes> encode();

 private:
  std::uint32_t string_index(std::string_view text);
  std::uint32_t dotted_name_index(DottedNameId id) const { return id.value; }
  void encode_metadata();
  void encode_refs();
  void encode_kinds();
  void encode_types();
  void encode_type(TypeId id);
  std::uint32_t add_type(Bytes entry);
  void encode_exprs();
  void count_uses();
  Bytes expr_message(ExprId id);
  void expr_body(const Expr& e, WireWriter& out);
  void interface_body(const Expr& e, WireWriter& out);
  void update_body(const Expr& e, WireWriter& out);
  void literal_body(const Expr& e, WireWriter& out);
  void location(LocationId id, WireWriter& out);
  void add_chain(ExprId id);

  Bytes ref(RefId id) const { return refs_[id.value]; }
  Bytes module_id(std::uint32_t package, DottedNameId module);
  Bytes kind(KindId id) const;
  Bytes type(TypeId id) const;
  Bytes expr(ExprId id);
  Bytes type_con(TypeId id) const;
  Bytes field_type(StringId name, TypeId type) const;
  Bytes type_param(const TypeParam& param) const;
  Bytes binding_message(const Binding& binding);
  Bytes field_expr(const FieldExpr& field);
  Bytes alternative(const Alternative& alternative);
  Bytes block(Slice<Binding> bindings, ExprId body);

  Bytes module(std::uint32_t index);
  Bytes data_type(const DataType& definition);
  Bytes template_(const Template& definition);
  Bytes interface(const Interface& definition);
  Bytes choice(const Choice& choice);

  const Package& package_;
  LanguageVersion version_;
  bool flat_;
  std::string error_;

  std::vector<std::string> extra_strings_;  // after those of the package
  std::map<std::string, std::uint32_t, std::less<>> string_indices_;
  std::vector<std::string> imports_;
  Bytes metadata_;
  std::vector<Bytes> refs_;   // by RefId
  std::vector<Bytes> kinds_;  // by KindId
  std::vector<Bytes> type_table_;
  std::map<Bytes, std::uint32_t> type_entries_;
  std::vector<std::uint32_t> type_index_;  // by TypeId
  std::vector<Bytes> expr_table_;          // from 2.2
  std::vector<std::uint32_t> expr_index_;  // by ExprId, from 2.2
  std::vector<Bytes> exprs_;               // by ExprId, in 2.1, until used for the last time
  std::vector<std::uint32_t> uses_;        // by ExprId
};

}  // namespace synod::lf::text
