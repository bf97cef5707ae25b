#include "lf/engine.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <shared_mutex>

#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"
#include "lf/eval/pretty.h"
#include "lf/eval/program.h"
#include "lf/ledger/contract_hash.h"
#include "lf/ledger/transaction_builder.h"
#include "lf/ledger/translate.h"
#include "lf/package_store.h"

namespace synod::lf {

using eval::Cell;
using eval::fatal;
using eval::InterfaceInfo;
using eval::Machine;
using eval::TemplateInfo;

struct Engine::Impl {
  explicit Impl(std::shared_ptr<const PackageStore> p) : packages(p), program(std::move(p)) {}

  std::shared_ptr<const PackageStore> packages;
  mutable eval::Program program;
  static constexpr std::size_t kMaxDependencySets = 1000;
  mutable std::shared_mutex dependencies_mutex;
  mutable std::map<std::set<std::string>, std::shared_ptr<const std::set<std::string>>> dependencies;

  // Runs `body`, turning the machine's exceptions into errors.
  template <typename F>
  auto guarded(F&& body) const -> Result<decltype(body())> {
    try {
      return body();
    } catch (eval::Fatal& f) {
      return fail(std::move(f.error));
    } catch (const eval::OutOfBudget& b) {
      return fail(Error("INTERPRETATION_TIME_EXCEEDED", ErrorCategory::contention_on_shared_resources,
                        std::string("Interpretation aborted: its budget of ") + b.what +
                            " is used up. Split the work into several commands, or raise interpretation." + b.setting +
                            " in the participant's configuration"));
    }
  }

  [[noreturn]] static void preprocessing(const std::string& cause) {
    throw eval::Fatal{Error("COMMAND_PREPROCESSING_FAILED", ErrorCategory::invalid_argument, cause)};
  }

  Identifier resolve(const Identifier& id, const PackagePreference& preference, bool strict, const char* kind) const {
    if (!id.by_package_name()) return id;
    std::string name = id.package.substr(1);
    Identifier out = id;
    const Package* package = nullptr;
    if (auto it = preference.find(name); it != preference.end()) {
      out.package = it->second;
    } else if (!strict && (package = packages->preferred(name))) {
      out.package = package->id();
    } else {
      eval::missing_package("package " + id.package + " while looking for " + kind + " " + id.to_string());
    }
    return out;
  }

  [[noreturn]] void unknown_type(const Identifier& id, const char* kind) const {
    if (!packages->find(id.package))
      eval::missing_package("package " + id.package + " while looking for " + kind + " " + id.to_string());
    preprocessing(std::string("unknown ") + kind + " " + id.to_string());
  }
  const TemplateInfo& template_named(const Identifier& id) const {
    const TemplateInfo* t = program.template_(id);
    if (!t) unknown_type(id, "template");
    return *t;
  }
  static void check_id(const ContractId& id) {
    if (id.is_local() || id.is_relative())
      preprocessing("Illegal Contract ID \"" + id.to_hex() + "\", " +
                    (id.is_local() ? std::string("non-suffixed V") + (id.is_v1() ? "1" : "2") : "relative") +
                    " Contract IDs are forbidden");
  }

  // `written` tells the type that the value was written as; asked only when something does not fit.
  template <typename Written>
  Cell typed(Machine& machine, const Value& value, const eval::RuntimeType* type, const char* what,
             const Written& written) const {
    if (!type) preprocessing(std::string("the type of ") + what + " cannot be resolved");
    auto cell = to_cell(program, machine.arena(), value, *type, {.relative_ids = false});
    if (!cell) cell = to_cell(program, machine.arena(), value, *type, {.relative_ids = false, .written_as = written()});
    if (!cell) preprocessing(cell.error().cause);
    return *cell;
  }
  Cell typed(Machine& machine, const Value& value, const eval::RuntimeType* type, const char* what) const {
    return typed(machine, value, type, what, []() -> const eval::RuntimeType* { return nullptr; });
  }
  Cell argument_of(Machine& machine, const TemplateInfo& t, const Value& argument,
                   const std::string& written_package) const {
    return typed(machine, argument, t.type, "a contract's argument", [&]() -> const eval::RuntimeType* {
      const TemplateInfo* written = program.template_(in_package(t.id, written_package));
      return written ? written->type : nullptr;
    });
  }
  static Identifier in_package(Identifier id, const std::string& package) {
    id.package = package;
    return id;
  }

