// What the parts of ApiScriptLedger share: the connection's stubs, and reading what comes from them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/admin_parties.grpc.pb.h"
#include "ledger/admin_users.grpc.pb.h"
#include "ledger/command_services.grpc.pb.h"
#include "ledger/package_service.grpc.pb.h"
#include "ledger/state_service.grpc.pb.h"
#include "ledger/time_service.grpc.pb.h"
#include "lf/ledger/api_codec.h"
#include "lf/package_store.h"
#include "testnet/script_ledger.h"

namespace synod::testnet {

namespace api = com::daml::ledger::api::v2;

// Of a call that the participant does not implement.
inline constexpr char kNotImplemented[] = "UNIMPLEMENTED";

// `call` is for the message when the participant does not know it.
Error error_of(const grpc::Status& status, const std::string& call);

struct ApiScriptLedger::Impl {
  Impl(std::shared_ptr<const lf::PackageStore> packages, Options options);

  // One call; `name` is for the message when the participant does not know it. `refused`: the status of a call that
  // failed.
  template <typename Stub, typename Request, typename Response>
  Result<Response> call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const char* name, const Request& request, grpc::Status* refused = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(options.deadline.micros));
    context.set_wait_for_ready(true);
    Response response;
    if (const grpc::Status status = (stub.*method)(&context, request, &response); !status.ok()) {
      if (refused) *refused = status;
      return fail(error_of(status, name));
    }
    return response;
  }

  // A package that the scripts know, for what the ledger names by another version of it.
  lf::Identifier known(lf::Identifier id, const std::string& package_name) const {
    if (!packages->find(id.package))
      if (const lf::Package* p = packages->preferred(package_name)) id.package = p->id();
    return id;
  }
  void by_name(const lf::Identifier& id, bool exact, api::Identifier* out) const {
    lf::ApiCodec::identifier(id, out);
    const lf::Package* package = packages->find(id.package);
    if (!exact && package) out->set_package_id("#" + package->name());
  }
  Result<std::vector<api::CreatedEvent>> active(const lf::PartySet& who,
                                                const std::function<void(api::CumulativeFilter&)>& filter);
  Result<lf::script::ActiveContract> contract(const api::CreatedEvent& created, const lf::Identifier& as) const;
  Status command(const lf::script::ScriptCommand& command, api::Command* out) const;
  Result<lf::script::TransactionTree> tree(const api::Transaction& transaction,
                                           const lf::script::Submission& submission) const;
  Result<lf::script::ContractView> view(const api::CreatedEvent& created, const lf::Identifier& interface_id) const;
  Status change_vetting(const std::vector<lf::script::PackageNameVersion>& packages, bool vet);

  std::shared_ptr<const lf::PackageStore> packages;
  Options options;
  lf::ApiCodec codec;
  std::shared_ptr<Random> random = system_random();
  std::unique_ptr<api::admin::PartyManagementService::Stub> parties;
  std::unique_ptr<api::admin::PackageManagementService::Stub> admin_packages;
  std::unique_ptr<api::admin::UserManagementService::Stub> users;
  std::unique_ptr<api::CommandService::Stub> commands;
  std::unique_ptr<api::StateService::Stub> state;
  std::unique_ptr<api::testing::TimeService::Stub> time;
  std::unique_ptr<api::PackageService::Stub> package_service;
};

}  // namespace synod::testnet
