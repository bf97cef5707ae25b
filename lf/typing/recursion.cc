#include "lf/typing/recursion.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <vector>

#include "lf/ast_walk.h"

namespace synod::lf::typing {
namespace {

using Graph = std::vector<std::set<std::size_t>>;

// The vertices of one cycle in their order; empty: there is none.
std::vector<std::size_t> cycle_in(const Graph& graph) {
  enum class Color : std::uint8_t { white, gray, black };
  std::vector<Color> color(graph.size(), Color::white);
  struct Visit {
    std::size_t vertex;
    std::set<std::size_t>::const_iterator next;
  };
  for (std::size_t root = 0; root < graph.size(); ++root) {
    if (color[root] != Color::white) continue;
    std::vector<Visit> path{{root, graph[root].begin()}};
    color[root] = Color::gray;
    while (!path.empty()) {
      Visit& at = path.back();
      if (at.next == graph[at.vertex].end()) {
        color[at.vertex] = Color::black;
        path.pop_back();
        continue;
      }
      const std::size_t to = *at.next++;
      if (color[to] == Color::gray) {
        std::vector<std::size_t> cycle;
        auto start = std::ranges::find(path, to, &Visit::vertex);
        for (; start != path.end(); ++start) cycle.push_back(start->vertex);
        return cycle;
      }
      if (color[to] == Color::white) {
        color[to] = Color::gray;
        path.push_back({to, graph[to].begin()});
      }
    }
  }
  return {};
}

// The definitions that one module after the other refers to.
class References {
 public:
  References(const Package& package, std::uint64_t& budget)
      : package_(package), budget_(budget), exprs_(package.expr_count(), 0), types_(package.type_count(), 0) {}

  // What is seen twice from one module is looked at once.
  void begin_module() { ++module_; }
  void type(TypeId id) {
    if (!id.is_none() && types_[id.value] != module_) {
      types_[id.value] = module_;
      type_work_.push_back(id);
    }
  }
  void expr(ExprId id) {
    if (!id.is_none() && exprs_[id.value] != module_) {
      exprs_[id.value] = module_;
      expr_work_.push_back(id);
    }
  }
  void ref(RefId id) { found_.push_back(id); }
  void arguments(TypeId id) {
    const Type& t = package_.type(id);
    switch (t.kind) {
      case TypeKind::app:
        type(t.fun);
        [[fallthrough]];
      case TypeKind::var:
      case TypeKind::con:
      case TypeKind::builtin:
      case TypeKind::synonym:
        for (TypeId a : package_.items(t.args)) type(a);
        break;
      case TypeKind::forall:
        type(t.body);
        break;
      case TypeKind::structure:
        for (const NamedType& f : package_.items(t.fields)) type(f.type);
        break;
      case TypeKind::nat:
        break;
    }
  }

  // Everything below what was added; of expressions only the values that they name, unless `types_too`.
  std::vector<RefId> take(bool types_too = true) {
    while (budget_ > 0 && (!type_work_.empty() || !expr_work_.empty())) {
      --budget_;
      if (!type_work_.empty()) {
        const TypeId id = type_work_.back();
        type_work_.pop_back();
        const Type& t = package_.type(id);
        if (t.kind == TypeKind::con || t.kind == TypeKind::synonym) ref(t.ref);
        arguments(id);
        continue;
      }
      const Expr& e = package_.expr(expr_work_.back());
      expr_work_.pop_back();
      if (e.kind == ExprKind::value) ref(e.ref);
      if (types_too) named_in(e);
      for_each_child(package_, e, [this](ExprId child) { expr(child); });
    }
    type_work_.clear();
    expr_work_.clear();
    return std::move(found_);
  }

 private:
  void named_in(const Expr& e) {
    switch (e.kind) {
      case ExprKind::record_con:
      case ExprKind::record_proj:
      case ExprKind::record_upd:
      case ExprKind::variant_con:
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
      case ExprKind::update_try_catch:
        return type(e.type);
      case ExprKind::throw_:
        type(e.type);
        return type(e.second_type());
      case ExprKind::type_app:
        for (TypeId t : package_.items(e.types)) type(t);
        return;
      case ExprKind::abs:
        for (const NamedType& p : package_.items(e.params)) type(p.type);
        return;
      case ExprKind::let:
      case ExprKind::update_block:
        for (const Binding& b : package_.items(e.bindings)) type(b.type);
        return;
      case ExprKind::to_interface:
      case ExprKind::from_interface:
      case ExprKind::unsafe_from_interface:
      case ExprKind::to_required_interface:
      case ExprKind::from_required_interface:
      case ExprKind::unsafe_from_required_interface:
        ref(e.ref);
        return ref(e.second_ref());
      case ExprKind::enum_con:
      case ExprKind::call_interface:
      case ExprKind::view_interface:
      case ExprKind::signatory_interface:
      case ExprKind::observer_interface:
      case ExprKind::interface_template_type_rep:
      case ExprKind::update_create:
      case ExprKind::update_create_interface:
      case ExprKind::update_exercise:
      case ExprKind::update_exercise_interface:
      case ExprKind::update_exercise_by_key:
      case ExprKind::update_fetch:
      case ExprKind::update_fetch_interface:
        return ref(e.ref);
      default:  // patterns and the templates of key queries do not count
        return;
    }
  }

