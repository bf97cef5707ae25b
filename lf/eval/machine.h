// The interpreter: runs bytecode on explicit frames, and updates against a TransactionBuilder.
//
// One machine serves one transaction. Single-threaded. Nothing here recurses on the C++ stack with the program's depth:
// calls, folds, exercises and try blocks are frames. Only the pure functions of templates (signatories, controllers,
// ...) are run by a nested loop, and they cannot run updates.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "lf/engine.h"
#include "lf/eval/builtins.h"
#include "lf/eval/cell.h"
#include "lf/eval/code.h"
#include "lf/eval/program.h"
#include "lf/ledger/transaction_builder.h"

namespace synod::lf::eval {

class Machine {
 public:
  struct Setup {
    TransactionBuilder* builder = nullptr;  // null: pure evaluation only
    ContractLookup* contracts = nullptr;
    Timestamp ledger_time;
    PackagePreference package_preference;
    bool strict_preference = false;  // an interface needs a preference for the contract's package name
    Limits limits;
    TraceSink trace{};
    std::size_t exercise_trace = 0;  // failed_in() will be asked for so many
  };
  Machine(Program& program, Setup setup);
  ~Machine();
  Machine(const Machine&) = delete;

  Arena& arena() { return arena_; }

  // Top-level actions; at the root, or repeatedly one after the other. Fatal for errors, an exception that nobody
  // catches included, unless `keep_exceptions`: then false means that one was raised and everything open was closed.
  bool create(const TemplateInfo& t, const Cell& argument, Cell& out, bool keep_exceptions = false);
  bool exercise(const TemplateInfo* t, const InterfaceInfo* i, const std::string& choice, const ContractId& id,
                const Cell& argument, bool by_key, Cell& out, bool keep_exceptions = false);
  bool fetch(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id, bool by_key, Cell& out,
             bool keep_exceptions = false);
  bool exercise_by_key(const TemplateInfo& t, const std::string& choice, const Cell& key, const Cell& argument,
                       Cell& out, bool keep_exceptions = false);
  bool fetch_by_key(const TemplateInfo& t, const Cell& key, Cell& out, bool keep_exceptions = false);
  Cell interface_view(const TemplateInfo& t, const ImplementationInfo& implementation, const Cell& argument);
  // Pure evaluation: a top-level value, a function with arguments.
  Cell value_of(const Definition& definition);
  Cell apply_function(const Cell& function, std::initializer_list<Cell> arguments);
  // The same with exceptions handed out: false, and `out` is the exception that nobody caught.
  bool try_value_of(const Definition& definition, Cell& out);
  bool try_apply(const Cell& function, std::initializer_list<Cell> arguments, Cell& out);
  // What an exception that nobody catches becomes at the end of an interpretation.
  Error failure_of(const Cell& exception);
  // The exercises that were open when the exception was raised that ended everything, or are open now; not more lines
  // than that many. For messages.
  std::string failed_in(std::size_t most) const;
  // After a Fatal or OutOfBudget: drops what was being evaluated, so that a pure machine can go on with something else.
  void abandon();

  const std::map<ContractId, ContractInstance>& inputs() const { return inputs_; }
  TimeBounds time_bounds() const { return bounds_; }
  bool used_time() const { return used_time_; }
  std::uint64_t steps() const { return steps_.used(); }

 private:
  enum class Step : std::uint8_t { value, pushed, raised };
  enum class FrameKind : std::uint8_t {
    code,
    apply_more,
    fold_left,
    fold_right,
    equal_list,
    definition,
    end_exercise,
    run_result,
    check_view  // a view must be a ledger value, even if nobody looks at it
  };

  struct Frame {
    FrameKind kind;
    std::uint32_t base;  // of the window. Folds keep their function and lists in the first kFoldSlots slots of it.
    std::uint32_t ret;   // slot of the caller that takes the result
    union {
      const Code* code;        // code
      const Cell* items;       // fold_right
      Definition* definition;  // definition
    };
    union {
      const Instruction* pc;  // code
      std::uint64_t n;        // apply_more: arguments; fold_right: remaining items
    };
    const Cell* captures;  // code
  };
  static constexpr std::uint32_t kFoldSlots = 3;
  // Stack and frames of a thread's last machine, unless they grew: the next one starts with them.
  struct Kept {
    std::vector<Cell> stack;
    std::vector<Frame> frames;
    ~Kept() { thread_ends = true; }
  };
  static inline thread_local bool thread_ends = false;
  static Kept& kept();
  struct Handler {
    std::size_t frame;  // index of the code frame with the try
    std::uint32_t pc;
    std::uint32_t slot;  // absolute: where the exception goes
  };
  struct Evaluated {
    enum class State : std::uint8_t { no, running, yes } state = State::no;
    Cell value;
  };
  struct Contract {
    const TemplateInfo* info = nullptr;
    Cell argument;
    const ContractFacts* facts = nullptr;
  };

  Step run(std::size_t floor, Cell& out);  // machine_loop.cc

