// Case alternatives, blocks and updates.
#include "lf/archive/package_decoder.h"

namespace synod::lf {

std::uint64_t PackageDecoder::finish_update(Msg message, MessageFields fields) {
  Expr e = Expr::bare(ExprKind::case_of);
  switch (message) {
    case Msg::case_alt:
      return case_alt(fields);
    case Msg::alt_variant: {
      Alternative alt{};
      alt.pattern = PatternKind::variant;
      alt.type = need_ref(fields, 1);
      alt.constructor = name_at(fields.scalar(2));
      alt.binder = name_at(fields.scalar(3));
      alternatives_.push_back(alt);
      return alternatives_.size() - 1;
    }
    case Msg::alt_enum: {
      Alternative alt{};
      alt.pattern = PatternKind::enumeration;
      alt.type = need_ref(fields, 1);
      alt.constructor = name_at(fields.scalar(2));
      alternatives_.push_back(alt);
      return alternatives_.size() - 1;
    }
    case Msg::alt_cons:
      return pack(name_at(fields.scalar(1)).value, name_at(fields.scalar(2)).value);
    case Msg::alt_some:
      return name_at(fields.scalar(1)).value;
    case Msg::case_of: {
      e.first = need_expr(fields, 1);
      std::vector<Alternative> alternatives;
      for (const FieldValue& field : fields.all()) {
        if (field.number == 2) alternatives.push_back(alternatives_[field.value]);
      }
      e.alternatives = builder_.list(alternatives);
      break;
    }
    case Msg::block: {
      e.kind = ExprKind::let;
      std::vector<Binding> bindings;
      for (const FieldValue& field : fields.all()) {
        if (field.number == 1) bindings.push_back(bindings_[field.value]);
      }
      e.bindings = builder_.list(bindings);
      e.first = need_expr(fields, 2);
      break;
    }
    case Msg::update:
      return update(fields);
    case Msg::create:
    case Msg::fetch:
      e.kind = message == Msg::create ? ExprKind::update_create : ExprKind::update_fetch;
      e.ref = need_ref(fields, 1);
      e.first = need_expr(fields, 2);
      break;
    case Msg::exercise:
      e.kind = ExprKind::update_exercise;
      e.ref = need_ref(fields, 1);
      e.pair.id = name_at(fields.scalar(6)).value;
      e.first = need_expr(fields, 3);
      e.pair.second = need_expr(fields, 5);
      break;
    case Msg::exercise_interface:
      if (fields.find(5)) return not_supported("a guard of an interface exercise");
      [[fallthrough]];
    case Msg::exercise_by_key:
      e.kind = message == Msg::exercise_by_key ? ExprKind::update_exercise_by_key : ExprKind::update_exercise_interface;
      e.ref = need_ref(fields, 1);
      e.pair.id = name_at(fields.scalar(2)).value;
      e.first = need_expr(fields, 3);
      e.pair.second = need_expr(fields, 4);
      break;
    case Msg::by_key:
      e.kind = ExprKind::update_fetch_by_key;
      e.ref = need_ref(fields, 1);
      break;
    case Msg::try_catch:
      e.kind = ExprKind::update_try_catch;
      e.type = need_type(fields, 1);
      e.first = need_expr(fields, 2);
      e.pair.id = name_at(fields.scalar(3)).value;
      e.pair.second = need_expr(fields, 4);
      break;
    default:
      return fail("unexpected message");
  }
  return failed() ? 0 : add(e).value;
}

std::uint64_t PackageDecoder::case_alt(MessageFields fields) {
  const FieldValue* pattern = nullptr;
  for (const FieldValue& field : fields.all()) {
    if (field.number != 1) pattern = &field;
  }
  if (!pattern) return fail("CaseAlt.SUM_NOT_SET");
  Alternative alt{};
  auto value = pattern->value;
  switch (pattern->number) {
    case 2:
      alt.pattern = PatternKind::default_;
      break;
    case 3:
    case 9:
      alt = alternatives_[value];
      break;
    case 4:
      if (value > 2) return fail("unknown BuiltinCon " + std::to_string(value));
      alt.pattern = value == 0 ? PatternKind::unit : value == 1 ? PatternKind::false_ : PatternKind::true_;
      break;
    case 5:
      alt.pattern = PatternKind::nil;
      break;
    case 6:
      alt.pattern = PatternKind::cons;
      alt.binder = StringId{high(value)};
      alt.tail = StringId{low(value)};
      break;
    case 7:
      alt.pattern = PatternKind::none;
      break;
    case 8:
      alt.pattern = PatternKind::some;
      alt.binder = StringId{low(value)};
      break;
  }
  alt.body = need_expr(fields, 1);
  alternatives_.push_back(alt);
  return alternatives_.size() - 1;
}

std::uint64_t PackageDecoder::update(MessageFields fields) {
  if (fields.empty()) return fail("Update.SUM_NOT_SET");
  auto [number, value] = fields.all().front();
  auto with_keys = [&](ExprKind kind) -> std::uint64_t {
    if (!version_.has_contract_keys()) return not_supported("a contract key");
    return with_kind(value, kind);
  };
  switch (number) {
    case 1:
      return with_kind(value, ExprKind::update_pure);
    case 2:
      return with_kind(value, ExprKind::update_block);
    case 6:
      return add(Expr::bare(ExprKind::update_get_time)).value;
    case 7:
      return with_kind(value, ExprKind::update_embed);
    case 9:
      return with_keys(ExprKind::update_fetch_by_key);
    case 10:
      return with_keys(ExprKind::update_exercise_by_key);
    case 12:
      return with_kind(value, ExprKind::update_create_interface);
    case 14:
      return with_kind(value, ExprKind::update_fetch_interface);
    case 15: {
      Expr e = Expr::bare(ExprKind::update_ledger_time_lt);
      e.first = ExprId{low(value)};
      return add(e).value;
    }
    case 16:
      return with_keys(ExprKind::update_query_n_by_key);
    default:
      return value;
  }
}

}  // namespace synod::lf
