// The ordering log as a sequencer's configuration says it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace synod::ordering {
class OrderingLog;
}

namespace synod::node {

struct SequencerSection;

// Returns at once, the connection is made in the background. Errors: those of connect_engine().
Result<std::unique_ptr<ordering::OrderingLog>> connect_log(const SequencerSection& section,
                                                           const std::string& data_folder);

}  // namespace synod::node
