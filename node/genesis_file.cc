#include "node/genesis_file.h"

#include <fstream>

#include "base/files.h"
#include "synod/genesis.pb.h"

namespace synod::node {

Status write_genesis(const std::string& path, const GenesisFile& file) {
  synod::genesis::v1::Genesis message;
  message.set_physical_synchronizer_id(file.genesis.synchronizer.to_string());
  file.static_parameters.to_proto(*message.mutable_static_parameters());
  message.set_topology_snapshot(topology::encode_snapshot(file.genesis.snapshot));
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << message.SerializeAsString();
  out.close();
  if (!out) return fail(unavailable("GENESIS_WRITE_FAILED", "cannot write " + path));
  return {};
}

Result<GenesisFile> read_genesis(const std::string& path) {
  SYNOD_TRY(const Bytes bytes, required_file(path, "GENESIS_NOT_FOUND"));
  auto file = parse_genesis(bytes);
  if (!file) return fail(malformed("genesis file", path + ": " + file.error().cause));
  return file;
}

Result<GenesisFile> parse_genesis(const Bytes& bytes) {
  synod::genesis::v1::Genesis message;
  if (!message.ParseFromString(bytes)) return fail(malformed("genesis file", "it is damaged"));
  GenesisFile file;
  SYNOD_TRY(file.genesis.synchronizer, protocol::PhysicalSynchronizerId::parse(message.physical_synchronizer_id()));
  SYNOD_TRY(file.static_parameters, topology::StaticParameters::parse(message.static_parameters()));
  SYNOD_TRY(file.genesis.snapshot, topology::decode_snapshot(message.topology_snapshot()));
  return file;
}

}  // namespace synod::node
