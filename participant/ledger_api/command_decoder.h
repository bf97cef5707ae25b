// Commands of the Ledger API as the participant takes them: fields checked, values typed, blobs opened.
#pragma once

#include "participant/commands.h"
#include "participant/ledger_api/service_context.h"

namespace com::daml::ledger::api::v2 {
class Commands;
}

namespace synod::participant {

// Errors: MISSING_FIELD, INVALID_FIELD, INVALID_ARGUMENT, INVALID_DEDUPLICATION_PERIOD, and those of lf::ApiCodec.
// `traceparent` is the caller's, or empty: then a fresh one is made.
Result<CommandSubmission> decode_commands(const ServiceContext& context,
                                          const com::daml::ledger::api::v2::Commands& commands,
                                          const std::string& traceparent);

}  // namespace synod::participant
