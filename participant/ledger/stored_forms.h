// Updates, completions and errors <-> their stored protobuf form.
#pragma once

#include "participant/update.h"
#include "synod/participant.pb.h"

namespace synod::participant {

namespace stored = ::synod::participant::v1;

void to_stored(const Update& update, stored::StoredUpdate* out);
Result<Update> from_stored(const stored::StoredUpdate& in);
void to_stored(const Completion& completion, stored::StoredCompletion* out);
Completion from_stored(const stored::StoredCompletion& in);

template <typename Strings>
lf::PartySet party_set(const Strings& strings) {
  return lf::PartySet(strings.begin(), strings.end());
}

}  // namespace synod::participant
