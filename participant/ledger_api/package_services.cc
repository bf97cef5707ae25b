// PackageService and PackageManagementService.
#include <algorithm>

#include "ledger/admin_packages.grpc.pb.h"
#include "ledger/package_service.grpc.pb.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

namespace admin = api::admin;

Error unknown_package(const std::string& id) { return not_found("PACKAGE_NOT_FOUND", "Could not find package: " + id); }

void show(const VettingState& state, api::VettedPackages* out) {
  out->set_participant_id(state.participant);
  out->set_synchronizer_id(state.synchronizer);
  out->set_topology_serial(state.serial);
  for (const auto& package : state.packages) {
    auto& to = *out->add_packages();
    to.set_package_id(package.package_id);
    to.set_package_name(package.name);
    to.set_package_version(package.version);
    if (package.valid_from) set_time(*package.valid_from, to.mutable_valid_from_inclusive());
    if (package.valid_until) set_time(*package.valid_until, to.mutable_valid_until_exclusive());
  }
}

template <typename List>
bool contains(const List& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// What a filter leaves of a participant's packages.
void keep_matching(const api::PackageMetadataFilter& filter, std::vector<VettedPackage>& packages) {
  const auto& prefixes = filter.package_name_prefixes();
  if (filter.package_ids().empty() && prefixes.empty()) return;
  std::erase_if(packages, [&](const VettedPackage& package) {
    const bool named = !package.name.empty() && std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) {
      return package.name.starts_with(prefix);
    });
    return !named && !contains(filter.package_ids(), package.package_id);
  });
}

Result<PackageReference> reference_of(const admin::VettedPackagesRef& ref) {
  if (ref.package_id().empty() && (ref.package_name().empty() || ref.package_version().empty()))
    return fail(missing_field("package_id, or package_name and package_version"));
  return PackageReference{ref.package_id(), ref.package_name(), ref.package_version()};
}

Result<VettingUpdate> vetting_update_of(const admin::UpdateVettedPackagesRequest& request) {
  VettingUpdate out;
  out.dry_run = request.dry_run();
  // What the known ones allow is not refused here without them.
  for (const int flag : request.update_vetted_packages_force_flags())
    if (!admin::UpdateVettedPackagesForceFlag_IsValid(flag))
      return fail(invalid_field("update_vetted_packages_force_flags", "unknown flag " + std::to_string(flag)));
  for (const auto& change : request.changes()) {
    VettingChange made;
    const google::protobuf::RepeatedPtrField<admin::VettedPackagesRef>* packages = nullptr;
    if (change.has_vet()) {
      packages = &change.vet().packages();
      if (change.vet().has_new_valid_from_inclusive()) {
        SYNOD_TRY(made.valid_from, timestamp_of(change.vet().new_valid_from_inclusive(), "new_valid_from_inclusive"));
      }
      if (change.vet().has_new_valid_until_exclusive()) {
        SYNOD_TRY(made.valid_until,
                  timestamp_of(change.vet().new_valid_until_exclusive(), "new_valid_until_exclusive"));
      }
    } else if (change.has_unvet()) {
      packages = &change.unvet().packages();
      made.vet = false;
    } else {
      return fail(missing_field("operation"));
    }
    for (const auto& ref : *packages) {
      SYNOD_TRY(made.package, reference_of(ref));
      out.changes.push_back(made);
    }
  }
  if (request.has_expected_topology_serial()) {
    const auto& expected = request.expected_topology_serial();
    if (expected.serial_case() == api::PriorTopologySerial::SERIAL_NOT_SET) return fail(missing_field("serial"));
    out.expected_serial = expected.prior();
  }
  return out;
}

class PackageServiceImpl final : public api::PackageService::CallbackService {
 public:
  explicit PackageServiceImpl(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* ListPackages(grpc::CallbackServerContext* call, const api::ListPackagesRequest*,
                                         api::ListPackagesResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::ListPackagesResponse> {
      api::ListPackagesResponse answer;
      for (const PackageDescription& package : context_->node.packages().list())
        answer.add_package_ids(package.package_id);
      return answer;
    });
  }
  grpc::ServerUnaryReactor* GetPackage(grpc::CallbackServerContext* call, const api::GetPackageRequest* request,
                                       api::GetPackageResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<api::GetPackageResponse> reply) {
      context_->loop.post([this, request, reply] {
        reply([&]() -> Result<api::GetPackageResponse> {
          SYNOD_TRY(const std::string id, ledger_string(request->package_id(), "package_id"));
          SYNOD_TRY(std::optional<std::string> payload, context_->node.packages().archive_payload(id));
          if (!payload) return fail(unknown_package(id));
          api::GetPackageResponse answer;
          answer.set_hash_function(api::HASH_FUNCTION_SHA256);
          answer.set_archive_payload(std::move(*payload));
          answer.set_hash(id);
          return answer;
        }());
      });
    });
  }
  grpc::ServerUnaryReactor* GetPackageStatus(grpc::CallbackServerContext* call,
                                             const api::GetPackageStatusRequest* request,
                                             api::GetPackageStatusResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::GetPackageStatusResponse> {
      SYNOD_TRY(const std::string id, ledger_string(request->package_id(), "package_id"));
      api::GetPackageStatusResponse answer;
      answer.set_package_status(context_->node.packages().is_known(id) ? api::PACKAGE_STATUS_REGISTERED
                                                                       : api::PACKAGE_STATUS_UNSPECIFIED);
      return answer;
    });
  }

  grpc::ServerUnaryReactor* ListVettedPackages(grpc::CallbackServerContext* call,
                                               const api::ListVettedPackagesRequest* request,
                                               api::ListVettedPackagesResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::ListVettedPackagesResponse> {
      const auto limit = static_cast<std::uint32_t>(context_->config.max_vetted_packages_page_size);
      if (request->page_size() > limit)
        return fail(invalid_request("page_size must not exceed the server's maximum of " + std::to_string(limit)));
      const auto page = static_cast<int>(request->page_size() == 0 ? limit : request->page_size());
      const auto after = from_hex(request->page_token());
      if (!after) return fail(invalid_request("Invalid page token"));
      const auto& filter = request->topology_state_filter();
      api::ListVettedPackagesResponse answer;
      for (VettingState& state : context_->node.packages().vetting_states()) {
        if (state.participant <= *after) continue;
        if (!filter.participant_ids().empty() && !contains(filter.participant_ids(), state.participant)) continue;
        if (!filter.synchronizer_ids().empty() && !contains(filter.synchronizer_ids(), state.synchronizer)) continue;
        keep_matching(request->package_metadata_filter(), state.packages);
        if (state.packages.empty()) continue;
        if (answer.vetted_packages_size() == page) {
          answer.set_next_page_token(to_hex(answer.vetted_packages(page - 1).participant_id()));
          break;
        }
        show(state, answer.add_vetted_packages());
      }
      return answer;
    });
  }

 private:
  ContextPtr context_;
};

