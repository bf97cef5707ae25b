// TimeService: only where the node runs on static time, as in Canton.
#include "base/static_clock.h"
#include "ledger/time_service.grpc.pb.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/service_context.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

namespace testing_api = api::testing;

class TimeService final : public testing_api::TimeService::CallbackService {
 public:
  explicit TimeService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* call, const testing_api::GetTimeRequest*,
                                    testing_api::GetTimeResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<testing_api::GetTimeResponse> {
      testing_api::GetTimeResponse answer;
      set_time(context_->static_clock->now(), answer.mutable_current_time());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* SetTime(grpc::CallbackServerContext* call, const testing_api::SetTimeRequest* request,
                                    google::protobuf::Empty* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<google::protobuf::Empty> {
      if (!request->has_current_time()) return fail(missing_field("current_time"));
      if (!request->has_new_time()) return fail(missing_field("new_time"));
      SYNOD_TRY(const Timestamp current, timestamp_of(request->current_time(), "current_time"));
      SYNOD_TRY(const Timestamp next, timestamp_of(request->new_time(), "new_time"));
      if (next < current)
        return fail(invalid_request("new_time [" + next.to_string() + "] is before current_time [" +
                                    current.to_string() + "]. Setting time backwards is not allowed."));
      if (!context_->static_clock->set(current, next))
        return fail(invalid_request("current_time mismatch. Provided: " + current.to_string() +
                                    ". Actual: " + context_->static_clock->now().to_string()));
      return google::protobuf::Empty();
    });
  }

 private:
  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_time_service(ContextPtr context) {
  return std::make_shared<TimeService>(std::move(context));
}

}  // namespace synod::participant
