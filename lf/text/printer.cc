#include "lf/text/printer.h"

#include <chrono>
#include <cstdio>
#include <variant>
#include <vector>

#include "base/time.h"

namespace synod::lf {
namespace {

// Pieces of text still to come. Expressions and types are taken apart on this list, not on the C++ stack.
struct Simple {  // in parentheses unless it is one word
  ExprId expr;
};
struct SimpleType {
  TypeId type;
};
using Piece = std::variant<std::string, ExprId, TypeId, Simple, SimpleType>;
using Pieces = std::vector<Piece>;

std::string quoted_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    constexpr std::string_view from = "\n\r\t\b\f\"\\", to = "nrtbf\"\\";
    auto at = from.find(c);
    if (at == std::string_view::npos) {
      out += c;
    } else {
      out += '\\';
      out += to[at];
    }
  }
  return out + '"';
}

class Printer {
 public:
  Printer(const Package& package, const PrintOptions& options) : p_(package), options_(options) {}

  std::string run() {
    out_ = "metadata (" + quote(p_.name()) + " : " + quote(p_.version());
    if (!p_.metadata().upgraded_package_id.empty()) out_ += ", upgrades " + quote(p_.metadata().upgraded_package_id);
    out_ += ")\n";
    if (!p_.declared_imports().empty()) {
      out_ += "imports (";
      for (const auto& id : p_.declared_imports()) out_ += " " + quote(id);
      out_ += " )\n";
    }
    for (std::uint32_t m = 0; m < p_.modules().size(); ++m) module(m);
    return std::move(out_);
  }

 private:
  static std::string quote(std::string_view s) { return "'" + std::string(s) + "'"; }
  // In backquotes, so that no name is taken for a word of the language.
  std::string name(StringId id) const { return "`" + std::string(p_.text(id)) + "`"; }
  std::string dotted(DottedNameId id) const { return std::string(p_.text(id)); }
  std::string reference(RefId id) const {
    const Ref& r = p_.ref(id);
    std::string out = r.package == 0 ? "" : quote(p_.package_ids()[r.package]) + ":";
    return out + dotted(r.module) + ":" + dotted(r.name);
  }
  std::string kind(KindId id) const {
    std::string out, close;
    for (Kind k = p_.kind(id);; k = p_.kind(id)) {  // arrows lean to the right; their parameters are hardly ever arrows
      if (k.kind != KindKind::arrow) return out + (k.kind == KindKind::star ? "*" : "nat") + close;
      out += "(" + (p_.kind(k.parameter).kind == KindKind::arrow ? "(" + kind(k.parameter) + ")" : kind(k.parameter)) +
             " -> ";
      close += ")";
      id = k.result;
    }
  }
  std::string params(Slice<TypeParam> slice) const {
    std::string out;
    for (const auto& t : p_.items(slice)) out += " (" + name(t.name) + ": " + kind(t.kind) + ")";
    return out;
  }

  // Pushes so that the pieces come out in this order.
  void later(Pieces pieces) {
    for (auto it = pieces.rbegin(); it != pieces.rend(); ++it) work_.push_back(std::move(*it));
  }
  void write(Pieces pieces) {
    later(std::move(pieces));
    while (!work_.empty()) {
      Piece piece = std::move(work_.back());
      work_.pop_back();
      if (auto* text = std::get_if<std::string>(&piece)) out_ += *text;
      if (auto* e = std::get_if<ExprId>(&piece)) expr(*e);
      if (auto* t = std::get_if<TypeId>(&piece)) type(*t);
      if (auto* s = std::get_if<Simple>(&piece)) later({std::string("("), s->expr, std::string(")")});
      if (auto* s = std::get_if<SimpleType>(&piece)) later({std::string("("), s->type, std::string(")")});
    }
  }

