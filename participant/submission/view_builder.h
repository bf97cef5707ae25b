// Builds the views of a transaction: salts, suffixed contract ids, inputs and creations of each view. The submitter
// builds all views of its transaction; a receiver builds the views it was sent once more from its own interpretation
// and compares. Facts: NextGenTransactionTreeFactory (protocol version 35); recipe 10 of the recordings.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lf/engine.h"
#include "lf/transaction.h"
#include "participant/submission/view_decomposition.h"
#include "protocol/ids.h"
#include "protocol/request_builder.h"
#include "protocol/view_tree.h"

namespace synod::participant {

// Gives the salts in the order in which views ask for them: per view, parents first, common data then participant data.
class SaltSource {
 public:
  virtual ~SaltSource() = default;
  virtual Result<protocol::Salt> next() = 0;
};

// The submitter's: fresh ones.
class FreshSalts final : public SaltSource {
 public:
  explicit FreshSalts(protocol::TransactionSalts& salts) : salts_(salts) {}
  Result<protocol::Salt> next() override { return salts_.next(); }

 private:
  protocol::TransactionSalts& salts_;
};

// Those of a received view and all below it.
class ReceivedSalts final : public SaltSource {
 public:
  explicit ReceivedSalts(const protocol::TransactionView& view);
  Result<protocol::Salt> next() override;

 private:
  std::vector<protocol::Salt> salts_;
  std::size_t at_ = 0;
};

struct TransactionContext {
  protocol::PhysicalSynchronizerId synchronizer;
  int mediator_group = 0;
  std::string uuid;
  Timestamp ledger_time;  // created_at of the contracts
  lf::Limits limits;
};

struct BuiltViews {
  std::vector<protocol::TransactionView> roots;
  lf::Transaction transaction;  // contract ids suffixed
  std::map<lf::ContractId, lf::ContractInstance> created;
};

// An input contract that the transaction does not create; empty: unknown, which is an error of the call.
using ContractOf = std::function<std::optional<lf::ContractInstance>(const lf::ContractId&)>;

// `positions`: of the root views, one each. `transaction` has local ids; every node is in one of `views`.
Result<BuiltViews> build_views(const lf::Transaction& transaction, const std::vector<DecomposedView>& views,
                               const std::vector<protocol::ViewPosition>& positions, const TransactionContext& context,
                               const lf::Engine& engine, const ContractOf& contract_of, SaltSource& salts);

// Whether two views say the same, with the orders that mean nothing (of parties, of inputs) left aside.
// The error tells the first difference.
Status same_view(const protocol::TransactionView& received, const protocol::TransactionView& rebuilt);

}  // namespace synod::participant
