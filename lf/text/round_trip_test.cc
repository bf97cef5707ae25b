// Decompiled and assembled again, a package has the same content: its syntax trees are compared, node by node. (Its
// bytes differ, because tables may be in another order.) SYNOD_ALL_PACKAGES=1 takes every package of every DAR instead
// of the smaller ones of a few.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_set>

#include "base/testing/shared_files.h"
#include "lf/ast_walk.h"
#include "lf/text/assembler.h"
#include "lf/text/printer.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;

// Compares what two packages say; names and texts by their content, since each has its own tables.
class Comparison {
 public:
  Comparison(const Package& a, const Package& b) : a_(a), b_(b) {}

  // Where the first difference is, or nothing.
  std::string run() {
    check(a_.name() == b_.name() && a_.version() == b_.version(), "metadata");
    check(a_.metadata().upgraded_package_id == b_.metadata().upgraded_package_id, "upgraded package");
    check(a_.language_version() == b_.language_version(), "language version");
    check(std::ranges::equal(a_.declared_imports(), b_.declared_imports()), "imports");
    check(a_.modules().size() == b_.modules().size(), "number of modules");
    definitions(a_.data_types(), b_.data_types(), "data type", [&](const DataType& x, const DataType& y) {
      check(x.kind == y.kind && x.serializable == y.serializable, "kind of data type");
      params(x.params, y.params);
      named(x.fields, y.fields);
      list(x.constructors, y.constructors, [&](StringId s, StringId t) { text(s, t); });
    });
    definitions(a_.synonyms(), b_.synonyms(), "synonym", [&](const Synonym& x, const Synonym& y) {
      params(x.params, y.params);
      type(x.type, y.type);
    });
    definitions(a_.values(), b_.values(), "value", [&](const ValueDefinition& x, const ValueDefinition& y) {
      type(x.type, y.type);
      expr(x.body, y.body);
    });
    definitions(a_.exceptions(), b_.exceptions(), "exception",
                [&](const ExceptionDefinition& x, const ExceptionDefinition& y) { expr(x.message, y.message); });
    definitions(a_.interfaces(), b_.interfaces(), "interface", [&](const Interface& x, const Interface& y) {
      text(x.parameter, y.parameter);
      choices(x.choices, y.choices);
      named(x.methods, y.methods);
      type(x.view, y.view);
      list(x.required, y.required, [&](RefId r, RefId s) { ref(r, s); });
    });
    definitions(a_.templates(), b_.templates(), "template", [&](const Template& x, const Template& y) {
      text(x.parameter, y.parameter);
      expr(x.precondition, y.precondition);
      expr(x.signatories, y.signatories);
      expr(x.observers, y.observers);
      choices(x.choices, y.choices);
      check(x.has_key == y.has_key, "key");
      if (x.has_key && y.has_key) {
        type(x.key.type, y.key.type);
        expr(x.key.key, y.key.key);
        expr(x.key.maintainers, y.key.maintainers);
      }
      list(x.implementations, y.implementations, [&](const Implementation& i, const Implementation& j) {
        ref(i.interface, j.interface);
        list(i.methods, j.methods, [&](const MethodBody& m, const MethodBody& n) {
          text(m.name, n.name);
          expr(m.value, n.value);
        });
        expr(i.view, j.view);
      });
    });
    return difference_;
  }

 private:
  void check(bool same, const char* what) {
    if (!same && difference_.empty()) difference_ = where_ + ": " + what;
  }

