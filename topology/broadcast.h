// Topology transactions on their way through the synchronizer: building a broadcast, and finding those of an event.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/batch.h"
#include "protocol/ids.h"
#include "topology/transaction.h"

namespace synod::topology {

// An envelope to ALL::All with these transactions, without signatures, as Canton's members send it.
protocol::Envelope broadcast_envelope(const protocol::PhysicalSynchronizerId& synchronizer,
                                      const std::vector<SignedTransaction>& transactions);

// All topology transactions of the envelopes of one event, in order. Envelopes that are not topology broadcasts are
// skipped; malformed broadcasts, those for another synchronizer and those not addressed to ALL::All are dropped, as
// Canton does, with one alarm for all of them.
std::vector<SignedTransaction> broadcasts_in(const std::vector<protocol::Envelope>& envelopes,
                                             const protocol::PhysicalSynchronizerId& synchronizer);
// The same from a batch as received; unpacks only what is addressed to ALL::All. An envelope that does not unpack
// within the limits, of its own and of them all, is dropped likewise.
std::vector<SignedTransaction> broadcasts_in(const protocol::CompressedBatch& batch,
                                             const protocol::PhysicalSynchronizerId& synchronizer,
                                             const protocol::BatchLimits& limits = {});

}  // namespace synod::topology
