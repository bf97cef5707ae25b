// Checks of request fields, with the error ids and texts that Ledger API clients match on
// (Canton's RequestValidationErrors and FieldValidator).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lf/value.h"
#include "participant/commands.h"

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
class Duration;
class Timestamp;
}  // namespace google::protobuf

namespace synod::participant {

Error missing_field(std::string_view field);                                   // MISSING_FIELD
Error invalid_field(std::string_view field, std::string_view why);             // INVALID_FIELD
Error invalid_request(std::string_view why);                                   // INVALID_ARGUMENT
Error offset_after_end(std::string_view which, Offset requested, Offset end);  // OFFSET_AFTER_LEDGER_END
Error end_before_begin(Offset begin, Offset end);                              // OFFSET_OUT_OF_RANGE

// 1 to 255 characters of A-Z a-z 0-9 # : . - _ / and blank: command, workflow and submission ids.
Result<std::string> ledger_string(const std::string& text, std::string_view field);
Result<std::string> optional_ledger_string(const std::string& text, std::string_view field);  // may be empty
Result<std::string> user_id(const std::string& text, std::string_view field);
// 1 to 255 characters of A-Z a-z 0-9 : - _ and blank.
Result<lf::Party> party_id(const std::string& text, std::string_view field);
Result<lf::PartySet> party_ids(const google::protobuf::RepeatedPtrField<std::string>& texts, std::string_view field);
// There are none but the participant's own, which is the empty one. INVALID_ARGUMENT.
Status identity_provider_exists(const std::string& id);
// Protobuf's Duration and Timestamp hold more than our microseconds. INVALID_ARGUMENT.
Result<Duration> duration_of(const google::protobuf::Duration& duration, std::string_view field);
Result<Timestamp> timestamp_of(const google::protobuf::Timestamp& time, std::string_view field);
Result<Offset> non_negative_offset(std::int64_t value, std::string_view field);  // NEGATIVE_OFFSET
Result<Offset> positive_offset(std::int64_t value, std::string_view field);      // NON_POSITIVE_OFFSET

}  // namespace synod::participant
