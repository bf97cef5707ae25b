#include "participant/ledger_api/ledger_api.h"

#include "participant/ledger_api/service_context.h"

namespace synod::participant {

void describe(config::Fields& f, LedgerApiConfig& c) {
  f.duration("submit-timeout", c.submit_timeout,
             "Longest wait of SubmitAndWait calls; an earlier deadline of the caller counts.");
  f.duration("checkpoint-interval", c.checkpoint_interval,
             "Offset checkpoints on idle streams are at least this far apart.");
  f.size("max-queued-bytes", c.max_queued_bytes, "A stream: what may be sent but not yet taken by the client.");
  f.int64("max-parties-page-size", c.max_parties_page_size, "Largest page of ListKnownParties.");
  f.int64("max-users-page-size", c.max_users_page_size, "Largest page of ListUsers.");
  f.int64("max-vetted-packages-page-size", c.max_vetted_packages_page_size,
          "Largest page of ListVettedPackages, in participants.");
  f.integer("max-waiting-uploads", c.max_waiting_uploads,
            "DARs that wait to be checked, one after the other; beyond: PARTICIPANT_BACKPRESSURE.");
}

LedgerApi::LedgerApi(ParticipantNode& node, LedgerApiConfig config, std::shared_ptr<Clock> clock)
    : context_(std::make_shared<ServiceContext>(node, config, std::move(clock))) {
  for (const auto make :
       {make_command_service, make_command_submission_service, make_command_completion_service, make_update_service,
        make_state_service, make_event_query_service, make_package_service, make_package_management_service,
        make_party_management_service, make_user_management_service, make_version_service})
    services_.push_back(make(context_));
  if (context_->static_clock) services_.push_back(make_time_service(context_));
}

LedgerApi::~LedgerApi() { stop(); }

std::vector<std::shared_ptr<grpc::Service>> LedgerApi::services() const { return services_; }

void LedgerApi::stop() {
  context_->uploads.stop();
  context_->loop.stop();
}

void ServiceContext::check_dar(std::function<void()> task, const std::function<void(const Error&)>& refused) {
  if (uploads.queued() >= config.max_waiting_uploads) {
    return refused(Error("PARTICIPANT_BACKPRESSURE", ErrorCategory::contention_on_shared_resources,
                         "The participant is overloaded: too many DARs wait to be checked (max-waiting-uploads)"));
  }
  uploads.post(std::move(task));
}

}  // namespace synod::participant
