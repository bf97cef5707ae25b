#include "lf/ledger/test_support.h"

#include <gtest/gtest.h>

#include <set>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"

namespace synod::lf::testing {

std::shared_ptr<PackageStore> load_dars(const std::vector<std::string>& names) {
  auto store = std::make_shared<PackageStore>();
  for (const auto& name : names) {
    auto path = synod::testing::shared_path("dars/" + name);
    if (!path) return nullptr;
    auto dar = decode_dar(synod::testing::read_file(*path), {}, store.get());
    if (!dar) {
      ADD_FAILURE() << name << ": " << dar.error().to_string();
      return nullptr;
    }
    for (auto& entry : dar->entries) store->add(entry.package);
  }
  return store;
}

std::string package_id(const PackageStore& store, const std::string& name) {
  const Package* p = store.preferred(name);
  return p ? p->id() : "";
}

std::vector<ContractId> apply(const InterpretationResult& result, Timestamp created_at, ContractsInMemory& contracts) {
  auto absolute = [](const ContractId& id) {
    return id.is_local() ? *ContractId::from_bytes(id.bytes() + std::string("\xca\x12") + std::string(34, 'x')) : id;
  };
  std::vector<ContractId> created;
  std::set<ContractId> consumed;
  for (const auto& node : result.transaction.nodes) {
    if (auto* c = node.create()) {
      ContractInstance instance = instance_of(*c);
      instance.contract_id = absolute(c->contract_id);
      instance.version = node.version;
      instance.argument = c->argument.map_contract_ids(absolute);
      instance.created_at = created_at;
      created.push_back(instance.contract_id);
      contracts.add(std::move(instance));
    }
    if (auto* e = node.exercise(); e && e->consuming) consumed.insert(absolute(e->contract_id));
  }
  std::vector<ContractId> active;
  for (const auto& id : created)
    if (!consumed.contains(id)) active.push_back(id);
  for (const auto& id : consumed) contracts.remove(id);
  return active;
}

}  // namespace synod::lf::testing
