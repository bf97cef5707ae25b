#include "participant/ledger_api/request_checks.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cctype>

namespace synod::participant {
namespace {

bool consists_of(const std::string& text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c < 128 && std::isalnum(c)) || extra.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

Result<std::string> restricted(const std::string& text, std::string_view extra, std::string_view what,
                               std::string_view field) {
  if (text.empty()) return fail(missing_field(field));
  if (text.size() > 255) return fail(invalid_field(field, std::string(what) + " is longer than 255 characters"));
  if (!consists_of(text, extra))
    return fail(invalid_field(field, "'" + text + "' has a character that a " + std::string(what) + " may not have"));
  return text;
}

}  // namespace

Error missing_field(std::string_view field) {
  return Error("MISSING_FIELD", ErrorCategory::invalid_argument,
               "The submitted command is missing a mandatory field: " + std::string(field))
      .with("field_name", std::string(field));
}
Error invalid_field(std::string_view field, std::string_view why) {
  return Error("INVALID_FIELD", ErrorCategory::invalid_argument,
               "The submitted command has a field with invalid value: Invalid field " + std::string(field) + ": " +
                   std::string(why))
      .with("field_name", std::string(field));
}
Error invalid_request(std::string_view why) {
  return {"INVALID_ARGUMENT", ErrorCategory::invalid_argument,
          "The submitted request has invalid arguments: " + std::string(why)};
}
Error offset_after_end(std::string_view which, Offset requested, Offset end) {
  return {"OFFSET_AFTER_LEDGER_END", ErrorCategory::seek_after_end,
          std::string(which) + " offset (" + std::to_string(requested.value) + ") is after ledger end (" +
              std::to_string(end.value) + ")"};
}

Error end_before_begin(Offset begin, Offset end) {
  return {"OFFSET_OUT_OF_RANGE", ErrorCategory::invalid_state_other,
          "End offset " + std::to_string(end.value) + " is before begin offset " + std::to_string(begin.value) + "."};
}

Result<std::string> ledger_string(const std::string& text, std::string_view field) {
  return restricted(text, "#:.-_/ ", "ledger string", field);
}
Result<std::string> optional_ledger_string(const std::string& text, std::string_view field) {
  if (text.empty()) return text;
  return ledger_string(text, field);
}
Result<std::string> user_id(const std::string& text, std::string_view field) {
  return restricted(text, "!|@^$`+'~:.-_#", "user id", field);
}
Result<lf::Party> party_id(const std::string& text, std::string_view field) {
  return restricted(text, ":-_ ", "party id", field);
}

Result<lf::PartySet> party_ids(const google::protobuf::RepeatedPtrField<std::string>& texts, std::string_view field) {
  lf::PartySet parties;
  for (const std::string& text : texts) {
    SYNOD_TRY(lf::Party party, party_id(text, field));
    parties.insert(std::move(party));
  }
  return parties;
}

Status identity_provider_exists(const std::string& id) {
  if (id.empty()) return {};
  return fail(invalid_request("Provided identity_provider_id " + id + " has not been found."));
}

Result<Duration> duration_of(const google::protobuf::Duration& duration, std::string_view field) {
  // The limits of Protobuf's own definition, some 10,000 years.
  constexpr std::int64_t kMostSeconds = 315'576'000'000;
  if (duration.nanos() > 999'999'999 || duration.nanos() < -999'999'999 || duration.seconds() > kMostSeconds ||
      duration.seconds() < -kMostSeconds)
    return fail(invalid_field(field, "it is out of range"));
  return Duration{duration.seconds() * 1'000'000 + duration.nanos() / 1000};
}

Result<Timestamp> timestamp_of(const google::protobuf::Timestamp& time, std::string_view field) {
  // 0001-01-01 to 9999-12-31.
  if (time.nanos() < 0 || time.nanos() > 999'999'999 || time.seconds() < Timestamp::min().micros / 1'000'000 ||
      time.seconds() > Timestamp::max().micros / 1'000'000)
    return fail(invalid_field(field, "it cannot be represented as a Daml timestamp"));
  return Timestamp{time.seconds() * 1'000'000 + time.nanos() / 1000};
}

Result<Offset> non_negative_offset(std::int64_t value, std::string_view field) {
  if (value < 0)
    return fail(Error("NEGATIVE_OFFSET", ErrorCategory::invalid_argument,
                      "Offset " + std::to_string(value) + " in " + std::string(field) +
                          " is a negative integer: the offset has to be a non-negative integer"));
  return Offset(value);
}
Result<Offset> positive_offset(std::int64_t value, std::string_view field) {
  if (value <= 0)
    return fail(Error("NON_POSITIVE_OFFSET", ErrorCategory::invalid_argument,
                      "Offset " + std::to_string(value) + " in " + std::string(field) +
                          " is not a positive integer: the offset has to be a positive integer"));
  return Offset(value);
}

}  // namespace synod::participant
