#include "topology/manager/write_service.h"

#include "canton/topology_admin_v30.grpc.pb.h"
#include "rpc/unary.h"
#include "topology/manager.h"
#include "topology/manager/answer_with_state.h"
#include "topology/manager/query.h"
#include "topology/mapping_proto.h"
#include "topology/proto_time.h"

namespace synod::topology {
namespace {

namespace v30 = ::com::digitalasset::canton::topology::admin::v30;
using grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

template <typename Request>
Result<std::optional<Duration>> wait_of(const Request& request) {
  if (!request.has_wait_to_become_effective()) return std::optional<Duration>();
  SYNOD_TRY(const auto wait, parse_duration(request.wait_to_become_effective(), "wait_to_become_effective"));
  if (wait.micros < 0) return fail(malformed("wait_to_become_effective", "is negative"));
  return std::optional<Duration>(wait);
}

// UNSPECIFIED counts as add/replace, as Canton's console sends it.
Result<Operation> operation_of(int change) {
  if (change == 0 || change == 1) return Operation::add_replace;
  if (change == 2) return Operation::remove;
  return fail(malformed("change", "unknown operation"));
}

template <typename Protos>
Result<std::vector<SignedTransaction>> parse_all(const Protos& protos) {
  std::vector<SignedTransaction> result;
  for (const auto& proto : protos) {
    SYNOD_TRY(auto transaction, SignedTransaction::parse(proto));
    result.push_back(std::move(transaction));
  }
  return result;
}

class WriteService final : public v30::TopologyManagerWriteService::CallbackService {
 public:
  explicit WriteService(AdminBackend& backend) : backend_(backend) {}

  Reactor* Authorize(CallbackServerContext* c, const v30::AuthorizeRequest* q, v30::AuthorizeResponse* r) override {
    return rpc::answer(c, r, [&](rpc::CallContext&, rpc::Reply<v30::AuthorizeResponse> reply) {
      backend_.with_state([this, q, reply](Result<const TopologyState*> state) {
        if (!state) return reply.error(state.error());
        const auto wait = wait_of(*q);
        if (!wait) return reply.error(wait.error());
        auto made = authorize(**state, *q);
        if (!made) return reply.error(made.error());
        backend_.submit({*made}, *wait, [this, reply, hash = made->hash(), fallback = *made](Status done) {
          if (!done) return reply.error(done.error());
          backend_.with_state([reply, hash, fallback](Result<const TopologyState*> now) {
            const auto* stored = now ? (*now)->find_transaction(hash) : nullptr;
            v30::AuthorizeResponse response;
            (stored ? stored->transaction : fallback).to_proto(*response.mutable_transaction());
            reply(std::move(response));
          });
        });
      });
    });
  }

  Reactor* AddTransactions(CallbackServerContext* c, const v30::AddTransactionsRequest* q,
                           v30::AddTransactionsResponse* r) override {
    return rpc::answer(c, r, [&](rpc::CallContext&, rpc::Reply<v30::AddTransactionsResponse> reply) {
      backend_.with_state([this, q, reply](Result<const TopologyState*> state) {
        if (!state) return reply.error(state.error());
        const auto wait = wait_of(*q);
        if (!wait) return reply.error(wait.error());
        auto transactions = parse_all(q->transactions());
        if (!transactions) return reply.error(transactions.error());
        if (auto known = check_store(**state, q->store()); !known) return reply.error(known.error());
        const TopologyManager manager(**state, backend_.keys());
        if (auto ok = manager.check(*transactions); !ok) return reply.error(ok.error());
        if (transactions->empty()) return reply(v30::AddTransactionsResponse());
        backend_.submit(std::move(*transactions), *wait, [reply](Status done) {
          if (!done) return reply.error(done.error());
          reply(v30::AddTransactionsResponse());
        });
      });
    });
  }

  Reactor* SignTransactions(CallbackServerContext* c, const v30::SignTransactionsRequest* q,
                            v30::SignTransactionsResponse* r) override {
    return answer_with_state(backend_, c, r,
                             [this, q](const TopologyState& state) -> Result<v30::SignTransactionsResponse> {
                               SYNOD_RETURN_IF_ERROR(check_store(state, q->store()));
                               SYNOD_TRY(const auto transactions, parse_all(q->transactions()));
                               const TopologyManager manager(state, backend_.keys());
                               v30::SignTransactionsResponse response;
                               for (const auto& transaction : transactions) {
                                 SYNOD_TRY(const auto signed_by_us,
                                           manager.sign(transaction, {q->signed_by().begin(), q->signed_by().end()}));
                                 signed_by_us.to_proto(*response.add_transactions());
                               }
                               return response;
                             });
  }

  Reactor* GenerateTransactions(CallbackServerContext* c, const v30::GenerateTransactionsRequest* q,
                                v30::GenerateTransactionsResponse* r) override {
    return answer_with_state(
        backend_, c, r, [q](const TopologyState& state) -> Result<v30::GenerateTransactionsResponse> {
          v30::GenerateTransactionsResponse response;
          for (const auto& proposal : q->proposals()) {
            SYNOD_RETURN_IF_ERROR(check_store(state, proposal.store()));
            SYNOD_TRY(const auto operation, operation_of(proposal.operation()));
            SYNOD_TRY(const auto mapping, parse_mapping(proposal.v30()));
            const auto* current = state.current(mapping);
            const std::uint32_t next = current ? current->transaction.transaction().serial() + 1 : 1;
            SYNOD_TRY(const auto transaction,
                      Transaction::create(operation, proposal.serial() ? proposal.serial() : next, mapping));
            auto& generated = *response.add_generated_transactions();
            generated.set_serialized_transaction(transaction.bytes());
            generated.set_transaction_hash(transaction.hash().bytes());
          }
          return response;
        });
  }

 private:
  Result<SignedTransaction> authorize(const TopologyState& state, const v30::AuthorizeRequest& request) const {
    SYNOD_RETURN_IF_ERROR(check_store(state, request.store()));
    const TopologyManager manager(state, backend_.keys());
    ProposeOptions options;
    options.signed_by.assign(request.signed_by().begin(), request.signed_by().end());
    options.must_fully_authorize = request.must_fully_authorize();
    if (request.has_transaction_hash()) {
      SYNOD_TRY(const auto hash, crypto::Hash::from_hex(request.transaction_hash()));
      return manager.sign_proposal(hash, options);
    }
    if (!request.has_proposal()) return fail(malformed("type", "not set"));
    const auto& proposal = request.proposal();
    SYNOD_TRY(options.operation, operation_of(proposal.change()));
    if (proposal.serial() != 0) options.serial = proposal.serial();
    SYNOD_TRY(const auto mapping, parse_mapping(proposal.v30()));
    return manager.propose(mapping, options);
  }

  AdminBackend& backend_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_write_service(AdminBackend& backend) {
  return std::make_shared<WriteService>(backend);
}

}  // namespace synod::topology
