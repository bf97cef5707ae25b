#include "sequencer/deliver_error.h"

#include <algorithm>

#include "google/rpc/status.pb.h"
#include "protocol/versioned.h"
#include "rpc/error_status.h"

namespace synod::sequencer {
namespace {

constexpr std::size_t kMaxListed = 1000;

void append_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_field(Bytes& out, int number, ByteView value) {
  append_varint(out, static_cast<std::uint64_t>(number) << 3 | 2);
  append_varint(out, value.size());
  out.append(value);
}

// By hand: protobuf writes the entries of a map in an order that differs from process to process.
Bytes error_info(const Error& error) {
  Bytes info;
  append_field(info, 1, error.id);  // reason
  const auto entry = [&](std::string_view key, std::string_view value) {
    Bytes pair;
    append_field(pair, 1, key);
    append_field(pair, 2, value);
    append_field(info, 3, pair);  // metadata
  };
  entry("definite_answer", "true");
  entry("category", std::to_string(static_cast<int>(error.category)));
  return info;
}

Error refused(std::string id, std::string cause) {
  return Error(std::move(id), ErrorCategory::invalid_state_other, std::move(cause));
}

}  // namespace

Bytes deliver_error_status(const Error& error) {
  google::rpc::Status status;
  status.set_code(rpc::grpc_code(error.category));
  if (rpc::is_redacted(error.category)) {
    status.set_message(
        "An error occurred. Please contact the operator and inquire about the request <no-correlation-id> with tid "
        "<no-tid>");
    return protocol::serialize_proto(status);
  }
  status.set_message(rpc::error_text(error, ""));
  auto* detail = status.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(error_info(error));
  return protocol::serialize_proto(status);
}

Error unknown_recipients(const std::vector<protocol::Member>& members) {
  std::string list;
  for (std::size_t i = 0; i < std::min(members.size(), kMaxListed); ++i) {
    if (i > 0) list += ", ";
    list += members[i].to_string();
  }
  return refused("SEQUENCER_UNKNOWN_RECIPIENTS", "Unknown recipients: " + list);
}

Error submission_refused(std::string cause) {
  return refused("SEQUENCER_SUBMISSION_REQUEST_REFUSED", std::move(cause));
}

Error max_sequencing_time_too_far(const std::string& message_id, Timestamp max_sequencing_time, Timestamp bound) {
  return refused("SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR",
                 "Max sequencing time " + max_sequencing_time.to_string() + " for submission with id " + message_id +
                     " is too far in the future, currently bounded at " + bound.to_string());
}

Error aggregate_already_sent(const std::string& aggregation_id, Timestamp delivered_at) {
  return refused("SEQUENCER_AGGREGATE_SUBMISSION_ALREADY_SENT", "The aggregatable request with aggregation ID " +
                                                                    aggregation_id + " was previously delivered at " +
                                                                    delivered_at.to_string());
}

Error aggregate_stuffing(const protocol::Member& sender, const std::string& aggregation_id, Timestamp at) {
  return refused("SEQUENCER_AGGREGATE_SUBMISSION_STUFFING",
                 "The sender " + sender.to_string() +
                     " previously contributed to the aggregatable submission with ID " + aggregation_id + " at " +
                     at.to_string());
}

Error topology_timestamp_unsupported() {
  return Error("SEQUENCER_UNIMPLEMENTED", ErrorCategory::unsupported,
               "topology timestamp in submission request is not supported in protocol versions > 34");
}

Error overloaded(std::string cause) {
  return Error("SEQUENCER_OVERLOADED", ErrorCategory::contention_on_shared_resources, std::move(cause));
}

Error submission_malformed(const std::string& sender, const std::string& message_id, const std::string& what) {
  return Error(
      "SEQUENCER_SUBMISSION_REQUEST_MALFORMED", ErrorCategory::malicious_or_faulty,
      "Send request [" + message_id + "] from sender [" + sender + "] is malformed. Discarding request. " + what);
}

}  // namespace synod::sequencer
