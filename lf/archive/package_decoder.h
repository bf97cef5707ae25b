// From the bytes of an LF2 package message straight to the syntax tree. Internal to lf/archive; others use decode.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lf/archive/message_walker.h"
#include "lf/package_builder.h"

namespace synod::lf {

class PackageDecoder {
 public:
  PackageDecoder(std::string package_id, LanguageVersion version);

  // DAR_PARSE_ERROR for whatever is wrong. Call once.
  Result<PackagePtr> decode(std::string_view package_message);

  // For MessageWalker: builds what the message stands for. What the result means depends on the message: the id of a
  // node, of a definition's part in one of the lists below, or two ids packed into one number.
  std::uint64_t finish(Msg message, MessageFields fields);
  bool failed() const { return !error_.empty(); }

 private:
  // The package message taken apart; its parts are decoded in another order than they are written.
  struct Parts {
    std::vector<std::string_view> modules, strings, dotted_names, types, kinds, expressions, imports;
    std::string_view metadata;
    bool has_metadata = false;
    bool has_imports = false;
    bool has_no_imports_reason = false;
  };

  bool split(std::string_view package_message, Parts& parts);
  bool split_imports(std::string_view message, Parts& parts);
  bool decode_tables(const Parts& parts);
  bool decode_modules(const Parts& parts);
  std::uint64_t walk(Msg message, std::string_view bytes);

  // By subject, one file each; a number that is not theirs goes to the next.
  std::uint64_t finish_name(Msg message, MessageFields fields);
  std::uint64_t finish_type(Msg message, MessageFields fields);
  std::uint64_t finish_expr(Msg message, MessageFields fields);
  std::uint64_t finish_update(Msg message, MessageFields fields);
  std::uint64_t finish_definition(Msg message, MessageFields fields);

  std::uint64_t package_ref(MessageFields fields);
  std::uint64_t kind(MessageFields fields);
  std::uint64_t type(MessageFields fields);
  std::uint64_t type_builtin(MessageFields fields);
  std::uint64_t type_forall(MessageFields fields);
  std::uint64_t type_struct(MessageFields fields);
  std::uint64_t literal(MessageFields fields);
  std::uint64_t location(MessageFields fields);
  std::uint64_t expr(MessageFields fields);
  std::uint64_t expr_alternative(std::uint32_t number, std::uint64_t value);
  std::uint64_t interned_expr(std::uint32_t index);
  std::uint64_t update(MessageFields fields);
  std::uint64_t case_alt(MessageFields fields);
  std::uint64_t choice(MessageFields fields);
  std::uint64_t template_(MessageFields fields);
  std::uint64_t interface(MessageFields fields);
  std::uint64_t data_type(MessageFields fields);
  std::uint64_t module(MessageFields fields);
  std::uint64_t metadata(MessageFields fields);

  // Errors are sticky: the first one is kept and the walk stops.
  std::uint64_t fail(std::string reason);
  std::uint64_t not_supported(std::string what);

  // Lookups of wire indices; a dangling one is an error.
  StringId string_at(std::uint32_t index);
  StringId name_at(std::uint32_t index);  // and it must be a Daml-LF name
  DottedNameId dotted_name_at(std::uint32_t index);
  std::string_view text(StringId id) const { return id.is_none() ? std::string_view() : builder_.package().text(id); }

  // Sub-messages that must be there. What is absent from the wire is an empty message to protobuf, and an empty
  // expression, type or reference is malformed.
  std::uint64_t need(MessageFields fields, std::uint32_t number, const char* what);
  ExprId need_expr(MessageFields fields, std::uint32_t number) {
    return ExprId{low(need(fields, number, "Expr.SUM_NOT_SET"))};
  }
  TypeId need_type(MessageFields fields, std::uint32_t number) {
    return TypeId{low(need(fields, number, "Type.SUM_NOT_SET"))};
  }
  RefId need_ref(MessageFields fields, std::uint32_t number) {
    return RefId{low(need(fields, number, "PackageId.SUM_NOT_SET"))};
  }

  // Lists made of the repeated field `number`.
  std::vector<TypeId> types(MessageFields fields, std::uint32_t number);
  Slice<ExprId> exprs(MessageFields fields, std::uint32_t number);
  Slice<NamedType> named_types(MessageFields fields, std::uint32_t number);
  Slice<TypeParam> type_params(MessageFields fields, std::uint32_t number);
  Slice<FieldExpr> field_exprs(MessageFields fields, std::uint32_t number);
  // From 2.2 binders and arguments come one at a time.
  bool check_flat(std::size_t count, const char* what);

  static std::uint64_t pack(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; }
  static std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
  static std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
  ExprId add(const Expr& node) { return builder_.expr(node); }
  // Several messages share a shape; the enclosing message says which kind the node just built has.
  std::uint64_t with_kind(std::uint64_t id, ExprKind kind) {
    builder_.last_expr().kind = kind;
    return id;
  }

  LanguageVersion version_;
  PackageBuilder builder_;
  MessageWalker walker_;
  std::string error_;

  std::vector<StringId> strings_;      // by wire index
  std::vector<std::uint8_t> is_name_;  // by StringId: 0 unknown, 1 yes, 2 no
  std::vector<DottedNameId> dotted_names_;
  std::vector<KindId> kinds_;
  std::vector<TypeId> types_;
  std::vector<ExprId> exprs_;
  std::vector<std::uint32_t> imports_;  // package indices
  bool has_imports_ = false;
  bool in_type_table_ = false;
  std::uint32_t last_case_ = 0;  // which alternative the Kind, Type or Expr finished last had

  // Parts of definitions, waiting for the message they belong to.
  std::vector<Binding> bindings_;
  std::vector<Alternative> alternatives_;
  std::vector<Choice> choices_;
  std::vector<Key> keys_;
  std::vector<Implementation> implementations_;
  struct InstanceBody {
    Slice<MethodBody> methods;
    ExprId view;
  };
  std::vector<InstanceBody> instance_bodies_;
  std::vector<Location> ranges_;
  // Definitions wait for their module, whose name may come later on the wire.
  std::vector<DataType> data_types_;
  std::vector<Synonym> synonyms_;
  std::vector<ValueDefinition> values_;
  std::vector<Template> templates_;
  std::vector<Interface> interfaces_;
  std::vector<ExceptionDefinition> exceptions_;
};

// The 27 packages of Daml's standard library whose ids are fixed; LF 2.2 may refer to them without importing them.
bool is_stable_package(std::string_view package_id);

}  // namespace synod::lf
