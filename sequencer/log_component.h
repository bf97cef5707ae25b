// What this folder's lines in the log stand under.
#pragma once

namespace synod::sequencer {

inline constexpr const char* kLog = "sequencer";

}  // namespace synod::sequencer