  void type(TypeId id) {
    const Type& t = p_.type(id);
    auto args = [&](Pieces head) {
      for (TypeId a : p_.items(t.args)) {
        head.emplace_back(std::string(" "));
        head.emplace_back(SimpleType{a});
      }
      later(std::move(head));
    };
    switch (t.kind) {
      case TypeKind::var:
        return args({name(t.name)});
      case TypeKind::con:
        return args({reference(t.ref)});
      case TypeKind::builtin:
        if (t.builtin == BuiltinType::arrow && t.args.count == 2)
          return later({SimpleType{p_.items(t.args)[0]}, std::string(" -> "), p_.items(t.args)[1]});
        return args({std::string(name_of(t.builtin))});
      case TypeKind::nat:
        return later({std::to_string(t.number)});
      case TypeKind::app:
        return args({SimpleType{t.fun}});
      case TypeKind::forall:
        return later({"forall (" + name(t.param.name) + ": " + kind(t.param.kind) + "). ", t.body});
      case TypeKind::synonym: {
        Pieces pieces{"||" + reference(t.ref)};
        for (TypeId a : p_.items(t.args)) {
          pieces.emplace_back(std::string(" "));
          pieces.emplace_back(SimpleType{a});
        }
        pieces.emplace_back(std::string("||"));
        return later(std::move(pieces));
      }
      case TypeKind::structure: {
        Pieces pieces{std::string("<")};
        for (const auto& f : p_.items(t.fields)) {
          if (pieces.size() > 1) pieces.emplace_back(std::string(", "));
          pieces.emplace_back(name(f.name) + ": ");
          pieces.emplace_back(f.type);
        }
        pieces.emplace_back(std::string(">"));
        return later(std::move(pieces));
      }
    }
  }

  // `Module:Type @arg @arg` of a type that is a data type.
  Pieces applied(TypeId id) {
    const Type& t = p_.type(id);
    Pieces out{reference(t.ref)};
    for (TypeId a : p_.items(t.args)) {
      out.emplace_back(std::string(" @"));
      out.emplace_back(SimpleType{a});
    }
    return out;
  }
  static Pieces joined(Pieces a, Pieces b) {
    for (auto& piece : b) a.push_back(std::move(piece));
    return a;
  }
  Pieces fields(Slice<FieldExpr> slice, const char* open, const char* close) {
    Pieces out{std::string(open)};
    for (const auto& f : p_.items(slice)) {
      if (out.size() > 1) out.emplace_back(std::string(", "));
      out.emplace_back(name(f.name) + " = ");
      out.emplace_back(f.value);
    }
    out.emplace_back(std::string(close));
    return out;
  }

