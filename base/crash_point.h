// Places at which a node's death is the worst for it, by name: between what it writes and what it then tells others.
// With SYNOD_CRASH_POINT=<name> in its environment a process kills itself there (SIGKILL, as a power cut would for all
// but the disk) after a line on standard error. tests/e2e/crash_point_test.cc goes through all of them and shows that
// the network recovers; a point that is never reached fails there. Any thread may pass a point; without the variable it
// costs a comparison.
#pragma once

#include <array>
#include <string_view>

namespace synod {

struct CrashPoint {
  std::string_view role;  // of the node that passes it, as in its configuration
  std::string_view name;
};

namespace crash_points {

inline constexpr CrashPoint kBlockUnsynced{"orderer", "orderer.block-unsynced"};         // in the file, not on the disk
inline constexpr CrashPoint kBlockSynced{"orderer", "orderer.block-synced"};             // nobody was told
inline constexpr CrashPoint kBatchSealed{"sequencer", "sequencer.batch-sealed"};         // not given to the log
inline constexpr CrashPoint kBatchAccepted{"sequencer", "sequencer.batch-accepted"};     // by the log; no sender knows
inline constexpr CrashPoint kBlockUnwritten{"sequencer", "sequencer.block-unwritten"};   // applied, not in the cache
inline constexpr CrashPoint kBlockWritten{"sequencer", "sequencer.block-written"};       // in the cache, not delivered
inline constexpr CrashPoint kMediatorUnwritten{"mediator", "mediator.event-unwritten"};  // decided, not stored
inline constexpr CrashPoint kMediatorWritten{"mediator", "mediator.event-written"};      // stored, verdict not sent
inline constexpr CrashPoint kEffectsUnwritten{"participant", "participant.effects-unwritten"};  // nothing stored
inline constexpr CrashPoint kEffectsWritten{"participant", "participant.effects-written"};      // stored, nothing sent
inline constexpr CrashPoint kEffectsSent{"participant", "participant.effects-sent"};  // sent, no application knows
inline constexpr CrashPoint kTopologyUnwritten{"topology-manager", "topology-manager.event-unwritten"};
inline constexpr CrashPoint kTopologyWritten{"topology-manager", "topology-manager.event-written"};

inline constexpr std::array kAll{kBlockUnsynced,    kBlockSynced,    kBatchSealed,       kBatchAccepted,
                                 kBlockUnwritten,   kBlockWritten,   kMediatorUnwritten, kMediatorWritten,
                                 kEffectsUnwritten, kEffectsWritten, kEffectsSent,       kTopologyUnwritten,
                                 kTopologyWritten};

}  // namespace crash_points

// Does not return if the process is to die here.
void passing(const CrashPoint& point);

}  // namespace synod
