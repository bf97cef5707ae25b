// Expressions.
#include "base/time.h"
#include "lf/archive/package_decoder.h"
#include "lf/numeric_literal.h"

namespace synod::lf {

namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

}  // namespace

std::uint64_t PackageDecoder::finish_expr(Msg message, MessageFields fields) {
  Expr e = Expr::bare(ExprKind::var);
  auto typed = [&](ExprKind kind) {
    e.kind = kind;
    e.type = need_type(fields, 1);
  };
  auto named = [&](StringId name) { e.pair.id = name.value; };
  switch (message) {
    case Msg::literal:
      return literal(fields);
    case Msg::location:
      return location(fields);
    case Msg::range:
      ranges_.push_back(Location{0, DottedNameId::none(), static_cast<std::int32_t>(fields.scalar(1)),
                                 static_cast<std::int32_t>(fields.scalar(2)),
                                 static_cast<std::int32_t>(fields.scalar(3)),
                                 static_cast<std::int32_t>(fields.scalar(4))});
      return ranges_.size() - 1;
    case Msg::expr:
      return expr(fields);
    case Msg::record_con:
      typed(ExprKind::record_con);
      e.fields = field_exprs(fields, 2);
      break;
    case Msg::record_proj:
      typed(ExprKind::record_proj);
      named(name_at(fields.scalar(4)));
      e.first = need_expr(fields, 3);
      break;
    case Msg::record_upd:
      typed(ExprKind::record_upd);
      named(name_at(fields.scalar(2)));
      e.first = need_expr(fields, 3);
      e.pair.second = need_expr(fields, 4);
      break;
    case Msg::variant_con:
      typed(ExprKind::variant_con);
      named(name_at(fields.scalar(2)));
      e.first = need_expr(fields, 3);
      break;
    case Msg::enum_con:
      e.kind = ExprKind::enum_con;
      e.ref = need_ref(fields, 1);
      named(name_at(fields.scalar(2)));
      break;
    case Msg::struct_con:
      e.kind = ExprKind::struct_con;
      e.fields = field_exprs(fields, 1);
      break;
    case Msg::struct_proj:
      e.kind = ExprKind::struct_proj;
      named(name_at(fields.scalar(1)));
      e.first = need_expr(fields, 2);
      break;
    case Msg::struct_upd:
      e.kind = ExprKind::struct_upd;
      named(name_at(fields.scalar(1)));
      e.first = need_expr(fields, 2);
      e.pair.second = need_expr(fields, 3);
      break;
    case Msg::app:
      e.kind = ExprKind::app;
      e.first = need_expr(fields, 1);
      e.args = exprs(fields, 2);
      if (e.args.count == 0) fail("an application without arguments");
      break;
    case Msg::type_application:
      e.kind = ExprKind::type_app;
      e.first = need_expr(fields, 1);
      e.types = builder_.list(types(fields, 2));
      check_flat(e.types.count, "type arguments");
      break;
    case Msg::abs:
      e.kind = ExprKind::abs;
      e.params = named_types(fields, 1);
      e.first = need_expr(fields, 2);
      check_flat(e.params.count, "parameters");
      break;
    case Msg::type_abs:
      e.kind = ExprKind::type_abs;
      e.type_params = type_params(fields, 1);
      e.first = need_expr(fields, 2);
      check_flat(e.type_params.count, "type parameters");
      break;
    case Msg::nil:
      typed(ExprKind::nil);
      break;
    case Msg::cons:
      typed(ExprKind::cons);
      e.args = exprs(fields, 2);
      e.first = need_expr(fields, 3);
      if (e.args.count == 0) fail("a list constructor without elements");
      break;
    case Msg::optional_none:
      typed(ExprKind::none);
      break;
    case Msg::typed_expr:
      typed(ExprKind::some);
      e.first = need_expr(fields, 2);
      break;
    case Msg::throw_:
      typed(ExprKind::throw_);
      e.pair.id = need_type(fields, 2).value;
      e.first = need_expr(fields, 3);
      break;
    case Msg::interface_cast:
    case Msg::required_cast:
      e.kind = ExprKind::to_interface;
      e.ref = need_ref(fields, 1);
      e.pair.id = need_ref(fields, 2).value;
      e.first = need_expr(fields, 3);
      break;
    case Msg::unsafe_interface_cast:
    case Msg::unsafe_required_cast:
      e.kind = ExprKind::unsafe_from_interface;
      e.ref = need_ref(fields, 1);
      e.pair.id = need_ref(fields, 2).value;
      e.first = need_expr(fields, 3);
      e.pair.second = need_expr(fields, 4);
      break;
    case Msg::call_interface:
      e.kind = ExprKind::call_interface;
      e.ref = need_ref(fields, 1);
      named(name_at(fields.scalar(2)));
      e.first = need_expr(fields, 3);
      break;
    case Msg::interface_expr:
      e.kind = ExprKind::view_interface;
      e.ref = need_ref(fields, 1);
      e.first = need_expr(fields, 2);
      break;
    default:
      return fail("unexpected message");
  }
  return failed() ? 0 : add(e).value;
}