  template <typename Definition, typename Same>
  void definitions(std::span<const Definition> xs, std::span<const Definition> ys, const char* what, Same&& same) {
    check(xs.size() == ys.size(), what);
    std::map<std::string, const Definition*> named;
    for (const auto& y : ys) named[b_.qualified_name(y)] = &y;
    for (const auto& x : xs) {
      if (!difference_.empty()) return;
      where_ = a_.qualified_name(x);
      auto it = named.find(where_);
      if (it == named.end()) return check(false, what);
      same(x, *it->second);
      drain();
    }
  }
  template <typename T, typename Same>
  void list(Slice<T> x, Slice<T> y, Same&& same) {
    auto xs = a_.items(x), ys = b_.items(y);
    check(xs.size() == ys.size(), "number of parts");
    for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i) same(xs[i], ys[i]);
  }
  void text(StringId x, StringId y) {
    check(x.is_none() == y.is_none() && (x.is_none() || a_.text(x) == b_.text(y)), "name or text");
  }
  void ref(RefId x, RefId y) {
    const Ref &r = a_.ref(x), &s = b_.ref(y);
    const bool same_package =
        r.package == 0 ? s.package == 0 : s.package != 0 && a_.package_ids()[r.package] == b_.package_ids()[s.package];
    check(same_package && a_.text(r.module) == b_.text(s.module) && a_.text(r.name) == b_.text(s.name), "reference");
  }
  void params(Slice<TypeParam> x, Slice<TypeParam> y) {
    list(x, y, [&](const TypeParam& p, const TypeParam& q) {
      text(p.name, q.name);
      kind(p.kind, q.kind);
    });
  }
  void named(Slice<NamedType> x, Slice<NamedType> y) {
    list(x, y, [&](const NamedType& f, const NamedType& g) {
      text(f.name, g.name);
      type(f.type, g.type);
    });
  }
  void choices(Slice<Choice> x, Slice<Choice> y) {
    list(x, y, [&](const Choice& c, const Choice& d) {
      text(c.name, d.name);
      check(c.consuming == d.consuming, "consuming");
      text(c.self_binder, d.self_binder);
      text(c.argument.name, d.argument.name);
      type(c.argument.type, d.argument.type);
      type(c.result, d.result);
      expr(c.controllers, d.controllers);
      expr(c.observers, d.observers);
      expr(c.update, d.update);
    });
  }
  void location(LocationId x, LocationId y) {
    check(x.is_none() == y.is_none(), "location");
    if (x.is_none() || y.is_none()) return;
    const Location &l = a_.location(x), &m = b_.location(y);
    check(l.start_line == m.start_line && l.start_column == m.start_column && l.end_line == m.end_line &&
              l.end_column == m.end_column,
          "location's range");
    check(l.module.is_none() ? m.module.is_none() : !m.module.is_none() && a_.text(l.module) == b_.text(m.module),
          "location's module");
    check(a_.package_ids()[l.package] == b_.package_ids()[m.package] || (l.package == 0 && m.package == 0),
          "location's package");
  }

  // Pairs that are still to be compared; each pair is compared once, since trees share parts.
  using Pairs = std::vector<std::uint64_t>;
  static std::uint64_t pair(std::uint32_t x, std::uint32_t y) { return std::uint64_t{x} << 32 | y; }
  void kind(KindId x, KindId y) { kinds_.push_back(pair(x.value, y.value)); }
  void type(TypeId x, TypeId y) { types_.push_back(pair(x.value, y.value)); }
  void expr(ExprId x, ExprId y) {
    check(x.is_none() == y.is_none(), "an expression is missing");
    if (!x.is_none() && !y.is_none()) exprs_.push_back(pair(x.value, y.value));
  }
  static bool next(Pairs& pairs, std::unordered_set<std::uint64_t>& seen, std::uint32_t& x, std::uint32_t& y) {
    while (!pairs.empty()) {
      const std::uint64_t p = pairs.back();
      pairs.pop_back();
      x = static_cast<std::uint32_t>(p >> 32), y = static_cast<std::uint32_t>(p);
      if (seen.insert(p).second) return true;
    }
    return false;
  }
  void drain() {
    std::uint32_t x, y;
    while (difference_.empty()) {
      if (next(exprs_, seen_exprs_, x, y)) {
        same_expr(a_.expr(ExprId{x}), b_.expr(ExprId{y}));
      } else if (next(types_, seen_types_, x, y)) {
        same_type(a_.type(TypeId{x}), b_.type(TypeId{y}));
      } else if (next(kinds_, seen_kinds_, x, y)) {
        const Kind &k = a_.kind(KindId{x}), &l = b_.kind(KindId{y});
        check(k.kind == l.kind, "kind");
        if (k.kind == KindKind::arrow && l.kind == KindKind::arrow)
          kind(k.parameter, l.parameter), kind(k.result, l.result);
      } else {
        return;
      }
    }
  }

  void same_type(const Type& x, const Type& y) {
    if (x.kind != y.kind) return check(false, "kind of type");
    auto args = [&] { list(x.args, y.args, [&](TypeId s, TypeId t) { type(s, t); }); };
    switch (x.kind) {
      case TypeKind::var:
        return text(x.name, y.name), args();
      case TypeKind::con:
      case TypeKind::synonym:
        return ref(x.ref, y.ref), args();
      case TypeKind::builtin:
        return check(x.builtin == y.builtin, "builtin type"), args();
      case TypeKind::nat:
        return check(x.number == y.number, "number");
      case TypeKind::forall:
        text(x.param.name, y.param.name);
        kind(x.param.kind, y.param.kind);
        return type(x.body, y.body);
      case TypeKind::structure:
        return named(x.fields, y.fields);
      case TypeKind::app:
        return type(x.fun, y.fun), args();
    }
  }

  void same_expr(const Expr& x, const Expr& y) {
    if (x.kind != y.kind) return check(false, "kind of expression");
    location(x.location, y.location);
    members(x, y);
    std::vector<ExprId> xs, ys;
    for_each_child(a_, x, [&](ExprId e) { xs.push_back(e); });
    for_each_child(b_, y, [&](ExprId e) { ys.push_back(e); });
    check(xs.size() == ys.size(), "number of sub-expressions");
    for (std::size_t i = 0; i < std::min(xs.size(), ys.size()); ++i) expr(xs[i], ys[i]);
  }

  // What a node has beside its children.
  void members(const Expr& x, const Expr& y) {
    switch (x.kind) {
      case ExprKind::var:
      case ExprKind::numeric:
      case ExprKind::text:
      case ExprKind::struct_proj:
      case ExprKind::struct_upd:
        return text(x.name(), y.name());
      case ExprKind::builtin:
        return check(x.builtin == y.builtin, "builtin");
      case ExprKind::builtin_con:
        return check(x.con == y.con, "builtin constructor");
      case ExprKind::failure_category:
        return check(x.category == y.category, "category");
      case ExprKind::int64:
      case ExprKind::timestamp:
      case ExprKind::date:
        return check(x.number == y.number, "number");
      case ExprKind::value:
      case ExprKind::view_interface:
      case ExprKind::signatory_interface:
      case ExprKind::observer_interface:
      case ExprKind::interface_template_type_rep:
      case ExprKind::update_create:
      case ExprKind::update_create_interface:
      case ExprKind::update_fetch:
      case ExprKind::update_fetch_interface:
      case ExprKind::update_fetch_by_key:
      case ExprKind::update_query_n_by_key:
        return ref(x.ref, y.ref);
      case ExprKind::enum_con:
      case ExprKind::call_interface:
      case ExprKind::update_exercise:
      case ExprKind::update_exercise_interface:
      case ExprKind::update_exercise_by_key:
        return ref(x.ref, y.ref), text(x.name(), y.name());
      case ExprKind::to_interface:
      case ExprKind::from_interface:
      case ExprKind::unsafe_from_interface:
      case ExprKind::to_required_interface:
      case ExprKind::from_required_interface:
      case ExprKind::unsafe_from_required_interface:
        return ref(x.ref, y.ref), ref(x.second_ref(), y.second_ref());
      case ExprKind::record_proj:
      case ExprKind::record_upd:
      case ExprKind::variant_con:
      case ExprKind::update_try_catch:
        return type(x.type, y.type), text(x.name(), y.name());
      case ExprKind::record_con:
        type(x.type, y.type);
        [[fallthrough]];
      case ExprKind::struct_con:
        return list(x.fields, y.fields, [&](const FieldExpr& f, const FieldExpr& g) { text(f.name, g.name); });
      case ExprKind::nil:
      case ExprKind::cons:
      case ExprKind::none:
      case ExprKind::some:
      case ExprKind::to_any:
      case ExprKind::from_any:
      case ExprKind::type_rep:
      case ExprKind::to_any_exception:
      case ExprKind::from_any_exception:
      case ExprKind::update_pure:
      case ExprKind::update_embed:
        return type(x.type, y.type);
      case ExprKind::throw_:
        return type(x.type, y.type), type(x.second_type(), y.second_type());
      case ExprKind::type_app:
        return list(x.types, y.types, [&](TypeId s, TypeId t) { type(s, t); });
      case ExprKind::abs:
        return named(x.params, y.params);
      case ExprKind::type_abs:
        return params(x.type_params, y.type_params);
      case ExprKind::case_of:
        return list(x.alternatives, y.alternatives, [&](const Alternative& s, const Alternative& t) {
          check(s.pattern == t.pattern, "pattern");
          if (s.pattern == PatternKind::variant || s.pattern == PatternKind::enumeration) {
            ref(s.type, t.type);
            text(s.constructor, t.constructor);
          }
          if (s.pattern == PatternKind::variant || s.pattern == PatternKind::some || s.pattern == PatternKind::cons)
            text(s.binder, t.binder);
          if (s.pattern == PatternKind::cons) text(s.tail, t.tail);
        });
      case ExprKind::let:
      case ExprKind::update_block:
        return list(x.bindings, y.bindings, [&](const Binding& s, const Binding& t) {
          text(s.name, t.name);
          type(s.type, t.type);
        });
      case ExprKind::app:
      case ExprKind::update_get_time:
      case ExprKind::update_ledger_time_lt:
        return;
    }
  }

  const Package &a_, &b_;
  std::string where_, difference_;
  Pairs kinds_, types_, exprs_;
  std::unordered_set<std::uint64_t> seen_kinds_, seen_types_, seen_exprs_;
};

