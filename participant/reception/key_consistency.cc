#include "participant/reception/key_consistency.h"

#include <algorithm>
#include <map>
#include <set>

namespace synod::participant {
namespace {

using lf::ContractId;

Error inconsistent(std::string cause) { return failed_precondition("INCONSISTENT_CONTRACT_KEY", std::move(cause)); }

Status inconsistent_key(const lf::GlobalKey& key) {
  return fail(inconsistent("The transaction is inconsistent in what it says of contract key " + key.key.to_string() +
                           " of " + key.template_id.to_string()));
}

// Plays the nodes that have a hosted key once more. A key's contracts are a queue: those created by the transaction,
// the newest first, then those that lookups found, in the order in which they were found.
class KeyReplay {
 public:
  Status play(const lf::Node& node) {
    if (const auto* create = node.create()) return create_contract(create->contract_id, create->key->key);
    if (const auto* fetch = node.fetch()) return use(fetch->contract_id, fetch->key->key, fetch->by_key);
    if (const auto* query = node.query_by_key()) return look_up(query->key.key, query->result, query->exhaustive);
    const auto* exercise = node.exercise();
    if (!exercise) return {};
    SYNOD_RETURN_IF_ERROR(use(exercise->contract_id, exercise->key->key, exercise->by_key));
    if (exercise->consuming) consumed_.insert(exercise->contract_id);
    return {};
  }

 private:
  struct KeyState {
    std::vector<ContractId> created;  // oldest first
    std::vector<ContractId> found;    // in the order of lookups
    std::set<ContractId> only_by_id;  // used, but no lookup has come to them
    bool exhausted = false;           // a lookup came to the end
  };

  Status create_contract(const ContractId& id, const lf::GlobalKey& key) {
    if (created_.contains(id) || inputs_.contains(id))
      return fail(inconsistent("Contract " + id.to_hex() + " is created twice"));
    created_.insert(id);
    keys_[key.hash].created.push_back(id);
    return {};
  }

  Status use(const ContractId& id, const lf::GlobalKey& key, bool by_key) {
    if (by_key) return look_up(key, {id}, false);
    if (created_.contains(id) || inputs_.contains(id)) {
      if (consumed_.contains(id)) return fail(inconsistent("Contract " + id.to_hex() + " is used after its end"));
      return {};
    }
    auto& state = keys_[key.hash];
    if (state.exhausted) return inconsistent_key(key);  // the lookup that came to the end would have found it
    inputs_.insert(id);
    state.only_by_id.insert(id);
    return {};
  }

  Status look_up(const lf::GlobalKey& key, const std::vector<ContractId>& result, bool exhaustive) {
    auto& state = keys_[key.hash];
    const std::size_t wanted = result.size() + (exhaustive ? 1 : 0);
    if (wanted == 0) return inconsistent_key(key);
    std::vector<ContractId> replayed;
    const auto take = [&](const ContractId& id) {
      if (replayed.size() < wanted && !consumed_.contains(id)) replayed.push_back(id);
    };
    for (auto id = state.created.rbegin(); id != state.created.rend(); ++id) take(*id);
    for (const auto& id : state.found) take(id);
    if (replayed.size() < wanted && !state.exhausted) {
      auto more = result;
      if (exhaustive) more.insert(more.end(), state.only_by_id.begin(), state.only_by_id.end());
      for (const auto& id : more) {
        if (replayed.size() == wanted) break;
        if (created_.contains(id) || (inputs_.contains(id) && !state.only_by_id.contains(id))) continue;
        inputs_.insert(id);
        state.only_by_id.erase(id);
        state.found.push_back(id);
        take(id);
      }
      state.exhausted = replayed.size() < wanted && exhaustive;
    }
    if (replayed.size() < wanted && !state.only_by_id.empty()) return inconsistent_key(key);
    if (replayed != result) return inconsistent_key(key);
    return {};
  }

  std::map<Bytes, KeyState> keys_;  // by hash
  std::set<ContractId> created_, inputs_, consumed_;
};

const lf::GlobalKey* key_of(const lf::Node& node) {
  const auto pointer = [](const std::optional<lf::KeyWithMaintainers>& key) { return key ? &key->key : nullptr; };
  if (const auto* create = node.create()) return pointer(create->key);
  if (const auto* exercise = node.exercise()) return pointer(exercise->key);
  if (const auto* fetch = node.fetch()) return pointer(fetch->key);
  if (const auto* query = node.query_by_key()) return &query->key.key;
  return nullptr;
}

}  // namespace

Status check_keys(const ReceivedRequest& request, const lf::Transaction& transaction,
                  const std::function<bool(const lf::Party&)>& hosted) {
  std::map<Bytes, std::set<lf::Party>> maintainers;  // by key hash
  for (const auto& full : request.views) {
    for (const auto& key : full.view.participant().value().resolved_keys) {
      const std::set<lf::Party> here(key.maintainers.begin(), key.maintainers.end());
      const auto [found, added] = maintainers.emplace(key.hash, here);
      if (!added && found->second != here)
        return fail(inconsistent("Views name different maintainers of the contract key with hash " + to_hex(key.hash)));
    }
  }
  if (maintainers.empty()) return {};
  std::set<Bytes> hosted_keys;
  for (const auto& [hash, parties] : maintainers)
    if (std::any_of(parties.begin(), parties.end(), hosted)) hosted_keys.insert(hash);
  KeyReplay replay;
  for (const auto& node : transaction.nodes) {
    const auto* key = key_of(node);
    if (key && hosted_keys.contains(key->hash)) SYNOD_RETURN_IF_ERROR(replay.play(node));
  }
  return {};
}

}  // namespace synod::participant