  static std::string date(std::int64_t days) {
    const std::chrono::year_month_day d{std::chrono::sys_days{std::chrono::days{days}}};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                  static_cast<unsigned>(d.day()));
    return text;
  }

  std::string location(LocationId id) const {
    const Location& l = p_.location(id);
    std::string out = "loc(" + (l.package == 0 ? "" : quote(p_.package_ids()[l.package]) + ":") +
                      (l.module.is_none() ? "_" : dotted(l.module)) + ", _";
    for (auto n : {l.start_line, l.start_column, l.end_line, l.end_column}) out += ", " + std::to_string(n);
    return out + ") ";
  }

  void expr(ExprId id) {
    const Expr& e = p_.expr(id);
    if (options_.locations && !e.location.is_none()) {
      out_ += location(e.location) + "(";
      work_.emplace_back(std::string(")"));
    }
    plain(e);
  }

  void plain(const Expr& e) {
    auto word = [&](const char* w, Pieces rest) { later(joined({std::string(w)}, std::move(rest))); };
    auto typed = [&](const char* w) {
      word(w, {std::string(" @"), SimpleType{e.type}, std::string(" "), Simple{e.first}});
    };
    auto on = [&](const char* w) { word(w, {" @" + reference(e.ref) + " ", Simple{e.first}}); };
    auto conversion = [&](const char* w) {
      word(w, {" @" + reference(e.ref) + " @" + reference(e.second_ref()) + " ", Simple{e.first}});
    };
    auto exercise = [&](const char* w) {
      word(w, {" @" + reference(e.ref) + " " + name(e.name()) + " ", Simple{e.first}, std::string(" "),
               Simple{e.second()}});
    };
    using K = ExprKind;
    switch (e.kind) {
      case K::var:
        return later({name(e.name())});
      case K::value:
        return later({reference(e.ref)});
      case K::builtin:
        return later({std::string(name_of(e.builtin))});
      case K::builtin_con:
        return later({std::string(e.con == BuiltinCon::unit ? "()" : e.con == BuiltinCon::true_ ? "True" : "False")});
      case K::int64:
        return later({std::to_string(e.number)});
      case K::timestamp:
        return later({Timestamp{e.number}.to_string()});
      case K::date:
        return later({date(e.number)});
      case K::numeric:
        return later({std::string(p_.text(e.name()))});
      case K::text:
        return later({quoted_text(p_.text(e.name()))});
      case K::failure_category:
        return later({std::string(static_cast<int>(e.category) == 0 ? "INVALID_INDEPENDENT_OF_SYSTEM_STATE"
                                                                    : "INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER")});
      case K::record_con:
        return later(joined(applied(e.type), fields(e.fields, " {", "}")));
      case K::record_proj:
        return later(joined(applied(e.type), {" {" + name(e.name()) + "} ", Simple{e.first}}));
      case K::record_upd:
        return later(joined(applied(e.type), {std::string(" {"), Simple{e.first}, " with " + name(e.name()) + " = ",
                                              e.second(), std::string("}")}));
      case K::variant_con: {
        Pieces pieces = applied(e.type);
        pieces[0] = reference(p_.type(e.type).ref) + ":" + name(e.name());
        return later(joined(std::move(pieces), {std::string(" "), Simple{e.first}}));
      }
      case K::enum_con:
        return later({reference(e.ref) + ":" + name(e.name())});
      case K::struct_con:
        return later(fields(e.fields, "<", ">"));
      case K::struct_proj:
        return later({Simple{e.first}, "." + name(e.name())});
      case K::struct_upd:
        return later(
            {std::string("<"), Simple{e.first}, " with " + name(e.name()) + " = ", e.second(), std::string(">")});
      case K::app: {
        Pieces pieces{Simple{e.first}};
        for (ExprId a : p_.items(e.args)) {
          pieces.emplace_back(std::string(" "));
          pieces.emplace_back(Simple{a});
        }
        return later(std::move(pieces));
      }
      case K::type_app: {
        Pieces pieces{Simple{e.first}};
        for (TypeId a : p_.items(e.types)) {
          pieces.emplace_back(std::string(" @"));
          pieces.emplace_back(SimpleType{a});
        }
        return later(std::move(pieces));
      }
      case K::abs: {
        Pieces pieces{std::string("\\")};
        for (const auto& param : p_.items(e.params)) {
          pieces.emplace_back("(" + name(param.name) + ": ");
          pieces.emplace_back(param.type);
          pieces.emplace_back(std::string(")"));
        }
        return later(joined(std::move(pieces), {std::string(" -> "), e.first}));
      }
      case K::type_abs:
        return later({"/\\" + params(e.type_params) + ". ", e.first});
      case K::case_of: {
        Pieces pieces{std::string("case "), Simple{e.first}, std::string(" of ")};
        bool first = true;
        for (const auto& a : p_.items(e.alternatives)) {
          pieces.emplace_back((first ? "" : " | ") + pattern(a) + " -> ");
          pieces.emplace_back(Simple{a.body});
          first = false;
        }
        return later(std::move(pieces));
      }
      case K::let:
      case K::update_block: {
        const bool block = e.kind == K::update_block;
        Pieces pieces{std::string(block ? "ubind " : "let ")};
        std::size_t n = 0;
        for (const auto& b : p_.items(e.bindings)) {
          pieces.emplace_back((n > 0 ? " ; " : "") + name(b.name) + ": ");
          pieces.emplace_back(b.type);
          pieces.emplace_back(std::string(block ? " <- " : " = "));
          pieces.emplace_back(Simple{b.bound});
          ++n;
        }
        pieces.emplace_back(std::string(" in "));
        pieces.emplace_back(e.first);
        return later(std::move(pieces));
      }
      case K::nil:
        return word("Nil", {std::string(" @"), SimpleType{e.type}});
      case K::none:
        return word("None", {std::string(" @"), SimpleType{e.type}});
      case K::type_rep:
        return word("type_rep", {std::string(" @"), SimpleType{e.type}});
      case K::cons: {
        Pieces pieces{std::string("Cons @"), SimpleType{e.type}, std::string(" [")};
        bool first = true;
        for (ExprId a : p_.items(e.args)) {
          if (!first) pieces.emplace_back(std::string(", "));
          pieces.emplace_back(Simple{a});
          first = false;
        }
        return later(joined(std::move(pieces), {std::string("] "), Simple{e.first}}));
      }
      case K::some:
        return typed("Some");
      case K::to_any:
        return typed("to_any");
      case K::from_any:
        return typed("from_any");
      case K::to_any_exception:
        return typed("to_any_exception");
      case K::from_any_exception:
        return typed("from_any_exception");
      case K::throw_:
        return word("throw", {std::string(" @"), SimpleType{e.type}, std::string(" @"), SimpleType{e.second_type()},
                              std::string(" "), Simple{e.first}});
      case K::to_interface:
        return conversion("to_interface");
      case K::from_interface:
        return conversion("from_interface");
      case K::to_required_interface:
        return conversion("to_required_interface");
      case K::from_required_interface:
        return conversion("from_required_interface");
      case K::unsafe_from_interface:
      case K::unsafe_from_required_interface: {
        const char* w = e.kind == K::unsafe_from_interface ? "unsafe_from_interface" : "unsafe_from_required_interface";
        return word(w, {" @" + reference(e.ref) + " @" + reference(e.second_ref()) + " ", Simple{e.first},
                        std::string(" "), Simple{e.second()}});
      }
      case K::call_interface:
        return word("call_method", {" @" + reference(e.ref) + " " + name(e.name()) + " ", Simple{e.first}});
      case K::view_interface:
        return on("view_interface");
      case K::signatory_interface:
        return on("signatory_interface");
      case K::observer_interface:
        return on("observer_interface");
      case K::interface_template_type_rep:
        return on("interface_template_type_rep");
      case K::update_pure:
        return typed("upure");
      case K::update_embed:
        return typed("uembed_expr");
      case K::update_create:
        return on("create");
      case K::update_create_interface:
        return on("create_by_interface");
      case K::update_fetch:
        return on("fetch_template");
      case K::update_fetch_interface:
        return on("fetch_interface");
      case K::update_exercise:
        return exercise("exercise");
      case K::update_exercise_interface:
        return exercise("exercise_interface");
      case K::update_exercise_by_key:
        return exercise("exercise_by_key");
      case K::update_fetch_by_key:
        return later({"fetch_by_key @" + reference(e.ref)});
      case K::update_query_n_by_key:
        return later({"query_n_by_key @" + reference(e.ref)});
      case K::update_get_time:
        return later({std::string("uget_time")});
      case K::update_ledger_time_lt:
        return word("ledger_time_lt", {std::string(" "), Simple{e.first}});
      case K::update_try_catch:
        return later({std::string("try @"), SimpleType{e.type}, std::string(" "), Simple{e.first},
                      " catch " + name(e.name()) + " -> ", Simple{e.second()}});
    }
  }

  std::string pattern(const Alternative& a) const {
    switch (a.pattern) {
      case PatternKind::default_:
        return "_";
      case PatternKind::variant:
        return reference(a.type) + ":" + name(a.constructor) + " " + name(a.binder);
      case PatternKind::enumeration:
        return reference(a.type) + ":" + name(a.constructor);
      case PatternKind::unit:
        return "()";
      case PatternKind::false_:
        return "False";
      case PatternKind::true_:
        return "True";
      case PatternKind::nil:
        return "Nil";
      case PatternKind::cons:
        return "Cons " + name(a.binder) + " " + name(a.tail);
      case PatternKind::none:
        return "None";
      case PatternKind::some:
        return "Some " + name(a.binder);
    }
    return "";
  }

  void module(std::uint32_t m) {
    out_ += "\nmodule " + dotted(p_.modules()[m].name) + " {\n";
    for (const auto& d : p_.synonyms())
      if (d.module == m) write({"  synonym " + dotted(d.name) + params(d.params) + " = ", d.type, std::string(" ;\n")});
    for (const auto& d : p_.data_types())
      if (d.module == m) data_type(d);
    for (const auto& d : p_.values())
      if (d.module == m)
        write({"  val " + dotted(d.name) + " : ", d.type, std::string(" =\n    "), d.body, std::string(" ;\n")});
    for (const auto& d : p_.exceptions())
      if (d.module == m) write({"  exception " + dotted(d.name) + " = { message ", d.message, std::string(" } ;\n")});
    for (const auto& d : p_.templates())
      if (d.module == m) template_(d);
    out_ += "}\n";
  }

  void data_type(const DataType& d) {
    const std::string tag = d.serializable ? "@serializable " : "";
    switch (d.kind) {
      case DataKind::record: {
        Pieces pieces{"  record " + tag + dotted(d.name) + params(d.params) + " = {"};
        named(d.fields, ", ", pieces);
        pieces.emplace_back(std::string("} ;\n"));
        return write(std::move(pieces));
      }
      case DataKind::variant: {
        Pieces pieces{"  variant " + tag + dotted(d.name) + params(d.params) + " = "};
        named(d.fields, " | ", pieces);
        pieces.emplace_back(std::string(" ;\n"));
        return write(std::move(pieces));
      }
      case DataKind::enumeration: {
        out_ += "  enum " + tag + dotted(d.name) + " = ";
        bool first = true;
        for (StringId c : p_.items(d.constructors)) {
          out_ += (first ? "" : " | ") + name(c);
          first = false;
        }
        out_ += " ;\n";
        return;
      }
      case DataKind::interface:
        if (const Interface* i = p_.find_interface(p_.text(p_.modules()[d.module].name), p_.text(d.name)))
          interface(*i);
        return;
    }
  }
  void named(Slice<NamedType> slice, const char* separator, Pieces& pieces) {
    bool first = true;
    for (const auto& f : p_.items(slice)) {
      pieces.emplace_back((first ? "" : separator) + name(f.name) + ": ");
      pieces.emplace_back(f.type);
      first = false;
    }
  }

  void choices(Slice<Choice> slice) {
    for (const auto& c : p_.items(slice)) {
      write({std::string("    choice ") + (c.consuming ? "" : "@nonConsuming ") + name(c.name) + " (" +
                 name(c.self_binder) + ") (" + name(c.argument.name) + ": ",
             c.argument.type, std::string(") : "), c.result, std::string("\n      , controllers "),
             Simple{c.controllers}});
      if (!c.observers.is_none()) write({std::string("\n      , observers "), Simple{c.observers}});
      write({std::string("\n      to "), c.update, std::string(" ;\n")});
    }
  }

  void template_(const Template& t) {
    out_ += "  template (" + name(t.parameter) + " : " + dotted(t.name) + ") = {\n";
    if (!t.precondition.is_none()) write({std::string("    precondition "), t.precondition, std::string(" ;\n")});
    write({std::string("    signatories "), t.signatories, std::string(" ;\n    observers "), t.observers,
           std::string(" ;\n")});
    choices(t.choices);
    for (const auto& i : p_.items(t.implementations)) {
      write({"    implements " + reference(i.interface) + " { view = ", i.view, std::string(" ;\n")});
      for (const auto& m : p_.items(i.methods))
        write({"      method " + name(m.name) + " = ", m.value, std::string(" ;\n")});
      out_ += "    } ;\n";
    }
    if (t.has_key)
      write({std::string("    key @"), SimpleType{t.key.type}, std::string(" "), Simple{t.key.key}, std::string(" "),
             Simple{t.key.maintainers}, std::string(" ;\n")});
    out_ += "  } ;\n";
  }

  void interface(const Interface& i) {
    write({"  interface (" + name(i.parameter) + " : " + dotted(i.name) + ") = {\n    viewtype ", i.view,
           std::string(" ;\n")});
    for (RefId r : p_.items(i.required)) out_ += "    requires " + reference(r) + " ;\n";
    for (const auto& m : p_.items(i.methods))
      write({"    method " + name(m.name) + " : ", m.type, std::string(" ;\n")});
    choices(i.choices);
    out_ += "  } ;\n";
  }

  const Package& p_;
  PrintOptions options_;
  std::string out_;
  Pieces work_;
};

}  // namespace

std::string print_package(const Package& package, const PrintOptions& options) {
  return Printer(package, options).run();
}

}  // namespace synod::lf
