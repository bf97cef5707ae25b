// Messages of recorded gRPC connections (recordings/*.ndjson), for tests that replay them.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace synod::topology::testing {

struct RecordedMessage {
  std::string method;  // last part, e.g. Subscribe
  bool from_server = false;
  int call = 0;
  Bytes data;  // one protobuf message
};

// All messages of one connection in order.
std::vector<RecordedMessage> read_recording(const std::string& path);

}  // namespace synod::topology::testing
