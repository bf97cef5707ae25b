// What every Ledger API service holds: the node, the thread for reading and encoding, the codecs. Private to this
// folder.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/event_loop.h"
#include "base/static_clock.h"
#include "lf/ledger/api_codec.h"
#include "participant/ledger_api/ledger_api.h"
#include "participant/participant_node.h"

namespace synod::participant {

struct ServiceContext {
  ServiceContext(ParticipantNode& n, LedgerApiConfig c, std::shared_ptr<Clock> k)
      : node(n),
        config(c),
        static_clock(std::dynamic_pointer_cast<StaticClock>(k)),
        clock(std::move(k)),
        codec(n.package_store()),
        loop("ledger-api"),
        uploads("ledger-uploads") {}

  // Runs the task on the thread for DARs, or refuses it when too many wait. Thread rules: any thread.
  void check_dar(std::function<void()> task, const std::function<void(const Error&)>& refused);

  ParticipantNode& node;
  LedgerApiConfig config;
  std::shared_ptr<StaticClock> static_clock;  // the clock, if it is one; otherwise null
  std::shared_ptr<Clock> clock;
  lf::ApiCodec codec;
  EventLoop loop;  // last, with the one for DARs: their tasks use the rest
  EventLoop uploads;
};
using ContextPtr = std::shared_ptr<ServiceContext>;

// One a file; each makes its services.
std::shared_ptr<grpc::Service> make_command_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_command_submission_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_command_completion_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_update_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_state_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_event_query_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_package_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_package_management_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_party_management_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_time_service(ContextPtr context);  // needs a static clock
std::shared_ptr<grpc::Service> make_user_management_service(ContextPtr context);
std::shared_ptr<grpc::Service> make_version_service(ContextPtr context);

}  // namespace synod::participant
