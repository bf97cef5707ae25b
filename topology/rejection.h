// Why a topology transaction was not accepted: Canton's reasons, with the error a client sees for each.
#pragma once

#include <string>

#include "base/error.h"

namespace synod::topology {

struct Rejection {
  std::string error_id;  // Canton's, e.g. TOPOLOGY_SERIAL_MISMATCH
  ErrorCategory category = ErrorCategory::invalid_state_other;
  std::string text;

  Error to_error() const { return Error(error_id, category, text); }
  // What is stored and shown in a snapshot: at most 300 characters.
  std::string stored_text() const { return text.size() <= 300 ? text : text.substr(0, 300); }
};

}  // namespace synod::topology
