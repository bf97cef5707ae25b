// VersionService: which Ledger API this is, and what it can do.
#include "ledger/version_service.grpc.pb.h"
#include "participant/ledger_api/service_context.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

namespace api = ::com::daml::ledger::api::v2;

// The Ledger API release whose services and messages this participant speaks.
constexpr char kLedgerApiVersion[] = "3.6.0";

class VersionService final : public api::VersionService::CallbackService {
 public:
  explicit VersionService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* GetLedgerApiVersion(grpc::CallbackServerContext* call,
                                                const api::GetLedgerApiVersionRequest*,
                                                api::GetLedgerApiVersionResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::GetLedgerApiVersionResponse> {
      api::GetLedgerApiVersionResponse answer;
      answer.set_version(kLedgerApiVersion);
      api::FeaturesDescriptor& features = *answer.mutable_features();
      features.mutable_experimental()->mutable_static_time()->set_supported(context_->static_clock != nullptr);
      features.mutable_experimental()->mutable_command_inspection_service()->set_supported(false);
      auto& users = *features.mutable_user_management();
      users.set_supported(true);
      users.set_max_rights_per_user(static_cast<std::int32_t>(context_->node.users().limits().max_rights_per_user));
      users.set_max_users_page_size(static_cast<std::int32_t>(context_->config.max_users_page_size));
      features.mutable_party_management()->set_max_parties_page_size(
          static_cast<std::int32_t>(context_->config.max_parties_page_size));
      features.mutable_package_feature()->set_max_vetted_packages_page_size(
          static_cast<std::int32_t>(context_->config.max_vetted_packages_page_size));
      features.mutable_offset_checkpoint()->mutable_max_offset_checkpoint_emission_delay()->set_seconds(
          context_->config.checkpoint_interval.micros / 1'000'000);
      return answer;
    });
  }

 private:
  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_version_service(ContextPtr context) {
  return std::make_shared<VersionService>(std::move(context));
}

}  // namespace synod::participant
