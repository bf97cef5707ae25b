// The two Daml applications that the demonstration runs, and where their DARs come from.
#pragma once

#include "testnet/ledger_client.h"

namespace synod::testnet {

struct Application {
  std::string dar;      // bytes
  std::string origin;   // for people: which file this came from
  std::string package;  // package name
  std::string module;   // that holds the template
};

// One contract of two parties: the responder exercises a choice on what the initiator created.
struct PingApplication : Application {
  TemplateName ping() const;
  api::Command create_ping(const std::string& id, const std::string& initiator, const std::string& responder) const;
  api::Command respond(const std::string& contract_id) const;
};

// An obligation of a payer, held by an owner who may transfer or call it.
struct IouApplication : Application {
  TemplateName iou() const;
  api::Command create_iou(const std::string& payer, const std::string& owner, const std::string& amount,
                          const std::string& currency) const;
  api::Command transfer(const std::string& contract_id, const std::string& new_owner) const;
  api::Command call(const std::string& contract_id) const;
};

// From `dar_file` if it is given; else Canton's own DAR from a `shared/dars` folder beside the checkout; else the
// project's example, assembled from examples/*.lf. Error id DAR_NOT_FOUND.
Result<PingApplication> load_ping(const std::string& dar_file);
Result<IouApplication> load_iou(const std::string& dar_file);

}  // namespace synod::testnet
