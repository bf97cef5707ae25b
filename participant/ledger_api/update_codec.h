// Updates, completions and active contracts as Ledger API messages, for one reader's filter and shape.
#pragma once

#include <optional>

#include "participant/ledger_api/event_filter.h"
#include "participant/ledger_api/service_context.h"
#include "participant/update.h"

namespace com::daml::ledger::api::v2 {
class Completion;
class CreatedEvent;
class ExercisedEvent;
class ArchivedEvent;
class OffsetCheckpoint;
class SynchronizerTime;
class TopologyTransaction;
class Transaction;
class TransactionFormat;
class UpdateFormat;
}  // namespace com::daml::ledger::api::v2
namespace google::protobuf {
class Timestamp;
}

namespace synod::participant {

namespace api = ::com::daml::ledger::api::v2;

enum class Shape { acs_delta, ledger_effects };

struct TransactionView {
  EventFilter filter;
  Shape shape = Shape::acs_delta;
};
// What of the updates a reader wants: none of a kind leaves that kind out.
struct UpdateView {
  std::optional<TransactionView> transactions;
  std::optional<lf::PartySet> topology_parties;  // empty set: all parties
};

Result<TransactionView> parse_transaction_format(const api::TransactionFormat& format,
                                                 const lf::PackageStore& packages);
Result<UpdateView> parse_update_format(const api::UpdateFormat& format, const lf::PackageStore& packages);

class UpdateCodec {
 public:
  explicit UpdateCodec(const ServiceContext& context) : context_(context) {}

  // False: nothing in it is visible (the message then has no events).
  Result<bool> transaction(const Update& update, const TransactionView& view, api::Transaction* out) const;
  // False: not a topology event, or of other parties.
  bool topology(const Update& update, const lf::PartySet& parties, api::TopologyTransaction* out) const;

  Status created(const lf::ContractInstance& contract, Offset offset, std::int32_t node_id, bool acs_delta,
                 const Visibility& visibility, bool verbose, api::CreatedEvent* out) const;
  void archived(const ExercisedEvent& event, Offset offset, const lf::PartySet& witnesses,
                api::ArchivedEvent* out) const;
  void completion(const Completion& completion, api::Completion* out) const;
  void checkpoint(Offset offset, Timestamp record_time, api::OffsetCheckpoint* out) const;

 private:
  Status exercised(const ExercisedEvent& event, Offset offset, const lf::PartySet& witnesses, bool verbose,
                   api::ExercisedEvent* out) const;
  const ServiceContext& context_;
};

void set_time(Timestamp time, google::protobuf::Timestamp* out);
// The logical id: without protocol version and serial. Empty before the first connection.
std::string logical_synchronizer_id(const ParticipantNode& node);
// SYNCHRONIZER_NOT_FOUND unless `id` is empty or that one.
Status check_synchronizer(const ParticipantNode& node, const std::string& id);

}  // namespace synod::participant
