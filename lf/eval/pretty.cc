#include "lf/eval/pretty.h"

#include "lf/builtin.h"
#include "lf/eval/map.h"
#include "lf/eval/utf8.h"

namespace synod::lf::eval {
namespace {

constexpr std::size_t kMaxText = 8 << 10;  // of one value in a message

class ValuePrinter {
 public:
  void value(const Value& v, int depth) {
    if (stop(depth)) return;
    switch (v.kind()) {
      case ValueKind::unit:
        return add("<unit>");
      case ValueKind::boolean:
        return add(v.as_boolean() ? "true" : "false");
      case ValueKind::text:
        return quoted('"', v.as_text());
      case ValueKind::party:
        return quoted('\'', v.as_party());
      case ValueKind::int64:
      case ValueKind::date:
      case ValueKind::timestamp:
      case ValueKind::numeric:
      case ValueKind::contract_id:
        return add(v.to_string());
      case ValueKind::optional:
        if (!v.as_optional()) return add("None");
        add("Option(");
        value(*v.as_optional(), depth + 1);
        return add(")");
      case ValueKind::list:
        add("[");
        each(v.as_list(), [&](const Value& item) { value(item, depth + 1); });
        return add("]");
      case ValueKind::text_map:
        add("TextMap(");
        each(v.as_text_map(), [&](const auto& entry) {
          add(entry.first);
          add(" -> ");
          value(entry.second, depth + 1);
        });
        return add(")");
      case ValueKind::gen_map:
        add("GenMap(");
        each(v.as_gen_map(), [&](const auto& entry) {
          value(entry.first, depth + 1);
          add(" -> ");
          value(entry.second, depth + 1);
        });
        return add(")");
      case ValueKind::record:
        add("{ ");
        each(v.as_record(), [&](const Value& field) {
          add("<no-label> = ");
          value(field, depth + 1);
        });
        return add(" }");
      case ValueKind::variant:
        add(v.as_variant().constructor);
        add("(");
        value(v.as_variant().value, depth + 1);
        return add(")");
      case ValueKind::enumeration:
        return add(v.as_enum());
    }
  }

  void cell(const Cell& c, int depth) {
    if (stop(depth)) return;
    switch (c.tag) {
      case Tag::unit:
        return value(Value::unit(), depth);
      case Tag::boolean:
        return value(Value::boolean(c.integer != 0), depth);
      case Tag::int64:
        return value(Value::int64(c.integer), depth);
      case Tag::date:
        return value(Value::date(Date{static_cast<std::int32_t>(c.integer)}), depth);
      case Tag::timestamp:
        return value(Value::timestamp(Timestamp{c.integer}), depth);
      case Tag::numeric:
        return value(Value::numeric(Numeric{c.numeric->unscaled, c.scale}), depth);
      case Tag::text:
        return quoted('"', text_of(c));
      case Tag::party:
        return quoted('\'', text_of(c));
      case Tag::contract_id:
        return add(to_hex(text_of(c)));
      case Tag::none:
        return add("None");
      case Tag::some:
        add("Option(");
        cell(c.box->value, depth + 1);
        return add(")");
      case Tag::nil:
      case Tag::cons: {
        add("[");
        bool first = true;
        for (Cell rest = c; rest.tag == Tag::cons && !full(); rest = rest.cons->tail) {
          separate(first);
          cell(rest.cons->head, depth + 1);
        }
        return add("]");
      }
      case Tag::record: {
        add(pretty(c.record->type->id));
        add("{ ");
        bool first = true;
        for (std::uint32_t i = 0; i < c.record->count && !full(); ++i) {
          separate(first);
          add(c.record->type->names.at(i));
          add(" = ");
          cell(c.record->fields()[i], depth + 1);
        }
        return add(" }");
      }
      case Tag::variant:
        add(pretty(c.variant->type->id));
        add(":");
        add(c.variant->type->names.at(c.aux));
        add("(");
        cell(c.variant->argument, depth + 1);
        return add(")");
      case Tag::enumeration:
        add(pretty(c.type->id));
        add(":");
        return add(c.type->names.at(c.aux));
      case Tag::text_map:
      case Tag::gen_map: {
        const bool text_map = c.tag == Tag::text_map;
        add(text_map ? "TextMap(" : "GenMap(");
        bool first = true;
        for_each_entry(c.map, [&](const MapNode& n) {
          if (full()) return;
          separate(first);
          text_map ? add(text_of(n.key)) : cell(n.key, depth + 1);
          add(" -> ");
          cell(n.value, depth + 1);
        });
        return add(")");
      }
      default:
        return add("...");
    }
  }

  std::string finish() {
    if (!full()) return std::move(out_);
    while (!is_valid_utf8(out_) && !out_.empty()) out_.pop_back();
    return std::move(out_) + "...";
  }

 private:
  bool full() const { return out_.size() >= kMaxText; }
  bool stop(int depth) {
    if (depth > kMaxValueNesting) add("...");
    return depth > kMaxValueNesting || full();
  }
  void add(std::string_view text) {
    if (!full()) out_ += text.substr(0, kMaxText - out_.size());
  }
  void quoted(char quote, std::string_view text) {
    add(std::string_view(&quote, 1));
    add(text);
    add(std::string_view(&quote, 1));
  }
  void separate(bool& first) {
    if (!first) add(", ");
    first = false;
  }
  template <typename Items, typename F>
  void each(const Items& items, F&& print) {
    bool first = true;
    for (const auto& item : items) {
      if (full()) return;
      separate(first);
      print(item);
    }
  }

  std::string out_;
};

void print_type(const RuntimeType& type, bool argument, std::string& out) {
  if (out.size() >= kMaxText) return;
  const bool parentheses = argument && !type.args.empty() && type.head != RuntimeType::Head::structure;
  if (parentheses) out += '(';
  switch (type.head) {
    case RuntimeType::Head::nat:
      out += std::to_string(type.number);
      break;
    case RuntimeType::Head::con:
      out += type.con->id.qualified_name();
      break;
    case RuntimeType::Head::builtin:
      if (type.builtin == BuiltinType::optional)
        out += "Optional";
      else if (type.builtin == BuiltinType::arrow)
        out += "(->)";
      else
        out += name_of(type.builtin);
      break;
    case RuntimeType::Head::structure:
      out += '(';
      for (std::size_t i = 0; i < type.args.size(); ++i) {
        out += (i ? ", " : "") + type.names[i] + ": ";
        print_type(*type.args[i], false, out);
      }
      out += ')';
      return;
  }
  for (const RuntimeType* a : type.args) {
    out += ' ';
    print_type(*a, true, out);
  }
  if (parentheses) out += ')';
}

}  // namespace

std::string pretty(const Identifier& id) { return id.qualified_name() + "@" + id.package.substr(0, 8); }

std::string pretty(const PartySet& parties) {
  std::string out;
  for (const auto& p : parties) out += (out.empty() ? "'" : ",'") + p + "'";
  return "{ " + out + " }";
}

std::string pretty(const Value& value) {
  ValuePrinter p;
  p.value(value, 0);
  return p.finish();
}

std::string pretty(const Cell& value) {
  ValuePrinter p;
  p.cell(value, 0);
  return p.finish();
}

std::string pretty(const RuntimeType& type) {
  std::string out;
  print_type(type, false, out);
  return out;
}

}  // namespace synod::lf::eval
