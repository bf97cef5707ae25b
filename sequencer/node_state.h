// What the parts of a running sequencer share. Private to the node and its services.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "sequencer/admission.h"
#include "sequencer/admitted.h"
#include "sequencer/authentication.h"
#include "sequencer/event_signer.h"
#include "sequencer/member_access.h"
#include "sequencer/sequencer_node.h"
#include "sequencer/subscriptions.h"
#include "sequencer/writer.h"

namespace synod::sequencer {

class Housekeeping;

struct RegisteredMember {
  MemberNumber number;
  Timestamp since;
};

// What gRPC's threads may look at without asking the loop; replaced after each block.
struct PublicView {
  topology::Snapshot current;
  topology::Snapshot head;
  Timestamp last_time;
  std::shared_ptr<const std::map<protocol::Member, RegisteredMember>> members;
  AuthenticationView authentication() const { return {current, head}; }
};

// The node as its services see it. Thread rules: any thread.
class NodeState {
 public:
  virtual ~NodeState() = default;

  virtual const SequencerConfig& config() const = 0;
  virtual const SequencerParts& parts() const = 0;
  virtual std::shared_ptr<const PublicView> view() const = 0;
  virtual MemberAuthenticator& authenticator() = 0;
  virtual Subscriptions& subscriptions() = 0;
  virtual RateLimits& rates() = 0;
  virtual AdmittedSubmissions& admitted() = 0;
  virtual MemberAccess& access() = 0;
  virtual Housekeeping& housekeeping() = 0;
  // Ok, or why no request is taken: SEQUENCER_UNAVAILABLE with the reason.
  virtual Status accepting() const = 0;
  // To the log. `done` may come on another thread, at once.
  virtual void submit(SealedEntry entry, std::function<void(Status)> done) = 0;
  // Runs the task where the core may be read; drops it after the node has stopped.
  virtual void with_core(std::function<void(const SequencerCore&)> task) = 0;
  virtual Executor& executor() = 0;          // where with_core() runs tasks
  virtual const Writer& writer() const = 0;  // there only
};

}  // namespace synod::sequencer
