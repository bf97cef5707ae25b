// Checks on a confirmation request before anybody's response counts.
// Facts: canton-protocol §3; ConfirmationRequestAndResponseProcessor.scala, RootHashMessageRecipients.scala.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "protocol/envelope_content.h"
#include "protocol/ids.h"
#include "protocol/recipients.h"
#include "topology/snapshot.h"

namespace synod::mediator {

struct AddressedRootHashMessage {
  protocol::RootHashMessage message;
  protocol::Recipients recipients;
};

// A request as it came in one event.
struct Request {
  Timestamp id;  // its sequencing time
  protocol::InformeeMessage informee_message;
  protocol::Recipients recipients;  // of the informee message
  std::vector<AddressedRootHashMessage> root_hash_messages;
  bool with_topology_transactions = false;  // in the same batch

  const protocol::TransactionTree& tree() const { return informee_message.tree.tree(); }
  const protocol::CommonMetadata& common() const { return tree().common().value(); }
  protocol::Member submitter() const;
  std::vector<protocol::Party> informees() const;  // of all views, sorted, no repeats
};

// Why a request is rejected at once; `malformed` tells the participants that the submitter misbehaved.
struct Rejection {
  Error error;
  bool malformed = false;
};

Rejection malformed_request(std::string cause);  // MEDIATOR_RECEIVED_MALFORMED_MESSAGE
Rejection invalid_request(std::string cause);    // MEDIATOR_INVALID_MESSAGE

// The checks in Canton's order; none: the request is good. The caller has made sure that this mediator belongs to an
// active group. `at_request` is the topology at the request's sequencing time.
std::optional<Rejection> check_request(const Request& request, const protocol::Member& self,
                                       const topology::Snapshot& at_request);

// The active participants that host at least one of the parties.
std::vector<protocol::Member> hosts_of(const std::vector<protocol::Party>& parties, const topology::Snapshot& snapshot);

}  // namespace synod::mediator