void expect_round_trip(const Package& package, std::span<const Dar::Entry> dependencies) {
  auto again =
      assemble_package(print_package(package), {.version = package.language_version(), .dependencies = dependencies});
  ASSERT_TRUE(again.has_value()) << package.name() << ": " << again.error().to_string();
  EXPECT_EQ(Comparison(package, *again->package).run(), "") << package.name() << " " << package.id();
}

TEST(RoundTrip, Examples) {
  for (const char* file : {"examples/ping.lf", "examples/iou.lf", "examples/bench.lf"}) {
    for (auto version : {kLf21, kLf22, kLf23}) {
      auto entry = assemble_package(read_file(file), {.version = version});
      ASSERT_TRUE(entry.has_value()) << entry.error().to_string();
      expect_round_trip(*entry->package, {});
    }
  }
}

TEST(RoundTrip, DeepExpressions) {
  constexpr int kLevels = 2'000;
  std::string deep = "1";
  for (int i = 0; i < kLevels; ++i) deep = "ADD_INT64 1 (" + deep + ")";
  auto entry = assemble_package("metadata ('deep' : '1') module M { val x : Int64 = " + deep + " ; }");
  ASSERT_TRUE(entry.has_value()) << entry.error().to_string();
  expect_round_trip(*entry->package, {});
}