  Cell key_of(Machine& machine, const TemplateInfo& t, const Value& key) const {
    if (!t.definition->has_key) preprocessing("unknown template without contract key " + t.id.to_string() + ".");
    return typed(machine, key, t.key_type, "a key");
  }

  // The template or interface that has the choice, and the typed argument.
  struct Target {
    const TemplateInfo* template_info = nullptr;
    const InterfaceInfo* interface_info = nullptr;
    Cell argument;
  };
  Target target(Machine& machine, const Identifier& type_id, const std::string& choice, const Value& argument,
                const std::string& written_package = {}) const {
    const auto info = [&](const Identifier& id, Target& out) -> const eval::ChoiceInfo* {
      out.template_info = program.template_(id);
      if (out.template_info) return out.template_info->choice(choice);
      out.interface_info = program.interface(id);
      return out.interface_info ? out.interface_info->choice(choice) : nullptr;
    };
    Target out;
    const eval::ChoiceInfo* found = info(type_id, out);
    if (!out.template_info && !out.interface_info) unknown_type(type_id, "template or interface");
    if (!found)
      preprocessing("unknown choice " + choice + " in " + (out.template_info ? "template " : "interface ") +
                    type_id.to_string());
    out.argument = typed(machine, argument, found->argument, "a choice's argument", [&]() -> const eval::RuntimeType* {
      Target ignored;
      const auto* written = info(in_package(type_id, written_package), ignored);
      return written ? written->argument : nullptr;
    });
    return out;
  }

  // The command in the last line of a failure's trace.
  static std::string described(const Command& command, const PackagePreference& preference) {
    const auto type = [&](const Identifier& id) {
      auto it = id.by_package_name() ? preference.find(id.package.substr(1)) : preference.end();
      return (it == preference.end() ? id.package : it->second).substr(0, 8) + ":" + id.qualified_name();
    };
    if (auto* c = std::get_if<CreateCommand>(&command)) return "create command " + type(c->template_id);
    if (auto* e = std::get_if<ExerciseCommand>(&command))
      return "exercise command " + type(e->type_id) + ":" + e->choice + " on contract " +
             e->contract_id.to_hex().substr(0, 10);
    if (auto* k = std::get_if<ExerciseByKeyCommand>(&command))
      return "exercise-by-key command " + type(k->template_id) + ":" + k->choice + " on key " + eval::pretty(k->key);
    const auto& ce = std::get<CreateAndExerciseCommand>(command);
    return "create-and-exercise command " + type(ce.template_id) + ":" + ce.choice;
  }

  InterpretationResult result(Machine& machine, TransactionBuilder& builder) const {
    InterpretationResult out;
    out.transaction = builder.finish();
    out.input_contracts = machine.inputs();
    out.time_bounds = machine.time_bounds();
    out.used_time = machine.used_time();
    std::set<std::string> direct;
    for (const auto& node : out.transaction.nodes)
      for (auto& package : node.packages()) direct.insert(std::move(package));
    out.used_packages = with_dependencies(direct);
    return out;
  }