  const Package& package_;
  std::uint64_t& budget_;
  std::uint32_t module_ = 0;
  std::vector<std::uint32_t> exprs_, types_;  // the last module that came across it
  std::vector<ExprId> expr_work_;
  std::vector<TypeId> type_work_;
  std::vector<RefId> found_;
};

void add_choices(const Package& package, Slice<Choice> choices, References& to) {
  for (const Choice& c : package.items(choices)) {
    for (ExprId e : {c.controllers, c.observers, c.update}) to.expr(e);
    to.type(c.argument.type);
    to.type(c.result);
  }
}

// By module: its definitions of one kind.
template <typename Definition>
std::vector<std::vector<const Definition*>> by_module(const Package& package, std::span<const Definition> definitions) {
  std::vector<std::vector<const Definition*>> out(package.modules().size());
  for (const Definition& d : definitions) out[d.module].push_back(&d);
  return out;
}

Graph imports(const Package& package, std::uint64_t& budget) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t m = 0; m < package.modules().size(); ++m) index.emplace(package.text(package.modules()[m].name), m);
  const auto data_types = by_module(package, package.data_types());
  const auto synonyms = by_module(package, package.synonyms());
  const auto values = by_module(package, package.values());
  const auto templates = by_module(package, package.templates());
  const auto interfaces = by_module(package, package.interfaces());
  const auto exceptions = by_module(package, package.exceptions());
  References references(package, budget);
  Graph graph(package.modules().size());
  for (std::size_t m = 0; m < graph.size(); ++m) {
    references.begin_module();
    for (const DataType* d : data_types[m])
      for (const NamedType& f : package.items(d->fields)) references.type(f.type);
    for (const Synonym* s : synonyms[m]) references.type(s->type);
    for (const ValueDefinition* v : values[m]) {
      references.type(v->type);
      references.expr(v->body);
    }
    for (const Template* t : templates[m]) {
      for (ExprId e : {t->precondition, t->signatories, t->observers}) references.expr(e);
      add_choices(package, t->choices, references);
      if (t->has_key) {
        references.type(t->key.type);
        references.expr(t->key.key);
        references.expr(t->key.maintainers);
      }
      for (const Implementation& i : package.items(t->implementations)) {
        references.ref(i.interface);
        for (const MethodBody& method : package.items(i.methods)) references.expr(method.value);
        references.expr(i.view);
      }
    }
    for (const Interface* i : interfaces[m]) {
      for (RefId required : package.items(i->required)) references.ref(required);
      add_choices(package, i->choices, references);
      for (const NamedType& method : package.items(i->methods)) references.type(method.type);
      references.arguments(i->view);  // the view's own name does not count
    }
    std::vector<RefId> found = references.take();
    for (const ExceptionDefinition* e : exceptions[m]) references.expr(e->message);
    for (RefId r : references.take(false)) found.push_back(r);
    for (RefId r : found) {
      const Ref& to = package.ref(r);
      if (to.package != 0) continue;
      auto it = index.find(package.text(to.module));
      if (it != index.end() && it->second != m) graph[m].insert(it->second);
    }
  }
  return graph;
}

// Of all modules: a cycle through several ones would be one of modules.
Graph synonym_references(const Package& package, std::uint64_t& budget) {
  std::unordered_map<const Synonym*, std::size_t> index;
  for (std::size_t i = 0; i < package.synonyms().size(); ++i) index.emplace(&package.synonyms()[i], i);
  References references(package, budget);
  Graph graph(package.synonyms().size());
  for (std::size_t i = 0; i < graph.size(); ++i) {
    references.begin_module();
    references.type(package.synonyms()[i].type);
    for (RefId r : references.take()) {
      const Ref& to = package.ref(r);
      if (to.package != 0) continue;
      auto it = index.find(package.find_synonym(package.text(to.module), package.text(to.name)));
      if (it != index.end()) graph[i].insert(it->second);
    }
  }
  return graph;
}

template <typename Name>
std::string text(const char* what, const std::vector<std::size_t>& cycle, const Name& name) {
  std::string out;
  for (std::size_t v : cycle) out += (out.empty() ? "" : " -> ") + name(v);
  return what + out;
}

}  // namespace

std::string find_cycle(const Package& package, std::uint64_t& budget) {
  if (const auto cycle = cycle_in(imports(package, budget)); !cycle.empty())
    return text("cycle in module dependency ", cycle,
                [&](std::size_t m) { return std::string(package.text(package.modules()[m].name)); });
  if (const auto cycle = cycle_in(synonym_references(package, budget)); !cycle.empty())
    return text("cycle in type synonym definitions ", cycle,
                [&](std::size_t s) { return package.qualified_name(package.synonyms()[s]); });
  return {};
}

}  // namespace synod::lf::typing
