// The key spaces of a participant's store.
#pragma once

#include "base/bytes.h"
#include "participant/commands.h"
#include "storage/store.h"

namespace synod::participant {

inline constexpr storage::Column kMetaColumn{"participant_meta"};    // see keys below
inline constexpr storage::Column kUpdatesColumn{"updates"};          // offset -> StoredUpdate
inline constexpr storage::Column kUpdateIdsColumn{"update_ids"};     // update id (hex) -> offset
inline constexpr storage::Column kCompletionsColumn{"completions"};  // offset -> StoredCompletion
inline constexpr storage::Column kContractsColumn{"contracts"};      // contract id -> Versioned FatContractInstance
inline constexpr storage::Column kLifecycleColumn{"contract_lifecycle"};  // contract id -> StoredLifecycle
inline constexpr storage::Column kActiveColumn{"active_contracts"};       // offset, node id -> contract id
inline constexpr storage::Column kKeysColumn{"contract_keys"};            // key hash, offset, node id -> contract id
inline constexpr storage::Column kChangesColumn{"changes"};               // change id -> StoredChange
inline constexpr storage::Column kSubmissionsColumn{"submissions"};       // message id -> StoredSubmission
inline constexpr storage::Column kRequestsColumn{"requests"};  // time (µs), number of a change -> StoredRequest
inline constexpr storage::Column kPackagesColumn{"packages"};  // package id -> since (8 bytes) | archive payload
inline constexpr storage::Column kPartiesColumn{"parties"};    // party -> StoredPartyDetails
inline constexpr storage::Column kUsersColumn{"users"};        // for the Ledger API's user management

// Keys of kMetaColumn.
inline constexpr ByteView kLedgerEndKey = "ledger_end";       // offset
inline constexpr ByteView kPrunedKey = "pruned";              // offset
inline constexpr ByteView kLastEventKey = "last_event";       // timestamp of the last event applied
inline constexpr ByteView kSynchronizerKey = "synchronizer";  // physical id, and static parameters beside it
inline constexpr ByteView kParametersKey = "static_parameters";
inline constexpr ByteView kVetPendingKey = "vet_pending";   // package ids, a line each
inline constexpr ByteView kUsersBegunKey = "users_begun";   // the first administrator has been made
inline constexpr ByteView kParticipantKey = "participant";  // own id, PAR::...

inline Bytes number_key(std::int64_t n) {  // order-preserving for n >= 0
  Bytes key;
  append_i64(key, n);
  return key;
}
inline Bytes active_key(Offset offset, std::int32_t node) {
  Bytes key = number_key(offset.value);
  append_i32(key, node);
  return key;
}

// Of an active contract with a key: in the order in which lookups find them, backwards.
inline Bytes contract_key(ByteView key_hash, Offset offset, std::int32_t node) {
  return Bytes(key_hash) + active_key(offset, node);
}

}  // namespace synod::participant
