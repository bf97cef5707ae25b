// One connection to one sequencer: brings itself up, authenticates, notices its end and comes back. I/O only; what the
// answers mean is decided by pool.h, send_tracker.h and event_validator.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "sequencer/client/client.h"
#include "sequencer/client/pool.h"

namespace synod::rpc {
class ClientStream;
}

namespace synod::sequencer::client {

// All run on the executor's thread.
struct ConnectionHandlers {
  // The sequencer has introduced itself. An error: the connection must not be used; it ends for good.
  std::function<Status(ConnectionIndex, const Attributes&)> on_validated;
  std::function<void(ConnectionIndex, bool serving)> on_serving;
  // Whatever was under way on it fails too. It restarts by itself.
  std::function<void(ConnectionIndex, const Error&)> on_lost;
};

struct SubscriptionHandlers {
  std::function<void(Bytes signed_sequenced_event, std::string traceparent, std::size_t credit)> on_event;
  std::function<void(const Error&)> on_end;
};

// Thread rules: everything on the executor's thread.
class Connection {
 public:
  Connection(ConnectionIndex index, Endpoint endpoint, std::shared_ptr<const ClientConfig> config,
             std::shared_ptr<const ClientParts> parts, ConnectionHandlers handlers);
  ~Connection();

  void start();
  void stop();  // no callback any more

  // Calls before the member is known to the synchronizer.
  void verify_active(std::function<void(Result<bool>)> done);
  void register_onboarding(const std::vector<topology::SignedTransaction>& transactions,
                           std::function<void(Status)> done);

  // Asks whether the sequencer lives: without an answer within config.probe_timeout the connection counts as lost.
  void probe();

  // From now on calls may be authenticated. Gets a token at once if `eager`.
  void set_synchronizer(const protocol::PhysicalSynchronizerId& synchronizer, bool eager);

  // Authenticated calls. A token that the sequencer no longer accepts is renewed and the call repeated once.
  void send(Bytes signed_submission_request, std::string traceparent, std::function<void(Status)> done);
  void acknowledge(Bytes signed_acknowledge_request, std::function<void(Status)> done);
  void get_time(std::function<void(Result<std::optional<Timestamp>>)> done);
  void topology_hash(std::function<void(Result<crypto::Hash>)> done);
  void download_topology(std::function<void(Result<std::vector<topology::StoredTransaction>>)> done);
  // One subscription at a time. `credit` of each event is given back with consumed().
  void subscribe(std::optional<Timestamp> from, SubscriptionHandlers handlers);
  void unsubscribe();  // its on_end does not come
  void consumed(std::size_t credit);

  ConnectionStatus status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::sequencer::client
