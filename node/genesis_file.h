// The genesis file: the first topology state of a synchronizer with its parameters, given to each of its sequencers.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "topology/genesis.h"

namespace synod::node {

struct GenesisFile {
  topology::Genesis genesis;
  topology::StaticParameters static_parameters;
};

Status write_genesis(const std::string& path, const GenesisFile& file);
// Errors: GENESIS_NOT_FOUND, PROTO_DESERIALIZATION_FAILURE.
Result<GenesisFile> read_genesis(const std::string& path);
Result<GenesisFile> parse_genesis(const Bytes& bytes);  // the content of such a file

}  // namespace synod::node