// A comparison that finds nothing proves nothing: here it must find what was changed.
TEST(RoundTrip, DifferencesAreFound) {
  const std::string text = read_file("examples/iou.lf");
  auto original = assemble_package(text);
  ASSERT_TRUE(original.has_value());
  int changed = 0;
  for (std::size_t at = 0; (at = text.find("this", at + 1)) != std::string::npos;) {
    std::string other = text;
    other.replace(at, 4, "that");
    auto entry = assemble_package(other);
    if (!entry) continue;
    ++changed;
    EXPECT_NE(Comparison(*original->package, *entry->package).run(), "") << "at " << at;
  }
  EXPECT_GT(changed, 5);
}

TEST(RoundTrip, RealPackages) {
  SYNOD_NEEDS_SHARED(first, "dars/encoder-test-2.1.dar");
  const char* all = std::getenv("SYNOD_ALL_PACKAGES");
  const auto folder = std::filesystem::path(first).parent_path();
  std::set<std::filesystem::path> files;
  std::vector<std::string> few;
  if (!all)
    few = {"encoder-test-2.1.dar", "encoder-test-2.2.dar", "canton-builtin-admin-workflow-ping.dar",
           "CantonExamples-3.2.0.dar", "all-kinds-of-1.0.0.dar"};
  for (const auto& name : few) files.insert(folder / name);
  if (all)
    for (const auto& file : std::filesystem::directory_iterator(folder))
      if (file.path().filename().string().find(all) != std::string::npos) files.insert(file.path());
  PackageStore store;
  std::size_t packages = 0, expressions = 0;
  for (const auto& file : files) {
    if (!std::filesystem::exists(file)) continue;
    auto dar = decode_dar(read_file(file.string()), {}, &store);
    if (!dar) continue;  // some are there to be refused
    for (const auto& entry : dar->entries) {
      if (!store.add(entry.package)) continue;
      if (!all && entry.package->expr_count() > 5'000) continue;  // the largest take seconds without optimisation
      SCOPED_TRACE(file.filename().string());
      expect_round_trip(*entry.package, dar->entries);
      ++packages, expressions += entry.package->expr_count();
    }
  }
  EXPECT_GT(packages, all ? 0u : 25u);
  std::printf("[  INFO    ] %zu packages with %zu expressions\n", packages, expressions);
}

}  // namespace
}  // namespace synod::lf
