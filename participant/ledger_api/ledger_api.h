// The Ledger API v2 of a participant: gRPC services over the readers and sinks of a ParticipantNode.
//
// Implemented: the RPCs of an application's life (commands, completions, updates, active contracts, parties, packages,
// version). Every other RPC of these services, and every other service, answers UNIMPLEMENTED.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/time.h"
#include "participant/participant_node.h"

namespace grpc {
class Service;
}

namespace synod::participant {

struct LedgerApiConfig {
  Duration submit_timeout = Duration::seconds(60);  // SubmitAndWait*, when the caller's deadline is later or missing
  Duration checkpoint_interval = Duration::seconds(10);  // offset checkpoints on streams, at least this far apart
  std::uint64_t max_queued_bytes = 4u << 20;             // a stream: sent but not yet taken by the client
  std::int64_t max_parties_page_size = 10'000;
  std::int64_t max_users_page_size = 1'000;
  std::int64_t max_vetted_packages_page_size = 100;  // participants
  std::uint64_t max_waiting_uploads = 10;            // DARs that are held in memory until their turn to be checked
};
void describe(config::Fields& fields, LedgerApiConfig& config);

struct ServiceContext;

// Serves one node. With a StaticClock it offers the TimeService too. Reading and encoding run on a thread of its own,
// off gRPC's few threads and off the protocol's; decoding and checking of DARs, which may take seconds, on another.
// Thread rules: stop() before the node stops; services stay registered with the server and answer UNAVAILABLE after
// that.
class LedgerApi {
 public:
  LedgerApi(ParticipantNode& node, LedgerApiConfig config, std::shared_ptr<Clock> clock);
  ~LedgerApi();
  std::vector<std::shared_ptr<grpc::Service>> services() const;
  void stop();

 private:
  std::shared_ptr<ServiceContext> context_;
  std::vector<std::shared_ptr<grpc::Service>> services_;
};

}  // namespace synod::participant
