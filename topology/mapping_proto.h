// Mappings between protobuf and values. Reading applies the same checks as Canton's decoders: what fails here never
// becomes a topology transaction.
#pragma once

#include "base/result.h"
#include "topology/mapping.h"

namespace com::digitalasset::canton::protocol::v30 {
class TopologyMapping;
}

namespace synod::topology {

// Errors: PROTO_DESERIALIZATION_FAILURE.
Result<Mapping> parse_mapping(const com::digitalasset::canton::protocol::v30::TopologyMapping& proto);
void put_mapping(const Mapping& mapping, com::digitalasset::canton::protocol::v30::TopologyMapping& proto);

}  // namespace synod::topology
