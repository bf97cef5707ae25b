// Contract keys (LF 2.3). Keys are not unique: a key stands for a queue of contracts, newest first, of which a
// transaction sees as much as it asked for. What was asked once stays the same for the rest of the transaction, except
// for what the transaction itself creates and archives. Fact: NextGenContractStateMachine.scala, SBUKeyBuiltin in
// SBuiltinFun.scala.
#include <algorithm>

#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"
#include "lf/eval/pretty.h"
#include "lf/ledger/contract_hash.h"
#include "lf/ledger/translate.h"

namespace synod::lf::eval {
namespace {

constexpr std::int64_t kMaxContracts = 1'000'000;  // that one query can ask for

Resources about_key(const GlobalKey& key) {
  return {{"TEMPLATE_ID", key.template_id.to_string()},
          {"CONTRACT_KEY", resource_of(key.key)},
          {"PACKAGE_NAME", key.package_name}};
}

[[noreturn]] void inconsistent(const GlobalKey& key) {
  fatal("INCONSISTENT_CONTRACT_KEY", ErrorCategory::invalid_state_other,
        "Update failed due to an inconsistent contract key " + pretty(key.key), about_key(key));
}

}  // namespace

KeyWithMaintainers Machine::key_of(const TemplateInfo& t, const Cell& key, std::uint32_t top) {
  if (!t.definition->has_key) fatal_bug("a key operation on template " + t.id.to_string() + ", which has none");
  KeyWithMaintainers out;
  Cell function, maintainers;
  must(call(t.maintainers, {}, top, function), function, top);
  must(call(function, {key}, top, maintainers), maintainers, top);
  out.key = GlobalKey{t.id, t.package_name, to_value(key, arena_), hash_key(t.package_name, t.id, key)};
  out.maintainers = to_parties(maintainers);
  if (out.maintainers.empty())
    fatal("FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS", ErrorCategory::invalid_argument,
          "Update failed due to a contract key with an empty set of maintainers when fetching or looking up by key " +
              t.package_name + " / " + pretty(t.id) + "\nThe provided shared key is " + pretty(out.key.key),
          about_key(out.key));
  return out;
}

// A contract with a key became an input because its id was used.
void Machine::key_seen_by_id(const ContractInstance& contract) {
  KeyState& state = keys_[contract.key->key.hash];
  if (state.exhausted)
    inconsistent(contract.key->key);  // the query that came to the end of the queue would have found it
  state.only_by_id.insert(contract.contract_id);
}

// The first n active contracts of the key.
Machine::KeyResult Machine::query_key(const GlobalKey& key, std::size_t n) {
  KeyState& state = keys_[key.hash];
  KeyResult out;
  auto take = [&](const ContractId& id) {
    if (out.contracts.size() < n && !builder().consumed_by(id) && !builder().undone(id)) out.contracts.push_back(id);
  };
  for (auto it = state.locals.rbegin(); it != state.locals.rend(); ++it) take(*it);
  for (const auto& id : state.queried) take(id);
  while (out.contracts.size() < n) {
    if (state.overflow.empty()) {
      if (state.exhausted) {
        if (!state.only_by_id.empty()) inconsistent(key);
        break;
      }
      const std::size_t wanted = state.delivered + (n - out.contracts.size());
      std::vector<ContractInstance> found;
      if (setup_.contracts) found = setup_.contracts->find_by_key(key, static_cast<int>(wanted));
      for (std::size_t i = state.delivered; i < found.size(); ++i) {
        if (!found[i].key || found[i].key->key.hash != key.hash)
          fatal_bug("the ledger answered a key query with a contract of another key");
        state.overflow.push_back(std::move(found[i]));
      }
      state.exhausted = found.size() < wanted;
      state.delivered = std::max(state.delivered, found.size());
      continue;
    }
    ContractInstance contract = std::move(state.overflow.front());
    state.overflow.pop_front();
    const ContractId id = contract.contract_id;
    const bool known = inputs_.contains(id);
    if (known && state.only_by_id.erase(id) == 0) continue;
    if (!known) inputs_.emplace(id, std::move(contract));
    state.queried.push_back(id);
    take(id);
  }
  out.exhaustive = out.contracts.size() < n;
  return out;
}

ContractId Machine::fetch_key(const TemplateInfo& t, const Cell& key, std::uint32_t top) {
  const KeyWithMaintainers k = key_of(t, key, top);
  KeyResult found = query_key(k.key, 1);
  if (found.contracts.empty())
    fatal("CONTRACT_KEY_NOT_FOUND", ErrorCategory::invalid_state_missing,
          "Update failed due to fetch-by-key or exercise-by-key which did not find a contract with key " +
              pretty(k.key.key) + " (" + pretty(t.id) + ")",
          about_key(k.key));
  load(&t, nullptr, found.contracts.front(), top);
  return std::move(found.contracts.front());
}

Cell Machine::pair(const ContractId& id, const Cell& contract) {
  RecordObject* r = new_record(arena_, program_.pair_type(), 2);
  r->fields()[0] = make_text(arena_, id.bytes(), Tag::contract_id);
  r->fields()[1] = contract;
  return cell_of(r);
}

Machine::Step Machine::fetch_by_key(const TemplateInfo& t, const Cell& key, std::uint32_t top, Cell& out) {
  const ContractId id = fetch_key(t, key, top);
  Cell contract;
  Step step = fetch(&t, nullptr, id, true, top, contract);
  out = step == Step::value ? pair(id, contract) : contract;
  return step;
}

Machine::Step Machine::query_n_by_key(const TemplateInfo& t, const Cell& count, const Cell& key, std::uint32_t top,
                                      Cell& out) {
  need(count, Tag::int64);
  if (count.integer < 1)
    fatal_bug("a query by key asks for " + std::to_string(count.integer) + " contracts; it must be one or more");
  const KeyWithMaintainers k = key_of(t, key, top);
  builder().authorize_lookup(k);
  KeyResult found = query_key(k.key, static_cast<std::size_t>(std::min(count.integer, kMaxContracts)));
  Cell list = make_nil();
  std::vector<Cell> pairs;
  for (const auto& id : found.contracts) pairs.push_back(pair(id, load(&t, nullptr, id, top).argument));
  for (auto it = pairs.rbegin(); it != pairs.rend(); ++it) list = make_cons(arena_, *it, list);
  builder().query_by_key(k, std::move(found.contracts), found.exhaustive);
  out = make_some(arena_, list);
  return Step::value;
}

bool Machine::exercise_by_key(const TemplateInfo& t, const std::string& choice, const Cell& key, const Cell& argument,
                              Cell& out, bool keep_exceptions) {
  const ContractId id = fetch_key(t, key, 0);
  return exercise(&t, nullptr, choice, id, argument, true, out, keep_exceptions);
}

bool Machine::fetch_by_key(const TemplateInfo& t, const Cell& key, Cell& out, bool keep_exceptions) {
  const ContractId id = fetch_key(t, key, 0);
  return fetch(&t, nullptr, id, true, out, keep_exceptions);
}

}  // namespace synod::lf::eval