class PackageManagementService final : public admin::PackageManagementService::CallbackService {
 public:
  explicit PackageManagementService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* ListKnownPackages(grpc::CallbackServerContext* call, const admin::ListKnownPackagesRequest*,
                                              admin::ListKnownPackagesResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<admin::ListKnownPackagesResponse> {
      admin::ListKnownPackagesResponse answer;
      for (const PackageDescription& package : context_->node.packages().list()) {
        admin::PackageDetails& details = *answer.add_package_details();
        details.set_package_id(package.package_id);
        details.set_package_size(package.size);
        set_time(package.known_since, details.mutable_known_since());
        details.set_name(package.name);
        details.set_version(package.version);
      }
      return answer;
    });
  }
  grpc::ServerUnaryReactor* UploadDarFile(grpc::CallbackServerContext* call, const admin::UploadDarFileRequest* request,
                                          admin::UploadDarFileResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<admin::UploadDarFileResponse> reply) {
      if (request->dar_file().empty()) return reply.error(missing_field("dar_file"));
      if (const auto here = check_synchronizer(context_->node, request->synchronizer_id()); !here)
        return reply.error(here.error());
      if (!admin::UploadDarFileRequest::VettingChange_IsValid(request->vetting_change()))
        return reply.error(invalid_field("vetting_change", "unknown value"));
      const auto task = [this, request, reply] {
        PackageService::UploadOptions options;
        options.vet = request->vetting_change() != admin::UploadDarFileRequest::VETTING_CHANGE_DONT_VET_ANY_PACKAGES;
        context_->node.packages().upload(request->dar_file(), options, [reply](Result<std::string> main_package) {
          if (main_package)
            reply(admin::UploadDarFileResponse());
          else
            reply.error(main_package.error());
        });
      };
      context_->check_dar(task, [reply](const Error& error) { reply.error(error); });
    });
  }
  grpc::ServerUnaryReactor* UpdateVettedPackages(grpc::CallbackServerContext* call,
                                                 const admin::UpdateVettedPackagesRequest* request,
                                                 admin::UpdateVettedPackagesResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<admin::UpdateVettedPackagesResponse> reply) {
      if (const auto here = check_synchronizer(context_->node, request->synchronizer_id()); !here)
        return reply.error(here.error());
      auto update = vetting_update_of(*request);
      if (!update) return reply.error(update.error());
      context_->node.packages().update_vetting(std::move(*update), [reply](Result<VettingOutcome> outcome) {
        if (!outcome) return reply.error(outcome.error());
        admin::UpdateVettedPackagesResponse answer;
        if (outcome->before) show(*outcome->before, answer.mutable_past_vetted_packages());
        if (outcome->after) show(*outcome->after, answer.mutable_new_vetted_packages());
        reply(std::move(answer));
      });
    });
  }
  grpc::ServerUnaryReactor* ValidateDarFile(grpc::CallbackServerContext* call,
                                            const admin::ValidateDarFileRequest* request,
                                            admin::ValidateDarFileResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<admin::ValidateDarFileResponse> reply) {
      if (request->dar_file().empty()) return reply.error(missing_field("dar_file"));
      if (const auto here = check_synchronizer(context_->node, request->synchronizer_id()); !here)
        return reply.error(here.error());
      const auto task = [this, request, reply] {
        const Status status = context_->node.packages().validate(request->dar_file());
        if (status)
          reply(admin::ValidateDarFileResponse());
        else
          reply.error(status.error());
      };
      context_->check_dar(task, [reply](const Error& error) { reply.error(error); });
    });
  }

 private:
  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_package_service(ContextPtr context) {
  return std::make_shared<PackageServiceImpl>(std::move(context));
}
std::shared_ptr<grpc::Service> make_package_management_service(ContextPtr context) {
  return std::make_shared<PackageManagementService>(std::move(context));
}

}  // namespace synod::participant