  // Packages are never removed and never change, so an answer stays right once all dependencies are there.
  std::shared_ptr<const std::set<std::string>> with_dependencies(const std::set<std::string>& direct) const {
    {
      std::shared_lock lock(dependencies_mutex);
      if (auto it = dependencies.find(direct); it != dependencies.end()) return it->second;
    }
    auto all = std::make_shared<std::set<std::string>>(direct);
    bool complete = true;
    for (const auto& package : direct) {
      auto closure = packages->closure(package);
      complete = complete && closure.has_value();
      if (closure)
        for (const Package* p : *closure) all->insert(p->id());
    }
    if (complete) {
      std::unique_lock lock(dependencies_mutex);
      if (dependencies.size() >= kMaxDependencySets) dependencies.clear();
      dependencies.emplace(direct, all);
    }
    return all;
  }
};

Engine::Engine(std::shared_ptr<const PackageStore> packages) : impl_(std::make_unique<Impl>(std::move(packages))) {}
Engine::~Engine() = default;

Result<InterpretationResult> Engine::submit(const std::vector<Command>& commands, const SubmitContext& context,
                                            ContractLookup& contracts, const Limits& limits) const {
  return impl_->guarded([&] {
    TransactionBuilder::Options options;
    options.submitters = context.submitters;
    options.preparation_time = context.preparation_time;
    options.transaction_seed =
        transaction_seed(context.submission_seed, context.participant_id, context.preparation_time);
    options.max_nodes = limits.max_nodes;
    options.allow_effectful_rollback = context.allow_effectful_rollback;
    TransactionBuilder builder(std::move(options));
    Machine machine(impl_->program, {&builder, &contracts, context.ledger_time, context.package_preference,
                                     context.strict_preference, limits, context.trace, context.exercise_trace});
    auto resolve = [&](const Identifier& id, const char* kind = "template") {
      return impl_->resolve(id, context.package_preference, context.strict_preference, kind);
    };

    // Every command is typed before the first one runs.
    std::vector<std::function<void()>> actions;
    for (const auto& command : commands) {
      if (auto* c = std::get_if<CreateCommand>(&command)) {
        const TemplateInfo& t = impl_->template_named(resolve(c->template_id));
        Cell argument = impl_->argument_of(machine, t, c->argument, c->written_package);
        actions.push_back([&machine, &t, argument] {
          Cell out;
          machine.create(t, argument, out);
        });
      } else if (auto* e = std::get_if<ExerciseCommand>(&command)) {
        Impl::check_id(e->contract_id);
        auto target = impl_->target(machine, resolve(e->type_id, "template or interface"), e->choice, e->argument,
                                    e->written_package);
        actions.push_back([&machine, target, e] {
          Cell out;
          machine.exercise(target.template_info, target.interface_info, e->choice, e->contract_id, target.argument,
                           false, out);
        });
      } else if (auto* k = std::get_if<ExerciseByKeyCommand>(&command)) {
        const TemplateInfo& t = impl_->template_named(resolve(k->template_id));
        Cell key = impl_->key_of(machine, t, k->key);
        auto target = impl_->target(machine, t.id, k->choice, k->argument, k->written_package);
        actions.push_back([&machine, target, key, k] {
          Cell out;
          machine.exercise_by_key(*target.template_info, k->choice, key, target.argument, out);
        });
      } else {
        const auto& ce = std::get<CreateAndExerciseCommand>(command);
        Identifier id = resolve(ce.template_id);
        const TemplateInfo& t = impl_->template_named(id);
        Cell argument = impl_->argument_of(machine, t, ce.create_argument, ce.written_package);
        auto target = impl_->target(machine, id, ce.choice, ce.choice_argument, ce.written_package);
        actions.push_back([&machine, &t, argument, target, &ce] {
          Cell created, out;
          machine.create(t, argument, created);
          auto contract = ContractId::from_bytes(eval::text_of(created));
          machine.exercise(target.template_info, nullptr, ce.choice, *contract, target.argument, false, out);
        });
      }
    }
    std::size_t running = 0;
    try {
      for (; running < actions.size(); ++running) actions[running]();
    } catch (eval::Fatal& failure) {
      if (failure.error.id == "DAML_FAILURE" && context.exercise_trace > 0)
        failure.error.context.emplace_back("exercise_trace",
                                           machine.failed_in(context.exercise_trace) + "    in " +
                                               Impl::described(commands[running], context.package_preference) + ".\n");
      throw;
    }
    return impl_->result(machine, builder);
  });
}

Result<InterpretationResult> Engine::reinterpret(const ReplayCommand& command, const ReplayContext& context,
                                                 ContractLookup& contracts, const Limits& limits) const {
  return impl_->guarded([&] {
    TransactionBuilder::Options options;
    options.submitters = context.authorizers;
    options.preparation_time = context.preparation_time;
    options.root_seed = context.node_seed;
    options.max_nodes = limits.max_nodes;
    TransactionBuilder builder(std::move(options));
    Machine machine(impl_->program,
                    {&builder, &contracts, context.ledger_time, context.package_preference, true, limits});
    bool failed = context.expect_failure;
    if (failed) builder.begin_try();
    Cell out;
    bool completed = false;
    if (auto* c = std::get_if<ReplayCreate>(&command)) {
      const TemplateInfo& t = impl_->template_named(c->template_id);
      completed = machine.create(t, impl_->typed(machine, c->argument, t.type, "a contract's argument"), out, failed);
    } else if (auto* e = std::get_if<ReplayExercise>(&command)) {
      if (!e->key) Impl::check_id(e->contract_id);
      auto target = impl_->target(machine, e->interface_id.value_or(e->template_id), e->choice, e->argument);
      if (e->key) {
        const TemplateInfo& t = impl_->template_named(e->template_id);
        completed =
            machine.exercise_by_key(t, e->choice, impl_->key_of(machine, t, *e->key), target.argument, out, failed);
      } else {
        completed = machine.exercise(target.template_info, target.interface_info, e->choice, e->contract_id,
                                     target.argument, false, out, failed);
      }
    } else {
      const auto& f = std::get<ReplayFetch>(command);
      if (!f.key) Impl::check_id(f.contract_id);
      const InterfaceInfo* i = f.interface_id ? impl_->program.interface(*f.interface_id) : nullptr;
      if (f.interface_id && !i) eval::missing_package("interface " + f.interface_id->to_string());
      if (f.key) {
        const TemplateInfo& t = impl_->template_named(f.template_id);
        completed = machine.fetch_by_key(t, impl_->key_of(machine, t, *f.key), out, failed);
      } else {
        completed =
            machine.fetch(i ? nullptr : &impl_->template_named(f.template_id), i, f.contract_id, false, out, failed);
      }
    }
    if (failed) {
      if (completed)
        fatal("DAML_INTERPRETATION_ERROR", ErrorCategory::invalid_state_other,
              "Expected the action to fail, but it succeeded");
      builder.rollback_try();
    }
    InterpretationResult result = impl_->result(machine, builder);
    if (failed) {  // the failing action itself, without the rollback around it
      Transaction& tx = result.transaction;
      const RollbackNode* rollback = tx.nodes.empty() ? nullptr : tx.nodes[0].rollback();
      if (!rollback || rollback->children.size() != 1 || tx.roots.size() != 1)
        fatal("DAML_INTERPRETATION_ERROR", ErrorCategory::invalid_state_other,
              "Expected failure to be turned into a root rollback node");
      tx.nodes.erase(tx.nodes.begin());
      tx.roots = {0};
      for (auto& node : tx.nodes) {
        node.parent = std::max(node.parent - 1, -1);
        if (auto* e = std::get_if<ExerciseNode>(&node.action))
          for (auto& child : e->children) --child;
        if (auto* r = std::get_if<RollbackNode>(&node.action))
          for (auto& child : r->children) --child;
      }
    }
    return result;
  });
}

Result<Value> Engine::interface_view(const Identifier& interface_id, const Identifier& template_id,
                                     const Value& argument, const Limits& limits) const {
  return impl_->guarded([&] {
    Machine machine(impl_->program, {nullptr, nullptr, Timestamp(), {}, false, limits});
    const TemplateInfo& t = impl_->template_named(template_id);
    const eval::ImplementationInfo* implementation = t.implementation(interface_id);
    if (!implementation)
      fatal("CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE", ErrorCategory::invalid_argument,
            "Template " + template_id.to_string() + " does not implement interface " + interface_id.to_string());
    Cell cell = impl_->typed(machine, argument, t.type, "a contract's argument");
    return to_value(machine.interface_view(t, *implementation, cell), machine.arena());
  });
}

Result<GlobalKey> Engine::global_key(const Identifier& template_id, const Value& key, const Limits& limits) const {
  return impl_->guarded([&] {
    const TemplateInfo& t = impl_->template_named(template_id);
    if (!t.key_type) Impl::preprocessing("no key is defined for template " + t.id.to_string());
    eval::Arena arena(limits.max_bytes);
    auto cell = to_cell(impl_->program, arena, key, *t.key_type, {.local_ids = true});
    if (!cell) Impl::preprocessing(cell.error().cause);
    return GlobalKey{t.id, t.package_name, to_value(*cell, arena), hash_key(t.package_name, t.id, *cell)};
  });
}

Result<Bytes> Engine::contract_hash(const Identifier& template_id, const std::string& package_name,
                                    const Value& argument, const Limits& limits) const {
  return impl_->guarded([&] {
    const TemplateInfo& t = impl_->template_named(template_id);
    eval::Arena arena(limits.max_bytes);
    if (!t.type) Impl::preprocessing("type of " + template_id.to_string() + " cannot be resolved");
    auto cell = to_cell(impl_->program, arena, argument, *t.type, {.local_ids = true});
    if (!cell) Impl::preprocessing(cell.error().cause);
    return hash_contract(package_name, template_id, *cell);
  });
}

}  // namespace synod::lf
