// What this folder's lines in the log stand under.
#pragma once

namespace synod::participant {

inline constexpr const char* kLog = "participant";

}  // namespace synod::participant