  // machine.cc
  Step deliver(Cell value, std::uint32_t ret, std::size_t floor, Cell& out, bool& finished);
  Step resume(const Cell& value, Cell& out);
  Step apply(Cell function, std::uint32_t base, std::uint32_t n, std::uint32_t ret, Cell& out);
  Step apply_builtin_here(BuiltinFunction function, std::uint32_t base, std::uint32_t ret, Cell& out);
  Step run_update(const Cell& update, std::uint32_t base, std::uint32_t ret, Cell& out);
  void enter(const Proto& proto, const Cell* captures, std::uint32_t base, std::uint32_t ret);
  Frame& push(FrameKind kind, std::uint32_t base, std::uint32_t ret);
  void ensure(std::size_t slots) {
    if (slots > stack_.size()) [[unlikely]]
      grow_stack(slots);
  }
  void grow_stack(std::size_t slots);
  bool handle(const Cell& exception, std::size_t floor);  // false: no handler above the floor; frames are unwound to it
  Step call(const Proto& proto, std::initializer_list<Cell> arguments, std::uint32_t top, Cell& out);
  Step call(const Cell& function, std::initializer_list<Cell> arguments, std::uint32_t top, Cell& out);
  Evaluated& evaluated(const Definition& definition);

  // machine_interface.cc
  Step interface_operation(const Instruction& i, Frame& frame, Cell* slots, Cell& out);
  const TemplateInfo& template_inside(const Cell& any);

  // machine_update.cc
  Step execute(UpdateOp op, const UpdateRef* ref, const Cell* arguments, std::uint32_t n, std::uint32_t top,
               std::uint32_t ret, Cell& out);
  Step create(const TemplateInfo& t, const Cell& argument, std::uint32_t top, Cell& out);
  Step fetch(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id, bool by_key, std::uint32_t top,
             Cell& out);
  Step exercise(const TemplateInfo* t, const InterfaceInfo* i, const std::string& choice, const ContractId& id,
                const Cell& argument, bool by_key, std::uint32_t top, std::uint32_t ret, Cell& out);
  Step contract_facts(const TemplateInfo& t, const Cell& argument, std::uint32_t top, ContractFacts& facts, Cell& out);
  Contract load(const TemplateInfo* t, const InterfaceInfo* i, const ContractId& id, std::uint32_t top);
  const ContractFacts& facts_of(const TemplateInfo& t, const ContractId& id, const Cell& argument, std::uint32_t top);
  const ContractInstance& input(const ContractId& id);
  Identifier preferred(const Identifier& template_id, const std::string& package_name) const;

  // machine_keys.cc
  struct KeyResult {
    std::vector<ContractId> contracts;
    bool exhaustive = false;  // there are no more
  };
  struct KeyState {
    std::vector<ContractId> locals;         // created here, oldest first
    std::vector<ContractId> queried;        // inputs in the order of the queue
    std::deque<ContractInstance> overflow;  // delivered, but not asked for yet
    std::set<ContractId> only_by_id;        // inputs with this key that no query has come to
    std::size_t delivered = 0;              // by the lookup
    bool exhausted = false;                 // the lookup has no more
  };
  KeyWithMaintainers key_of(const TemplateInfo& t, const Cell& key, std::uint32_t top);
  void key_seen_by_id(const ContractInstance& contract);
  KeyResult query_key(const GlobalKey& key, std::size_t n);
  ContractId fetch_key(const TemplateInfo& t, const Cell& key, std::uint32_t top);
  Step fetch_by_key(const TemplateInfo& t, const Cell& key, std::uint32_t top, Cell& out);
  Step query_n_by_key(const TemplateInfo& t, const Cell& count, const Cell& key, std::uint32_t top, Cell& out);
  Cell pair(const ContractId& id, const Cell& contract);
  Cell must(Step step, const Cell& out, std::uint32_t top);  // an exception here cannot be caught
  [[noreturn]] void unhandled(const Cell& exception, std::uint32_t top);
  bool finish_root(Step step, Cell& out, bool keep_exceptions);
  TransactionBuilder& builder();

  Program& program_;
  Setup setup_;
  Arena arena_;
  Meter steps_;
  std::vector<Cell> stack_;
  std::vector<Frame> frames_;
  std::vector<Handler> handlers_;
  std::vector<Evaluated> evaluated_;
  std::map<ContractId, ContractInstance> inputs_;
  struct Local {
    const TemplateInfo* info;
    Cell argument;
  };
  std::unordered_map<ContractId, Local> locals_;
  std::map<std::pair<ContractId, std::string>, ContractFacts> facts_;  // by contract and package
  std::map<std::pair<ContractId, std::string>, Cell> imported_;        // arguments of checked contracts, by package
  std::map<Bytes, KeyState> keys_;                                     // by key hash
  TimeBounds bounds_;
  bool used_time_ = false;
  std::optional<std::string> failed_in_;
};

}  // namespace synod::lf::eval