std::uint64_t PackageDecoder::literal(MessageFields fields) {
  if (fields.empty()) return fail("BuiltinLit.SUM_NOT_SET");
  auto [number, value] = fields.all().front();
  auto bits = static_cast<std::int64_t>(value);
  Expr e = Expr::bare(ExprKind::int64);
  switch (number) {
    case 1:
      e.number = bits;
      break;
    case 2:
      if (bits < Timestamp::min().micros || bits > Timestamp::max().micros)
        return fail("timestamp literal out of range");
      e.kind = ExprKind::timestamp;
      e.number = bits;
      break;
    case 3: {
      StringId id = string_at(low(value));
      if (failed()) return 0;
      if (!is_numeric_literal(text(id))) return fail("malformed Numeric literal \"" + std::string(text(id)) + "\"");
      e.kind = ExprKind::numeric;
      e.pair.id = id.value;
      break;
    }
    case 4:
      e.kind = ExprKind::text;
      e.pair.id = string_at(low(value)).value;
      break;
    case 5: {
      std::int64_t days = static_cast<std::int32_t>(value);
      if (days * kMicrosPerDay < Timestamp::min().micros || days * kMicrosPerDay > Timestamp::max().micros) {
        return fail("date literal out of range");
      }
      e.kind = ExprKind::date;
      e.number = days;
      break;
    }
    default:
      if (value > 1) return fail("unknown failure category " + std::to_string(value));
      e.kind = ExprKind::failure_category;
      e.category = static_cast<FailureCategory>(value);
      break;
  }
  return failed() ? 0 : add(e).value;
}

// A location without a range says nothing and counts as absent.
std::uint64_t PackageDecoder::location(MessageFields fields) {
  const FieldValue* range = fields.find(2);
  if (!range) return LocationId::none().value;
  Location location = ranges_[range->value];
  ranges_.clear();
  if (const FieldValue* module = fields.find(1)) {
    location.package = high(module->value);
    location.module = DottedNameId{low(module->value)};
  }
  return builder_.location(location).value;
}

std::uint64_t PackageDecoder::expr(MessageFields fields) {
  LocationId location = LocationId::none();
  const FieldValue* alternative = nullptr;
  for (const FieldValue& field : fields.all()) {
    if (field.number == 1) {
      location = LocationId{low(field.value)};
    } else {
      alternative = &field;
    }
  }
  if (!alternative) return fail("Expr.SUM_NOT_SET");
  last_case_ = alternative->number;
  if (alternative->number == 44) {
    auto id = interned_expr(low(alternative->value));
    if (failed() || location.is_none()) return id;
    Expr copy = builder_.package().expr(ExprId{low(id)});  // the shared node keeps its own location
    copy.location = location;
    return add(copy).value;
  }
  auto id = expr_alternative(alternative->number, alternative->value);
  if (!failed() && !location.is_none()) builder_.last_expr().location = location;
  return id;
}

std::uint64_t PackageDecoder::interned_expr(std::uint32_t index) {
  if (!version_.has_flat_archive()) return not_supported("an interned expression");
  if (index >= exprs_.size()) {
    return fail("invalid interned expression index " + std::to_string(index) +
                " (an entry of the table may refer to smaller ones only)");
  }
  return exprs_[index].value;
}

std::uint64_t PackageDecoder::expr_alternative(std::uint32_t number, std::uint64_t value) {
  Expr e = Expr::bare(ExprKind::var);
  switch (number) {
    case 2:
      e.pair.id = name_at(low(value)).value;
      break;
    case 3:
      e.kind = ExprKind::value;
      e.ref = RefId{low(value)};
      break;
    case 4: {
      auto builtin = lf::builtin_function(value, version_);
      if (!builtin) return not_supported("builtin function " + std::to_string(value));
      e.kind = ExprKind::builtin;
      e.builtin = *builtin;
      break;
    }
    case 5:
      if (value > 2) return fail("unknown BuiltinCon " + std::to_string(value));
      e.kind = ExprKind::builtin_con;
      e.con = static_cast<BuiltinCon>(value);
      break;
    case 29:
      e.kind = ExprKind::type_rep;
      e.type = TypeId{low(value)};
      break;
    case 20:
      if (builder_.last_expr().bindings.count == 0) return fail("a let without bindings");
      return with_kind(value, ExprKind::let);
    case 27:
      return with_kind(value, ExprKind::to_any);
    case 28:
      return with_kind(value, ExprKind::from_any);
    case 30:
      return with_kind(value, ExprKind::to_any_exception);
    case 31:
      return with_kind(value, ExprKind::from_any_exception);
    case 34:
      return with_kind(value, ExprKind::from_interface);
    case 36:
      return with_kind(value, ExprKind::signatory_interface);
    case 37:
      return with_kind(value, ExprKind::observer_interface);
    case 39:
      if (!version_.has_unsafe_from_interface()) return not_supported("unsafe_from_interface");
      return value;
    case 40:
      return with_kind(value, ExprKind::interface_template_type_rep);
    case 41:
      return with_kind(value, ExprKind::to_required_interface);
    case 42:
      return with_kind(value, ExprKind::from_required_interface);
    case 43:
      return with_kind(value, ExprKind::unsafe_from_required_interface);
    default:
      return value;  // the sub-message has built the node, and its kind is right already
  }
  return failed() ? 0 : add(e).value;
}

}  // namespace synod::lf
