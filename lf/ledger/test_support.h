// For tests of the interpreter: packages of the DAR files beside the checkout, contracts in memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lf/engine.h"
#include "lf/package_store.h"

namespace synod::lf::testing {

// Null: the DARs are not there.
std::shared_ptr<PackageStore> load_dars(const std::vector<std::string>& names);
// The id of the package of that name (the highest version).
std::string package_id(const PackageStore& store, const std::string& name);

class ContractsInMemory : public ContractLookup {
 public:
  void add(ContractInstance contract) {
    ContractId id = contract.contract_id;
    contracts_.insert_or_assign(std::move(id), std::move(contract));
  }
  void remove(const ContractId& id) { contracts_.erase(id); }
  std::optional<ContractInstance> find(const ContractId& id) override {
    auto it = contracts_.find(id);
    return it == contracts_.end() ? std::nullopt : std::optional(it->second);
  }
  std::vector<ContractInstance> find_by_key(const GlobalKey&, int) override { return {}; }
  Status authenticate(const ContractInstance&, ByteView hash) override {
    hashes.emplace_back(hash);
    return {};
  }

  std::vector<Bytes> hashes;

 private:
  std::unordered_map<ContractId, ContractInstance> contracts_;
};

// What a participant does after a submission, in short: ids get a (made up) suffix, creates are stored, archived
// contracts removed. Returns the ids of the created contracts that are still active, in order of creation.
std::vector<ContractId> apply(const InterpretationResult& result, Timestamp created_at, ContractsInMemory& contracts);

}  // namespace synod::lf::testing
