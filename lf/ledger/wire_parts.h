// What the messages of values, contracts and transaction nodes have in common. Private to lf/ledger.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/transaction.h"
#include "lf/transaction.pb.h"
#include "lf/value.pb.h"

namespace synod::lf::wire {

namespace pb = ::com::digitalasset::daml::lf::value;
namespace pt = ::com::digitalasset::daml::lf::transaction;

// With a limit to nesting; nothing may follow the message.
bool parse(google::protobuf::MessageLite& message, ByteView bytes);
bool has_unknown(const google::protobuf::Message& message);
// The stable serialisation versions: 2.1, and 2.3 with contract keys.
bool is_version(const std::string& version);

void write(const Identifier& id, pb::Identifier& out);
Result<Identifier> read(const pb::Identifier& id);
void write(const KeyWithMaintainers& key, pt::KeyWithMaintainers& out);
Result<KeyWithMaintainers> read(const pt::KeyWithMaintainers& in, const Identifier& template_id,
                                const std::string& package_name, const std::string& version);
void write(const ContractInstance& contract, pt::FatContractInstance& out);
Result<ContractInstance> read(const pt::FatContractInstance& in, const std::string& version);

Result<PartySet> parties(const google::protobuf::RepeatedPtrField<std::string>& in);
// Signatories that are no maintainers, and stakeholders that are no signatories.
void write_stakeholders(const PartySet& signatories, const PartySet& stakeholders,
                        const std::optional<KeyWithMaintainers>& key,
                        google::protobuf::RepeatedPtrField<std::string>& non_maintainer_signatories,
                        google::protobuf::RepeatedPtrField<std::string>& non_signatory_stakeholders);

}  // namespace synod::lf::wire
